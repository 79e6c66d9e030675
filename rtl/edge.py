"""The right edge of a grid's row: accumulates over the input folds, then thresholds or scores."""

__all__ = ["Edge", "control_layout"]

from amaranth.hdl import Module, Mux, Shape, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..network import Output
from ..timing import shift_of
from .cell import Rom
from .plan import LayerPlan, signed_width


def control_layout(plan: LayerPlan) -> data.StructLayout:
    """What travels beside the activations, one for each step.

    first : the first step of a neuron fold; last : a real step, and the fold's last;
    shift : the first step of a further group of bit-planes; nf : the neuron fold.
    """
    return data.StructLayout(
        {
            "first": 1,
            "shift": 1,
            "last": 1,
            "nf": max(1, (plan.neuron_folds - 1).bit_length()),
        }
    )


class Edge(wiring.Component):
    """Adds up a row's partial sums and gives the neuron's bit, or its score.

    The sum is kept Horner-wise over bit-planes: `acc = 2^planes * acc + ps` where a further
    group begins. For a bit the last step adds the threshold's negative, so the sign is the
    answer and no comparator is needed. For a score `mult * acc + add` follows.

    Latency: `timing.EDGE` cycles to a bit, `EDGE - 1 + timing.score_stages` to a score.
    One step a cycle; nothing stalls.

    Members
    -------
    ps : In
        The row's partial sum.
    control_i : In, control_o : Out, control_layout(plan)
        With `ps`; one cycle later, for the row below.
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
        ps = Signal(self.ps.shape(), name="ps_q", reset_less=True)
        here = [control_register(m, plan, "control_0", self.control_i)]
        m.d.sync += ps.eq(self.ps)
        m.d.comb += self.control_o.eq(here[0])
        here.append(control_register(m, plan, "control_1", here[0]))
        here.append(control_register(m, plan, "control_2", here[1]))

        added: Value = ps
        low, high = 0, plan.acc_max
        if not plan.gives_scores:
            offset = self._table(m, "offset", plan.offsets[self.row].tolist(), self.control_i.nf)
            added = ps + Mux(here[0].last, offset, 0)
            # Room for whatever the table can hold, so that a fault in it never wraps the sum.
            low, high = -(1 << (len(offset) - 1)), high + (1 << (len(offset) - 1)) - 1
        shape = signed(max(signed_width(low), signed_width(high)))
        term = Signal(shape, reset_less=True)
        acc = Signal(shape, reset_less=True)
        m.d.sync += term.eq(added)
        # The sum so far is 0 or more until the last step, so that its shift loses nothing.
        further = Mux(here[1].shift, acc << plan.fold.planes, acc)
        m.d.sync += acc.eq(Mux(here[1].first, 0, further) + term)
        if plan.gives_scores:
            self._score(m, acc, here)
        else:
            fires = Signal(reset_less=True)
            done = Signal()
            m.d.sync += [fires.eq(~acc[-1]), done.eq(here[2].last)]
            m.d.comb += [self.o.eq(fires), self.done.eq(done)]
        return m

    def _score(self, m: Module, acc: Signal, here: list[data.View]) -> None:
        """`score = mult * acc + add`, by a shift where all classes have one power of two."""
        plan = self.plan
        assert isinstance(plan.layer, Output)
        mult, add = (terms[self.row].tolist() for terms in plan.score_terms)
        score = Signal(signed(plan.score_width), reset_less=True)
        done = Signal()
        shift = shift_of(plan.layer)
        scaled: Value
        if shift is not None:
            scaled, late = acc << shift, here[2]
            index = here[1].nf
        else:
            late = control_register(m, plan, "control_3", here[2])
            factor = self._table(m, "mult", mult, here[1].nf)
            product = Signal(signed(plan.score_width + 1), reset_less=True)
            m.d.sync += product.eq(acc * factor)
            scaled, index = product, here[2].nf
        m.d.sync += [
            score.eq(scaled + self._table(m, "add", add, index)),
            done.eq(late.last),
        ]
        m.d.comb += [self.o.eq(score), self.done.eq(done)]

    def _table(self, m: Module, name: str, values: list[int], index: Value) -> Value:
        """Signed constants by fold, registered."""
        width, words = table_words(values)
        rom = Rom(m, name, words, width, index, latency=1)
        word = Signal(width, name=f"{name}_word")
        m.d.comb += word.eq(rom.data)
        return word.as_signed()


def table_words(values: list[int]) -> tuple[int, list[int]]:
    """A table's width, and its values in two's complement of that width."""
    width = max(signed_width(value) for value in values)
    return width, [value & ((1 << width) - 1) for value in values]


def control_register(m: Module, plan: LayerPlan, name: str, before: data.View) -> data.View:
    """Control one cycle later; only `last`, which makes a result real, is reset."""
    layout = control_layout(plan)
    now = Signal(layout.size, name=name, reset_less=True)
    last = Signal(name=f"{name}_last")
    shown = data.View(layout, Signal(layout.size, name=f"{name}_o"))
    m.d.sync += [now.eq(before), last.eq(before.last)]
    m.d.comb += [shown.eq(now), shown.last.eq(last)]
    return shown
