"""The index of the largest score."""

__all__ = ["Argmax"]

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .counter import counter
from .plan import LayerPlan

CLASS_BITS = 16


class Argmax(wiring.Component):
    """Finds the class over the words of scores of an image; the lowest index wins a tie.

    A tree of comparisons over the rows, a register a level; the winner of a fold; then the best
    over the neuron folds.

    Latency: `timing.argmax_latency(rows)` from an image's last word. One word a cycle.

    Members
    -------
    scores : In(rows * score_width)
    valid : In(1)
    index : Out(16)
    done : Out(1)
        `index` is an image's class.
    """

    scores: Signal
    valid: Signal
    index: Signal
    done: Signal

    def __init__(self, plan: LayerPlan) -> None:
        self.plan = plan
        super().__init__(
            {
                "scores": In(plan.fold.rows * plan.score_width),
                "valid": In(1),
                "index": Out(CLASS_BITS),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        folds, rows, width = plan.neuron_folds, plan.fold.rows, plan.score_width
        fold, last = counter(m, "fold", folds, self.valid)
        inside = plan.layer.neurons - (folds - 1) * rows  # rows in use in the last fold
        lowest = Const(-(1 << (width - 1)), signed(width))
        entrants: list[tuple[Value, Value]] = []
        for r in range(rows):
            score: Value = self.scores[r * width : (r + 1) * width].as_signed()
            if r >= inside:
                # A padding neuron gets the least score there is; its index is above all others,
                # so that it cannot win.
                score = Mux(last, lowest, score)
            entrants.append((score, Const(r, max(1, (rows - 1).bit_length()))))

        valid: Value = self.valid
        level = 0
        while len(entrants) > 1:
            level += 1
            pairs = [entrants[k : k + 2] for k in range(0, len(entrants), 2)]
            entrants = [_winner(m, f"{level}_{k}", pair) for k, pair in enumerate(pairs)]
            valid, fold, last = (
                _register(m, f"{name}_{level}", value)
                for name, value in (("valid", valid), ("fold", fold), ("last", last))
            )
        # The fold's winner, registered: all that the last comparison does is compare.
        score = Signal(signed(width), reset_less=True)
        index = Signal(CLASS_BITS, reset_less=True)
        first = Signal(reset_less=True)
        m.d.sync += [
            score.eq(entrants[0][0]),
            index.eq(fold * rows + entrants[0][1]),
            first.eq(fold == 0),
        ]
        valid, last = _register(m, "valid_winner", valid), _register(m, "last_winner", last)
        best = Signal(signed(width), reset_less=True)
        best_index = Signal(CLASS_BITS, reset_less=True)
        done = Signal()
        with m.If(valid & (first | (score > best))):
            m.d.sync += [best.eq(score), best_index.eq(index)]
        m.d.sync += done.eq(valid & last)
        m.d.comb += [self.index.eq(best_index), self.done.eq(done)]
        return m


def _register(m: Module, name: str, value: Value) -> Value:
    late = Signal(value.shape(), name=name)
    m.d.sync += late.eq(value)
    return late


def _winner(m: Module, name: str, pair: list[tuple[Value, Value]]) -> tuple[Value, Value]:
    """The larger score of a pair and its index, registered; the first one on a tie."""
    score = Signal(pair[0][0].shape(), name=f"score_{name}", reset_less=True)
    index = Signal(pair[0][1].shape(), name=f"index_{name}", reset_less=True)
    if len(pair) == 1:
        m.d.sync += [score.eq(pair[0][0]), index.eq(pair[0][1])]
    else:
        (first, first_index), (second, second_index) = pair
        better = Signal(name=f"better_{name}")
        m.d.comb += better.eq(second > first)
        m.d.sync += [
            score.eq(Mux(better, second, first)),
            index.eq(Mux(better, second_index, first_index)),
        ]
    return score, index
