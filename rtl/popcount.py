"""Counts the ones in a word, one register level at a time."""

__all__ = ["Popcount", "XnorPopcount", "popcount_verilog"]

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..timing import COUNT_BITS


class Popcount(wiring.Component):
    """The number of ones in `i`, as a tree with a register after every level.

    The leaves count 4 bits each (three functions of four inputs: a LUT apiece in every family), the
    levels above add pairs in exactly the width of the sum.

    Latency: `timing.popcount_levels(lanes)` cycles. One word a cycle; nothing stalls.

    Members
    -------
    i : In(lanes)
    o : Out(lanes.bit_length())
    """

    i: Signal
    o: Signal

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
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
                m.d.sync += total.eq(pair[0][0] if len(pair) == 1 else pair[0][0] + pair[1][0])
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
        m.d.sync += count.eq(Cat(odd.xor(), both.xor() ^ odd.all(), both.all()))
        return count, width


class XnorPopcount(wiring.Component):
    """p = popcount(xnor(a, w)) with weights at run time: what a cell is, for measuring on its own.

    Inputs and output are registered. Latency: 2 + `timing.popcount_levels(lanes)` cycles.

    Members
    -------
    a, w : In(lanes)
    count : Out(lanes.bit_length())
    """

    a: Signal
    w: Signal
    count: Signal

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__({"a": In(lanes), "w": In(lanes), "count": Out(lanes.bit_length())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.popcount = popcount = Popcount(self.lanes)
        a = Signal(self.lanes, reset_less=True)
        w = Signal(self.lanes, reset_less=True)
        x = Signal(self.lanes, reset_less=True)
        m.d.sync += [a.eq(self.a), w.eq(self.w), x.eq(~(a ^ w))]
        m.d.comb += [popcount.i.eq(x), self.count.eq(popcount.o)]
        return m


def popcount_verilog(lanes: int) -> str:
    """Verilog of an `XnorPopcount`: module `popcount`, ports clk, a, w, count."""
    from .emit import to_verilog

    return to_verilog(XnorPopcount(lanes), "popcount")
