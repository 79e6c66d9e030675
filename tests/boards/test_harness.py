"""The harness: every bit of the core hangs on it, and the core in it is the one counted."""

import pytest
from designs import LINKS

from bnnhw.boards.harness import FIRST_STAGES, HARNESS, core_of, harness_of, harness_verilog
from bnnhw.boards.netlist import Bit, Cell, Netlist, read_netlist
from bnnhw.boards.scripts import core_script, harness_script
from bnnhw.boards.targets import Target
from bnnhw.errors import InputError
from bnnhw.tools import find, run_tool

TARGET = Target(family="ecp5")


@pytest.fixture(scope="module")
def core_and_joined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Netlist, Netlist]:
    folder = tmp_path_factory.mktemp("harness")
    (folder / "top.v").write_text(LINKS)
    (folder / "core.ys").write_text(core_script(TARGET, sources=["top.v"], top="top"))
    run_tool(find("yosys"), ["-s", "core.ys"], cwd=folder, log=folder / "core.log")
    core = read_netlist(folder / "netlist.json", "top")
    (folder / "harness.v").write_text(harness_verilog(core))
    (folder / "harness.ys").write_text(harness_script(TARGET, harness=HARNESS, core="top"))
    run_tool(find("yosys"), ["-s", "harness.ys"], cwd=folder, log=folder / "harness.log")
    return core, read_netlist(folder / "routed.json", HARNESS)


def test_the_core_in_the_harness_is_cell_for_cell_the_one_that_was_counted(
    core_and_joined: tuple[Netlist, Netlist],
) -> None:
    core, joined = core_and_joined
    inside = {c.name.removeprefix("core."): c for c in core_of(joined).cells}
    assert {(c.name, c.type) for c in core.cells} == {(n, c.type) for n, c in inside.items()}
    assert all(inside[c.name].parameters == c.parameters for c in core.cells)


def test_the_harness_has_two_registers_an_output_and_one_an_input(
    core_and_joined: tuple[Netlist, Netlist],
) -> None:
    core, joined = core_and_joined
    ins = sum(len(b) for n, (way, b) in core.ports.items() if way == "input" and n != "aclk")
    outs = sum(len(b) for way, b in core.ports.values() if way == "output")
    assert (ins, outs) == (12, 24)
    own = [cell.type for cell in harness_of(joined).cells]
    assert own.count("TRELLIS_FF") == FIRST_STAGES + ins + 2 * outs
    assert own.count("LUT4") == outs - 1  # an XOR a stage, but the first
    assert len(own) == FIRST_STAGES + ins + 3 * outs - 1


def test_every_input_comes_from_a_stage_and_every_output_goes_to_one(
    core_and_joined: tuple[Netlist, Netlist],
) -> None:
    core, joined = core_and_joined
    own = harness_of(joined).cells
    after = {source: ff for ff in own if ff.type == "TRELLIS_FF" for source in _data(ff)}
    net = joined.ports["pin_in"][1][0]
    stages = []
    while net in after:  # walk the shift register from the pin on
        stages.append(net := after[net].bit("Q"))
    assert len(stages) == FIRST_STAGES + 12
    of_core = core_of(joined).cells
    read = {
        bit for c in of_core for p, bits in c.ports.items() if p not in c.outputs for bit in bits
    }
    assert read.issuperset(stages[FIRST_STAGES:]) and not read & set(stages[:FIRST_STAGES])
    made = [bit for c in of_core if c.type == "TRELLIS_FF" for bit in c.ports["Q"]]
    assert len(made) == 24 and all(bit in after for bit in made)
    assert core.types["TRELLIS_FF"] == 24


def _data(ff: Cell) -> list[Bit]:
    """The nets at a flip-flop's data pin."""
    return [bit for pin in ("DI", "M") for bit in ff.ports.get(pin, ()) if isinstance(bit, int)]


def netlist(**ports: tuple[str, int]) -> Netlist:
    return Netlist(
        top="top", cells=(), ports={n: (way, (2,) * width) for n, (way, width) in ports.items()}
    )


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ({"clock": ("input", 1)}, "top: no clock port; it must be called aclk or clk"),
        (
            {"clk": ("input", 1), "io": ("inout", 1)},
            "top: port io is inout; in and out can be routed",
        ),
        (
            {"clk": ("input", 1), "a": ("input", 2)},
            "top: no outputs, so there is nothing to route",
        ),
    ],
)
def test_what_cannot_be_harnessed_is_refused(
    ports: dict[str, tuple[str, int]], message: str
) -> None:
    with pytest.raises(InputError) as raised:
        harness_verilog(netlist(**ports))
    assert str(raised.value) == message


def test_a_core_without_inputs_and_with_one_output_has_a_harness() -> None:
    text = harness_verilog(netlist(clk=("input", 1), y=("output", 1)))
    assert "harness_shift <= 1'b0 ^ harness_seen" in text
