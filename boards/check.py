"""A popcount's netlist against numpy: all corners, random words of every density, in Verilator.

Verilator knows no X: what nothing drives has a value. So a netlist has to be right with all 0, with
all 1 and with random values there.
"""

__all__ = ["Checked", "Counting", "check_popcount"]

import dataclasses
import functools
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bnnhw.errors import ToolError
from bnnhw.files import remove, write_text
from bnnhw.tools import find, run_tool

from ..sim.library import MAKE_ARGS, find_verilator, shared_library
from .mapped import Mapped
from .models import cell_models
from .netlist import Netlist

RANDOM = 10_000
SEED = 0
SAID = re.compile(r"bnnhw: (\d+) wrong, first (\d+), count (\d+)")
VERILATOR_ARGS = [
    "--cc", "--exe", "--prefix", "Vtop", "--top-module", "bench",
    "--x-assign", "unique", "--x-initial", "unique",  # as UNDRIVEN says
    "-Wno-fatal", "-Wno-lint",  # the Verilog that Yosys writes
]  # fmt: skip
UNDRIVEN = {"0": "0", "1": "1", "2": "random values"}  # Verilator's number: what it stands for
MAIN = """\
// Runs the bench: made by bnnhw.boards.check.
#include <cstdlib>
#include "Vtop.h"

int main(int, char** argv) {
    Verilated::randReset(std::atoi(argv[1]));
    Vtop bench;
    do {
        bench.clk = !bench.clk;
        bench.eval();
    } while (!bench.done);
}
"""


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


def check_popcount(
    counting: Counting, mapped: Mapped, netlist: Netlist, folder: Path, keep_log: Path | None = None
) -> Checked:
    """Simulate a popcount's netlist on all of `Counting.vectors`, one a cycle.

    Parameters
    ----------
    folder : Path
        Where the bench is written; it is made.
    keep_log : Path, optional
        As for `run_tool`.

    Raises
    ------
    MissingToolError, ToolError
        No Verilator, compiler or make, or one broke off; not where a count is wrong.
    """
    a, w = counting.vectors()
    counts = (a == w).sum(axis=1)
    verilator, make = find_verilator(), find("make")
    made = folder / "verilator"
    write_text(folder / "cells.v", cell_models(mapped.target, mapped.cells))
    write_text(folder / "bench.v", _bench(counting, netlist, len(a)))
    write_text(folder / "main.cpp", MAIN)
    write_text(folder / "vectors.hex", "".join(map(_hex, np.concatenate([a, w], axis=1))))
    write_text(folder / "counts.hex", "".join(f"{count:x}\n" for count in counts))
    run = functools.partial(run_tool, log=folder / "check.log", keep_log=keep_log)
    sources = ["bench.v", "cells.v", str(mapped.verilog.resolve()), "main.cpp"]
    run(verilator, [*VERILATOR_ARGS, "--Mdir", made.name, *sources], cwd=folder)
    with shared_library(made, verilator):
        run(make, ["-s", "-f", "Vtop.mk", *MAKE_ARGS], cwd=made)
    program = dataclasses.replace(verilator, command=(str(made.resolve() / "Vtop"),))
    results: dict[str, tuple[int, ...]] = {}
    for value in UNDRIVEN:
        said: list[str] = []
        run(program, [value], cwd=folder, on_line=said.append)
        told = next(filter(None, map(SAID.match, said)), None)
        if told is None:
            raise ToolError("the netlist's simulation ended without a result")
        results[value] = tuple(map(int, told.groups()))
    remove(made)
    value = max(results, key=lambda value: results[value][0])
    wrong, place, counted = results[value]
    first = ""
    if wrong:
        words = f"a = {_hex(a[place]).strip()}, w = {_hex(w[place]).strip()}"
        first = f"first {words} (hexadecimal): {counts[place]} lanes match, it counts {counted}"
        if len(set(results.values())) > 1:
            first += f", with {UNDRIVEN[value]} on what nothing drives"
    by = f"verilator {verilator.version}"
    return Checked(vectors=len(a), wrong=wrong, first=first, simulator=by)


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
module bench (input clk, output reg done);
    reg [{2 * counting.lanes - 1}:0] vectors [0:{vectors - 1}];
    reg [{width - 1}:0] counts [0:{vectors - 1}];
    reg [{counting.lanes - 1}:0] a, w;
    wire [{width - 1}:0] count;
    reg [{width - 1}:0] got;
    integer i, place, wrong, first;
    {netlist.top} dut ({ports});
    initial begin
        $readmemh("vectors.hex", vectors);
        $readmemh("counts.hex", counts);
        done = 0;
        i = 0;
        wrong = 0;
        first = 0;
        got = 0;
    end
    always @(posedge clk) begin
        i = i + 1;
        place = i - {counting.latency + 2};  // of the vector whose count is there
        if (i <= {vectors}) {{w, a}} <= vectors[i - 1];
        if (place >= 0 && place < {vectors} && count != counts[place]) begin
            if (wrong == 0) first = place;
            if (wrong == 0) got = count;
            wrong = wrong + 1;
        end
        if (place == {vectors}) begin
            $display("bnnhw: %0d wrong, first %0d, count %0d", wrong, first, got);
            done <= 1;
        end
    end
endmodule
"""
