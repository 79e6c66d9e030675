"""The right edge of a grid's row: accumulates over the input folds, then thresholds or scores."""

__all__ = ["Edge", "control_layout", "control_register"]

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..layers import Output
from ..timing import shift_of
from .delay import late
from .families import FAMILIES
from .families.cells import Cells, Function, indices
from .plan import LayerPlan, signed_width
from .table import Table


def control_layout(plan: LayerPlan) -> data.StructLayout:
    """What travels beside the activations, one for each step.

    first : the first step of a neuron fold; last : a real step, and the fold's last;
    shift : the first step of a further group of bit-planes, where there are several; nf : the
    neuron fold. What is constant is not there: Yosys would take it out register by register, in as
    many passes over the whole design as there are rows.
    """
    return data.StructLayout(
        {
            "first": 1,
            "shift": int(plan.plane_groups > 1),
            "last": 1,
            "nf": (plan.neuron_folds - 1).bit_length(),
        }
    )


class Edge(wiring.Component):
    """Adds up a row's partial sums and gives the neuron's bit, or its score.

    The sum is kept Horner-wise over bit-planes: `acc = 2^planes * acc + ps` where a further
    group begins. For a bit the threshold's negative is added too, so the sign is the answer and
    no comparator is needed. For a score `mult * acc + add` follows, in which a mult
    of 2^n costs nothing.

    The sum's loop is an adder and a register.

    Latency: `timing.EDGE` cycles to a bit, `timing.score_stages` more to a score.
    One step a cycle; nothing stalls, nothing is reset (`Core` waits until it has run empty).

    Members
    -------
    ps : In
        The row's partial sum.
    control_i : In, control_o : Out, control_layout(plan)
        A cycle before `ps`, and its `nf` as much earlier as the tables want it
        (`table.latency`); one cycle later, for the row below.
    o : Out(plan.word_width)
    done : Out(1)
        `o` is a fold's result.
    """

    ps: Signal
    control_i: data.View
    control_o: data.View
    o: Signal
    done: Signal

    def __init__(self, plan: LayerPlan, row: int, ps_shape: Shape) -> None:
        self.plan = plan
        self.row = row
        super().__init__(
            {
                "ps": In(ps_shape),
                "control_i": In(control_layout(plan)),
                "control_o": Out(control_layout(plan)),
                "o": Out(plan.word_width),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        # Each row's own: the row below has what this one had a cycle ago.
        here = [control_register(m, plan, "control_0", self.control_i, apart=True)]
        m.d.comb += self.control_o.eq(here[0])
        here.append(control_register(m, plan, "control_1", here[0], apart=True))

        # What the sum begins with, and a step's term. The offset is what a sum begins with, unless
        # that would be shifted: then the last step adds it.
        start: Value = Const(0)
        term: Value = self.ps
        low, high = 0, plan.acc_max
        if offsets := self._offsets():
            table = Table(offsets)
            # Room for whatever the table can hold, so that a fault in it never wraps the sum.
            low, high = -(1 << (table.width - 1)), high + (1 << (table.width - 1)) - 1
            if plan.plane_groups == 1:
                start = table.build(m, "offset", here[0].nf)
            else:
                nf, clear = self.control_i.nf, ~self.control_i.last
                term = term + table.build(m, "offset", nf, clear=clear)
        width = max(signed_width(low), signed_width(high))
        total = Signal(signed(width), name="sum", reset_less=True)
        m.d.sync += total.eq(self._next(m, total, here[1], start, late(m, "term", term)))
        done = late(m, "done_0", here[1].last)
        if not plan.gives_scores:
            m.d.comb += [self.o.eq(~total[-1]), self.done.eq(done)]
        else:
            self._score(m, total, here[1].nf, done)
        return m

    def _next(
        self, m: Module, total: Signal, control: data.View, start: Value, term: Value
    ) -> Value:
        """The sum with a step's term: `(start if first else sum) + term`.

        That is one carry slot a bit where the family's can do it. No register is cleared for it:
        on ECP5 the flip-flops of a tile share the net that would do so, and the answer's own, which
        must not be cleared, would be kept out.
        """
        plan = self.plan
        acc: Value = total
        if plan.plane_groups > 1:
            # Never negative before the last step, with which the offset comes.
            acc = total[: plan.acc_max.bit_length()]
            acc = Mux(control.shift, acc << plan.fold.planes, acc)[: len(acc)]
        if family := FAMILIES.get(plan.technology.family):
            columns = [_bits(value, len(total)) for value in (acc, start, term)]
            slots = [_slot(control.first, *bits) for bits in zip(*columns, strict=True)]
            if all(family.abilities.fits(slot.values) for slot in slots):
                cells = Cells(m, family.twins, simulated=plan.simulated)
                return Cat(*family.line(cells, "sum_line", slots))
        return Mux(control.first, start, acc) + term

    def _offsets(self) -> list[int]:
        """What the sum begins with, or its last step adds, by neuron fold; nothing where a product
        follows."""
        plan = self.plan
        if not isinstance(plan.layer, Output):
            return plan.offsets[self.row].tolist()
        shift = shift_of(plan.layer)
        return [] if shift is None else [add >> shift for add in self._terms()[1]]

    def _terms(self) -> tuple[list[int], list[int]]:
        """mult and add by neuron fold."""
        mult, add = self.plan.score_terms
        return mult[self.row].tolist(), add[self.row].tolist()

    def _score(self, m: Module, total: Signal, nf: Value, done: Value) -> None:
        """`score = mult * acc + add`.

        With mult = 2^n the sum has `add >> n` in it already, and the bits below are `add`'s own.
        """
        plan = self.plan
        assert isinstance(plan.layer, Output)
        mult, add = self._terms()
        shift = shift_of(plan.layer)
        if shift is not None:
            table = Table([value & ((1 << shift) - 1) for value in add])
            below = Signal(shift)
            m.d.comb += [
                below.eq(table.build(m, "below", nf)),
                self.o.eq(Cat(below, total).as_signed()),
                self.done.eq(done),
            ]
            return
        # The multiplier's registers are its own, so that tools may move them into it: for Nexus,
        # Yosys 0.70 does so even where something else reads them, which is then left undriven.
        nf = late(m, "nf_0", nf)
        factor = late(m, "factor", total)
        product = Signal(signed(plan.score_width + 1), reset_less=True)
        score = Signal(signed(plan.score_width), reset_less=True)
        addend = Table(add).build(m, "add", late(m, "nf_1", nf))
        m.d.sync += [
            product.eq(factor * Table(mult).build(m, "mult", nf)),
            score.eq(product + addend),
        ]
        for k in range(1, 4):
            done = late(m, f"done_{k}", done)
        m.d.comb += [self.o.eq(score), self.done.eq(done)]


def _bits(value: Value, width: int) -> list[Value | None]:
    """Bits of a number, extended to a width; None where it is 0 for all we know."""
    if isinstance(value, Const):
        assert value.value == 0
        return [None] * width
    signed = value.shape().signed
    return [value[k] if k < len(value) else value[-1] if signed else None for k in range(width)]


def _slot(first: Value, acc: Value | None, start: Value | None, term: Value | None) -> Function:
    """One bit of `(start if first else acc) + term`."""
    given = {"first": first, "acc": acc, "start": start, "term": term}
    nets = {name: net for name, net in given.items() if net is not None}
    values = []
    for word in indices(len(nets)):
        bit = {name: word >> i & 1 for i, name in enumerate(nets)}
        values.append(bit.get("start" if bit["first"] else "acc", 0) + bit.get("term", 0))
    return Function(tuple(nets.values()), tuple(values))


def control_register(
    m: Module,
    plan: LayerPlan,
    name: str,
    before: data.View,
    *,
    ahead: bool = False,
    apart: bool = False,
) -> data.View:
    """Control one cycle later, but for `nf` with `ahead`; `apart` as `late` has it."""
    layout = control_layout(plan)
    now = data.View(layout, late(m, name, before.as_value(), apart=apart))
    if not ahead:
        return now
    shown = data.View(layout, Signal(layout.size, name=f"{name}_o"))
    m.d.comb += [shown.eq(now), shown.nf.eq(before.nf)]
    return shown
