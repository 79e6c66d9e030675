"""Follows one unit of one vector through a component that regroups words of vectors."""

__all__ = ["Board"]

from collections.abc import Sequence

from amaranth.hdl import Array, Const, Mux, Signal, Value

from bnnhw.folding import ceil_div

from .bench import Bench

FLYING = 8  # more vectors than any gearbox holds


class Board:
    """Surroundings of a gearbox (streams `i` and `o` of `word_layout`), and what is known of it.

    Words are offered and taken as the solver likes. It picks a vector at whose first word
    following begins, and one unit of it. When that unit's turn comes at the output, counted in
    words alone, it must be there, and the vector's last word must carry its drop mark: so nothing
    is dropped, repeated or out of order. A unit beyond the vector's end must be 0.

    Attributes
    ----------
    in_word, out_word : Signal
        The word's index within its vector, of the next to come in and to go out.
    flying : Signal
        Vectors of which a word came in, and not all words went out.
    following, ahead : Signal
        Whether a vector is followed; how many before it have not all gone out.
    unit, unit_known, unit_value : Signal
        The index followed; whether that unit came in, and what it was.
    drop_known, drop : Signal
        Whether the vector's last word came in, and its mark.
    complete : Signal
        Vectors flying of which all words came in.
    owed : Signal
        All that the next word of the output needs has come in.
    """

    def __init__(
        self, bench: Bench, box: object, *, units: int, wide_in: int, wide_out: int, width: int
    ) -> None:
        self.bench = bench
        self.m = bench.m
        self.i, self.o = box.i, box.o  # type: ignore[attr-defined]
        self.units, self.wide_in, self.wide_out, self.width = units, wide_in, wide_out, width
        self.words_in = ceil_div(units, wide_in)
        self.words_out = ceil_div(units, wide_out)
        self._feed()
        self._count()
        self._follow()
        self._judge()

    def _feed(self) -> None:
        """The stream in: anything, but held while it waits; units beyond the end are 0."""
        bench, i = self.bench, self.i
        payload = bench.free("i_payload", len(i.payload.as_value()))
        inside = self.units - (self.words_in - 1) * self.wide_in
        self.m.d.comb += [
            i.valid.eq(bench.free("i_valid")),
            i.payload.eq(payload),
            self.o.ready.eq(bench.free("o_ready")),
        ]
        self.take = bench.named("take", i.valid & i.ready)
        self.give = bench.named("give", self.o.valid & self.o.ready)
        self.in_word = Signal(range(self.words_in), name="in_word")
        self.in_last = bench.named("in_last", self.in_word == self.words_in - 1)
        bench.assume(bench.held("i", i.valid, i.ready, payload))
        if inside < self.wide_in:
            pad = i.p.units[inside * self.width :]
            bench.assume(~(i.valid & self.in_last) | (pad == 0))
        with self.m.If(self.take):
            self.m.d.sync += self.in_word.eq(Mux(self.in_last, 0, self.in_word + 1))

    def _count(self) -> None:
        bench, m = self.bench, self.m
        self.out_word = Signal(range(self.words_out), name="out_word")
        self.flying = Signal(range(FLYING), name="flying")
        out_last = bench.named("out_last", self.out_word == self.words_out - 1)
        self.starts = bench.named("starts", self.take & (self.in_word == 0))
        self.finishes = bench.named("finishes", self.give & out_last)
        with m.If(self.give):
            m.d.sync += self.out_word.eq(Mux(out_last, 0, self.out_word + 1))
        m.d.sync += self.flying.eq(self.flying + self.starts - self.finishes)
        self.complete = bench.named("complete", (self.flying - (self.in_word != 0))[:3])
        needed = [
            ceil_div(min(self.units, (j + 1) * self.wide_out), self.wide_in)
            for j in range(self.words_out)
        ]
        partly = (self.in_word != 0) & (self.in_word < table(needed, self.out_word))
        self.owed = bench.named("owed", (self.flying > 1) | ((self.flying == 1) & ~partly))

    def _follow(self) -> None:
        bench, m = self.bench, self.m
        padded = self.words_out * self.wide_out
        self.unit = bench.constant("unit", range(padded))
        bench.assume(self.unit < padded)
        self.following = Signal(name="following")
        self.ahead = Signal(range(FLYING), name="ahead")
        self.entering = Signal(name="entering")  # its words are the ones that come in
        self.unit_known = Signal(name="unit_known")
        self.unit_value = Signal(self.width, name="unit_value")
        self.drop_known = Signal(name="drop_known")
        self.drop = Signal(name="drop")
        mark = bench.named("mark", bench.free("pick") & self.starts & ~self.following)
        entering = bench.named("entering_now", self.take & (mark | self.entering))
        # A unit beyond the end is known to be 0 when the last word came in.
        in_word = [min(k // self.wide_in, self.words_in - 1) for k in range(padded)]
        arrives = entering & (self.in_word == table(in_word, self.unit))
        units = [self._unit(self.i.p.units, k % self.wide_in) for k in range(self.units)]
        with m.If(arrives):
            m.d.sync += [
                self.unit_known.eq(1),
                self.unit_value.eq(
                    table([*units, *[Const(0, self.width)] * (padded - self.units)], self.unit)
                ),
            ]
        with m.If(entering & self.in_last):
            m.d.sync += [self.drop_known.eq(1), self.drop.eq(self.i.p.drop), self.entering.eq(0)]
        with m.If(mark):
            m.d.sync += [
                self.following.eq(1),
                self.ahead.eq(self.flying - self.finishes),
                self.entering.eq(~self.in_last),
            ]
        with m.Elif(self.following & self.finishes):
            m.d.sync += self.ahead.eq(self.ahead - 1)
            with m.If(self.ahead == 0):
                m.d.sync += [
                    self.ahead.eq(0),
                    self.following.eq(0),
                    self.unit_known.eq(0),
                    self.drop_known.eq(0),
                ]

    def _judge(self) -> None:
        bench, o = self.bench, self.o
        out_last = self.out_word == self.words_out - 1
        bench.check("a_word_only_when_owed", ~o.valid | self.owed)
        bench.check("payload_held", bench.held("o", o.valid, o.ready, o.payload.as_value()))
        shown = bench.named("shown", o.valid & self.following & (self.ahead == 0))
        places = range(self.words_out * self.wide_out)
        here = self.out_word == table([k // self.wide_out for k in places], self.unit)
        seen = table([self._unit(o.p.units, k % self.wide_out) for k in places], self.unit)
        right = bench.named("right", self.unit_known & (seen == self.unit_value))
        bench.check("unit_in_its_place", ~(shown & here) | right)
        marked = self.drop_known & (o.p.drop == self.drop)
        bench.check("drop_mark_on_the_last_word", ~(shown & out_last) | marked)

    def drains(self, *, offered: int, taken: int) -> None:
        """Check that an owed word is offered, and with a willing reader a word taken, in time.

        Parameters
        ----------
        offered : int
            Most cycles for which a word may be owed and not be offered, whether the reader is
            ready or not.
        taken : int
            Most cycles in a row in which the reader is ready and the input is not.
        """
        self.bench.at_most("owed_words_are_offered", self.owed & ~self.o.valid, offered)
        self.bench.at_most("input_is_taken", self.o.ready & ~self.i.ready, taken)

    def invariants(self) -> None:
        """What holds of the counts of any gearbox; an induction needs it said."""
        check = self.bench.invariant
        complete = self.complete
        check("in_word_in_range", self.in_word < self.words_in)
        check("out_word_in_range", self.out_word < self.words_out)
        check("followed_is_flying", ~self.following | (self.ahead < self.flying))
        check("entering_is_the_last", ~self.entering | (self.following & (self.in_word != 0)))
        check("entering_has_all_ahead", ~self.entering | (self.ahead == self.flying - 1))
        check("partly_flies", (self.in_word == 0) | (self.flying != 0))
        check("entering_or_complete", self.entering == (self.following & (self.ahead == complete)))
        check("drop_known_when_complete", self.drop_known == (self.following & ~self.entering))
        words = [min(k // self.wide_in, self.words_in - 1) for k in range(1 << len(self.unit))]
        came = self.in_word > table(words, self.unit)
        known = self.following & (~self.entering | came)
        check("unit_known_when_it_came", self.unit_known == known)
        beyond = self.unit >= self.units
        check("beyond_the_end_is_0", ~(self.unit_known & beyond) | (self.unit_value == 0))

    def _unit(self, units: Value, k: int) -> Value:
        return units[k * self.width : (k + 1) * self.width]


def table(values: Sequence[Value | int], index: Value) -> Value:
    """`values[index]`; the last one beyond the end."""
    return Array(values)[index]
