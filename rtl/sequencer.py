"""Launches neuron folds and leads each one, step by step, through the grid."""

__all__ = ["Sequencer"]

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .counter import counter
from .delay import late
from .edge import control_layout
from .plan import RING, LayerPlan


class Sequencer(wiring.Component):
    """Reads each vector of the replay buffer once for every neuron fold.

    A fold is begun when a vector is there and the exit has room for its word; once begun it runs
    without a stop. Fold follows fold and vector follows vector without a bubble.

    Whether a fold begins is decided in the cycle before its first step, from registers only, and
    nothing but that decision hangs on them: what leads the steps are registers, too.

    Latency: the first step's addresses and control one cycle after `begin`.

    Parameters
    ----------
    plan : LayerPlan
    word_each : "fold" or "vector"
        What a credit stands for: a word for every neuron fold, or one for the whole vector.

    Members
    -------
    available : In(1)
        The replay buffer holds a whole vector that was not claimed.
    claim : Out(1)
        It will be read now.
    credit : In(1)
        The exit has room for one more word.
    launch : Out(1)
        A word was promised in this cycle.
    retire : Out(1)
        The vector is read for the last time in this cycle.
    read_addr : Out
        {slot, group * IF + fold} of the replay buffer.
    weight_addr : Out
        A cycle after `read_addr`.
    control : Out, control_layout(plan)
        With the addresses of its step.
    """

    available: Signal
    claim: Signal
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
                "claim": Out(1),
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
        begin = Signal()
        # No step in this cycle, or the last one of a fold.
        ending = Signal(name="ending", init=1) if plan.steps > 1 else Const(1)
        amid = Signal()  # the next fold is not the first of its vector
        credit_each = self.word_each == "fold"
        m.d.comb += [
            begin.eq(
                ending & self.credit & (amid | self.available)
                if credit_each
                else ending & (amid | (self.available & self.credit))
            ),
            self.claim.eq(begin & ~amid),
            self.launch.eq(begin if credit_each else self.claim),
        ]
        index, last, ends = self._steps(m, begin, ending)
        nf, nf_is_last = counter(m, "nf", plan.neuron_folds, begin)  # of the next fold
        slot = Signal(range(RING), init=RING - 1)
        layout = control_layout(plan)
        control = data.View(layout, Signal(layout.size, name="control_q", reset_less=True))
        vector_end = Signal(reset_less=True)  # this fold is its vector's last
        with m.If(begin):
            m.d.sync += [
                amid.eq(~nf_is_last),
                control.nf.eq(nf),
                vector_end.eq(nf_is_last),
            ]
        with m.If(self.claim):
            m.d.sync += slot.eq(slot + 1)
        weight_addr, shift = self._weight_address(m, begin, ending)
        m.d.sync += [
            control.first.eq(begin),
            control.shift.eq(shift),
            self.retire.eq(ends & (nf_is_last if plan.steps == 1 else vector_end)),
        ]
        m.d.comb += [
            self.read_addr.eq((slot << index_width(plan)) | index),
            self.weight_addr.eq(weight_addr),
            self.control.eq(control),
            self.control.last.eq(last),
        ]
        return m

    def _steps(self, m: Module, begin: Value, ending: Value) -> tuple[Value, Value, Value]:
        """A step's index within its fold, and whether it, and the next, is a fold's last."""
        steps = self.plan.steps
        last = Signal()
        if steps == 1:
            m.d.sync += last.eq(begin)
            return Const(0, 1), last, begin
        index = Signal(range(steps), reset_less=True)
        before_last, ends = Signal(), Signal()
        m.d.comb += [before_last.eq(index == steps - 2), ends.eq(~ending & before_last)]
        m.d.sync += [
            index.eq(Mux(begin, 0, index + 1)),  # counts on where none begins, and is not used
            ending.eq(~begin & (ending | before_last)),
            last.eq(ends),
        ]
        return index, last, ends

    def _weight_address(self, m: Module, begin: Value, ending: Value) -> tuple[Value, Value]:
        """The weights' address, a cycle late, which begins again for every group of planes.

        Also whether the next cycle's step is the first of a further group.
        """
        plan = self.plan
        address = Signal(range(max(2, plan.depth)), reset_less=True)
        following = Signal(range(max(2, plan.depth)))
        m.d.comb += following.eq(address + 1)
        again = Signal()  # a further group begins after this step
        base = Signal(range(max(2, plan.depth)), reset_less=True)  # of the neuron fold
        if plan.plane_groups > 1:
            group_end = Signal(reset_less=True)
            if plan.input_folds == 1:
                m.d.comb += group_end.eq(1)
            else:
                within = Signal(range(plan.input_folds), reset_less=True)
                restart = Signal()
                m.d.comb += restart.eq(begin | group_end)
                m.d.sync += [
                    within.eq(Mux(restart, 0, within + 1)),
                    group_end.eq(~restart & (within == plan.input_folds - 2)),
                ]
            m.d.comb += again.eq(group_end & ~ending)
        # A cycle late, so that nothing hangs on the decision to begin but registers.
        begin = late(m, "begin_late", begin)
        ending = late(m, "ending_late", ending)
        rewind, claim = late(m, "rewind_late", again), late(m, "claim_late", self.claim)
        with m.If(begin | ~ending):
            m.d.sync += address.eq(Mux(rewind, base, following))
        with m.If(begin):
            m.d.sync += base.eq(following)
        with m.If(claim):
            m.d.sync += [address.eq(0), base.eq(0)]
        return address, again


def index_width(plan: LayerPlan) -> int:
    """Bits of a word's index within its vector."""
    return (plan.steps - 1).bit_length()


def read_addr_width(plan: LayerPlan) -> int:
    """Bits of a replay buffer's address: a slot, and an index within its vector."""
    return (RING - 1).bit_length() + index_width(plan)
