"""Follows one position of one map through a component that gives windows of maps."""

__all__ = ["BEYOND", "UNUSED", "Maps"]

from collections.abc import Sequence

from amaranth.hdl import Mux, Signal, signed

from .bench import Bench
from .board import table

BEYOND = -1  # a piece of a word out shows what is beyond the map: 0
UNUSED = -2  # or what no one looks at


class Maps:
    """Surroundings of a buffer (streams `i` and `o`), and what is known of it.

    Words are offered and taken as the solver likes. It picks a map and a position of it. Wherever
    that position's turn comes at the output, counted in words alone, it must be there; what lies
    beyond the map must be 0. So nothing is dropped, repeated, out of order or overwritten.

    Parameters
    ----------
    sources : sequence of sequences of int
        Of each word out of a map, and each of its pieces of `width` bits: the position that it
        shows, in raster order, BEYOND or UNUSED.
    needed : sequence of int
        Of each word out of a map, the last word in that it waits for; negative for none.
    words : int
        Into which a map is cut at the input.
    positions : int
        Of such a word.
    width : int
        Bits of a position.

    Attributes
    ----------
    in_word, out_word : Signal
        The word's index within its map, of the next to come in and to go out.
    maps : Signal
        How many maps the next word to come in is ahead of the next to go out: -1 where a map's
        last words are seen by no window.
    lag : Signal
        Words that came in since the beginning of the map that goes out.
    following, ahead : Signal
        Whether a position is followed; of how many maps on from the one that goes out it is.
    place, lane, value : Signal
        The followed position's word in its map, its place in that, and what came there.
    """

    def __init__(
        self,
        bench: Bench,
        buffer: object,
        sources: Sequence[Sequence[int]],
        needed: Sequence[int],
        *,
        words: int,
        positions: int = 1,
        width: int,
    ) -> None:
        self.bench, self.m = bench, bench.m
        self.i, self.o = buffer.i, buffer.o  # type: ignore[attr-defined]
        self.sources, self.needed = sources, needed
        self.words, self.positions, self.width = words, positions, width
        self._count()
        self._follow()
        self._judge()

    def _count(self) -> None:
        bench, m, i, o = self.bench, self.m, self.i, self.o
        payload = bench.free("i_payload", len(i.payload))
        m.d.comb += [
            i.valid.eq(bench.free("i_valid")),
            i.payload.eq(payload),
            o.ready.eq(bench.free("o_ready")),
        ]
        bench.assume(bench.held("i", i.valid, i.ready, payload))
        self.take = bench.named("take", i.valid & i.ready)
        self.give = bench.named("give", o.valid & o.ready)
        self.in_word = Signal(range(self.words), name="in_word")
        self.out_word = Signal(range(len(self.sources)), name="out_word")
        self.maps = Signal(signed(4), name="maps")
        in_last = bench.named("in_last", self.in_word == self.words - 1)
        out_last = bench.named("out_last", self.out_word == len(self.sources) - 1)
        self.finishes = bench.named("finishes", self.give & out_last)
        with m.If(self.take):
            m.d.sync += self.in_word.eq(Mux(in_last, 0, self.in_word + 1))
        with m.If(self.give):
            m.d.sync += self.out_word.eq(Mux(out_last, 0, self.out_word + 1))
        m.d.sync += self.maps.eq(self.maps + (self.take & in_last) - self.finishes)
        self.lag = bench.named("lag", self.maps * self.words + self.in_word)
        needed = table(self.needed, self.out_word)
        self.owed = bench.named("owed", (needed < 0) | (self.lag > needed))

    def _follow(self) -> None:
        bench, m = self.bench, self.m
        self.following = Signal(name="following")
        self.ahead = Signal(range(8), name="ahead")
        self.place = Signal(range(self.words), name="place_followed")
        self.value = Signal(self.width, name="value_followed")
        self.lane = bench.constant("lane_followed", range(max(2, self.positions)))
        bench.assume(self.lane < self.positions)
        ahead = bench.named("ahead_at_once", self.maps - self.finishes)
        mark = bench.named("mark", self.take & bench.free("pick") & ~self.following & (ahead >= 0))
        with m.If(mark):
            m.d.sync += [
                self.following.eq(1),
                self.ahead.eq(ahead),
                self.place.eq(self.in_word),
                self.value.eq(self.i.payload.word_select(self.lane, self.width)),
            ]
        with m.Elif(self.following & self.finishes):
            m.d.sync += [self.following.eq(self.ahead != 0), self.ahead.eq(self.ahead - 1)]

    def _judge(self) -> None:
        bench, o = self.bench, self.o
        bench.check("a_word_only_when_owed", ~o.valid | self.owed)
        bench.check("word_held", bench.held("o", o.valid, o.ready, o.payload))
        position = bench.named("position_followed", self.place * self.positions + self.lane)
        here = bench.named("here", o.valid & self.following & (self.ahead == 0))
        for k, sources in enumerate(zip(*self.sources, strict=True)):
            piece = o.payload.word_select(k, self.width)
            source = bench.named(f"source_{k}", table(sources, self.out_word))
            bench.check(f"position_in_{k}", ~here | (source != position) | (piece == self.value))
            bench.check(f"nothing_in_{k}", ~o.valid | (source != BEYOND) | (piece == 0))

    def invariants(self) -> None:
        """What holds of the counts of any buffer; an induction needs it said."""
        check = self.bench.invariant
        check("in_word_in_range", self.in_word < self.words)
        check("out_word_in_range", self.out_word < len(self.sources))
        check("place_in_range", self.place < self.words)
        check("followed_came", ~self.following | (self.lag > self.ahead * self.words + self.place))
