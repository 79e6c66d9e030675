"""The index of the largest score."""

__all__ = ["Argmax"]

import dataclasses

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .counter import counter
from .delay import late
from .plan import LayerPlan

CLASS_BITS = 16


@dataclasses.dataclass(frozen=True)
class _Entrant:
    """A score and the row it is of; `padding` where it has no neuron in the last fold."""

    score: Value
    row: Value
    padding: bool


class Argmax(wiring.Component):
    """Finds the class over the words of scores of an image; the lowest index wins a tie.

    A tree of comparisons over the rows, two cycles a level: one compares, the next one chooses.
    Then the best over the neuron folds, again in two cycles. Where a fold takes a single cycle, a
    word comes when the one before is compared but not yet chosen: so it is compared with both, the
    best so far and the word before, and picks the comparison that counts when it knows whether
    that word won.

    Latency: `timing.argmax_latency(rows)` from an image's last word. A word every `plan.steps`
    cycles.

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
        rows, width = plan.fold.rows, plan.score_width
        _, last = counter(m, "fold", plan.neuron_folds, self.valid)
        inside = plan.layer.neurons - (plan.neuron_folds - 1) * rows  # rows used in the last fold
        entrants = [
            _Entrant(
                score=self.scores[r * width : (r + 1) * width].as_signed(),
                row=Const(r, max(1, (rows - 1).bit_length())),
                padding=r >= inside,
            )
            for r in range(rows)
        ]
        valid: Value = self.valid
        level = 0
        while len(entrants) > 1:
            level += 1
            pairs = [entrants[k : k + 2] for k in range(0, len(entrants), 2)]
            entrants = [_winner(m, f"{level}_{k}", pair, last) for k, pair in enumerate(pairs)]
            for stage in ("compare", "choose"):
                valid = _register(m, f"valid_{stage}_{level}", valid)
                last = _register(m, f"last_{stage}_{level}", last)
        self._best(m, valid, last, entrants[0])
        return m

    def _best(self, m: Module, valid: Value, last: Value, word: _Entrant) -> None:
        """The best of an image's words."""
        plan = self.plan
        first = Signal(init=1)
        base = Signal(range(plan.neuron_folds * plan.fold.rows))  # the word's first neuron
        with m.If(valid):
            m.d.sync += [first.eq(last), base.eq(Mux(last, 0, base + plan.fold.rows))]
        best = Signal(signed(plan.score_width), reset_less=True)
        score = late(m, "score", word.score)
        index = late(m, "index_word", (base + word.row)[:CLASS_BITS])
        # `must` and `above` are 0 where there is no word.
        must = _register(m, "must", valid & first)
        above = Signal()
        wins = Signal()
        m.d.sync += above.eq(Mux(valid, _above(word.score, best), 0))
        m.d.comb += wins.eq(must | above)
        if plan.steps == 1:
            # The word before may win just now, and then `best` was not yet that.
            above_last = Signal()
            won = _register(m, "won", wins)
            m.d.sync += above_last.eq(Mux(valid, _above(word.score, score), 0))
            m.d.comb += wins.eq(must | Mux(won, above_last, above))
        best_index = Signal(index.shape(), reset_less=True)
        with m.If(wins):
            m.d.sync += [best.eq(score), best_index.eq(index)]
        done = _register(m, "done_compare", valid & last)
        m.d.comb += [self.index.eq(best_index), self.done.eq(_register(m, "done_choose", done))]


def _register(m: Module, name: str, value: Value) -> Signal:
    """The value one cycle later, 0 after reset."""
    register = Signal(value.shape(), name=name)
    m.d.sync += register.eq(value)
    return register


def _above(one: Value, other: Value) -> Value:
    """Whether one signed score is above another.

    The sign of a difference, a single carry chain; a comparison of signed numbers becomes more.
    """
    return (other - one)[-1]


def _winner(m: Module, name: str, pair: list[_Entrant], last: Value) -> _Entrant:
    """The larger score of a pair with its row, two cycles later; the first one on a tie.

    In the last fold padding never wins: it stands behind all rows in use, so it is enough that a
    second entrant of nothing else loses.
    """
    held = [
        _Entrant(
            score=late(m, f"score_{name}_{k}", one.score),
            row=late(m, f"row_{name}_{k}", one.row),
            padding=one.padding,
        )
        for k, one in enumerate(pair)
    ]
    if len(held) == 1:
        (only,) = held
        score, row = only.score, only.row
    else:
        first, second = held
        above = _above(pair[1].score, pair[0].score)
        better = late(m, f"better_{name}", Mux(last, 0, above) if second.padding else above)
        score, row = Mux(better, second.score, first.score), Mux(better, second.row, first.row)
    return _Entrant(
        score=late(m, f"score_{name}", score),
        row=late(m, f"row_{name}", row),
        padding=held[0].padding,
    )
