"""The gearbox stages: nothing dropped, repeated or out of place, and nothing ever stuck."""

__all__ = ["PROOFS"]

import functools
from collections.abc import Callable, Sequence

from amaranth.hdl import Mux

from bnnhw.folding import ceil_div
from bnnhw.rtl.gearbox import Collect, Repack, Slack, Split

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
    """A register: holds the followed vector's word, whenever it is there."""
    (wide,) = sizes
    box = Slack(wide=wide, width=WIDTH)
    inside = bench.dut(box)
    board = Board(bench, box, units=wide, wide_in=wide, wide_out=wide, width=WIDTH)
    board.drains(offered=0, taken=0)
    board.invariants()
    payload = inside["payload"]
    bench.check("flying_is_valid", board.flying == inside["valid"])
    bench.check("holds_the_unit", ~board.unit_known | (
        payload.word_select(board.unit, WIDTH) == board.unit_value))  # fmt: skip
    bench.check("holds_the_mark", ~board.drop_known | (payload[-1] == board.drop))


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
    left = inside["left"]
    held_word = bench.named(
        "held_word", Mux(board.in_word == 0, board.words_in - 1, board.in_word - 1)
    )
    end = Mux(board.in_word == 0, board.words_out, board.in_word * ratio)
    begin = Mux(left == 0, board.in_word * ratio, end - left)
    bench.check("left_is_from_here", board.out_word == begin)
    bench.check("left_is_of_the_word", (left == 0) | (board.out_word >= held_word * ratio))
    bench.check("one_vector", board.flying == ((left != 0) | (board.in_word != 0)))
    at = board.unit - board.out_word * wide_out
    bench.check(
        "holds_the_unit",
        ~board.unit_known
        | (left == 0)
        | (at < 0)
        | (inside["held"].word_select(at.as_unsigned(), WIDTH) == board.unit_value),
    )
    bench.check("holds_the_mark", ~board.drop_known | (inside["drop"] == board.drop))


def collect(bench: Bench, sizes: Sizes) -> None:
    """Words fill the head first, then the register that the pieces shift into."""
    units, wide_in, wide_out = sizes
    box = Collect(units=units, wide_in=wide_in, wide_out=wide_out, width=WIDTH)
    inside = bench.dut(box)
    board = Board(bench, box, units=units, wide_in=wide_in, wide_out=wide_out, width=WIDTH)
    board.drains(offered=1, taken=0)
    board.invariants()
    _same_word(bench, inside, board)
    ratio, words_out = wide_out // wide_in, board.words_out
    tail = board.words_in - (words_out - 1) * ratio
    full, is_tail, piece = inside["full"], inside["is_tail"], inside["piece"]
    head, head_valid = inside["head"], inside["head_valid"]
    collected = inside["collected"]
    in_words = range(board.words_in)
    bench.check("piece_of_word", piece == table([k % ratio for k in in_words], board.in_word))
    bench.check("piece_is_last", inside["piece_is_last"] == (piece == ratio - 1))
    bench.check("no_piece_when_full", ~full | (piece == 0))
    bench.check("tail_ends_the_vector", ~full | (is_tail == (board.in_word == 0)))
    begun = table([k // ratio for k in in_words], board.in_word)
    there = board.out_word + head_valid + full
    bench.check("words_there", there == board.complete * words_out + begun)
    unit_word = table([k // wide_out for k in range(words_out * wide_out)], board.unit)
    unit_at = table([k % wide_out for k in range(words_out * wide_out)], board.unit)
    away = bench.named("away", board.ahead * words_out + unit_word - board.out_word)
    in_head = head_valid & (away == 0)
    bench.check("head_has_the_unit", ~(board.unit_known & in_head) | (
        head.word_select(unit_at, WIDTH) == board.unit_value))  # fmt: skip
    # The last piece is at the top.
    pieces = Mux(full, Mux(is_tail, tail, ratio), piece)
    at = bench.named("at", unit_at + wide_out - pieces * wide_in)
    in_register = (away == head_valid) & (at < wide_out)
    bench.check("register_has_the_unit", ~(board.unit_known & in_register) | (
        collected.word_select(at.as_unsigned(), WIDTH) == board.unit_value))  # fmt: skip
    mark_away = bench.named("mark_away", board.ahead * words_out + words_out - 1 - board.out_word)
    bench.check("head_has_the_mark", ~(board.drop_known & head_valid & (mark_away == 0)) | (
        head[-1] == board.drop))  # fmt: skip
    bench.check("register_has_the_mark", ~(board.drop_known & (mark_away == head_valid)) | (
        inside["drop"] == board.drop))  # fmt: skip


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
    bench.check("fill", inside["fill"] + board.out_word * wide_out == came)
    bench.check("fill_in_range", inside["fill"] <= box.sizes.capacity)
    gone = board.out_word * wide_out
    at = bench.named("at", board.ahead * whole + board.unit - gone)
    unit = inside["units"].word_select(at.as_unsigned(), WIDTH + 1)
    bench.check("has_the_unit", ~board.unit_known | (at < 0) | (unit[:WIDTH] == board.unit_value))
    mark_at = bench.named("mark_at", board.ahead * whole + whole - 1 - gone)
    mark = inside["units"].word_select(mark_at.as_unsigned(), WIDTH + 1)[WIDTH]
    bench.check("has_the_mark", ~board.drop_known | (mark == board.drop))


def _same_word(bench: Bench, inside: Inside, board: Board) -> None:
    """The component counts the words that come in as the board does."""
    if "word" in inside:
        bench.check("counts_words", inside["word"] == board.in_word)
        bench.check("knows_the_last", inside["word_is_last"] == (
            board.in_word == board.words_in - 1))  # fmt: skip


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
            ("takes a word that it has no room for", (2,), "i__ready", lambda inside: 1),
            ("forgets a word that waits", (2,), "valid", lambda inside: 0),
        ],
        bounds="words of 1 and 3 units",
        depth=2,
    ),
    _proof(
        split,
        [(5, 3, 1), (4, 4, 2), (7, 4, 2), (3, 6, 2)],
        [
            ("takes a word too early", (7, 4, 2), "i__ready", lambda i: i["left"] <= 1),
            ("a vector's last word is whole", (5, 3, 1), "word_is_last", lambda i: 0),
        ],
        bounds="3 to 7 units",
        depth=4,
    ),
    _proof(
        collect,
        [(5, 1, 3), (4, 2, 4), (3, 1, 3), (7, 2, 4), (2, 1, 4)],
        [
            ("moves a word onto one that waits", (5, 1, 3), "move", lambda i: i["full"]),
            ("the tail is not brought down", (5, 1, 3), "is_tail", lambda i: 0),
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
