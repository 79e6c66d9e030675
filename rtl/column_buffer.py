"""A map's lines kept in a memory for each line of a window: whole columns of it at once."""

__all__ = ["ColumnBuffer"]

import itertools

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..queues import bank_lines, column_words
from ..technology import Technology
from ..window import Columns
from .bank import Bank, as_stream
from .counter import counter
from .reads import Look, Reads
from .slack import Slack


class ColumnBuffer(wiring.Component):
    """Positions of maps in raster order in; whole windows out, in raster order.

    Line y of all maps together lies in bank y mod kh, so that a column of a window is a word of
    each bank, or several columns side by side are. Columns go by in a row's order, and the last of
    them are the window: one that steps on by sx positions takes sx columns. Several at a time are
    several windows; of a row's last ones, those that would lie beyond it are of no use. Positions
    beyond the map are 0. Map follows map without a seam, as in a `WindowBuffer`, which needs a
    kh times kw as long, and less memory.

    Throughput: a word in and a word of columns out a cycle, `columns.read` of them for each row of
    windows. Latency: 5 cycles from a window's last position to that window.

    Parameters
    ----------
    columns : Columns
        P positions a word, Q windows at once.
    width : int
        Bits of a position.
    technology : Technology

    Members
    -------
    i : In(stream), P * width bits
    o : Out(stream), Q * kh * kw * width bits
        Window after window; position (ky, kx) of one at (ky * kw + kx) * width.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, columns: Columns, *, width: int, technology: Technology) -> None:
        self.columns = columns
        self.width = width
        self.word = columns.positions * width
        self.technology = technology
        kh, kw = columns.window.kernel
        size = columns.at_once * kh * kw * width
        super().__init__({"i": In(stream.Signature(self.word)), "o": Out(stream.Signature(size))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        wide, (kh, _) = self.columns.line, self.columns.window.kernel
        low = max(1, (wide - 1).bit_length())
        laps = bank_lines(self.columns)
        banks = [
            Bank(width=self.word, depth=laps << low, technology=self.technology) for _ in range(kh)
        ]
        for k, bank in enumerate(banks):
            m.submodules[f"lines_{k}"] = bank
        m.submodules.slack = slack = Slack(kh * self.word)

        # Words in: to their place in their line, bank after bank, lap after lap.
        put = Signal()
        x_in, line_end = counter(m, "x_in", wide, put)
        next_line = Signal()
        m.d.comb += next_line.eq(put & line_end)
        bank_in, bank_end = counter(m, "bank_in", kh, next_line)
        lap_in = Signal(range(laps))
        with m.If(next_line & bank_end):
            m.d.sync += lap_in.eq(lap_in + 1)
        for k, bank in enumerate(banks):
            m.d.comb += [
                bank.write.eq(put & (bank_in == k)),
                bank.write_addr.eq(Cat(Value.cast(x_in) | Const(0, low), lap_in)),
                bank.d.eq(self.i.payload),
            ]

        fetch = Signal()
        depth = column_words(self.columns)
        bits = (depth + 3 * self.columns.window.shape[0] * wide).bit_length() + 1
        reads = Reads(m, bits=bits, depth=depth, put=put, fetch=fetch)
        walk = _Walk(m, self.columns, bits, reads.step)
        # Lines from the first bank on are of one lap, those before it of the next.
        lap = [(walk.lap + (walk.bank > k))[: len(lap_in)] for k in range(kh)]
        place = Cat(walk.x[:low], *lap)
        about = Cat(walk.none, walk.bank)
        reads.follow(
            Look(needed=walk.needed, nothing=walk.beside, oldest=walk.oldest,
                 about=Cat(place, about))
        )  # fmt: skip
        m.d.comb += [self.i.ready.eq(reads.ready), put.eq(self.i.valid & self.i.ready)]
        for k, bank in enumerate(banks):
            at = low + k * len(lap_in)
            m.d.comb += bank.read_addr.eq(
                Cat(reads.about[:low], reads.about[at : at + len(lap_in)])
            )
        move = as_stream(m, banks[0], slack, reads.due, fetch)
        for bank in banks[1:]:
            m.d.comb += [bank.read.eq(banks[0].read), bank.move.eq(banks[0].move)]

        # What was known of a column goes beside it: its first line's bank, lines that are none.
        aside = reads.about[len(place) :]
        read, moved = (Signal(len(aside), name=f"about_{k}", reset_less=True) for k in range(2))
        with m.If(banks[0].read):
            m.d.sync += read.eq(aside)
        with m.If(move):
            m.d.sync += moved.eq(read)
        none, first = moved[:kh], moved[kh:]
        words = [bank.q for bank in banks]
        for y in range(kh):
            word = Signal(self.word, name=f"line_{y}")
            with m.Switch(first):
                for k in range(kh):
                    with m.Case(k):
                        m.d.comb += word.eq(words[(k + y) % kh])
            at = y * self.word
            m.d.comb += slack.i.payload[at : at + self.word].eq(Mux(none[y], 0, word))
        self._windows(m, slack.o)
        return m

    def _windows(self, m: Module, words: stream.Interface) -> None:
        """The last columns, at each window's end, or at that of several."""
        columns, width, each = self.columns, self.width, self.columns.positions
        (kh, kw), (_, sx), (_, px) = (
            columns.window.kernel, columns.window.stride, columns.window.padding,
        )  # fmt: skip
        reach = columns.left + columns.ahead  # words that are kept
        take, ends = Signal(), Signal()
        seen, row_end = counter(m, "column", columns.read, take)
        if columns.groups == 1:
            m.d.comb += ends.eq(row_end)
        else:
            since, _ = counter(m, "since", columns.advance, take & (seen >= reach), restart=row_end)
            m.d.comb += ends.eq((seen >= reach) & (since == 0))
        kept = [Signal(kh * self.word, name=f"column_{k}", reset_less=True) for k in range(reach)]
        whole = [*kept, Value.cast(words.payload)]
        with m.If(take):
            m.d.sync += [before.eq(after) for before, after in zip(kept, whole[1:], strict=True)]
        pieces = []
        for first in range(0, columns.at_once * sx, sx):
            for y, x in itertools.product(range(kh), range(kw)):
                word, place = divmod(columns.left * each - px + first + x, each)
                at = y * self.word + place * width
                pieces.append(whole[word][at : at + width])
        m.d.comb += [
            self.o.payload.eq(Cat(*pieces)),
            self.o.valid.eq(words.valid & ends),
            words.ready.eq(self.o.ready | ~ends),
            take.eq(words.valid & words.ready),
        ]


