"""A layer's exit: a FIFO whose room is promised before a word sets out."""

__all__ = ["Exit"]

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..technology import Technology
from .bank import Bank, as_stream
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
        Words of the FIFO, 2 or more: no more are promised at a time.
    technology : Technology

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

    def __init__(self, *, width: int, depth: int, technology: Technology) -> None:
        self.width = width
        self.depth = depth
        self.technology = technology
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
        m.submodules.words = words = Bank(width=self.width, depth=size, technology=self.technology)
        m.submodules.slack = slack = Slack(self.width)
        produce = Signal(range(size))  # where the next word goes
        consume = Signal(range(size))  # where the next one to leave is
        fetch = Signal()
        arrived = Signal()
        m.d.sync += arrived.eq(self.done)
        some = fill(m, "held", self.depth, up=arrived, down=fetch)  # words in memory
        m.d.comb += [
            words.write.eq(arrived),
            words.write_addr.eq(produce),
            words.d.eq(late(m, "word", self.result)),
            words.read_addr.eq(consume),
        ]
        as_stream(m, words, slack, some, fetch)
        with m.If(arrived):
            m.d.sync += produce.eq(produce + 1)
        with m.If(fetch):
            m.d.sync += consume.eq(consume + 1)
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
