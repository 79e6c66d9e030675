"""The gearbox stages: nothing dropped, repeated or out of place, and nothing ever stuck."""

__all__ = ["PROOFS", "slack_places"]

import functools
from collections.abc import Callable, Sequence

from amaranth.hdl import Cat, Mux, Value

from bnnhw.folding import ceil_div
from bnnhw.rtl.gearbox import Collect, Repack, Split, word_layout
from bnnhw.rtl.slack import Slack

from .bench import Bench, Override, design_of
from .board import Board, table
from .inside import Inside
from .proof import Broken, Case, Proof

WIDTH = 2  # bits a unit
SAYS = (
    "Every vector's units leave once, in order and in their place, its drop mark with its last "
    "word; a word on offer is held; an owed word is offered whether the reader is ready or not."
)
Sizes = tuple[int, ...]  # units, wide_in, wide_out, and for Repack hold


def slack(bench: Bench, sizes: Sizes) -> None:
    """Two places, which take words by turns."""
    (wide,) = sizes
    box = Slack(word_layout(wide * WIDTH))
    inside = bench.dut(box)
    board = Board(bench, box, units=wide, wide_in=wide, wide_out=wide, width=WIDTH)
    board.drains(offered=0, taken=1)
    board.invariants()
    full, oldest = slack_places(bench, inside)
    bench.invariant("flying_are_held", board.flying == full[0] + full[1])
    places = Cat(inside["place_0"], inside["place_1"])
    at = bench.named("place_followed", oldest ^ (board.ahead != 0))
    word = bench.named("word_followed", places.word_select(at, len(places) // 2))
    right = word.word_select(board.unit, WIDTH) == board.unit_value
    bench.invariant("holds_the_unit", ~board.unit_known | right)
    bench.invariant("holds_the_mark", ~board.drop_known | (word[-1] == board.drop))


def slack_places(bench: Bench, inside: Inside, at: str = "") -> tuple[Value, Value]:
    """Which places of a Slack are full, and the oldest word's; the flags say so, too.

    `at` is the Slack's path, with a dot.
    """
    full, oldest = ~inside[f"{at}empty"], inside[f"{at}oldest"]
    bench.invariant("by_turns", (inside[f"{at}into"] ^ oldest) == full.xor())
    bench.invariant("valid_is_exact", inside[f"{at}valid"] == full.any())
    bench.invariant("oldest_is_there", ~full.any() | full.bit_select(oldest, 1))
    return full, oldest


def split(bench: Bench, sizes: Sizes) -> None:
    """What is left of the word held are the units from the output's place on."""
    units, wide_in, wide_out = sizes
    box = Split(units=units, wide_in=wide_in, wide_out=wide_out, width=WIDTH)
    inside = bench.dut(box)
    board = Board(bench, box, units=units, wide_in=wide_in, wide_out=wide_out, width=WIDTH)
    ratio = wide_in // wide_out
    board.drains(offered=0, taken=ratio - 1)
    board.invariants()
    _same_word(bench, inside, board)
    bits = inside["left"]
    bench.invariant("thermometer", (bits & (bits + 1)) == 0)
    left = bench.named("pieces_left", sum(bits[k] for k in range(ratio)))
    held_word = bench.named(
        "held_word", Mux(board.in_word == 0, board.words_in - 1, board.in_word - 1)
    )
    end = Mux(board.in_word == 0, board.words_out, board.in_word * ratio)
    begin = Mux(left == 0, board.in_word * ratio, end - left)
    bench.invariant("left_is_from_here", board.out_word == begin)
    bench.invariant("left_is_of_the_word", (left == 0) | (board.out_word >= held_word * ratio))
    bench.invariant("one_vector", board.flying == ((left != 0) | (board.in_word != 0)))
    at = bench.named("at", board.unit - board.out_word * wide_out)
    here = board.unit_known & (left != 0) & (at >= 0)
    right = inside["held"].word_select(at.as_unsigned(), WIDTH) == board.unit_value
    bench.invariant("holds_the_unit", ~here | right)
    bench.invariant("holds_the_mark", ~board.drop_known | (inside["drop"] == board.drop))


def collect(bench: Bench, sizes: Sizes) -> None:
    """Pieces that came are at their places until the whole word is taken."""
    units, wide_in, wide_out = sizes
    box = Collect(units=units, wide_in=wide_in, wide_out=wide_out, width=WIDTH)
    inside = bench.dut(box)
    board = Board(bench, box, units=units, wide_in=wide_in, wide_out=wide_out, width=WIDTH)
    board.drains(offered=0, taken=0)
    board.invariants()
    _same_word(bench, inside, board)
    ratio, words_out = wide_out // wide_in, board.words_out
    full, place = inside["full"], inside["place"]
    in_words = range(board.words_in)
    places = table([1 << k % ratio for k in in_words], board.in_word)
    bench.invariant("place_of_word", place == places)
    bench.invariant("begins_when_full", ~full | place[0])
    # Places that the vector's last word does not reach are cleared when a word goes.
    tail = board.words_in - (words_out - 1) * ratio
    for k in range(tail, ratio):
        to_come = Mux(full, board.in_word == 0, places <= 1 << k)
        bench.invariant(f"place_{k}_is_clear", ~to_come | (inside[f"piece_{k}"] == 0))
    begun = table([k // ratio for k in in_words], board.in_word)
    bench.invariant("words_there", board.out_word + full == board.complete * words_out + begun)
    unit_word = table([k // wide_out for k in range(words_out * wide_out)], board.unit)
    unit_at = table([k % wide_out for k in range(words_out * wide_out)], board.unit)
    away = bench.named("away", board.ahead * words_out + unit_word - board.out_word)
    word = bench.named("places", Cat(*(inside[f"piece_{k}"] for k in range(ratio))))
    right = word.word_select(unit_at, WIDTH) == board.unit_value
    bench.invariant("has_the_unit", ~(board.unit_known & (away == 0)) | right)
    mark_away = bench.named("mark_away", board.ahead * words_out + words_out - 1 - board.out_word)
    marked = full & (inside["drop"] == board.drop)
    bench.invariant("has_the_mark", ~(board.drop_known & (mark_away == 0)) | marked)


def repack(bench: Bench, sizes: Sizes) -> None:
    """The buffer holds vectors, each padded to whole words of the output, without a seam."""
    units, wide_in, wide_out, hold = sizes
    box = Repack(units=units, wide_in=wide_in, wide_out=wide_out, width=WIDTH, hold=hold)
    inside = bench.dut(box)
    board = Board(bench, box, units=units, wide_in=wide_in, wide_out=wide_out, width=WIDTH)
    board.drains(offered=0, taken=ceil_div(box.sizes.most, wide_out))
    board.invariants()
    _same_word(bench, inside, board)
    whole = board.words_out * wide_out
    came = board.complete * whole + board.in_word * wide_in
    bench.invariant("fill", inside["fill"] + board.out_word * wide_out == came)
    bench.invariant("fill_in_range", inside["fill"] <= box.sizes.capacity)
    gone = board.out_word * wide_out
    at = bench.named("at", board.ahead * whole + board.unit - gone)
    unit = inside["units"].word_select(at.as_unsigned(), WIDTH + 1)
    bench.invariant(
        "has_the_unit", ~board.unit_known | (at < 0) | (unit[:WIDTH] == board.unit_value)
    )
    mark_at = bench.named("mark_at", board.ahead * whole + whole - 1 - gone)
    mark = inside["units"].word_select(mark_at.as_unsigned(), WIDTH + 1)[WIDTH]
    bench.invariant("has_the_mark", ~board.drop_known | (mark == board.drop))


def _same_word(bench: Bench, inside: Inside, board: Board) -> None:
    """The component counts the words that come in as the board does."""
    if "word" in inside:
        last = board.in_word == board.words_in - 1
        bench.invariant("counts_words", inside["word"] == board.in_word)
        bench.invariant("knows_the_last", inside["word_is_last"] == last)


Harness = Callable[..., None]


def _proof(
    harness: Harness,
    sizes: Sequence[Sizes],
    broken: Sequence[tuple[str, Sizes, str, Override]],
    *,
    bounds: str,
    depth: int,
) -> Proof:
    """`broken` holds what was broken, the sizes, the signal and what drives it instead."""
    name = harness.__name__
    return Proof(
        name=name,
        says=SAYS,
        bounds=bounds,
        cases=tuple(
            Case(
                name="x".join(map(str, size)),
                design=design_of(functools.partial(harness, sizes=size)),
                depth=depth,
            )
            for size in sizes
        ),
        broken=tuple(
            Broken(
                name=what,
                design=design_of(functools.partial(harness, sizes=size), {wire: value}),
                depth=14,
            )
            for what, size, wire, value in broken
        ),
    )


PROOFS = (
    _proof(
        slack,
        [(1,), (3,)],
        [
            ("takes a word that it has no room for", (2,), "i__ready", lambda i: 1),
            ("forgets a word that waits", (2,), "empty", lambda i: 0b11),
        ],
        bounds="words of 1 and 3 units",
        depth=3,
    ),
    _proof(
        split,
        [(5, 3, 1), (4, 4, 2), (7, 4, 2), (3, 6, 2)],
        [
            ("takes a word too early", (7, 4, 2), "i__ready", lambda i: ~i["left"][1]),
            ("a vector's last word is whole", (5, 3, 1), "word_is_last", lambda i: 0),
        ],
        bounds="3 to 7 units",
        depth=4,
    ),
    _proof(
        collect,
        [(5, 1, 3), (4, 2, 4), (3, 1, 3), (7, 2, 4), (2, 1, 4)],
        [
            ("takes a piece over a word that waits", (5, 1, 3), "i__ready", lambda i: 1),
            ("a place is never written", (5, 1, 3), "piece_2", lambda i: i["piece_2"]),
        ],
        bounds="2 to 7 units",
        depth=3,
    ),
    _proof(
        repack,
        [(7, 3, 2, 1), (5, 2, 3, 2), (3, 3, 2, 1), (4, 3, 5, 1)],
        [
            ("takes a word that it has no room for", (7, 3, 2, 1), "i__ready", lambda i: 1),
            ("a vector's last word is not padded", (7, 3, 2, 1), "word_is_last", lambda i: 0),
        ],
        bounds="3 to 7 units",
        depth=3,
    ),
)
