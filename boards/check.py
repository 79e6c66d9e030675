"""A popcount's netlist against numpy: all corners, and random words of every density, in Icarus."""

__all__ = ["Checked", "Counting", "check_popcount"]

import dataclasses
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bnnhw.errors import ToolError
from bnnhw.files import write_text
from bnnhw.tools import find, run_tool

from .mapped import Mapped
from .models import cell_models
from .netlist import Netlist

RANDOM = 10_000
SEED = 0
SAID = re.compile(r"bnnhw: (\d+) wrong, first (-?\d+), count ([01xz]+)")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Counting:
    """What an XNOR-popcount does: p = popcount(xnor(a, w)), `latency` cycles after a and w.

    Parameters
    ----------
    lanes, latency : int
    weights : ndarray[uint8], (lanes,), 0/1, optional
        Constants; without them the popcount has a port `w`.
    """

    lanes: int
    latency: int
    weights: npt.NDArray[np.uint8] | None = None

    def vectors(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Words a and w, (N, lanes), 0/1.

        The corners: all 0, all 1, and each single bit against the others, of each word with the
        other all 0 and all 1 (constant weights: of the lanes that match). Then random words in
        which a chance drawn for each says how many lanes match.
        """
        lanes = self.lanes
        rng = np.random.default_rng(SEED)
        single = np.eye(lanes, dtype=np.uint8)
        corners = np.concatenate([np.zeros((1, lanes), np.uint8), single])
        corners = np.unique(np.concatenate([corners, 1 - corners]), axis=0)
        still = np.zeros_like(corners)
        match = (rng.random((RANDOM, lanes)) < rng.random((RANDOM, 1))).astype(np.uint8)
        if self.weights is not None:
            w = np.broadcast_to(self.weights, (len(corners) + RANDOM, lanes))
            return _xnor(np.concatenate([corners, match]), w), w
        w = rng.integers(0, 2, match.shape, np.uint8)
        a = [corners, corners, still, 1 - still, _xnor(match, w)]
        return np.concatenate(a), np.concatenate([still, 1 - still, corners, corners, w])


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """How a check went.

    Parameters
    ----------
    vectors, wrong : int
    first : str
        The first one that is wrong; empty if none is.
    simulator : str
        With its version.
    """

    vectors: int
    wrong: int
    first: str
    simulator: str

    @property
    def failure(self) -> str:
        """What is wrong, in one line; empty if nothing is."""
        if not self.wrong:
            return ""
        return f"the netlist miscounts {self.wrong:,} of {self.vectors:,} vectors; {self.first}"


def check_popcount(counting: Counting, mapped: Mapped, netlist: Netlist, folder: Path) -> Checked:
    """Simulate a popcount's netlist on all of `Counting.vectors`, one a cycle.

    Parameters
    ----------
    folder : Path
        Where the bench is written; it is made.

    Raises
    ------
    MissingToolError, ToolError
        No Icarus, or it broke off; not where a count is wrong.
    """
    a, w = counting.vectors()
    counts = (a == w).sum(axis=1)
    found = find("iverilog")
    write_text(folder / "cells.v", cell_models(mapped.target, mapped.cells))
    write_text(folder / "bench.v", _bench(counting, netlist, len(a)))
    write_text(folder / "vectors.hex", "".join(map(_hex, np.concatenate([a, w], axis=1))))
    write_text(folder / "counts.hex", "".join(f"{count:x}\n" for count in counts))
    log = folder / "check.log"
    sources = ["bench.v", "cells.v", str(mapped.verilog.resolve())]
    compiled = ["-g2005", "-s", "bench", "-o", "bench.vvp", *sources]
    run_tool(found, compiled, cwd=folder, log=log)
    simulator = dataclasses.replace(found, command=(str(found.path.with_name("vvp")),))
    said: list[str] = []
    run_tool(simulator, ["-n", "bench.vvp"], cwd=folder, log=log, on_line=said.append)
    (folder / "bench.vvp").unlink()
    told = next(filter(None, map(SAID.match, said)), None)
    if told is None:
        raise ToolError("the check broke off in Icarus", log=log)
    wrong, place = int(told[1]), int(told[2])
    first = ""
    if wrong:
        words = f"a = {_hex(a[place]).strip()}, w = {_hex(w[place]).strip()}"
        got = int(told[3], 2) if set(told[3]) <= {"0", "1"} else told[3]
        first = f"first {words} (hexadecimal): {counts[place]} lanes match, it counts {got}"
    return Checked(vectors=len(a), wrong=wrong, first=first, simulator=f"icarus {found.version}")


def _xnor(x: npt.NDArray[np.uint8], y: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return (x == y).astype(np.uint8)


def _hex(bits: npt.NDArray[np.uint8]) -> str:
    """A word, its first bit the lowest, as a line of hexadecimal digits."""
    word = np.packbits(bits, bitorder="little").tobytes()
    return f"{int.from_bytes(word, 'little'):0{-(-len(bits) // 4)}x}\n"


def _bench(counting: Counting, netlist: Netlist, vectors: int) -> str:
    drives = {"clk": "clk", "rst": "1'b0", "a": "a", "w": "w", "count": "count"}
    ports = ", ".join(f".{name}({drives[name]})" for name in netlist.ports)
    width = counting.lanes.bit_length()
    return f"""\
// A popcount's netlist against counts from numpy: made by bnnhw.boards.check.
module bench;
    reg [{2 * counting.lanes - 1}:0] vectors [0:{vectors - 1}];
    reg [{width - 1}:0] counts [0:{vectors - 1}];
    reg clk;
    reg [{counting.lanes - 1}:0] a, w;
    wire [{width - 1}:0] count;
    reg [{width - 1}:0] got;
    integer i, wrong, first;
    {netlist.top} dut ({ports});
    initial begin
        $readmemh("vectors.hex", vectors);
        $readmemh("counts.hex", counts);
        clk = 0;
        wrong = 0;
        first = -1;
        got = 0;
        for (i = 0; i < {vectors + counting.latency}; i = i + 1) begin
            if (i < {vectors}) {{w, a}} = vectors[i];
            #1 if (i >= {counting.latency} && count !== counts[i - {counting.latency}]) begin
                if (wrong == 0) first = i - {counting.latency};
                if (wrong == 0) got = count;
                wrong = wrong + 1;
            end
            #1 clk = 1;
            #1 clk = 0;
        end
        $display("bnnhw: %0d wrong, first %0d, count %b", wrong, first, got);
        $finish;
    end
endmodule
"""
