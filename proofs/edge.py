"""The edge: partial sums added up over a fold's steps, and compared with the threshold."""

__all__ = ["PROOFS"]

import dataclasses
import functools
from collections.abc import Callable

from amaranth.hdl import Const, Mux, Shape, Signal, Value

from bnnhw.layers import Dense, Output
from bnnhw.rtl.edge import Edge
from bnnhw.rtl.plan import LayerPlan
from bnnhw.rtl.table import latency
from bnnhw.timing import EDGE, score_stages

from .bench import Bench, design_of
from .board import table
from .plans import dense_plan, output_plan
from .proof import Broken, Case, Proof

RESET = 6  # cycles of it, after which an edge has run empty

# Name to plan and row.
THRESHOLDS = {
    "steps1": (dense_plan(2, 3, lanes=2, rows=2), 0),
    "steps3": (dense_plan(5, 3, lanes=2, rows=2), 1),
    "planes3": (dense_plan(3, 2, bits=3, lanes=2), 0),
    "planes4by2": (dense_plan(2, 2, bits=4, lanes=2, planes=2), 0),
    "folds17": (dense_plan(2, 17), 0),
    "planes3by2": (dense_plan(3, 1, bits=3, lanes=2, planes=2), 0),
    "slots_ecp5": (dense_plan(5, 3, lanes=2, rows=2, family="ecp5"), 0),
    "slots_planes_ecp5": (dense_plan(3, 2, bits=3, lanes=2, family="ecp5"), 0),
    "slots_nexus": (dense_plan(5, 3, lanes=2, rows=2, family="nexus"), 0),
    "slots_xilinx7": (dense_plan(5, 3, lanes=2, rows=2, family="xilinx7"), 1),
}
SCORES = {
    "sums": (output_plan(3, 4, lanes=2, rows=2), 0),
    "shift": (output_plan(3, 2, bits=2, scales=(4,), lanes=2), 0),
    "scales": (output_plan(3, 4, scales=(3, -5, 7, 2), lanes=2, rows=2), 1),
}


def adds_up(bench: Bench, plan: LayerPlan, row: int, built: LayerPlan | None = None) -> None:
    """A fold's result is right, comes in its cycle, and control goes on to the row below.

    Steps of a fold follow each other without a bubble; between folds there may be bubbles, in
    which everything but `last` is noise. Nothing begins in the reset and in the cycle after it, in
    which the first neuron fold's number may already come.

    Parameters
    ----------
    built : LayerPlan
        What the component is built for, if it is not `plan`: a broken copy.
    """
    layer, fold = plan.layer, plan.fold
    most = fold.simd * ((1 << fold.planes) - 1)
    edge = Edge(built or plan, row, Shape.cast(range(most + 1)))
    bench.dut(edge)
    m, control = bench.m, edge.control_i
    position = Signal(range(plan.steps), name="position")
    runs = ~bench.first & bench.before("runs", 1)
    step = bench.named("step", runs & (bench.free("begins") | (position != 0)))
    last = bench.named("last", step & (position == plan.steps - 1))
    with m.If(step):
        m.d.sync += position.eq(Mux(last, 0, position + 1))
    bench.check("position_in_range", position < plan.steps)
    begins_group = table(
        [int(k > 0 and k % plan.input_folds == 0) for k in range(plan.steps)], position
    )
    m.d.comb += [
        edge.ps.eq(bench.free("ps", edge.ps.shape())),
        control.nf.eq(bench.free("nf", control.nf.shape())),
        control.first.eq(Mux(step, position == 0, bench.free("first_noise"))),
        control.shift.eq(Mux(step, begins_group, bench.free("shift_noise"))),
        control.last.eq(last),
    ]
    bench.assume(control.nf < plan.neuron_folds)
    of_step: Value = control.nf
    for k in range(latency(plan.neuron_folds) - 1):
        of_step = bench.before(f"of_step_{k}", of_step)
    same = of_step == bench.before("of_step_before", of_step)
    bench.assume(~step | (position == 0) | same)

    # The sum of a step comes a cycle after its control. Lanes beyond the last input count nothing.
    lanes = [
        min(fold.simd, layer.inputs - (k % plan.input_folds) * fold.simd) for k in range(plan.steps)
    ]
    at_most = table([n * ((1 << fold.planes) - 1) for n in lanes], position)
    summed = bench.before("summed", step)
    bench.assume(~summed | (edge.ps <= bench.before("at_most", at_most)))
    sum_before = Signal(range(plan.acc_max + 1), name="sum_before")
    shifted = Mux(bench.before("shifts", begins_group), sum_before << fold.planes, sum_before)
    anew = bench.before("anew", position == 0)
    total = bench.named("total", Mux(anew, 0, shifted) + edge.ps)
    m.d.sync += sum_before.eq(total)
    neuron: Value = control.nf  # of the step
    for k in range(latency(plan.neuron_folds)):
        neuron = bench.before(f"neuron_{k}", neuron)
    expected: Value = bench.named("expected", _result(plan, row, total, neuron))
    done: Value = bench.before("last_summed", last)
    for k in range(EDGE + score_stages(layer)):
        expected = bench.before(f"expected_{k}", expected)
        done = bench.before(f"done_{k}", done)
    bench.check("done", edge.done == done)
    result = edge.o.as_signed() if plan.gives_scores else edge.o
    bench.check("result", ~done | (result == expected))

    passed = bench.before("control_before", control.as_value())
    bench.check("control_last", edge.control_o.last == bench.before("last_before", last))
    known = bench.before("known", 1)
    bench.check("control_passes", ~known | (edge.control_o.as_value() == passed))


