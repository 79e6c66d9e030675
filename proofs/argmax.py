"""The class is the index of the largest score; of equal ones the lowest."""

__all__ = ["PROOFS"]

import functools

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed

from bnnhw.rtl.argmax import CLASS_BITS, Argmax
from bnnhw.rtl.plan import LayerPlan
from bnnhw.timing import argmax_latency

from .bench import Bench, design_of
from .plans import output_plan
from .proof import Broken, Case, Proof

GAP = 2  # most idle cycles between the words of an image

SIZES = {
    "rows1": output_plan(1, 3, rows=1),
    "rows2": output_plan(1, 4, rows=2),
    "rows3": output_plan(1, 3, rows=3),
    "rows3pad": output_plan(1, 4, rows=3),
    "rows5": output_plan(1, 5, rows=5),
    "rows2steps2": output_plan(2, 3, rows=2),
}


class Mirrored(Argmax):
    """An Argmax whose rows are in the other order, so that the highest index wins a tie."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.argmax = inner = Argmax(self.plan)
        rows, width = self.plan.fold.rows, self.plan.score_width
        mirrored = [self.scores[r * width : (r + 1) * width] for r in reversed(range(rows))]
        m.d.comb += [
            inner.scores.eq(Cat(*mirrored)),
            inner.valid.eq(self.valid),
            self.index.eq(rows - 1 - inner.index),
            self.done.eq(inner.done),
        ]
        return m


def largest_wins(bench: Bench, plan: LayerPlan, mirrored: bool = False) -> None:
    """`index` is the class and comes in its cycle, for any scores."""
    rows, width, folds = plan.fold.rows, plan.score_width, plan.neuron_folds
    argmax = Mirrored(plan) if mirrored else Argmax(plan)
    inside = bench.dut(argmax)
    m = bench.m
    scores, valid = bench.free("scores", rows * width), bench.free("valid")
    m.d.comb += [argmax.scores.eq(scores), argmax.valid.eq(valid)]
    fold = Signal(range(folds), name="of_fold")
    idle = Signal(range(GAP + 2), name="idle")
    spacing = Signal(range(plan.steps), name="spacing", init=plan.steps - 1)
    last = bench.named("last", fold == folds - 1)
    with m.If(valid):
        m.d.sync += [fold.eq(Mux(last, 0, fold + 1)), idle.eq(0)]
    with m.Elif(fold != 0):
        m.d.sync += idle.eq(idle + 1)
    with m.If(valid):
        m.d.sync += spacing.eq(0)
    with m.Elif(spacing != plan.steps - 1):
        m.d.sync += spacing.eq(spacing + 1)
    bench.assume(idle <= GAP)
    bench.assume(~valid | (spacing == plan.steps - 1))
    bench.invariant("fold_in_range", fold < folds)
    if not mirrored:
        if folds > 1:
            bench.invariant("counts_folds", inside["fold"] == fold)
            bench.invariant("knows_the_last", inside["fold_is_last"] == last)
        compared: Value = fold
        for k in range(argmax_latency(rows) - 2):
            compared = bench.before(f"compared_{k}", compared)
        bench.invariant("knows_the_first", inside["first"] == (compared == 0))
        bench.invariant("knows_the_neuron", inside["base"] == compared * rows)

    best, best_index = Signal(signed(width), name="best"), Signal(CLASS_BITS, name="best_index")
    score: Value = best
    index: Value = best_index
    for r in range(rows):
        neuron = fold * rows + r
        here = scores[r * width : (r + 1) * width].as_signed()
        wins = (neuron == 0) | ((neuron < plan.layer.neurons) & (here > score))
        score = bench.named(f"best_to_{r}", Mux(wins, here, score))
        index = bench.named(f"index_to_{r}", Mux(wins, neuron, index))
    with m.If(valid):
        m.d.sync += [best.eq(score), best_index.eq(index)]
    done: Value = bench.named("ends", valid & last)
    for k in range(argmax_latency(rows)):
        done, index = bench.before(f"done_{k}", done), bench.before(f"index_{k}", index)
    bench.check("done", argmax.done == done)
    bench.check("class", ~done | (argmax.index == index))


PROOFS = (
    Proof(
        name="argmax",
        says="The class is the lowest index of the largest score, in its cycle; padding never "
        "wins.",
        bounds=f"1 to 5 rows, 1 to 3 folds, gaps up to {GAP}",
        cases=tuple(
            Case(
                name=name,
                design=design_of(functools.partial(largest_wins, plan=plan)),
                depth=plan.neuron_folds * (GAP + 1) + argmax_latency(plan.fold.rows) + 3,
            )
            for name, plan in SIZES.items()
        ),
        broken=(
            Broken(
                name="the highest index wins a tie",
                design=design_of(
                    functools.partial(largest_wins, plan=SIZES["rows3"], mirrored=True)
                ),
                depth=10,
            ),
        ),
    ),
)
