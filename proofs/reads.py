"""What an induction must know of a map's reads and its memory, whoever walks through the map."""

__all__ = ["Read", "Reads"]

import dataclasses
from collections.abc import Sequence

from amaranth.hdl import Mux, Signal, Value, ValueLike

from .bench import Bench
from .board import table
from .gearbox import slack_places
from .inside import Inside
from .maps import Maps

OFFERED = 5  # cycles in which an owed word comes: through the memory, and two after reset
TAKEN = 3  # in which room is told of, likewise
Place = tuple[Value, Value]  # of a read: whether there is one, and its number
UNDER_WAY = 7  # reads: the walk's, two that are held, four between memory and reader


@dataclasses.dataclass(frozen=True, kw_only=True)
class Read:
    """A map's read, as of a `Look`; words are counted from the map's first one on."""

    needed: int
    nothing: bool
    oldest: int


class Reads:
    """The reads that are under way, each known by its number in the map that goes out.

    Parameters
    ----------
    number : Value
        Of the read that goes out next.
    reads : sequence of Read
        All of a map.
    depth : int
        Words of the memory.

    Attributes
    ----------
    base : Signal
        The component's count of words before the map that goes out.
    followed : Signal
        The followed position's word, counted from there.
    kept : Signal
        A position is followed, and its word is still in the memory.
    walk : Signal
        The number of the read at which the walk is.
    held : dict of name to (Value, Signal)
        Of the reads `now` and `following`: whether it is one, and its number.
    fetched, coming : (Value, Signal)
        Likewise of those of the memory's second and first register.
    """

    def __init__(
        self,
        bench: Bench,
        inside: Inside,
        maps: Maps,
        number: Value,
        reads: Sequence[Read],
        *,
        depth: int,
    ) -> None:
        self.bench, self.inside, self.maps, self.reads = bench, inside, maps, reads
        self.number, self.depth = number, depth
        written = inside["written"]
        self.base = Signal(len(written), name="base")
        with bench.m.If(maps.finishes):
            bench.m.d.sync += self.base.eq(self.base + maps.words)
        self.same("written", self.base + maps.lag)
        self.followed = bench.named("followed", maps.ahead * maps.words + maps.place)
        self.kept = bench.named("kept", maps.following & (maps.lag - self.followed <= depth))
        self.full, self.oldest_place = slack_places(bench, inside, "slack.")
        self.slack = bench.named("slack_holds", sum(self.full))
        self.after = bench.named("after", self.slack + inside["fetched"] + inside["coming"])
        bench.invariant("room", inside["room"] == 0b1111 >> self.after)
        self.fetched: Place = inside["fetched"], bench.named("read_fetched", number + self.slack)
        self.coming: Place = inside["coming"], bench.named("read_coming", sum(self.fetched))
        now = bench.named("read_now", sum(self.coming))
        following = bench.named("read_following", now + inside["begun_1"])
        self.held: dict[str, Place] = {
            "now": (inside["begun_1"], now), "following": (inside["begun_0"], following)
        }  # fmt: skip
        self.walk = bench.named("read_walk", following + inside["begun_0"])
        self._waiting()

    def of(self, values: Sequence[int], number: Value, *, each: int = 0) -> Value:
        """What holds of the read of a number, given that of all of a map; `each` more a map."""
        count = len(values)
        further = range(count + UNDER_WAY)
        return Value.cast(table([values[k % count] + k // count * each for k in further], number))

    def same(self, path: str, value: ValueLike, there: ValueLike = 1) -> None:
        """A signal has that value, in as many bits as it has."""
        signal = self.inside[path]
        right = Signal(len(signal), name=f"right_{path}")
        self.bench.m.d.comb += right.eq(value)
        same = Value.cast(signal).as_unsigned() == right
        self.bench.invariant(path, ~Value.cast(there).bool() | same)

    def counts(self, name: str, values: Sequence[int], number: Value, size: int) -> None:
        """A counter of that size has the value that goes with a number."""
        if size > 1:
            self.same(name, self.of(values, number))
            last = [int(value == size - 1) for value in values]
            self.same(f"{name}_is_last", self.of(last, number))

    def at(self, values: Sequence[int], number: Value) -> Value:
        """The component's count of words, given that from a map's beginning on."""
        return self.of(values, number, each=self.maps.words) + self.base

    def under_way(self, coming: Value) -> dict[str, tuple[Value, Value, Value]]:
        """Of each place behind the memory, whether a read is there, its number, and what it read.

        `coming` is what the memory's first register holds.
        """
        places = [self.inside[f"slack.place_{k}"] for k in range(2)]
        older, younger = (Mux(self.oldest_place, *two) for two in (reversed(places), places))
        return {
            "older": (self.full.any(), self.number, older),
            "younger": (self.full.all(), self.number + 1, younger),
            "fetched": (*self.fetched, self.inside["i__payload"]),
            "coming": (*self.coming, coming),
        }

    def moves(self, to_go: Sequence[int] = (0,)) -> None:
        """Check that it is never stuck: an owed word is offered in time, whether the reader is
        ready or not; while none is owed, words are taken.

        Parameters
        ----------
        to_go : sequence of int
            How many reads there are from each up to the one that makes a word.
        """
        bench, inside, maps = self.bench, self.inside, self.maps
        begun, half_begun = self.held["now"][0], self.held["following"][0]
        late = maps.owed & ~maps.o.valid
        most = max(to_go) + OFFERED
        lasted = bench.at_most("owed_words_are_offered", late, most)
        # That read is in the memory's first register, in its second one, in the slack; or due in so
        # many cycles, the memory taking three.
        go = bench.named("to_go", table(to_go, self.number))
        due = inside["due"] & inside["room"][0]
        left: Value = bench.named("to_be_read", go - self.after + 3 + ~due + ~half_begun)
        for there, number, least in ((*self.coming, 2), (*self.fetched, 1)):
            here = there & (self.number + go == number)
            left = Mux(here, Mux(go < least, least, go), left)
        left = Mux(go < self.slack, go, left)
        bench.invariant("in_time", ~late | (lasted + left <= most))
        late = ~maps.owed & ~maps.i.ready
        lasted = bench.at_most("input_is_taken", late, TAKEN)
        bench.invariant("soon_ready", ~late | (lasted + ~begun + ~half_begun < TAKEN))

    def _waiting(self) -> None:
        """The reads that are held, whether one is due, and room for words."""
        bench, inside, lag, words = self.bench, self.inside, self.maps.lag, self.maps.words
        needed = [read.needed for read in self.reads]
        nothing = [int(read.nothing) for read in self.reads]
        oldest = [read.oldest for read in self.reads]
        for name, (there, number) in self.held.items():
            more = self.depth - 1 if name == "now" else 0
            self.same(f"{name}_needed", self.at(needed, number), there)
            self.same(f"{name}_nothing", self.of(nothing, number), there)
            self.same(f"{name}_oldest", self.at(oldest, number) + more, there)
        # Reads before the one that is due were of words that had come.
        before = max(read.needed for read in self.reads if not read.nothing) - words
        seen = []
        for read in self.reads:
            seen.append(before)
            before = before if read.nothing else max(before, read.needed)
        begun, now = self.held["now"]
        bench.invariant("what_was_read_had_come", lag > self.of(seen, now, each=words))
        room = self.of(oldest, now, each=words) + self.depth - lag
        ready, due = inside["i__ready"], inside["due"]
        bench.invariant("kept_fits", (room >= 0) & (~ready | (room >= 1)))
        come = lag > self.of(needed, now, each=words)
        bench.invariant("due_has_come", ~due | self.of(nothing, now).bool() | come)
        bench.invariant("one_then_two", ~begun | self.held["following"][0])
        idle = (now == 0) & (lag == 0) & ~ready & ~due & (self.after == 0)
        bench.invariant("idle_at_first", begun | idle)
