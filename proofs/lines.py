"""Lines of maps in the banks of a column buffer, and on their way from there."""

__all__ = ["Lines"]

from amaranth.hdl import Cat, Const, Signal, Value

from bnnhw.folding import ceil_div

from .around import Around
from .board import table
from .maps import BEYOND
from .reads import Reads


class Lines:
    """Where lines lie: line y of all maps in bank y mod kh, lap after lap."""

    def __init__(self, reads: Reads, around: Around) -> None:
        self.reads, self.around = reads, around
        self.bench, self.inside, self.maps = reads.bench, reads.inside, reads.maps
        self.low = max(1, (around.wide - 1).bit_length())
        self.lap_bits = (around.lines // around.kh - 1).bit_length()
        m, maps, count = self.bench.m, self.maps, around.lines
        # That of the first line of the map that goes out, among those of the memory.
        self.base = Signal(range(count), name="base_line")
        with m.If(maps.finishes):
            m.d.sync += self.base.eq(self.line("next_base", around.high))
        self.bench.invariant("base_line_in_range", self.base < count)

    def line(self, name: str, after: Value | int) -> Signal:
        """The memory's line that is so many lines on from the first one, or back."""
        count = self.around.lines
        whole = ceil_div(self.around.high, count) * count  # a map's lines back are whole rounds
        number = self.bench.named(f"{name}_number", (self.base + after + whole)[:7])
        return self.bench.named(f"{name}_line", table([k % count for k in range(128)], number))

    def bank(self, line: Value) -> Value:
        banks = table([k % self.around.kh for k in range(self.around.lines)], line)
        return Value.cast(banks) | Const(0, (max(2, self.around.kh) - 1).bit_length())

    def lap(self, line: Value) -> Value:
        laps = table([k // self.around.kh for k in range(self.around.lines)], line)
        return Value.cast(laps) | Const(0, self.lap_bits)

    def place(self, x: Value, line: Value) -> Value:
        """The address in the line's bank."""
        return Cat(x[: self.low], self.lap(line))

    def coming_in(self) -> None:
        """The counters of what comes in."""
        reads, around, maps = self.reads, self.around, self.maps
        words = range(maps.words)
        ys, xs = ([divmod(k, around.wide)[n] for k in words] for n in range(2))
        line = self.line("in", maps.maps * around.high + table(ys, maps.in_word))
        reads.counts("x_in", xs, maps.in_word, around.wide)
        banks = [k % around.kh for k in range(around.lines)]
        reads.counts("bank_in", banks, line, around.kh)
        reads.same("lap_in", self.lap(line))

    def stored(self) -> None:
        """The followed word is in its line's bank."""
        around, maps, inside = self.around, self.maps, self.inside
        words = range(maps.words)
        y = table([k // around.wide for k in words], maps.place)
        x = self.bench.named("x_followed", table([k % around.wide for k in words], maps.place))
        line = self.line("followed", maps.ahead * around.high + y)
        place = self.bench.named("place_in_bank", self.place(x, line))
        banks = [inside.word(f"lines_{k}.words", place) for k in range(around.kh)]
        word = self.bench.named("stored", table(banks, self.bank(line)))
        right = self._lane(word) == maps.value
        self.bench.invariant("the_word_is_stored", ~self.reads.kept | right)

    def on_their_way(self) -> None:
        """Reads, until they leave the slack."""
        reads, around, inside = self.reads, self.around, self.inside
        kh = around.kh
        begin = self.first("walk", reads.walk)
        reads.same("first_bank", self.bank(begin))
        reads.same("first_lap", self.lap(begin))
        for name, (there, number) in reads.held.items():
            begin = self.first(name, number)
            bank, lap = self.bank(begin), self.lap(begin)
            laps = [(lap + (bank > k))[: self.lap_bits] for k in range(kh)]
            x = Signal(self.low, name=f"{name}_x")
            self.bench.m.d.comb += x.eq(reads.of([one.x for one in around.seen], number))
            about = Cat(x, *laps, self.aside(name, number))
            reads.same(f"{name}_about", about, there)
        for k, (name, (there, number)) in enumerate(
            (("coming", reads.coming), ("fetched", reads.fetched))
        ):
            reads.same(f"about_{k}", self.aside(name, number), there)
        first = self.bank(self.first("read", reads.coming[1]))
        banks = [inside[f"lines_{k}.read_data"] for k in range(kh)]
        lines = [table([banks[(k + y) % kh] for k in range(kh)], first) for y in range(kh)]
        for name, (there, at, column) in reads.under_way(Cat(*lines)).items():
            self._holds(name, there, at, column)

    def first(self, name: str, number: Value) -> Signal:
        """The memory's line of a read's first line."""
        ys = [one.y for one in self.around.seen]
        return self.line(name, self.reads.of(ys, number, each=self.around.high))

    def aside(self, name: str, number: Value) -> Value:
        """What goes beside a read: which lines are none, its first line's bank."""
        around = self.around
        none = [
            sum((around.word(one, y) == BEYOND) << y for y in range(around.kh))
            for one in around.seen
        ]
        lines = self.reads.of(none, number) | Const(0, around.kh)
        return Cat(lines, self.bank(self.first(f"{name}_aside", number)))

    def _holds(self, name: str, there: Value, number: Value, column: Value) -> None:
        """A column is right where it shows the followed word, and behind the memory's first
        register it is 0 where it shows nothing."""
        around, maps = self.around, self.maps
        word = len(column) // around.kh
        shown = self.bench.named(f"column_{name}", column)
        for y in range(around.kh):
            words = [around.word(one, y) for one in around.seen]
            none = self.reads.of([int(one == BEYOND) for one in words], number).bool()
            at = self.reads.of(words, number, each=maps.words)
            line = shown.word_select(y, word)
            here = maps.following & ~none & (at == self.reads.followed)
            right = self._lane(line) == maps.value
            self.bench.invariant(f"{name}_{y}_is_the_word", ~(there & here) | right)
            if name != "coming":
                self.bench.invariant(f"{name}_{y}_is_nothing", ~(there & none) | (line == 0))

    def _lane(self, word: Value) -> Value:
        return word.word_select(self.maps.lane, self.maps.width)
