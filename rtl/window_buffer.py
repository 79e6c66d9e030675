"""A map's lines kept, and read window by window: what makes a dense layer a convolution."""

__all__ = ["WindowBuffer"]

from amaranth.hdl import Cat, Module, Mux, Signal, Value, ValueLike, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..queues import ring_words
from ..technology import Technology
from ..window import Window
from .bank import Bank, as_stream
from .counter import counter
from .reads import Look, Reads
from .slack import Slack


class WindowBuffer(wiring.Component):
    """Positions of maps in raster order in; the positions that each window sees out, in order.

    Windows come in raster order, each with its kh * kw positions row by row; those beyond the map
    are 0. Map follows map without a seam: the next one's lines come in while the last one's
    windows go out.

    The words lie in a ring. A word is kept until no window to come sees it: until the window that
    is being read begins behind it, for windows come in the order of their first positions, but for
    those above the map's first line, which all see its beginning.

    Throughput: a word a cycle either way. Latency: 5 cycles from a window's last position to that
    word, if it waited for it.

    Parameters
    ----------
    window : Window
    words : int
        That a position takes.
    width : int
        Bits of a word.
    technology : Technology

    Members
    -------
    i : In(stream), width bits
    o : Out(stream), width bits
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, window: Window, *, words: int, width: int, technology: Technology) -> None:
        self.window = window
        self.words = words
        self.depth = ring_words(window, words)
        self.width = width
        self.technology = technology
        super().__init__({"i": In(stream.Signature(width)), "o": Out(stream.Signature(width))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.ring = ring = Bank(
            width=self.width, depth=self.depth, technology=self.technology
        )
        m.submodules.slack = slack = Slack(self.width)
        # Addresses count on and round again, far enough that their differences tell how far one is
        # ahead of the other, or behind it: the next window may begin behind lines that no window
        # sees and that are still to come.
        (high, wide, _), each = self.window.shape, self.words
        bits = (self.depth + 3 * high * wide * each).bit_length() + 1
        put, fetch = Signal(), Signal()
        reads = Reads(m, bits=bits, depth=self.depth, put=put, fetch=fetch)
        address, oldest, beyond = self._walk(m, bits, reads.step)
        at = Cat(address[: len(ring.read_addr)], beyond)
        reads.follow(Look(needed=address, nothing=beyond, oldest=oldest, about=at))
        m.d.comb += [
            self.i.ready.eq(reads.ready),
            put.eq(self.i.valid & self.i.ready),
            ring.write.eq(put),
            ring.write_addr.eq(reads.written),
            ring.d.eq(self.i.payload),
            ring.read_addr.eq(reads.about),
        ]
        move = as_stream(m, ring, slack, reads.due, fetch)
        # Where a word is none, 0 goes in its place.
        none = [Signal(name=f"none_{k}", reset_less=True) for k in range(2)]
        with m.If(ring.read):
            m.d.sync += none[0].eq(reads.about[-1])
        with m.If(move):
            m.d.sync += none[1].eq(none[0])
        m.d.comb += slack.i.payload.eq(Mux(none[1], 0, ring.q))
        wiring.connect(m, slack.o, wiring.flipped(self.o))
        return m

    def _walk(self, m: Module, bits: int, step: Value) -> tuple[Value, Value, Value]:
        """The address of the word to be read, of the oldest one to be kept, and whether the word
        lies beyond the map."""
        window, each = self.window, self.words
        (high, wide, _), (sy, sx), (py, px) = window.shape, window.stride, window.padding
        line = wide * each
        _, word_end = counter(m, "word", each, step)
        next_x = Signal()
        m.d.comb += next_x.eq(step & word_end)
        _, kernel_x_end = counter(m, "kernel_x", window.kernel[1], next_x)
        next_y = Signal()
        m.d.comb += next_y.eq(next_x & kernel_x_end)
        _, kernel_y_end = counter(m, "kernel_y", window.kernel[0], next_y)
        next_window = Signal()
        m.d.comb += next_window.eq(next_y & kernel_y_end)
        _, col_end = counter(m, "col", window.cols, next_window)
        next_row = Signal()
        m.d.comb += next_row.eq(next_window & col_end)
        _, row_end = counter(m, "row", window.rows, next_row)
        next_map = Signal()
        m.d.comb += next_map.eq(next_row & row_end)

        def position(name: str, least: int, most: int) -> Signal:
            return Signal(signed(max(-least, most, 1).bit_length() + 1), name=name, init=least)

        # The position that is read, its window's first one, and that of the row's first window.
        x, first_x = (position(name, -px, wide + px) for name in ("x", "first_x"))
        y, first_y = (position(name, -py, high + py) for name in ("y", "first_y"))
        begin = -(py * wide + px) * each
        address, kernel_row, corner, row = (
            Signal(bits, name=name, init=begin % (1 << bits))
            for name in ("address", "kernel_row_at", "corner", "row_at")
        )
        base = Signal(bits, name="map_at")  # where the map begins

        def to(at: Signal, *also: Signal, value: ValueLike) -> None:
            m.d.sync += [one.eq(value) for one in (at, *also)]

        with m.If(next_map):
            to(base, value=base + high * line)
            to(row, corner, kernel_row, address, value=base + (high * line + begin))
            to(y, first_y, value=-py)
            to(x, first_x, value=-px)
        with m.Elif(next_row):
            to(row, corner, kernel_row, address, value=row + sy * line)
            to(y, first_y, value=first_y + sy)
            to(x, first_x, value=-px)
        with m.Elif(next_window):
            to(corner, kernel_row, address, value=corner + sx * each)
            to(y, value=first_y)
            to(x, first_x, value=first_x + sx)
        with m.Elif(next_y):
            to(kernel_row, address, value=kernel_row + line)
            to(y, value=y + 1)
            to(x, value=first_x)
        with m.Elif(step):
            to(address, value=address + 1)
            to(x, value=x + word_end)

        oldest = Signal(bits)
        beyond = Signal()
        m.d.comb += [
            oldest.eq(Mux(first_y < 0, base, Mux(first_x < 0, row + px * each, corner))),
            beyond.eq((y < 0) | (y >= high) | (x < 0) | (x >= wide)),
        ]
        return address, oldest, beyond