class _Walk:
    """Through a map's columns, word by word, row of windows after row, map after map.

    Members
    -------
    x : Signal
        Of the column; beside the map where `beside`.
    none : Value, kh bits
        Lines of the column that are beyond the map.
    bank, lap : Signal
        Where the row's first line lies.
    oldest : Value
        The first word of the first line that is still to be read, counted from the first map on.
    needed : Signal
        The word that the column waits for, counted likewise; not where `beside`.
    """

    def __init__(self, m: Module, columns: Columns, bits: int, step: Value) -> None:
        window, wide, px = columns.window, columns.line, columns.left
        (high, _, _), (kh, _) = window.shape, window.kernel
        (sy, _), (py, _) = window.stride, window.padding
        _, row_end = counter(m, "column_read", columns.read, step)
        next_row = Signal()
        m.d.comb += next_row.eq(step & row_end)
        _, map_end = counter(m, "row", window.rows, next_row)
        next_map = Signal()
        m.d.comb += next_map.eq(next_row & map_end)

        self.x = x = Signal(signed((columns.read + wide + px).bit_length() + 1), init=-px)
        y = Signal(signed((high + py + kh).bit_length() + 1), name="first_y", init=-py)
        self.bank = bank = Signal(range(max(2, kh)), name="first_bank", init=-py % kh)
        laps = bank_lines(columns)
        self.lap = lap = Signal(range(laps), name="first_lap", init=(-py // kh) % laps)
        at = Signal(bits, name="map_at")  # words before the map
        first_line = Signal(bits, name="first_line_at")  # and before the first line that is read
        last = kh - 1 - py  # the first row's last line
        self.needed = needed = Signal(bits, init=(min(last, high - 1) * wide - px) % (1 << bits))
        row_at = Signal(
            bits, name="row_needed", init=(min(last, high - 1) * wide - px) % (1 << bits)
        )

        def go_on(lines: int) -> None:
            """To the bank and lap so many lines further on."""
            rounds, banks = divmod(lines, kh)
            wraps = bank + banks >= kh
            m.d.sync += [
                bank.eq(Mux(wraps, bank + banks - kh, bank + banks)),
                lap.eq(lap + wraps + rounds),
            ]

        with m.If(step):
            m.d.sync += [x.eq(x + 1), needed.eq(needed + 1)]
        with m.If(next_row):
            # Of the next row's lines the last one on the map is needed.
            on, of_first = (Signal(range(sy * wide + 1), name=name) for name in ("on", "of_first"))
            m.d.comb += [on.eq(sy * wide), of_first.eq(sy * wide)]
            for lines in range(sy):
                with m.If(y == high - kh - lines):
                    m.d.comb += on.eq(lines * wide)
                with m.If(y + sy == lines):  # from above the map
                    m.d.comb += of_first.eq(lines * wide)
            with m.If(y > high - kh):
                m.d.comb += on.eq(0)
            with m.If(y + sy < 0):
                m.d.comb += of_first.eq(0)
            following = Signal(bits)
            m.d.comb += following.eq(row_at + on)
            m.d.sync += [
                x.eq(-px), y.eq(y + sy), needed.eq(following), row_at.eq(following),
                first_line.eq(first_line + of_first),
            ]  # fmt: skip
            go_on(sy)
        with m.If(next_map):
            first = at + (high * wide + min(last, high - 1) * wide - px)
            m.d.sync += [
                y.eq(-py), at.eq(at + high * wide), first_line.eq(at + high * wide),
                needed.eq(first), row_at.eq(first),
            ]  # fmt: skip
            go_on(high - (window.rows - 1) * sy)
        self.beside = (x < 0) | (x >= wide)
        self.none = Cat((y + k < 0) | (y + k >= high) | self.beside for k in range(kh))
        self.oldest = first_line
