# amaranth: UnusedElaboratable=no
"""A small core's netlist after Yosys does what its RTL does."""

__all__ = ["PROOFS"]

import dataclasses
import functools
import re
from pathlib import Path

import numpy as np

from bnnhw.boards.scripts import core_script
from bnnhw.boards.targets import target
from bnnhw.folding import Folding, LayerFolding
from bnnhw.input_format import InputFormat
from bnnhw.layers import Dense, Output
from bnnhw.network import Network
from bnnhw.rtl.core import Core, reset_cycles
from bnnhw.rtl.emit import TOP, to_verilog
from bnnhw.technology import GENERIC, Technology
from bnnhw.timing import network_latency

from .proof import Broken, Case, Design, Proof

IMAGES = 3  # that leave a core before a proof ends
STALL = 3  # cycles for which the reader takes nothing, once the first result is there
TIED = {"1'h0": 0, "1'h1": 1}

# What both cores are given: images one after the other, whatever is in them.
BENCH = """
module both(input clock, input [{width}:0] image);
  reg [15:0] cycle = 0;
  always @(posedge clock) cycle <= cycle + 1;
  wire resetn = cycle != 0;
  wire ready = cycle < {stalls} || cycle >= {goes_on};
{cores}
  always @* begin
    assert (rtl_in_ready == netlist_in_ready);
    assert (rtl_valid == netlist_valid);
    assert (rtl_error == netlist_error);
    assert (!rtl_valid || (rtl_last == netlist_last && rtl_data == netlist_data));
  end
endmodule
"""
CORE = """
  wire {name}_in_ready, {name}_valid, {name}_last, {name}_error;
  wire [31:0] {name}_data;
  {name} core_{name}(
    .aclk(clock), .aresetn(resetn), .s_axis_tdata(image), .s_axis_tvalid(1'b1),
    .s_axis_tlast(1'b1), .s_axis_tready({name}_in_ready), .m_axis_tdata({name}_data),
    .m_axis_tvalid({name}_valid), .m_axis_tlast({name}_last), .m_axis_tready(ready),
    .frame_error({name}_error));
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Small:
    """A core of four inputs of one bit and two classes.

    Parameters
    ----------
    hidden : bool
        With a layer of two neurons between them.
    family : str
        What it is synthesized for.
    cells : bool
        It is also written for that, in the family's own cells; the RTL then has their twins.
    """

    hidden: bool
    family: str
    cells: bool = False

    @functools.cached_property
    def network(self) -> Network:
        draw = np.random.default_rng(1)
        weights = [draw.integers(0, 2, size, np.uint8) for size in ((2, 4), (2, 2), (2, 4))]
        fc = Dense(
            name="fc", weight=weights[0], input_bits=1, threshold=np.array([2, 3], dtype=np.int32)
        )
        out = Output(
            name="out",
            weight=weights[1 if self.hidden else 2],
            input_bits=1,
            scale=np.ones(2, dtype=np.int16),
            bias=np.array([0, 1], dtype=np.int32),
        )
        return Network(
            input=InputFormat(shape=(4,), bits=1, threshold=0.5),
            layers=(fc, out) if self.hidden else (out,),
        )

    @property
    def folding(self) -> Folding:
        return Folding(
            layers=tuple(LayerFolding(name=one.name, lanes=2) for one in self.network.dense)
        )

    @property
    def technology(self) -> Technology:
        return Technology(family=self.family if self.cells else GENERIC)

    @property
    def first(self) -> int:
        """The cycle that gives the first result; the core's reset comes first."""
        latency = network_latency(self.network, self.folding, technology=self.technology)
        return reset_cycles(self.core(simulated=False).plans) + latency.total

    @property
    def depth(self) -> int:
        """Cycles in which some results come out."""
        return self.first + STALL + IMAGES * self.folding.interval(self.network) + 2

    def core(self, *, simulated: bool) -> Core:
        return Core(self.network, self.folding, "class", self.technology, simulated=simulated)


