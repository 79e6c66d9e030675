"""The cheapest recipe for a count of n lanes, by dynamic programming.

Two counts x and y and one more lane, as the carry into the adder, make the count of n1 + n2 + 1
lanes; which n1 and n2, and what counts the few lanes at the leaves, is found over what the family's
cells can do. One carry slot between two adders takes the first one's carry out and the next one's
carry in, so an adder of L slots costs L + 1 (docs/popcount.md).
"""

__all__ = ["Recipe", "Recipes", "recipes"]

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Literal

from .abilities import Abilities, Kind
from .along import plan_along, slots_of


# How the count of n lanes is made. `x`, `y`: recipes; a number of lanes left undone is "fused".
@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    how: Literal["lane", "fused", "counter", "ripple", "adder", "along"]
    lanes: int
    cost: int = 0
    depth: int = 0
    x: "Recipe | None" = None
    y: "Recipe | None" = None
    carry: bool = False


class Recipes:
    """The best recipe for each number of lanes of one kind."""

    def __init__(self, abilities: Abilities, kind: Kind, deep: bool) -> None:
        self.abilities = abilities
        self.kind = kind
        self.deep = deep
        self.best: list[Recipe] = [Recipe("lane", 0), Recipe("lane", 1)]
        self.domains = functools.cache(self._domains)
        self.first = functools.cache(self._first)

    def recipe(self, lanes: int) -> Recipe:
        while len(self.best) <= lanes:
            n = len(self.best)
            self.best.append(min(self._candidates(n), key=lambda r: (r.cost, r.depth)))
        return self.best[lanes]

    def _candidates(self, n: int) -> Iterator[Recipe]:
        if (self.kind, n) in self.abilities.counters:
            yield Recipe("counter", n, self.abilities.counters[self.kind, n], 1)
        if self.kind in self.abilities.ripple and n >= 4 and n % 2 == 0:
            carries = recipes(self.abilities, "bit", self.deep).recipe(n // 2)
            step = self.abilities.ripple[self.kind]
            cost = self.abilities.counters[self.kind, 2] + step * (n // 2 - 1) + carries.cost
            steps = -(-n // 2 // self.abilities.ripple_depth)
            yield Recipe("ripple", n, cost, steps + carries.depth, carries)
        if self.deep and self.goes_along():
            plan = plan_along(self.kind, n)
            yield Recipe("along", n, slots_of(plan), plan.depth)
        operands = [Recipe("fused", k) for k in self.abilities.fused if self.kind == "bit"]
        for carry in (True, False):
            rest = n - carry
            pairs = [(self.best[k], self.best[rest - k]) for k in range(1, rest // 2 + 1)]
            for x in operands:
                if 1 <= rest - x.lanes < n:
                    pairs.append((x, self.best[rest - x.lanes]))
                pairs += [(x, y) for y in operands if x.lanes + y.lanes == rest]
            for x, y in pairs:
                extra = self.adder(self.shape(x), self.shape(y), carry)
                if extra is not None:
                    cost = x.cost + y.cost + extra
                    yield Recipe("adder", n, cost, max(x.depth, y.depth) + 1, x, y, carry)

    def goes_along(self) -> bool:
        """Whether the cells can do all that `along` wants of them."""
        net = ("bit", 1)
        wanted = [(("digit 0", 3), net), (("digit 1", 3), net), ((self.kind, 1), net)]
        return self._enters((self.kind, 1), False) and all(
            False in self.domains(*pair) for pair in wanted
        )

    def shape(self, recipe: Recipe) -> tuple[tuple[str, int], ...]:
        """What a number brings to each slot: a lane, a net, or digits of the count of k lanes."""
        if recipe.how == "lane":
            return ((self.kind, 1),)
        if recipe.how == "fused":
            return tuple((f"digit {i}", recipe.lanes) for i in range(fused_slots(recipe.lanes)))
        return (("bit", 1),) * recipe.lanes.bit_length()

    def adder(
        self, x: tuple[tuple[str, int], ...], y: tuple[tuple[str, int], ...], carry: bool
    ) -> int | None:
        """LUT sites of an adder with its boundary; None if the cells cannot do it."""
        domains = {False, True}
        for a, b in itertools.zip_longest(x[1:], y[1:]):
            domains &= self.domains(a, b)
        loose = [self.first(x[0], y[0], carry, domain) for domain in domains]
        extra = min((option[0] for option in loose if option), default=None)
        return None if extra is None else max(len(x), len(y)) + 1 + extra

    def _domains(self, a: tuple[str, int] | None, b: tuple[str, int] | None) -> frozenset[bool]:
        """In which domains, plain or complemented, a slot can add the two."""
        values = _table([operand for operand in (a, b) if operand])
        if max(values) > 2:
            return frozenset()
        return frozenset(
            complement
            for complement in (False, True)
            if self.abilities.fits(tuple(2 - v if complement else v for v in values))
        )

    def _first(
        self, a: tuple[str, int], b: tuple[str, int], carry: bool, domain: bool
    ) -> tuple[int, tuple[int, int, int], frozenset[int]] | None:
        """The lowest slot's arrangement: LUTs for lanes that must be nets, who is the carry.

        Any of the three operands can be the carry, and any lane can be made a net by a LUT.
        """
        operands = [a, b, (self.kind, 1)][: 2 + carry]
        orders = [(0, 1, 2), (0, 2, 1), (1, 2, 0)] if carry else [(0, 1, 2)]
        lanes = [i for i, operand in enumerate(operands) if operand[0] == "xnor"]
        for made in range(len(lanes) + 1):
            for chosen in itertools.combinations(lanes, made):
                now = [("bit", 1) if i in chosen else op for i, op in enumerate(operands)]
                for order in orders:
                    fits = domain in self.domains(now[order[0]], now[order[1]])
                    if carry and fits:
                        fits = now[order[2]][1] == 1 and self._enters(now[order[2]], domain)
                    if fits:
                        return made, order, frozenset(chosen)
        return None

    def _enters(self, operand: tuple[str, int], domain: bool) -> bool:
        """Whether a boundary slot can take the operand in as a carry."""
        values = _table([operand])
        return self.abilities.fits(tuple(2 * (1 - v if domain else v) for v in values))


@functools.cache
def recipes(abilities: Abilities, kind: Kind, deep: bool = False) -> Recipes:
    """`deep`: where there are no registers between operations, so that there may be many."""
    return Recipes(abilities, kind, deep)


def fused_slots(lanes: int) -> int:
    """Slots that the undone count of some lanes takes: five lanes' digits 1 and 2 share one."""
    return 1 if lanes == 1 else 2


def _table(operands: Sequence[tuple[str, int]]) -> tuple[int, ...]:
    """The sum of operands for all values of their nets."""
    values = [0]
    for what, lanes in operands:
        own = []
        for word in range(1 << (2 if what == "xnor" else lanes)):
            ones = word.bit_count()
            if what == "xnor":
                own.append(1 - ones % 2)
            elif what == "digit 1":
                own.append(ones >> 1)  # digit 1, and digit 2 as 2
            else:
                own.append(ones & 1)
        values = [low + high for high in own for low in values]
    return tuple(values)
