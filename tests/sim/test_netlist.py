"""The netlist rung: what Yosys made of a core, on the same bench, against golden."""

import dataclasses
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from networks import random_conv_network
from sim_bench import SIMULATORS, grid, make, need

from bnnhw.boards import synth
from bnnhw.boards.models import LIBRARIES
from bnnhw.boards.netlist import read_netlist
from bnnhw.cli import main
from bnnhw.errors import InputError
from bnnhw.folding import Folding
from bnnhw.record import read_records
from bnnhw.rtl.emit import generate
from bnnhw.sim import simulate
from bnnhw.sim.core import read_core
from bnnhw.sim.faults import campaign
from bnnhw.technology import Technology

QUICK = "ice40"


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folds, two bit-planes, memories and a layer that is not the last, as small as they come."""
    need("icarus")
    folder = tmp_path_factory.mktemp("netlist") / "build"
    make(folder, (9, 6, 4), (2, 1, 4), (2, 1, 3), bits=2, seed=3, vectors=8)
    synth(folder, target=QUICK)
    return folder


def test_a_netlist_gives_what_golden_says_in_the_cycles_that_were_promised(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    core = read_core(build)
    arguments = ["simulate", str(build), "--netlist", "--simulator", "icarus", "--vectors", "24"]
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["netlist"], told["layers_compared"]) == ("ice40 hx8k ct256", False)
    assert (told["images"], told["neurons"], told["failure"]) == (24, 1, "")
    assert told["interval_cycles"] == core.interval and told["latency_cycles"] == core.latency
    records = read_records(build / "simulation" / f"records-synth-{QUICK}.json")
    assert records[0].how == "compared with golden, the outputs of the netlist for ice40 hx8k ct256"
    assert main(arguments) == 0
    assert "not layers' inner bits" in " ".join(capsys.readouterr().out.replace("│", "").split())


def test_stalls_change_nothing_in_a_netlist(build: Path) -> None:
    result = simulate(
        build, netlist=True, simulator="icarus", vectors=16, stall_in=0.5, stall_out="bursts"
    )
    assert result.failure == "" and result.interval_cycles is None


@pytest.mark.slow
@pytest.mark.parametrize("target", ["ecp5", "ice40"])
def test_a_netlist_of_maps_gives_what_golden_says(tmp_path: Path, target: str) -> None:
    """Windows that come whole, two at once, and word by word; a pooling; memory in LUTs on ecp5."""
    need("icarus")
    stages = [("conv", 6, 3, 1, 0), ("pool", 0, 2, 2, 0), ("conv", 5, 2, 1, 0)]
    network = random_conv_network((8, 8, 2), stages, bits=3, seed=1)
    layers = [
        grid("conv0", 6, 1, 16, 4),
        grid("conv2", 2, 1, 16),
        grid("out", 1, 1, 10),
    ]
    layers[0] = dataclasses.replace(layers[0], positions=2)
    folding, technology = Folding(layers=tuple(layers)), Technology(family=target)
    generate(network, tmp_path / "b", folding=folding, technology=technology, vectors=8)
    words = {one.name: one for one in folding.map_words(network)}
    assert words["conv0"].columns is not None and words["conv2"].columns is None
    synth(tmp_path / "b", target=target)
    for stall in (0.0, 0.5):
        result = simulate(
            tmp_path / "b", netlist=True, simulator="icarus", vectors=20, stall_in=stall,
            stall_out=stall,
        )  # fmt: skip
        assert result.failure == ""
        assert stall or result.interval_cycles == result.interval


def one_bit_wrong(folder: Path) -> Iterator[str]:
    """The netlist with one bit of one LUT wrong, one after the other of those that hold the class.

    Some of a LUT's bits are for inputs that never come: those nobody can see.
    """
    text = (folder / "netlist.v").read_text()
    cells = read_netlist(folder / "netlist.json", "bnnhw_core").of_type("SB_LUT4")
    for cell in (cell for cell in cells if ".argmax.best_index" in cell.name):
        place = re.search(rf"\.LUT_INIT\(16'h(\w{{4}})\)\s*\) \\?{re.escape(cell.name)} ", text)
        assert place is not None
        for bit in range(16):
            wrong = int(place[1], 16) ^ 1 << bit
            yield f"{text[: place.start(1)]}{wrong:04x}{text[place.end(1) :]}"


def test_one_wrong_bit_in_a_lut_is_caught(build: Path, tmp_path: Path) -> None:
    folder = tmp_path / "synth-broken"
    shutil.copytree(build / f"synth-{QUICK}", folder)
    for wrong in one_bit_wrong(folder):
        (folder / "netlist.v").write_text(wrong)
        with pytest.raises(InputError, match="changed since it was synthesized"):
            simulate(build, netlist=folder, simulator="icarus", vectors=24)
        result = simulate(build, netlist=folder, simulator="icarus", vectors=24, check_files=False)
        if result.mismatch is not None:
            break
    assert result.mismatch is not None and result.mismatch.layer == "m_axis"
    what = "the netlist for ice40 hx8k ct256 differs from golden"
    assert result.failure == f"{what}: {result.mismatch}"
    assert result.waves is not None


def test_what_is_no_netlist_of_the_build_is_one_line(
    build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make(tmp_path / "other", (9, 6, 4), (2, 1, 4), (2, 1, 3), bits=2, seed=4, vectors=8)
    here, there = str(build / f"synth-{QUICK}"), str(other)
    cases = [
        ([there, "--netlist"],
         f"{other}: no netlist in it; `bnnhw synth {other}` makes one, or name its folder"),
        ([there, "--netlist", here],
         f"{here}: its netlist is not of the Verilog in {other}; "
         f"`bnnhw synth {other} --target ice40` makes one"),
        ([there, "--netlist", there],
         f"{other}/synthesis.json: No such file or directory; `bnnhw synth` writes it beside a "
         "netlist"),
    ]  # fmt: skip
    for arguments, message in cases:
        assert main(["simulate", *arguments]) == 2
        assert capsys.readouterr().err == f"bnnhw: {message}\n"
    shutil.copytree(here, other / "synth-a")
    shutil.copytree(here, other / "synth-b")
    assert main(["simulate", there, "--netlist"]) == 2
    assert capsys.readouterr().err == (
        f"bnnhw: {other}: has several netlists (synth-a, synth-b); name the folder of one\n"
    )
    with pytest.raises(InputError, match="faults go into the memories of the Verilog"):
        campaign(here, [])


@pytest.mark.slow
@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("family", LIBRARIES)
def test_the_netlist_for_every_family_is_exact(tmp_path: Path, family: str, simulator: str) -> None:
    """Block RAM, memory in LUTs, carry, both outputs; with and without stalls."""
    need(simulator)
    for gives, output in (("scores", "scores"), ("bits", None)):
        build = make(
            tmp_path / gives, (40, 12, 10), (2, 2, 9), (2, 1, 7), bits=3, gives=gives,
            output=output, vectors=16,
        )  # fmt: skip
        synth(build, target=family)
        for stall in (0.0, 0.5):
            result = simulate(
                build, netlist=True, simulator=simulator, stall_in=stall, stall_out=stall
            )
            assert result.failure == ""
            assert result.images >= 16 and result.neurons == 10