def equals_rtl(small: Small, *, flip: bool = False) -> Design:
    """The RTL and its netlist side by side.

    Parameters
    ----------
    flip : bool
        Flip one bit of a LUT's contents in the netlist: a broken copy.
    """
    core = small.core(simulated=False)
    bench = BENCH.format(
        width=len(core.s_axis_tdata) - 1,
        stalls=small.first,
        goes_on=small.first + STALL,
        cores="".join(CORE.format(name=name) for name in ("rtl", "netlist")),
    )
    device = target(small.family)
    flat = [
        command.format(TOP)
        for command in ("hierarchy -top {}", "proc", "flatten", "opt_clean", "memory_collect")
    ]
    script = (
        "read_verilog rtl.v",
        *flat,
        "design -stash rtl",
        f"read_verilog -D NO_INCLUDES {device.about.cells}",
        "read_verilog netlist.v",
        *flat,
        "design -stash netlist",
        f"design -copy-from rtl -as rtl {TOP}",
        f"design -copy-from netlist -as netlist {TOP}",
        "read_verilog -formal both.v",
        "prep -flatten -top both",
    )
    return Design(
        files={
            "core.v": to_verilog(core, TOP),
            "rtl.v": to_verilog(small.core(simulated=True), TOP),
            "both.v": bench,
        },
        script=script,
        before=core_script(device, sources=["core.v"], top=TOP),
        edit=_flip_a_bit if flip else None,
        made=("netlist.v",),
    )


def _flip_a_bit(folder: Path) -> None:
    """Flip the bit with which the LUT behind `m_axis_tvalid` says that a result is there.

    That LUT is an AND of a register and the reset, so there is one such bit that its tied pins
    leave in reach.
    """
    path = folder / "netlist.v"
    text = path.read_text()
    cell = r"(?:LUT4|SB_LUT4) #\(\s*\.\w+\(16'h([0-9a-f]+)\)\s*\) \S+ \(([^;]*)\);"
    found = [
        match
        for match in re.finditer(cell, text)
        if re.search(r"\.[ZO]\(m_axis_tvalid\)", match.group(2))
    ]
    assert len(found) == 1, f"{len(found)} LUTs drive m_axis_tvalid"
    contents = int(found[0].group(1), 16)
    pins = dict(re.findall(r"\.(A|B|C|D|I0|I1|I2|I3)\(([^)]*)\)", found[0].group(2)))
    tied = {k: TIED[pins[pin]] for k, pin in enumerate(sorted(pins)) if pins[pin] in TIED}
    ready = [
        i for i in range(16) if contents >> i & 1 and all(i >> k & 1 == v for k, v in tied.items())
    ]
    assert len(ready) == 1, f"{len(ready)} reachable bits of {contents:04x} are 1"
    begin, end = found[0].span(1)
    path.write_text(f"{text[:begin]}{contents ^ 1 << ready[0]:04x}{text[end:]}")


def _proof(name: str, small: Small, *, heavy: bool = False) -> Proof:
    sizes = "4-2-2" if small.hidden else "4-2"
    return Proof(
        name=name,
        says="The netlist after Yosys answers as its RTL in every cycle: images back to back, "
        "whatever is in them, and a reader that stalls once.",
        bounds=f"{sizes} core, {IMAGES} results",
        bounded=True,
        heavy=heavy,
        cases=(
            Case(name=small.family, design=functools.partial(equals_rtl, small), depth=small.depth),
        ),
        broken=(
            Broken(
                name="a bit of a LUT flipped",
                design=functools.partial(equals_rtl, small, flip=True),
                depth=small.depth,
            ),
        ),
    )


PROOFS = (
    _proof("netlist-ecp5", Small(hidden=False, family="ecp5")),
    _proof("netlist-ecp5-cells", Small(hidden=True, family="ecp5", cells=True)),
    # Its block RAM, as registers, takes minutes.
    _proof("netlist-ice40", Small(hidden=False, family="ice40"), heavy=True),
)
