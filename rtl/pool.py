"""Pooling of bits on a stream."""

__all__ = ["PoolStage"]

import functools
import operator

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from ..dataflow import MapWords
from ..maps import Pool
from ..technology import Technology
from ..window import Columns
from .column_buffer import ColumnBuffer
from .counter import counter
from .plan import pack
from .slack import Slack
from .window_buffer import WindowBuffer


class PoolStage(wiring.Component):
    """Positions of a map in, positions of the pooled map out: each channel's OR, or its AND.

    An AND is the OR of complements, complemented. Where windows lie apart or side by side, a word
    that comes in is read once, or not at all; where they overlap, once for each window. Where
    windows come whole, several at once, each is one OR.

    Throughput: a word that a window sees a cycle; whole, a word of columns. Latency: that of the
    buffer, and 2, or 1.

    Parameters
    ----------
    layer : Pool
    words : MapWords
        In which the map comes.
    depth : int
        Words of the FIFO into which a position's words go, where they come one by one.
    technology : Technology

    Members
    -------
    i : In(stream), words.wide bits
    o : Out(stream)
        As wide; or the channels of so many positions as windows come at once.

    Inside, `tap_valid` and `tap_data` show each word as it leaves.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, layer: Pool, words: MapWords, *, depth: int, technology: Technology) -> None:
        self.layer = layer
        self.words = words
        self.depth = depth
        self.technology = technology
        given = words.channels * (words.columns.at_once if words.columns else 1)
        super().__init__({"i": In(stream.Signature(words.wide)), "o": Out(stream.Signature(given))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.words.columns is None:
            self._by_words(m)
        else:
            self._whole(m, self.words.columns)
        self.tap_valid = Signal(attrs={"keep": 1})
        self.tap_data = Signal(len(self.o.payload), attrs={"keep": 1})
        m.d.comb += [
            self.tap_valid.eq(self.o.valid & self.o.ready),
            self.tap_data.eq(self.o.payload),
        ]
        return m

    def _whole(self, m: Module, columns: Columns) -> None:
        channels = self.words.channels
        m.submodules.buffer = buffer = ColumnBuffer(
            columns, width=channels, technology=self.technology
        )
        m.submodules.slack = slack = Slack(len(self.o.payload))
        mask = Const(pack(self.layer.pool_and), channels)
        places = columns.window.kernel[0] * columns.window.kernel[1]
        pooled: list[Value] = []
        for first in range(0, columns.at_once * places, places):
            seen = [
                buffer.o.payload[k * channels : (k + 1) * channels] ^ mask
                for k in range(first, first + places)
            ]
            pooled.append(functools.reduce(operator.or_, seen) ^ mask)
        m.d.comb += [
            slack.i.payload.eq(Cat(*pooled)),
            slack.i.valid.eq(buffer.o.valid),
            buffer.o.ready.eq(slack.i.ready),
        ]
        wiring.connect(m, wiring.flipped(self.i), buffer.i)
        wiring.connect(m, slack.o, wiring.flipped(self.o))

    def _by_words(self, m: Module) -> None:
        window, wide = self.layer.window, self.words.channels
        words = window.shape[2] // wide
        m.submodules.buffer = buffer = WindowBuffer(
            window, words=words, width=wide, technology=self.technology
        )
        # A position's words come in a row, at their window's end: room for them, so that what takes
        # them more slowly holds up no window.
        m.submodules.position = position = SyncFIFOBuffered(width=wide, depth=self.depth)
        wiring.connect(m, wiring.flipped(self.i), buffer.i)
        take = Signal()
        word, word_end = counter(m, "word", words, take)
        places = window.kernel[0] * window.kernel[1]
        place, place_end = counter(m, "place", places, take & word_end)
        # Of each word of a position: the OR so far of what it is to be complemented to.
        masks = [pack(self.layer.pool_and[n * wide : (n + 1) * wide]) for n in range(words)]
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
