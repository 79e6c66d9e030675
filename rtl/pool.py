"""Pooling of bits on a stream."""

__all__ = ["PoolStage"]

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from ..maps import Pool
from ..technology import Technology
from .counter import counter
from .window_buffer import WindowBuffer


class PoolStage(wiring.Component):
    """Positions of a map in, positions of the pooled map out: each channel's OR, or its AND.

    An AND is the OR of complements, complemented. Where windows lie apart or side by side, a word
    that comes in is read once, or not at all; where they overlap, once for each window.

    Throughput: a word that a window sees a cycle. Latency: that of the window buffer, and 2.

    Parameters
    ----------
    layer : Pool
    channels : int
        Of a word; divides the map's.
    technology : Technology

    Members
    -------
    i : In(stream), channels bits
    o : Out(stream), channels bits
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, layer: Pool, *, channels: int, technology: Technology) -> None:
        self.layer = layer
        self.channels = channels
        self.technology = technology
        super().__init__(
            {"i": In(stream.Signature(channels)), "o": Out(stream.Signature(channels))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        window, wide = self.layer.window, self.channels
        words = window.shape[2] // wide
        m.submodules.buffer = buffer = WindowBuffer(
            window, words=words, width=wide, technology=self.technology
        )
        # A position's words come in a row, at their window's end: room for them, so that what takes
        # them more slowly holds up no window.
        m.submodules.position = position = SyncFIFOBuffered(width=wide, depth=words + 1)
        wiring.connect(m, wiring.flipped(self.i), buffer.i)
        take = Signal()
        word, word_end = counter(m, "word", words, take)
        places = window.kernel[0] * window.kernel[1]
        place, place_end = counter(m, "place", places, take & word_end)
        # Of each word of a position: the OR so far of what it is to be complemented to.
        masks = [
            sum(
                int(bit) << k
                for k, bit in enumerate(self.layer.pool_and[n * wide : (n + 1) * wide])
            )
            for n in range(words)
        ]
        mask = Signal(wide)
        with m.Switch(word):
            for n, value in enumerate(masks):
                with m.Case(n):
                    m.d.comb += mask.eq(Const(value, wide))
        so_far = [Signal(wide, name=f"so_far_{n}", reset_less=True) for n in range(words)]
        any_of = Signal(wide)
        m.d.comb += [
            any_of.eq((buffer.o.payload ^ mask) | Mux(place == 0, 0, so_far[0])),
            position.w_data.eq(any_of ^ mask),
            position.w_en.eq(take & place_end),
            buffer.o.ready.eq(position.w_rdy | ~place_end),
            take.eq(buffer.o.valid & buffer.o.ready),
        ]
        with m.If(take):
            m.d.sync += Cat(*so_far).eq(Cat(*so_far[1:], any_of))
        m.d.comb += [
            self.o.payload.eq(position.r_data),
            self.o.valid.eq(position.r_rdy),
            position.r_en.eq(self.o.ready),
        ]
        return m
