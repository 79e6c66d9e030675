"""Follows one result of a pooling to its reader."""

__all__ = ["Results"]

from amaranth.hdl import Signal, Value

from bnnhw.rtl.pool import PoolStage

from .bench import Bench
from .inside import Inside


class Results:
    """What the reader is owed: one result is followed.

    Its windows are cut off: what they give is free, for what that is, is another proof.

    Attributes
    ----------
    word : Signal
        What the windows give.
    take, give : Signal
        It is taken; a result is.
    pending : Signal
        Results that were not.
    following, ahead, value : Signal
        Whether one is followed; results before it; what it is.
    """

    def __init__(self, bench: Bench, inside: Inside, stage: PoolStage, ready: str) -> None:
        self.bench, self.m, self.o = bench, bench.m, stage.o
        wide = len(inside["buffer.o__payload"])
        self.word = bench.free("windows_payload", wide)
        valid = bench.free("windows_valid")
        inside.override("buffer.o__payload", self.word)
        inside.override("buffer.o__valid", valid)
        self.ready = inside[ready]
        bench.assume(bench.held("windows", valid, self.ready, self.word))
        self.m.d.comb += stage.o.ready.eq(bench.free("o_ready"))
        self.take = bench.named("take", valid & self.ready)
        self.give = bench.named("give", stage.o.valid & stage.o.ready)
        self.pending = Signal(4, name="pending")
        self.following, self.ahead = Signal(name="following"), Signal(4, name="ahead")
        self.value = Signal(len(stage.o.payload), name="value")

    def judge(self, comes: Value, result: Value, *, offered: int) -> None:
        """Check that what comes of a word that is taken is given in its turn."""
        bench, m, o = self.bench, self.m, self.o
        comes = bench.named("comes", self.take & comes)
        m.d.sync += self.pending.eq(self.pending + comes - self.give)
        mark = bench.named("mark", comes & bench.free("pick") & ~self.following)
        with m.If(mark):
            m.d.sync += [
                self.following.eq(1),
                self.ahead.eq(self.pending - self.give),
                self.value.eq(result),
            ]
        with m.Elif(self.following & self.give):
            m.d.sync += [self.following.eq(self.ahead != 0), self.ahead.eq(self.ahead - 1)]
        owed = bench.named("owed", self.pending != 0)
        bench.check("a_word_only_when_owed", ~o.valid | owed)
        bench.check("word_held", bench.held("o", o.valid, o.ready, o.payload))
        shown = o.valid & self.following & (self.ahead == 0)
        bench.check("the_result", ~shown | (o.payload == self.value))
        bench.at_most("owed_words_are_offered", owed & ~o.valid, offered)
        bench.check("windows_are_taken", owed | self.ready)
        bench.invariant("followed_is_pending", ~self.following | (self.ahead < self.pending))
