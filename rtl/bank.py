"""A memory of the datapath and the registers behind it: for a replay buffer, for an exit."""

__all__ = ["Bank", "as_stream", "bank_area", "in_luts"]

from amaranth.hdl import Array, Module, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..folding import ceil_div
from ..technology import Technology
from .counter import thermometer
from .families import FAMILIES
from .slack import Slack

BLOCK_RAM_WIDTH = 36  # of a block RAM in its shape for few words


class Bank(wiring.Component):
    """A memory with a write port and a read port, and two registers behind the latter.

    Of a family with memory in LUTs it is that, where it costs less than the block RAMs it would
    fill: pieces as deep as a LUT memory, a register behind each, and the second register behind
    the choice among them.

    Latency: two cycles from `read_addr` to `q`. A word is there for reads of the next cycle; what
    is read of it in the cycle of its writing is undefined.

    Parameters
    ----------
    width, depth : int
        The depth is a power of two.
    technology : Technology

    Members
    -------
    write : In(1)
    write_addr : In, range(depth)
    d : In, width bits
    read_addr : In, range(depth)
    read : In(1)
        The first register takes the word; else it stays as it is.
    move : In(1)
        So does the second one.
    q : Out, width bits
    """

    write: Signal
    write_addr: Signal
    read_addr: Signal
    read: Signal
    move: Signal
    d: Signal
    q: Signal

    def __init__(self, *, width: int, depth: int, technology: Technology) -> None:
        self.width = width
        self.depth = depth
        self.technology = technology
        super().__init__(
            {
                "write": In(1),
                "write_addr": In(range(depth)),
                "read_addr": In(range(depth)),
                "read": In(1),
                "move": In(1),
                "d": In(width),
                "q": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        q = Signal(self.width, reset_less=True)
        m.d.comb += self.q.eq(q)
        if not in_luts(self.technology, self.width, self.depth):
            # What is read of a word that is being written is not used: nothing to add for that.
            bank: memory.Memory = memory.Memory(
                shape=self.width, depth=self.depth, init=[], attrs={"no_rw_check": "1"}
            )
            m.submodules.words = bank
            reader = bank.read_port()
            read_data = Signal(self.width)
            m.d.comb += [
                reader.en.eq(self.read),
                reader.addr.eq(self.read_addr),
                read_data.eq(reader.data),
            ]
            with m.If(self.move):
                m.d.sync += q.eq(read_data)
            self._writes(m, bank, self.write, self.write_addr)
            return m
        size = min(self.depth, FAMILIES[self.technology.family].lut_ram_words)
        low = (size - 1).bit_length()
        read: list[Signal] = []
        for k in range(self.depth // size):
            piece: memory.Memory = memory.Memory(
                shape=self.width, depth=size, init=[], attrs={"ram_style": "distributed"}
            )
            m.submodules[f"words_{k}"] = piece
            port = piece.read_port(domain="comb")
            m.d.comb += port.addr.eq(self.read_addr[:low])
            read.append(Signal(self.width, name=f"read_{k}", reset_less=True))
            with m.If(self.read):
                m.d.sync += read[k].eq(port.data)
            enable = Signal(name=f"write_{k}")
            m.d.comb += enable.eq(self.write & (self.write_addr[low:] == k))
            self._writes(m, piece, enable, self.write_addr[:low])
        choice = Signal(len(self.read_addr) - low, reset_less=True)
        with m.If(self.read):
            m.d.sync += choice.eq(self.read_addr[low:])
        with m.If(self.move):
            m.d.sync += q.eq(Array(read)[choice] if len(read) > 1 else read[0])
        return m

    def _writes(self, m: Module, words: memory.Memory, enable: Value, addr: Value) -> None:
        port = words.write_port()
        m.d.comb += [port.en.eq(enable), port.addr.eq(addr), port.data.eq(self.d)]


def as_stream(m: Module, words: Bank, slack: Slack, some: Value, fetch: Signal) -> Signal:
    """The words of a bank as a stream, which `slack` gives.

    Parameters
    ----------
    some : Value
        There is a word at `read_addr`.
    fetch : Signal
        Set here: it is taken; the next address is due in the next cycle.

    Returns
    -------
    Signal
        The bank's second register takes what its first one holds.
    """
    coming = Signal(name="coming")  # the bank's first register holds a word
    fetched = Signal(name="fetched")  # its second one does
    move = Signal(name="move")
    # Behind the memory there is room for four words: its two registers and the slack. So the first
    # register is free whenever a word may come, and need not ask what is after it.
    room = thermometer(m, "room", 4, up=slack.o.valid & slack.o.ready, down=fetch, start=4)
    m.d.comb += [
        words.read.eq(room[0]),  # nobody looks at what is read where nothing is
        words.move.eq(move),
        fetch.eq(some & room[0]),
        move.eq(~fetched | slack.i.ready),
        slack.i.valid.eq(fetched),
        slack.i.payload.eq(words.q),
    ]
    m.d.sync += coming.eq(fetch | (coming & ~move))
    with m.If(move):
        m.d.sync += fetched.eq(coming)
    return move


def in_luts(technology: Technology, width: int, depth: int) -> bool:
    """Whether a bank is best kept in LUTs: by LUT sites, a block RAM being worth its share."""
    if technology.generic or not FAMILIES[technology.family].lut_ram_words:
        return False  # `generic` leaves the choice to the tool
    family = FAMILIES[technology.family]
    return _luts(technology, width, depth) < _blocks(width) * family.luts_per_ram


def bank_area(technology: Technology, width: int, depth: int) -> tuple[float, int]:
    """About the LUT sites, and the block RAMs, that a bank takes."""
    if in_luts(technology, width, depth):
        return _luts(technology, width, depth), 0
    return 0, _blocks(width)


def _luts(technology: Technology, width: int, depth: int) -> float:
    family = FAMILIES[technology.family]
    pieces = ceil_div(depth, family.lut_ram_words)
    # A multiplexer of n ways takes about 2/3 (n - 1) LUTs a bit.
    return pieces * ceil_div(width, 4) * family.lut_ram_luts + (pieces - 1) * width * 2 / 3


def _blocks(width: int) -> int:
    return ceil_div(width, BLOCK_RAM_WIDTH)
