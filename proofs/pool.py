"""Pooling: each channel's OR, or its AND, of what a window saw."""

__all__ = ["PROOFS"]

import dataclasses
import functools
import operator
from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Const, Mux, Signal, Value

from bnnhw.dataflow import MapWords
from bnnhw.maps import Pool
from bnnhw.rtl.pool import PoolStage
from bnnhw.technology import Technology
from bnnhw.window import Columns, Window

from .bench import Bench, Override, design_of
from .board import table
from .gearbox import slack_places
from .inside import Inside
from .proof import Broken, Case, Proof
from .results import Results


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """A pooling.

    Parameters
    ----------
    kernel : (int, int)
        Of windows side by side.
    pool_and : tuple of 0 and 1
        Of each channel.
    wide : int
        Channels a word, where windows come word by word.
    depth : int
        Of the FIFO of a position's words.
    at_once : int
        Windows at once, where they come whole.
    """

    kernel: tuple[int, int] = (2, 2)
    pool_and: tuple[int, ...]
    wide: int = 1
    depth: int = 2
    at_once: int = 0

    @property
    def places(self) -> int:
        return self.kernel[0] * self.kernel[1]

    def stage(self) -> PoolStage:
        high, wide = self.kernel
        channels = len(self.pool_and)
        window = Window(shape=(high, 4 * wide, channels), kernel=self.kernel, stride=self.kernel)
        layer = Pool(name="pool", window=window, pool_and=np.array(self.pool_and, dtype=np.uint8))
        columns = Columns(window, self.at_once * wide) if self.at_once else None
        words = MapWords(
            name="pool",
            channels=channels if columns else self.wide,
            words=1,
            positions=columns.positions if columns else 1,
            columns=columns,
        )
        return PoolStage(layer, words, depth=self.depth, technology=Technology())


def pooled(bits: Sequence[Value], pool_and: int) -> Value:
    """Of a channel."""
    return functools.reduce(operator.and_ if pool_and else operator.or_, bits)


def by_words(bench: Bench, size: Size, built: Size | None = None) -> None:
    """Words of positions of windows, to words of pooled positions.

    `built` is what the component is built for, if it is not `size`: a broken copy.
    """
    stage = (built or size).stage()
    inside = bench.dut(stage)
    results = Results(bench, inside, stage, "o__ready")
    m, wide, count = bench.m, size.wide, len(size.pool_and) // size.wide
    word, place = Signal(range(count + 1), name="word"), Signal(range(size.places), name="place")
    word_end = bench.named("word_end", word == count - 1)
    place_end = bench.named("place_end", place == size.places - 1)
    with m.If(results.take):
        m.d.sync += word.eq(Mux(word_end, 0, word + 1))
        with m.If(word_end):
            m.d.sync += place.eq(Mux(place_end, 0, place + 1))
    # Of each word of a position: what it is pooled to so far.
    before = [Signal(wide, name=f"before_{k}") for k in range(count)]
    after = []
    for k in range(count):
        kinds = size.pool_and[k * wide : (k + 1) * wide]
        seen = [pooled([before[k][c], results.word[c]], kind) for c, kind in enumerate(kinds)]
        after.append(bench.named(f"after_{k}", Mux(place == 0, results.word, Cat(*seen))))
        with m.If(results.take & (word == k)):
            m.d.sync += before[k].eq(after[k])
    results.judge(place_end, Value.cast(table(after, word)), offered=1)

    for name, value, most in (("word", word, count), ("place", place, size.places)):
        bench.invariant(f"{name}_in_range", value < most)
        if most > 1:
            bench.invariant(f"{name}_counts", inside[name] == value)
            bench.invariant(f"{name}_last", inside[f"{name}_is_last"] == (value == most - 1))
    masks = [
        sum(bit << c for c, bit in enumerate(size.pool_and[k * wide : (k + 1) * wide]))
        for k in range(count)
    ]
    for k in range(count):
        at = bench.named(f"turn_{k}", Mux(word + k < count, word + k, word + k - count))
        so_far = table([before[n] ^ masks[n] for n in range(count)], at)
        begun = (place != 0) | (at < word)
        bench.invariant(f"so_far_{k}", ~begun | (inside[f"so_far_{k}"] == so_far))
    _queued(bench, inside, results, size.depth)


