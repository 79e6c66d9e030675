"""Matches the width of one layer's words to the next one's."""

__all__ = ["Collect", "Gearbox", "Repack", "Split", "word_layout"]

import math

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..folding import ceil_div
from ..timing import RepackSizes
from .counter import counter
from .slack import Slack


def word_layout(width: int) -> data.StructLayout:
    """A word of a vector: its units, and on the vector's last word whether to drop the vector."""
    return data.StructLayout({"units": width, "drop": 1})


class _Stage(wiring.Component):
    """Vectors of `units` units, `wide_in` of them a word, to words of `wide_out`.

    A unit is `width` bits. Units beyond a vector's end come in as 0 and go out as 0.

    Members
    -------
    i : In(stream), word_layout(wide_in * width)
    o : Out(stream), word_layout(wide_out * width)
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, units: int, wide_in: int, wide_out: int, width: int) -> None:
        self.units = units
        self.wide_in = wide_in
        self.wide_out = wide_out
        self.width = width
        super().__init__(
            {
                "i": In(stream.Signature(word_layout(wide_in * width))),
                "o": Out(stream.Signature(word_layout(wide_out * width))),
            }
        )


class Collect(_Stage):
    """Several words in make one word out: `wide_in` divides `wide_out`.

    Each piece goes to its own place; the last word of a vector may be full before all places are
    taken, and the others are then 0.

    Latency: 1 cycle from a word's last piece. Throughput: a piece a cycle, as long as each word is
    taken in the cycle in which it is offered.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ratio = self.wide_out // self.wide_in
        words = ceil_div(self.units, self.wide_in)
        tail = words - (ceil_div(self.units, self.wide_out) - 1) * ratio  # pieces of the last word
        piece = self.wide_in * self.width

        full = Signal()
        drop = Signal(reset_less=True)
        place = Signal(ratio, init=1)  # of the next piece, one-hot
        put, word_end = Signal(), Signal()
        _, vector_end = counter(m, "word", words, put)
        pieces = [Signal(piece, name=f"piece_{k}", reset_less=k < tail) for k in range(ratio)]
        m.d.comb += [
            self.o.valid.eq(full),
            self.o.p.units.eq(Cat(*pieces)),
            self.o.p.drop.eq(drop),
            self.i.ready.eq(~full | self.o.ready),
            put.eq(self.i.valid & self.i.ready),
            word_end.eq(place[-1] | vector_end),
        ]
        with m.If(self.i.ready):
            m.d.sync += full.eq(self.i.valid & word_end)
        with m.If(put):
            m.d.sync += [
                place.eq(Mux(word_end, 1, place << 1)),
                drop.eq(self.i.p.drop),
            ]
        for k, at in enumerate(pieces):
            if k == 0:
                enable = self.i.ready & place[k]
            elif k < tail:  # a word that is not whole yet is no word: any piece may come and go
                enable = place[k]
            else:
                enable = self.i.valid & place[k]
            with m.If(enable):
                m.d.sync += at.eq(self.i.p.units)
            # Those that the last word may lack are emptied when a word goes; only a first piece
            # can come then.
            if k >= tail:
                with m.If(full & self.o.ready):
                    m.d.sync += at.eq(0)
        return m


