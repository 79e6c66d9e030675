"""A sequencer and an exit without the grid between them."""

__all__ = ["WIDTH", "Size", "Surroundings"]

import dataclasses

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.rtl.exit import Exit
from bnnhw.rtl.plan import LayerPlan
from bnnhw.rtl.sequencer import Sequencer
from bnnhw.timing import FIFO

from .bench import Bench
from .plans import dense_plan

WIDTH = 2  # bits of a word


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """A sequencer, a way through the grid and an exit.

    Parameters
    ----------
    steps : int
        Of a neuron fold.
    folds : int
        Neuron folds of a vector.
    each : "fold" or "vector"
        What a word is for.
    flight : int
        Cycles from the last step that a word needs to the word.
    depth : int
        Of the FIFO.
    """

    steps: int = 1
    folds: int = 1
    each: str = "fold"
    flight: int = 2
    depth: int = 3

    @property
    def plan(self) -> LayerPlan:
        return dense_plan(self.steps, self.folds)

    @property
    def name(self) -> str:
        return f"{self.each}_{self.steps}x{self.folds}_flight{self.flight}_depth{self.depth}"

    @property
    def cycles(self) -> int:
        """From a launch to its word's last step."""
        return self.steps * (self.folds if self.each == "vector" else 1)

    @property
    def way(self) -> int:
        """Cycles for which a launched word may be on its way."""
        return self.cycles + self.flight + FIFO


class Promised(wiring.Component):
    """A sequencer and an exit, and between them a line of registers in place of the grid."""

    available: Signal
    claim: Signal
    launch: Signal
    done: Signal
    result: Signal
    o: stream.Interface

    def __init__(self, size: Size) -> None:
        self.size = size
        super().__init__(
            {
                "available": In(1),
                "claim": Out(1),
                "launch": Out(1),
                "done": Out(1),
                "result": In(WIDTH),
                "o": Out(stream.Signature(WIDTH)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        size = self.size
        m.submodules.sequencer = sequencer = Sequencer(size.plan, word_each=size.each)
        m.submodules.exit = way_out = Exit(
            width=WIDTH, depth=size.depth, technology=size.plan.technology
        )
        done: Value = sequencer.control.last if size.each == "fold" else sequencer.retire
        # A step's addresses and control come a cycle after it, and a word is due that much less.
        for k in range(size.flight - 1):
            moved = Signal(name=f"flight_{k}")
            m.d.sync += moved.eq(done)
            done = moved
        m.d.comb += [
            sequencer.available.eq(self.available),
            sequencer.credit.eq(way_out.credit),
            way_out.launch.eq(sequencer.launch),
            way_out.done.eq(done),
            way_out.result.eq(self.result),
            self.claim.eq(sequencer.claim),
            self.launch.eq(sequencer.launch),
            self.done.eq(done),
        ]
        wiring.connect(m, way_out.o, wiring.flipped(self.o))
        return m


class Surroundings:
    """A replay buffer that has vectors when it likes, a reader that takes words when it likes."""

    def __init__(self, bench: Bench, size: Size) -> None:
        self.component = component = Promised(size)
        self.inside = bench.dut(component)
        m = bench.m
        available = bench.free("available")
        m.d.comb += [
            component.available.eq(available),
            component.o.ready.eq(bench.free("ready")),
            component.result.eq(bench.free("result", WIDTH)),
        ]
        # A vector stays until it is claimed.
        stays = bench.before("stays", available & ~component.claim)
        bench.assume(~stays | available)
        self.popped = bench.named("pop", component.o.valid & component.o.ready)
