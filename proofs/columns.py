"""The column buffer: whole windows of every map, in order, whatever stalls."""

__all__ = ["PROOFS"]

import dataclasses
import functools

from amaranth.hdl import Cat, Mux, Signal

from bnnhw.queues import column_words
from bnnhw.rtl.column_buffer import ColumnBuffer
from bnnhw.technology import Technology
from bnnhw.window import Columns, Window

from .around import Around
from .bench import Bench, Override, design_of
from .board import table
from .lines import Lines
from .maps import BEYOND, UNUSED, Maps
from .proof import Broken, Case, Proof
from .reads import Reads

WIDTH = 2  # bits a position


def columns(bench: Bench, size: Columns) -> None:
    """Windows come in order; the memory holds what is still to come, line by line."""
    around = Around(size)
    buffer = ColumnBuffer(size, width=WIDTH, technology=Technology())
    inside = bench.dut(buffer)
    seen = around.seen
    ends = [one for one in seen if around.ends(one)]
    maps = Maps(
        bench,
        buffer,
        [around.sources(one) for one in ends],
        [around.waits(one) for one in ends],
        words=around.high * around.wide,
        positions=around.each,
        width=WIDTH,
    )
    maps.invariants()
    # Reads that went out, and the groups of windows that came of them.
    number = Signal(range(len(seen)), name="read_out")
    with bench.m.If(inside["slack.o__valid"] & inside["o__ready"]):
        bench.m.d.sync += number.eq(Mux(number == len(seen) - 1, 0, number + 1))
    bench.invariant("reads_out_in_range", number < len(seen))
    before = [sum(map(around.ends, seen[:n])) for n in range(len(seen))]
    bench.invariant("groups_out", maps.out_word == table(before, number))
    reads = Reads(
        bench, inside, maps, number, [around.read(one) for one in seen], depth=column_words(size)
    )
    to_go = [
        next(k for k, one in enumerate(seen[n:]) if around.ends(one)) for n in range(len(seen))
    ]
    reads.moves(to_go)
    _walk(reads, around)
    lines = Lines(reads, around)
    lines.coming_in()
    lines.stored()
    lines.on_their_way()
    _kept(reads, around)


def _walk(reads: Reads, around: Around) -> None:
    """The walk's registers, and the output's counters, follow from the number of the read."""
    at, seen = reads.walk, around.seen
    cols, advance = [one.col for one in seen], around.columns.advance
    reads.counts("column_read", cols, at, around.columns.read)
    reads.counts("row", [one.row for one in seen], at, around.columns.window.rows)
    reads.same("x", reads.of([one.x for one in seen], at))
    reads.same("first_y", reads.of([one.y for one in seen], at))
    begins = [dataclasses.replace(one, x=-around.columns.left) for one in seen]
    for name, values in {
        "needed": [around.needed(one) for one in seen],
        "row_needed": [around.needed(one) for one in begins],
        "first_line_at": [around.read(one).oldest for one in seen],
        "map_at": [0 for _ in seen],
    }.items():
        reads.same(name, reads.at(values, at))
    reads.counts("column", cols, reads.number, around.columns.read)
    if around.columns.groups > 1:
        since = [max(col - around.reach, 0) % advance for col in cols]
        reads.counts("since", since, reads.number, advance)


def _kept(reads: Reads, around: Around) -> None:
    """Columns before the one that goes out next: those of its row."""
    bench, maps, inside = reads.bench, reads.maps, reads.inside
    for k in range(around.reach):
        column = inside[f"column_{k}"]
        word = len(column) // around.kh
        back = around.reach - k
        for y in range(around.kh):
            words = [
                around.word(around.seen[n - back], y) if one.col >= back else UNUSED
                for n, one in enumerate(around.seen)
            ]
            at = bench.named(f"kept_{k}_{y}", table(words, reads.number))
            line = column.word_select(y, word)
            here = maps.following & (at == reads.followed)
            right = line.word_select(maps.lane, maps.width) == maps.value
            bench.invariant(f"kept_{k}_{y}_is_the_word", ~here | right)
            bench.invariant(f"kept_{k}_{y}_is_nothing", (at != BEYOND) | (line == 0))


CASES = {
    "2x2_padding": Columns(Window(shape=(3, 2, 1), kernel=(2, 2), padding=(1, 0))),
    "3x3_padding": Columns(Window(shape=(2, 3, 1), kernel=(3, 3), padding=(1, 1))),
    "2x2_stride2": Columns(Window(shape=(3, 4, 1), kernel=(2, 2), stride=(2, 2))),
    "1x2_stride2": Columns(Window(shape=(3, 3, 1), kernel=(1, 2), stride=(2, 1))),
    "2x2_at2": Columns(Window(shape=(3, 4, 1), kernel=(2, 2)), 2),
    "3x3_at2_stride2": Columns(
        Window(shape=(3, 4, 1), kernel=(3, 3), stride=(2, 2), padding=(1, 1)), 4
    ),
}


def _broken(what: str, name: str, depth: int, overrides: dict[str, Override]) -> Broken:
    design = design_of(functools.partial(columns, size=CASES[name]), overrides)
    return Broken(name=what, design=design, depth=depth)


PROOFS = (
    Proof(
        name="column-buffer",
        says="Every window that comes out is what it sees of its map, 0 beyond it, in order, map "
        "after map, whatever stalls; an owed one is offered, and while none is, words are taken.",
        bounds="maps of 2 and 3 lines of 2 to 4, kernels of 1 to 3, strides of 1 and 2, windows "
        "one by one and two at once",
        cases=tuple(
            Case(name=name, design=design_of(functools.partial(columns, size=size)), depth=2)
            for name, size in CASES.items()
        ),
        broken=(
            _broken(
                "a bank holds one line",
                "2x2_padding",
                22,
                {
                    "lines_1.port__addr": lambda i: i["x_in"],
                    "lines_1.reader__addr": lambda i: i["now_about"][0],
                },
            ),
            _broken(
                "padding is read as map",
                "2x2_padding",
                16,
                {"i__payload": lambda i: Cat(i["line_0"], i["line_1"])},
            ),
            _broken("lines stay in their banks", "2x2_padding", 24, {"first_bank": lambda i: 1}),
            _broken("a column is not kept", "2x2_at2", 20, {"column_0": lambda i: i["column_0"]}),
        ),
    ),
)
