"""Launches neuron folds and leads each one, step by step, through the grid."""

__all__ = ["Sequencer"]

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .counter import counter
from .edge import control_layout
from .plan import RING, LayerPlan


class Sequencer(wiring.Component):
    """Reads each vector of the replay buffer once for every neuron fold.

    A fold is launched when a vector is there and the exit has room for its word; once launched
    it runs without a stop. Fold follows fold and vector follows vector without a bubble.

    Latency: one cycle from `step` to addresses and control.

    Parameters
    ----------
    plan : LayerPlan
    word_each : "fold" or "vector"
        What a credit stands for: a word for every neuron fold, or one for the whole vector.

    Members
    -------
    available : In(1)
        The replay buffer holds a whole vector.
    credit : In(1)
        The exit has room for one more word.
    launch : Out(1)
        A word was promised in this cycle.
    retire : Out(1)
        The vector is read for the last time in this cycle.
    read_addr : Out
        {slot, group * IF + fold} of the replay buffer.
    weight_addr : Out
    control : Out, control_layout(plan)
    """

    available: Signal
    credit: Signal
    launch: Signal
    retire: Signal
    read_addr: Signal
    weight_addr: Signal
    control: data.View

    def __init__(self, plan: LayerPlan, word_each: str) -> None:
        self.plan = plan
        self.word_each = word_each
        super().__init__(
            {
                "available": In(1),
                "credit": In(1),
                "launch": Out(1),
                "retire": Out(1),
                "read_addr": Out(read_addr_width(plan)),
                "weight_addr": Out(max(1, (plan.depth - 1).bit_length())),
                "control": Out(control_layout(plan)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        step = Signal()
        fresh = Signal(init=1)  # at the first step of a fold
        vector_fresh = Signal(init=1)  # in the first fold of a vector
        index, fold_end = counter(m, "index", plan.steps, step)
        fold_done = Signal()
        m.d.comb += fold_done.eq(step & fold_end)
        nf, vector_end = counter(m, "nf", plan.neuron_folds, fold_done)
        slot = Signal(range(RING))
        promised = vector_fresh if self.word_each == "vector" else Const(1, 1)
        m.d.comb += [
            step.eq(~fresh | (self.available & (self.credit | ~promised))),
            self.launch.eq(step & fresh & promised),
            self.retire.eq(fold_done & vector_end),
        ]
        with m.If(step):
            m.d.sync += fresh.eq(fold_end)
        with m.If(fold_done):
            m.d.sync += vector_fresh.eq(vector_end)
        with m.If(self.retire):
            m.d.sync += slot.eq(slot + 1)

        weight, plane_fresh = self._weight_address(m, step, fold_done)
        read_addr = Signal(self.read_addr.shape(), reset_less=True)
        weight_addr = Signal(self.weight_addr.shape(), reset_less=True)
        layout = control_layout(plan)
        control = data.View(layout, Signal(layout.size, name="control_q", reset_less=True))
        last = Signal()
        m.d.sync += [
            read_addr.eq((slot << index_width(plan)) | index),
            weight_addr.eq(weight),
            control.first.eq(fresh),
            control.shift.eq(plane_fresh & ~fresh),
            control.nf.eq(nf),
            last.eq(fold_done),
        ]
        m.d.comb += [
            self.read_addr.eq(read_addr),
            self.weight_addr.eq(weight_addr),
            self.control.eq(control),
            self.control.last.eq(last),
        ]
        return m

    def _weight_address(self, m: Module, step: Value, fold_done: Value) -> tuple[Value, Value]:
        """The weights' address, which begins again for every group of planes of a fold.

        Also whether this is the first step of a group.
        """
        plan = self.plan
        if plan.plane_groups == 1:
            address, _ = counter(m, "weight", plan.depth, step)
            return address, Const(0, 1)
        plane_fresh = Signal(init=1)
        _, plane_end = counter(m, "fold", plan.input_folds, step)
        address = Signal(range(max(2, plan.depth)))
        base = Signal(range(max(2, plan.depth)))  # of the neuron fold
        with m.If(step):
            m.d.sync += [plane_fresh.eq(plane_end), address.eq(address + 1)]
            with m.If(plane_end):
                m.d.sync += address.eq(base)
        with m.If(fold_done):
            following = Signal(range(max(2, plan.depth)))
            m.d.comb += following.eq(address + 1)
            m.d.sync += [address.eq(following), base.eq(following)]
        with m.If(self.retire):
            m.d.sync += [address.eq(0), base.eq(0)]
        return address, plane_fresh


def index_width(plan: LayerPlan) -> int:
    """Bits of a word's index within its vector."""
    return (plan.steps - 1).bit_length()


def read_addr_width(plan: LayerPlan) -> int:
    """Bits of a replay buffer's address: a slot, and an index within its vector."""
    return (RING - 1).bit_length() + index_width(plan)
