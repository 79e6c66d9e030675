"""A layer's exit: a FIFO whose room is promised before a word sets out."""

__all__ = ["Exit"]

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .counter import fill
from .delay import late
from .slack import Slack


class Exit(wiring.Component):
    """A FIFO with room for every word that was promised: credits see to that.

    Nothing can hold a word up once it was launched, so a launch takes a credit, and the word's
    departure gives it back. No word is ever refused, whatever `o` does.

    A large grid's sequencer is far from its exit, so there are registers on either way: one on that
    of a word that comes, three on that of a credit that goes back.

    Latency: `timing.FIFO` cycles. Throughput: a word a cycle.

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Words of the FIFO, 3 or more: no more are promised at a time.

    Members
    -------
    credit : Out(1)
        A word may be launched in this cycle.
    launch : In(1)
        A word was promised in this cycle; only with `credit`.
    result : In(width)
    done : In(1)
        `result` is a promised word.
    o : Out(stream)
    """

    credit: Signal
    launch: Signal
    result: Signal
    done: Signal
    o: stream.Interface

    def __init__(self, *, width: int, depth: int) -> None:
        self.width = width
        self.depth = depth
        super().__init__(
            {
                "credit": Out(1),
                "launch": In(1),
                "result": In(width),
                "done": In(1),
                "o": Out(stream.Signature(width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        size = 1 << (self.depth - 1).bit_length()
        # What is read of a place that is being written is not used: nothing to add for that.
        words: memory.Memory = memory.Memory(
            shape=self.width, depth=size, init=[], attrs={"no_rw_check": "1"}
        )
        m.submodules.words = words
        m.submodules.slack = slack = Slack(self.width)
        writer, reader = words.write_port(), words.read_port()
        write_addr = Signal(range(size))
        read_addr = Signal(range(size))
        fetch = Signal()
        fetched = Signal()  # the memory's output register holds a word
        taken = Signal()
        arrived = Signal()
        m.d.sync += arrived.eq(self.done)
        some = fill(m, "held", self.depth, up=arrived, down=fetch)  # words in memory
        m.d.comb += [
            writer.en.eq(arrived),
            writer.addr.eq(write_addr),
            writer.data.eq(late(m, "word", self.result)),
            reader.addr.eq(read_addr),
            reader.en.eq(taken),  # nobody looks at what is read where nothing is
            taken.eq(~fetched | slack.i.ready),
            fetch.eq(some & taken),
            slack.i.valid.eq(fetched),
            slack.i.payload.eq(reader.data),
        ]
        with m.If(taken):
            m.d.sync += fetched.eq(some)
        with m.If(arrived):
            m.d.sync += write_addr.eq(write_addr + 1)
        with m.If(fetch):
            m.d.sync += read_addr.eq(read_addr + 1)
        wiring.connect(m, slack.o, wiring.flipped(self.o))
        # The flag is a sign bit, and the count lags by a cycle: so it begins two below the room,
        # one because zero is not negative, one because of the lag.
        freed = Signal(3)
        change = Signal(signed(2))
        credits = Signal(signed(self.depth.bit_length() + 1), init=self.depth - 2)
        m.d.sync += [
            freed.eq(Cat(fetch, freed[:-1])),
            change.eq(Cat(freed[-1] ^ self.launch, self.launch & ~freed[-1])),  # 1, 0 or -1
            credits.eq(credits + change),
        ]
        m.d.comb += self.credit.eq(~credits[-1])
        return m
