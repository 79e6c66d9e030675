"""The window buffer: every window of every map, in order, whatever stalls."""

__all__ = ["PROOFS"]

import dataclasses
import functools
import itertools
from collections.abc import Callable

from bnnhw.rtl.window_buffer import WindowBuffer
from bnnhw.technology import Technology
from bnnhw.window import Window

from .bench import Bench, Override, design_of
from .maps import BEYOND, Maps
from .proof import Broken, Case, Proof
from .reads import Read, Reads

WIDTH = 2  # bits a word


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """A window, and words a position."""

    window: Window
    words: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seen:
    """A word that a window sees: of which window, where in it, and which of that position."""

    row: int
    col: int
    kernel_y: int
    kernel_x: int
    word: int


def seen(size: Size) -> list[Seen]:
    """All of a map, in order."""
    window = size.window
    (kh, kw), (rows, cols) = window.kernel, (window.rows, window.cols)
    every = itertools.product(range(rows), range(cols), range(kh), range(kw), range(size.words))
    return [
        Seen(row=row, col=col, kernel_y=y, kernel_x=x, word=word) for row, col, y, x, word in every
    ]


def windows(bench: Bench, size: Size) -> None:
    """Words come in the order in which windows see them; the memory holds what is still to come."""
    window, each = size.window, size.words
    (high, wide, _), (sy, sx), (py, px) = window.shape, window.stride, window.padding
    buffer = WindowBuffer(window, words=each, width=WIDTH, technology=Technology())
    inside = bench.dut(buffer)
    order = seen(size)
    # A window's first position, and the one that is seen; of a map's first line and its first word.
    firsts = [(one.row * sy - py, one.col * sx - px) for one in order]
    places = [
        (y + one.kernel_y, x + one.kernel_x)
        for (y, x), one in zip(firsts, order, strict=True)
    ]  # fmt: skip
    beyond = [not (0 <= y < high and 0 <= x < wide) for y, x in places]

    def words(y: int, x: int, word: int = 0) -> int:
        return (y * wide + x) * each + word

    address = [words(*place, one.word) for place, one in zip(places, order, strict=True)]
    needed = [BEYOND if none else at for at, none in zip(address, beyond, strict=True)]
    maps = Maps(
        bench, buffer, [[at] for at in needed], needed, words=high * wide * each, width=WIDTH
    )
    maps.invariants()
    reads = Reads(
        bench,
        inside,
        maps,
        maps.out_word,
        [
            Read(needed=at, nothing=none, oldest=words(max(y, 0), max(x, 0) if y >= 0 else 0))
            for at, none, (y, x) in zip(address, beyond, firsts, strict=True)
        ],
        depth=buffer.depth,
    )
    reads.moves()
    _walk(reads, order, firsts, places, words)
    _memory(reads, address, [int(none) for none in beyond])


def _walk(
    reads: Reads,
    order: list[Seen],
    firsts: list[tuple[int, int]],
    places: list[tuple[int, int]],
    words: Callable[..., int],
) -> None:
    """The walk's registers follow from the number of its read."""
    at = reads.walk
    for name in ("word", "kernel_x", "kernel_y", "col", "row"):
        values = [getattr(one, name) for one in order]
        reads.counts(name, values, at, max(values) + 1)
    for k, axis in enumerate("yx"):
        reads.same(f"first_{axis}", reads.of([first[k] for first in firsts], at))
        reads.same(axis, reads.of([place[k] for place in places], at))
    left = firsts[0][1]  # of each row
    begins = {
        "address": [
            words(*place, one.word) for place, one in zip(places, order, strict=True)
        ],
        "kernel_row_at": [words(y, x) for (y, _), (_, x) in zip(places, firsts, strict=True)],
        "corner": [words(*first) for first in firsts],
        "row_at": [words(y, left) for y, _ in firsts],
        "map_at": [0 for _ in firsts],
    }  # fmt: skip
    for name, values in begins.items():
        reads.same(name, reads.at(values, at))


def _memory(reads: Reads, address: list[int], beyond: list[int]) -> None:
    """Where the followed word is, is what came; and beyond the map is nothing."""
    bench, inside, maps = reads.bench, reads.inside, reads.maps
    low = len(inside["write_addr"])
    stored = inside.word("ring.words", (reads.base + reads.followed)[:low])
    bench.invariant("the_word_is_stored", ~reads.kept | (stored == maps.value))
    for name, (there, number) in reads.held.items():
        about = reads.at(address, number)[:low] | reads.of(beyond, number) << low
        reads.same(f"{name}_about", about, there)
    for k, (there, number) in enumerate((reads.coming, reads.fetched)):
        reads.same(f"none_{k}", reads.of(beyond, number), there)
    for name, (there, at, word) in reads.under_way(inside["ring.read_data"]).items():
        none = reads.of(beyond, at).bool()
        followed = reads.of(address, at, each=maps.words) == reads.followed
        here = maps.following & ~none & followed
        bench.invariant(f"{name}_is_the_word", ~(there & here) | (word == maps.value))
        if name != "coming":
            bench.invariant(f"{name}_is_nothing", ~(there & none) | (word == 0))


CASES = {
    "2x2_padding": Size(window=Window(shape=(3, 2, 1), kernel=(2, 2), padding=(1, 0))),
    "3x3_stride2": Size(
        window=Window(shape=(2, 2, 1), kernel=(3, 3), stride=(2, 2), padding=(2, 2))
    ),
    "1x1_stride3": Size(window=Window(shape=(4, 4, 1), kernel=(1, 1), stride=(3, 3))),
    "1x2_words2": Size(window=Window(shape=(4, 3, 1), kernel=(1, 2), stride=(2, 1)), words=2),
    "2x1_words2": Size(window=Window(shape=(2, 2, 1), kernel=(2, 1), padding=(1, 0)), words=2),
}


def _broken(what: str, name: str, depth: int, **overrides: Override) -> Broken:
    design = design_of(functools.partial(windows, size=CASES[name]), overrides)
    return Broken(name=what, design=design, depth=depth)


PROOFS = (
    Proof(
        name="window-buffer",
        says="Every word that comes out is that of the position that its window sees, 0 beyond the "
        "map, in order, map after map, whatever stalls; an owed word is offered, and while none "
        "is, words are taken.",
        bounds="maps of 2 to 4 lines, kernels of 1 to 3, strides of 1 to 3, 1 and 2 words a "
        "position",
        cases=tuple(
            Case(name=name, design=design_of(functools.partial(windows, size=size)), depth=2)
            for name, size in CASES.items()
        ),
        broken=(
            _broken(
                "the ring is half as long",
                "2x2_padding",
                22,
                write_addr=lambda i: i["written"][:3],
                read_addr=lambda i: i["now_about"][:3],
            ),
            _broken("padding is read as map", "2x2_padding", 12, beyond=lambda i: 0),
            _broken("a map has no end", "1x1_stride3", 28, next_map=lambda i: 0),
        ),
    ),
)
