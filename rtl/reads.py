"""Reads of a map's memory in their order, each as soon as what it reads has come."""

__all__ = ["Look", "Reads"]

import dataclasses

from amaranth.hdl import Module, Mux, Signal, Value, signed

NAMES = ("needed", "nothing", "oldest", "about")


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """What is to be known of a read. Words are counted from the first map's first one on, and
    round again.

    Parameters
    ----------
    needed : Value
        The word that it waits for.
    nothing : Value, 1 bit
        It waits for none: all that it reads is beyond the map.
    oldest : Value
        The first word that it, or a read after it, sees.
    about : Value
        Where to read, and whatever else goes with it.
    """

    needed: Value
    nothing: Value
    oldest: Value
    about: Value


class Reads:
    """A walk's reads, two ahead of the memory: one that is due, or will be, and the next.

    Whether a read's word has come, and whether there is room for a word that comes, are registers:
    nothing is counted and compared in the cycle that asks. Room is told a word late, so that one
    word of the memory is never used.

    Latency: a read is due in the second cycle after that in which its word came. Throughput: a
    read a cycle.

    Parameters
    ----------
    m : Module
    bits : int
        Of what counts words: words may lie half its range apart.
    depth : int
        Words of the memory.
    put : Value
        A word comes in this cycle: only while `ready`.
    fetch : Value
        The read that is due is done in this cycle.

    Members
    -------
    step : Value
        The walk is to go on to its next read.
    written : Signal
        Words that have come.
    ready, due : Signal
    about : Signal
        Of the read that is due, or will be.
    ahead : Signal
        How many more words are kept than `depth - 1`.
    """

    def __init__(self, m: Module, *, bits: int, depth: int, put: Value, fetch: Value) -> None:
        self.m = m
        self.depth = depth
        self.begun = [Signal(name=f"begun_{k}") for k in range(2)]
        self.step = ~self.begun[1] | fetch
        self.written = Signal(bits)
        self.ready = Signal()
        self.due = Signal()
        self.ahead = Signal(signed(bits), attrs={"keep": 1})  # simulation watches it
        with m.If(put):
            m.d.sync += self.written.eq(self.written + 1)

    def follow(self, look: Look) -> None:
        """Read by read, as the walk goes."""
        m, step = self.m, self.step
        first, second = self.begun
        following, now = (_Held(look, name) for name in ("following", "now"))
        self.about = now.about
        come = [self._come(held) for held in (following, now)]
        m.d.comb += self.ahead.eq(self.written - now.oldest)
        m.d.sync += [
            first.eq(1),
            second.eq(first),
            self.due.eq(Mux(step, first & come[0], come[1])),
            self.ready.eq(second & self.ahead[-1]),
        ]
        with m.If(step):
            m.d.sync += [
                *(getattr(following, name).eq(getattr(look, name)) for name in NAMES),
                now.needed.eq(following.needed),
                now.nothing.eq(following.nothing),
                now.oldest.eq(following.oldest + (self.depth - 1)),  # where there is no more room
                now.about.eq(following.about),
            ]

    def _come(self, held: "_Held") -> Value:
        """Whether there are more words than the number of the one that is needed."""
        waiting = Signal(signed(len(self.written)), name=f"{held.name}_waiting")
        self.m.d.comb += waiting.eq(self.written - held.needed - 1)
        return held.nothing | ~waiting[-1]


class _Held:
    """A look at a read, in registers."""

    def __init__(self, look: Look, name: str) -> None:
        self.name = name
        self.needed, self.nothing, self.oldest, self.about = (
            Signal(len(getattr(look, of)), name=f"{name}_{of}", reset_less=of == "about")
            for of in NAMES
        )