class Split(_Stage):
    """One word in makes several words out: `wide_out` divides `wide_in`.

    Latency: 1 cycle to the first piece. Throughput: a piece a cycle.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ratio = self.wide_in // self.wide_out
        words = ceil_div(self.units, self.wide_in)
        tail = ceil_div(self.units, self.wide_out) - (words - 1) * ratio  # pieces of the last word
        piece = self.wide_out * self.width

        held = Signal(self.wide_in * self.width, reset_less=True)
        drop = Signal(reset_less=True)
        left = Signal(ratio)  # pieces still to give, as a thermometer: bit k, more than k
        load = Signal()
        _, vector_end = counter(m, "word", words, load)
        m.d.comb += [
            self.o.valid.eq(left[0]),
            self.o.p.units.eq(held[:piece]),
            self.o.p.drop.eq(drop),
            self.i.ready.eq(~left[0] | (~left[1] & self.o.ready)),
            load.eq(self.i.valid & self.i.ready),
        ]
        with m.If(self.o.ready):
            m.d.sync += [held.eq(held >> piece), left.eq(left >> 1)]
        with m.If(load):
            m.d.sync += [
                held.eq(self.i.p.units),
                drop.eq(self.i.p.drop),
                left.eq(Mux(vector_end, (1 << tail) - 1, (1 << ratio) - 1)),
            ]
        return m


class Repack(_Stage):
    """Any width to any other, through a buffer into which words are shifted to their place.

    A vector's last word is followed by zeros up to a whole word of the output, so that the next
    vector begins where this one ends and neither side waits for an alignment. It all goes in steps
    of the widths' greatest common divisor, so there are no more places than that.

    Latency: 1 cycle where the word is complete. Throughput: a word in and a word out a cycle.
    """

    def __init__(self, *, units: int, wide_in: int, wide_out: int, width: int, hold: int) -> None:
        super().__init__(units=units, wide_in=wide_in, wide_out=wide_out, width=width)
        self.step = step = math.gcd(wide_in, wide_out)
        self.sizes = RepackSizes(ceil_div(units, step), wide_in // step, wide_out // step, hold)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sizes = self.sizes
        wide_in, wide_out, piece = sizes.wide_in, sizes.wide_out, self.step * self.width
        # Every piece carries its word's drop flag: that of a word's last piece is the word's.
        wide = piece + 1
        units = Signal(sizes.capacity * wide, reset_less=True)
        fill = Signal(range(sizes.capacity + 1))
        put, take = Signal(), Signal()
        _, vector_end = counter(m, "word", sizes.words_in, put)
        m.d.comb += [
            self.o.valid.eq(fill >= wide_out),
            self.o.p.units.eq(Cat(units[k * wide : k * wide + piece] for k in range(wide_out))),
            self.o.p.drop.eq(units[wide_out * wide - 1]),
            self.i.ready.eq(fill <= sizes.capacity - sizes.most),
            put.eq(self.i.valid & self.i.ready),
            take.eq(self.o.valid & self.o.ready),
        ]
        kept = Signal(range(sizes.capacity + 1))
        m.d.comb += kept.eq(fill - Mux(take, wide_out, 0))
        rest = Signal(sizes.capacity * wide)
        m.d.comb += rest.eq(Mux(take, units >> (wide_out * wide), units))
        added = Signal(sizes.most * wide)
        pieces: list[Value] = []
        for k in range(sizes.most):
            inside = k < wide_in
            unit = self.i.p.units[k * piece : (k + 1) * piece] if inside else Const(0, piece)
            pieces += [unit, self.i.p.drop]
        m.d.comb += added.eq(Cat(*pieces))
        m.d.sync += [
            fill.eq(kept + Mux(put, Mux(vector_end, sizes.last, wide_in), 0)),
            units.eq(rest),
        ]
        with m.If(put):
            with m.Switch(kept):
                for position in range(sizes.capacity - sizes.most + 1):
                    with m.Case(position):
                        at = position * wide
                        m.d.sync += units[at : at + sizes.most * wide].eq(added)
        return m


class Gearbox(_Stage):
    """The smallest stage for these widths, which differ, that keeps pace.

    Parameters
    ----------
    hold : int
        Cycles for which the reader holds each word.
    """

    def __init__(
        self, *, units: int, wide_in: int, wide_out: int, width: int, hold: int = 1
    ) -> None:
        assert wide_in != wide_out
        super().__init__(units=units, wide_in=wide_in, wide_out=wide_out, width=width)
        self.hold = hold

    def elaborate(self, platform: object) -> Module:
        m = Module()
        wide_in, wide_out = self.wide_in, self.wide_out
        sizes = {"units": self.units, "wide_in": wide_in, "wide_out": wide_out, "width": self.width}
        box: _Stage
        if wide_out % wide_in == 0:
            box = Collect(**sizes)
        elif wide_in % wide_out == 0:
            box = Split(**sizes)
        else:
            box = Repack(**sizes, hold=self.hold)
        m.submodules.box = box
        wiring.connect(m, wiring.flipped(self.i), box.i)
        words = box.o
        if isinstance(box, Collect) and self.hold > 1:
            # A word that waits for its reader must not hold up the collecting of the next one.
            m.submodules.slack = slack = Slack(words.payload.shape())
            wiring.connect(m, words, slack.i)
            words = slack.o
        wiring.connect(m, words, wiring.flipped(self.o))
        return m
