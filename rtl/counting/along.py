"""Plans a counter of ones along one carry line: each chain takes in what those before it give.

A carry cell whose LUT sees four bits adds three of them and a fourth to its carry, and the cell
after it the pair's carry and one bit more: two slots make three dots of six. To have all six, a
chain's lowest sum goes on to the next chain, and a carry that arrives where four dots wait goes on
to add them instead of leaving the line. The fewest slots known, and the deepest structure: n / 2
(lanes that are XNORs) or n / 4 chains one after the other (docs/popcount.md).
"""

__all__ = ["plan_along", "slots_of"]

import functools
from typing import Literal

from .structure import Chain, Digit, Slot, Structure

MOST = 4  # dots that two slots add
FUSED = 3  # of which the LUT takes so many as one number


def slots_of(plan: Structure) -> int:
    """Slots of a plan of chains, with one before each in which its carry enters."""
    chains = [operation for operation in plan.operations if isinstance(operation, Chain)]
    return sum(len(chain.slots) + 1 for chain in chains)


@functools.cache
def plan_along(kind: Literal["xnor", "bit"], lanes: int) -> Structure:
    """The count of 2 lanes or more.

    Parameters
    ----------
    kind : "xnor" or "bit"
        What a lane is: a slot adds one XNOR and one bit, or four bits.
    lanes : int
    """
    plans = (_Line(kind, lanes, least).plan() for least in (2, 3, 4))
    return min(plans, key=slots_of)


class _Line:
    """Chains, and the dots of each place that wait to be added.

    `least` dots must wait for a carry to go on; but when the last lane is in, one will do.
    """

    def __init__(self, kind: Literal["xnor", "bit"], lanes: int, least: int) -> None:
        self.kind = kind
        self.size = lanes
        self.least = least
        self.lanes = list(range(lanes))
        self.places = [0] * lanes
        self.depths = [0] * lanes
        self.waiting: list[list[int]] = [[] for _ in range(lanes.bit_length())]
        self.chains: list[Chain] = []

    def plan(self) -> Structure:
        while self.lanes:
            self.begin()
        while crowded := [place for place, dots in enumerate(self.waiting) if len(dots) > 1]:
            carry = self.waiting[crowded[0]].pop(0)
            self.chain(crowded[0], carry, self.taken(crowded[0]))
        result = tuple(dot for (dot,) in self.waiting)
        return Structure(tuple(self.places), self.size, 0, tuple(self.chains), result)

    def begin(self) -> None:
        """A chain of the next lanes and the sum of those before."""
        total = self.waiting[0]
        if self.kind == "xnor":
            carry = self.lanes.pop(0) if len(self.lanes) > 1 else total.pop()
            self.chain(0, carry, [self.lanes.pop(0), *self.taken(0)])
            return
        # What four lanes a chain leave over is for the first.
        own = FUSED if total else (len(self.lanes) - 2) % MOST + 1
        carry, *dots = (self.lanes.pop(0) for _ in range(1 + own))
        self.chain(0, carry, [*dots, *self.taken(0)])

    def taken(self, place: int) -> list[int]:
        """Up to four waiting dots."""
        here = self.waiting[place]
        dots, here[:] = here[:MOST], here[MOST:]
        return dots

    def chain(self, place: int, carry: int, dots: list[int]) -> None:
        """From `place` on as long as there are dots to add."""
        slots: list[tuple[Digit, ...]] = []
        bottom = place
        while dots:
            fused, single = (tuple(dots[:FUSED]), dots[FUSED:]) if len(dots) > 2 else ((), dots)
            slots.append((*_digits(fused, 0), *map(_net, single)))
            place += 1
            if fused and place < len(self.waiting):
                more = self.waiting[place][:1]
                del self.waiting[place][:1]
                slots.append((*_digits(fused, 1), *map(_net, more)))
                place += 1
            dots = self.taken(place) if self.goes_on(place) else []
        depth = 1 + max(
            self.depths[d] for d in (carry, *(d for s in slots for g in s for d in g.dots))
        )
        sums = [self.dot(bottom + i, depth) for i in range(len(slots))]
        out = self.dot(place, depth) if place < len(self.waiting) else None
        written = tuple(
            Slot(tuple((digit, 0) for digit in slot), total)
            for slot, total in zip(slots, sums, strict=True)
        )
        self.chains.append(Chain(carry, written, out, depth))

    def goes_on(self, place: int) -> bool:
        if place == len(self.waiting):
            return False
        return len(self.waiting[place]) >= (self.least if self.lanes else 1)

    def dot(self, place: int, depth: int) -> int:
        """A new one, waiting."""
        self.places.append(place)
        self.depths.append(depth)
        self.waiting[place].append(len(self.places) - 1)
        return len(self.places) - 1


def _net(dot: int) -> Digit:
    return Digit((dot,))


def _digits(dots: tuple[int, ...], place: int) -> tuple[Digit, ...]:
    return (Digit(dots, place),) if dots else ()