def _queued(bench: Bench, inside: Inside, results: Results, depth: int) -> None:
    """The FIFO holds what is pending: the oldest in its register, if it is full."""
    level, shown = inside["position.inner_level"], inside["position.r_rdy"]
    bench.invariant("pending", results.pending == level + shown)
    bench.invariant("level_in_range", level < depth)
    stored: Value = Const(0, 1)
    if depth > 2:
        write, read = inside["position.produce"], inside["position.consume"]
        size = depth - 1
        rounds = table([k % size for k in range(3 * size)], read + level)
        bench.invariant("places", (write < size) & (read < size) & (write == rounds))
        at = table([k % size for k in range(32)], (read + results.ahead - shown)[:5])
        stored = Value.cast(at) | Const(0, len(write))
    word = inside.word("position.storage", stored)
    first = shown & (results.ahead == 0)
    found = Mux(first, inside["position.r_data"], word)
    bench.invariant("the_result_is_stored", ~results.following | (found == results.value))


def whole(bench: Bench, size: Size, built: Size | None = None) -> None:
    """Whole windows, each to a pooled position."""
    stage = (built or size).stage()
    inside = bench.dut(stage)
    results = Results(bench, inside, stage, "slack.i__ready")
    channels = len(size.pool_and)
    pieces = [
        results.word[k * channels : (k + 1) * channels]
        for k in range(size.at_once * size.places)
    ]  # fmt: skip
    windows = [pieces[k : k + size.places] for k in range(0, len(pieces), size.places)]
    result = Cat(
        pooled([piece[c] for piece in window], kind)
        for window in windows
        for c, kind in enumerate(size.pool_and)
    )
    results.judge(Const(1, 1), result, offered=0)

    full, oldest = slack_places(bench, inside, "slack.")
    bench.invariant("pending", results.pending == full[0] + full[1])
    at = oldest ^ (results.ahead != 0)
    found = Mux(at, inside["slack.place_1"], inside["slack.place_0"])
    bench.invariant("the_result_is_held", ~results.following | (found == results.value))


WORDS = {
    "or_and_words2": Size(pool_and=(0, 1), wide=1),
    "words3_depth3": Size(kernel=(1, 2), pool_and=(1, 0, 1), wide=1, depth=3),
    "word1": Size(pool_and=(0, 1, 1), wide=3),
    "place1_words2": Size(kernel=(1, 1), pool_and=(0, 1, 1, 0), wide=2, depth=4),
}
WHOLE = {
    "at1": Size(pool_and=(0, 1), at_once=1),
    "at2": Size(pool_and=(1, 0, 0), at_once=2),
    "at4_1x3": Size(kernel=(1, 3), pool_and=(0, 1), at_once=4),
}


def _other(size: Size) -> Size:
    """One channel pooled the other way."""
    return dataclasses.replace(size, pool_and=(1 - size.pool_and[0], *size.pool_and[1:]))


def _broken(what: str, name: str, wire: str, value: Override) -> Broken:
    design = design_of(functools.partial(by_words, size=WORDS[name]), {wire: value})
    return Broken(name=what, design=design, depth=16)


PROOFS = (
    Proof(
        name="pool",
        says="Each word that comes out is the OR, or the AND, of that word of all positions that "
        "its window saw, channel by channel, in order, whatever stalls; an owed word is offered, "
        "and while none is, words are taken.",
        bounds="windows of 1 to 4 positions, of 1 to 3 words of 1 to 3 channels",
        cases=tuple(
            Case(name=name, design=design_of(functools.partial(by_words, size=size)), depth=2)
            for name, size in WORDS.items()
        ),
        broken=(
            Broken(
                name="one channel the other way",
                design=design_of(
                    functools.partial(by_words, size=WORDS["word1"], built=_other(WORDS["word1"]))
                ),
                depth=10,
            ),
            _broken(
                "goes on from the last window",
                "or_and_words2",
                "any_of",
                lambda i: (i["buffer.o__payload"] ^ i["mask"]) | i["so_far_0"],
            ),
            _broken(
                "a window ends a position early",
                "word1",
                "place_is_last",
                lambda i: i["place"] == 1,
            ),
        ),
    ),
    Proof(
        name="pool-whole",
        says="The same of windows that come whole, several at once.",
        bounds="1 to 4 windows of 3 and 4 positions, 2 and 3 channels",
        cases=tuple(
            Case(name=name, design=design_of(functools.partial(whole, size=size)), depth=2)
            for name, size in WHOLE.items()
        ),
        broken=(
            Broken(
                name="one channel the other way",
                design=design_of(
                    functools.partial(whole, size=WHOLE["at2"], built=_other(WHOLE["at2"]))
                ),
                depth=6,
            ),
            Broken(
                name="forgets a word that waits",
                design=design_of(
                    functools.partial(whole, size=WHOLE["at1"]), {"slack.empty": lambda i: 0b11}
                ),
                depth=8,
            ),
        ),
    ),
)
