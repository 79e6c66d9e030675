"""Counts the ones in a word, one register level at a time."""

__all__ = ["Popcount", "XnorPopcount", "popcount_verilog"]

import numpy as np
import numpy.typing as npt
from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..technology import Technology
from ..timing import COUNT_BITS, popcount_levels
from .counting.abilities import Kind
from .counting.structure import Structure
from .counting.writer import structure, write_count
from .delay import late
from .families.cells import Function
from .plan import pack


class Popcount(wiring.Component):
    """The number of ones in `i`, as a plain tree with a register after every level.

    The leaves count 4 bits each (three functions of four inputs: a LUT apiece in every family), the
    levels above add pairs in exactly the width of the sum.

    Latency: `timing.popcount_levels(lanes)` cycles; 0 without registers. One word a cycle.

    Parameters
    ----------
    lanes : int
    registers : bool

    Members
    -------
    i : In(lanes)
    o : Out(lanes.bit_length())
    """

    i: Signal
    o: Signal

    def __init__(self, lanes: int, *, registers: bool = True) -> None:
        self.lanes = lanes
        self.domain = "sync" if registers else "comb"
        super().__init__({"i": In(lanes), "o": Out(lanes.bit_length())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        terms: list[tuple[Value, int]] = []  # a sum, and the largest value it takes
        if self.lanes == 1:
            terms = [(self.i, 1)]
        else:
            for start in range(0, self.lanes, COUNT_BITS):
                terms.append(self._leaf(m, start, min(COUNT_BITS, self.lanes - start)))
        level = 0
        while len(terms) > 1:
            level += 1
            pairs = [terms[k : k + 2] for k in range(0, len(terms), 2)]
            terms = []
            for k, pair in enumerate(pairs):
                most = sum(largest for _, largest in pair)
                total = Signal(range(most + 1), name=f"sum_{level}_{k}", reset_less=True)
                m.d[self.domain] += total.eq(
                    pair[0][0] if len(pair) == 1 else pair[0][0] + pair[1][0]
                )
                terms.append((total, most))
        m.d.comb += self.o.eq(terms[0][0])
        return m

    def _leaf(self, m: Module, start: int, width: int) -> tuple[Value, int]:
        """Up to four bits counted: the sums and carries of two pairs."""
        zero = Const(0, 1)
        a, b, c, d = (self.i[start + k] if k < width else zero for k in range(COUNT_BITS))
        pairs = Signal(4, name=f"pairs_{start}")
        count = Signal(range(width + 1), name=f"count_{start}", reset_less=True)
        m.d.comb += pairs.eq(Cat(a ^ b, c ^ d, a & b, c & d))
        odd, both = pairs[0:2], pairs[2:4]
        m.d[self.domain] += count.eq(Cat(odd.xor(), both.xor() ^ odd.all(), both.all()))
        return count, width


class XnorPopcount(wiring.Component):
    """p = popcount(xnor(a, w)): what a cell counts, for measuring and proving on its own.

    Inputs and output are registered. Latency: `latency` cycles. One word a cycle.

    Parameters
    ----------
    lanes : int
    technology : Technology
    weights : ndarray[uint8], (lanes,), optional
        Constants instead of the port `w`.
    simulated : bool
        Twins instead of a family's cells.

    Members
    -------
    a, w : In(lanes)
    count : Out(lanes.bit_length())
    """

    a: Signal
    w: Signal
    count: Signal

    def __init__(
        self,
        lanes: int,
        technology: Technology,
        *,
        weights: npt.NDArray[np.uint8] | None = None,
        simulated: bool = False,
    ) -> None:
        self.lanes = lanes
        self.technology = technology
        self.weights = weights
        self.simulated = simulated
        self.kind: Kind = "xnor" if weights is None else "bit"
        ports = {"a": In(lanes), "count": Out(lanes.bit_length())}
        super().__init__(ports if weights is not None else ports | {"w": In(lanes)})

    @property
    def latency(self) -> int:
        if self.technology.generic:
            return 2 + (popcount_levels(self.lanes) if self.technology.every else 0)
        return 1 + self._structure.stages(self.technology.every)

    @property
    def _structure(self) -> Structure:
        return structure(self.technology, self.kind, self.lanes, 1, None)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a = late(m, "a_q", self.a)
        w = Const(pack(self.weights)) if self.weights is not None else late(m, "w_q", self.w)
        if self.technology.generic:
            x = Signal(self.lanes)
            registers = self.technology.every > 0
            m.submodules.popcount = popcount = Popcount(self.lanes, registers=registers)
            m.d.comb += [x.eq(~(a ^ w)), popcount.i.eq(late(m, "x_q", x) if registers else x)]
            m.d.comb += self.count.eq(popcount.o if registers else late(m, "count_q", popcount.o))
            return m
        if self.weights is None:
            lanes = [Function((a[k], w[k]), (1, 0, 0, 1)) for k in range(self.lanes)]
        else:
            lanes = [Function((a[k],), (0, 1) if self.weights[k] else (1, 0))
                     for k in range(self.lanes)]  # fmt: skip
        plan = self._structure
        count = write_count(m, plan, self.technology, lanes, simulated=self.simulated)
        m.d.comb += self.count.eq(count)
        return m


def popcount_verilog(component: XnorPopcount) -> str:
    """Verilog of an `XnorPopcount`: module `popcount`, ports clk, a, w, count."""
    from .emit import to_verilog

    return to_verilog(component, "popcount")
