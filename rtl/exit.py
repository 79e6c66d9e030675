"""A layer's exit: a FIFO whose room is promised before a word sets out."""

__all__ = ["Exit"]

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out


class Exit(wiring.Component):
    """A FIFO with room for every word that was promised: credits see to that.

    Nothing can hold a word up once it was launched, so a launch takes a credit, and the word's
    departure gives it back. No word is ever refused, whatever `o` does.

    Latency: `timing.FIFO` cycles. Throughput: a word a cycle.

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Words of the FIFO, 3 or more: no more are promised at a time.

    Members
    -------
    credit : Out(1)
        A word may be launched in this cycle.
    launch : In(1)
        A word was promised in this cycle; only with `credit`.
    result : In(width)
    done : In(1)
        `result` is a promised word.
    o : Out(stream)
    """

    credit: Signal
    launch: Signal
    result: Signal
    done: Signal
    o: stream.Interface

    def __init__(self, *, width: int, depth: int) -> None:
        self.width = width
        self.depth = depth
        super().__init__(
            {
                "credit": Out(1),
                "launch": In(1),
                "result": In(width),
                "done": In(1),
                "o": Out(stream.Signature(width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.fifo = words = fifo.SyncFIFOBuffered(width=self.width, depth=self.depth)
        m.d.comb += [words.w_data.eq(self.result), words.w_en.eq(self.done)]
        wiring.connect(m, words.r_stream, wiring.flipped(self.o))
        # The flag is a sign bit, and the count lags by a cycle: two words less than there is room
        # for are promised, one because zero is not negative, one because of the lag.
        launched, popped = Signal(), Signal()
        credits = Signal(signed(self.depth.bit_length() + 1), init=self.depth - 2)
        m.d.sync += [
            launched.eq(self.launch),
            popped.eq(self.o.valid & self.o.ready),
            credits.eq(credits + popped - launched),
        ]
        m.d.comb += self.credit.eq(~credits[-1])
        return m