def _result(plan: LayerPlan, row: int, total: Value, nf: Value) -> Value:
    """What golden says of a sum."""
    if not plan.gives_scores:
        assert isinstance(plan.layer, Dense)
        # Padding neurons never fire.
        limits = [-offset for offset in plan.offsets[row].tolist()]
        return total >= table([Const(t, _signed(t)) for t in limits], nf)
    mult, add = (terms[row].tolist() for terms in plan.score_terms)
    return table([total * f + a for f, a in zip(mult, add, strict=True)], nf)


def _signed(value: int) -> Shape:
    return Shape.cast(range(min(value, -1), max(value, 0) + 1))


def _lowered(plan: LayerPlan) -> LayerPlan:
    """Every threshold one lower than it should be."""
    layer = plan.layer
    assert isinstance(layer, Dense)
    lower = (layer.threshold - 1).clip(0)
    return LayerPlan(dataclasses.replace(layer, threshold=lower), plan.fold)


def _biased(plan: LayerPlan) -> LayerPlan:
    """The last neuron's bias is one too high."""
    layer = plan.layer
    assert isinstance(layer, Output)
    bias = layer.bias.copy()
    bias[-1] += 1
    return LayerPlan(dataclasses.replace(layer, bias=bias), plan.fold)


def _shifts_further(plan: LayerPlan) -> LayerPlan:
    """The sum moves up by two planes for every group of one."""
    return LayerPlan(plan.layer, dataclasses.replace(plan.fold, planes=2))


def _broken(
    what: str, size: tuple[LayerPlan, int], breaks: Callable[[LayerPlan], LayerPlan]
) -> Broken:
    plan, row = size
    harness = functools.partial(adds_up, plan=plan, row=row, built=breaks(plan))
    depth = RESET + 2 * plan.steps + EDGE + 6
    return Broken(name=what, design=design_of(harness, reset=RESET), depth=depth)


def _proof(name: str, says: str, sizes: dict[str, tuple[LayerPlan, int]], *broken: Broken) -> Proof:
    steps = [plan.steps for plan, _ in sizes.values()]
    return Proof(
        name=name,
        says=says,
        bounds=f"{min(steps)} to {max(steps)} steps",
        cases=tuple(
            Case(
                name=case,
                design=design_of(functools.partial(adds_up, plan=plan, row=row), reset=RESET),
                depth=RESET + plan.steps + EDGE + 6,
            )
            for case, (plan, row) in sizes.items()
        ),
        broken=broken,
    )


PROOFS = (
    _proof(
        "edge",
        "A neuron fires where its sum over all steps, Horner-wise over planes, reaches the "
        "threshold; the bit comes in its cycle, control goes on to the next row.",
        THRESHOLDS,
        _broken("thresholds one lower", THRESHOLDS["steps3"], _lowered),
        _broken("the sum is shifted too far", THRESHOLDS["planes3"], _shifts_further),
    ),
    _proof(
        "edge-scores",
        "A score is `scale * s + bias` of the sum over all steps, in its cycle.",
        SCORES,
        _broken("a bias one higher", SCORES["scales"], _biased),
    ),
)
