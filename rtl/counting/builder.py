"""Dots and operations, as recipes are followed."""

__all__ = ["Builder", "Term", "wire"]

import itertools
from collections.abc import Sequence

from .abilities import Abilities, Kind
from .along import plan_along
from .recipes import Recipe, recipes
from .structure import Chain, Count, Digit, Slot

Term = tuple[tuple[Digit, int], ...]  # what a number brings to one slot


class Builder:
    """Dots and operations, as recipes are followed."""

    def __init__(self, abilities: Abilities, kind: Kind, places: Sequence[int], lanes: int) -> None:
        self.abilities = abilities
        self.kind = kind
        self.lanes = lanes
        self.places = list(places)
        self.depths = [0] * len(places)
        self.operations: list[Chain | Count] = []

    def dot(self, place: int, depth: int) -> int:
        self.places.append(place)
        self.depths.append(depth)
        return len(self.places) - 1

    def follow(self, recipe: Recipe, dots: list[int], kind: Kind) -> list[Term]:
        """The count of the first `recipe.lanes` of the dots, which are taken from the list."""
        if recipe.how == "adder":
            assert recipe.x and recipe.y
            x = self.follow(recipe.x, dots, kind)
            y = self.follow(recipe.y, dots, kind)
            return self.add(x, y, [dots.pop(0)] if recipe.carry else [], kind, recipe.lanes)
        mine = tuple(dots.pop(0) for _ in range(recipe.lanes))
        if recipe.how == "lane":
            return [wire(dot) for dot in mine]
        if recipe.how in ("counter", "along"):
            made = self.count(mine) if recipe.how == "counter" else self.along(mine, kind)
            return [wire(dot) for dot in made]
        if recipe.how == "fused":
            if recipe.lanes < 4:
                return [((Digit(mine, place), 0),) for place in range(2)]
            return [((Digit(mine, 0), 0),), ((Digit(mine, 1), 0), (Digit(mine, 2), 1))]
        assert recipe.x
        total, *carries = self.count(mine[:2])
        for k in range(2, recipe.lanes, 2):
            step = k // 2 % self.abilities.ripple_depth
            total, carry = self.count((*mine[k : k + 2], total), step=step)
            carries.append(carry)
        return [wire(total), *self.follow(recipe.x, carries, "bit")]

    def along(self, mine: tuple[int, ...], kind: Kind) -> list[int]:
        """The chains of `plan_along`, of these dots."""
        plan = plan_along(kind, len(mine))
        base, before = self.places[mine[0]], max(self.depths[dot] for dot in mine)
        real = list(mine)
        for chain in plan.operations:
            assert isinstance(chain, Chain)
            depth = before + chain.depth
            real += [self.dot(base + plan.places[dot], depth) for dot in chain.outputs]
            self.operations.append(chain.renamed(real, depth))
        return [real[dot] for dot in plan.result]

    def count(self, dots: tuple[int, ...], *, step: int = 0, depth: int = 0) -> list[int]:
        """A `Count`; one operation deeper than its dots, or within theirs as a ripple's step."""
        deepest = max(self.depths[dot] for dot in dots)
        depth = depth or max(1, deepest + (step == 0))
        place = self.places[dots[0]]
        outputs = [self.dot(place + i, depth) for i in range(len(dots).bit_length())]
        self.operations.append(Count(dots, tuple(outputs), depth))
        return outputs

    def add(
        self, x: list[Term], y: list[Term], carry: list[int], kind: Kind, most: int
    ) -> list[Term]:
        """An adder of two numbers of one place and a dot; `most` is the largest sum."""
        slots = max(len(x), len(y))
        place = self.place(x or y)
        used = {dot for term in (*x, *y) for digit, _ in term for dot in digit.dots} | {*carry}
        depth = 1 + max(self.depths[dot] for dot in used)
        x0, y0, cin = self.lowest(x, y, carry, kind, depth)
        terms = [x0 + y0]
        terms += [a + b for a, b in itertools.zip_longest(x[1:], y[1:], fillvalue=())]
        sums = [self.dot(place + i, depth) for i in range(slots)]
        out = self.dot(place + slots, depth) if most >> slots else None
        chain = Chain(cin, tuple(map(Slot, terms, sums)), out, depth)
        self.operations.append(chain)
        return [wire(dot) for dot in chain.outputs]

    def place(self, number: list[Term]) -> int:
        return self.places[number[0][0][0].dots[0]]

    def lowest(
        self, x: list[Term], y: list[Term], carry: list[int], kind: Kind, depth: int
    ) -> tuple[Term, Term, int | None]:
        """The operands of the lowest slot and the carry, in the order that the cells want."""
        if not (x and y):  # a carry into a number, or nothing to add
            return (x or y)[0], (), carry[0] if carry else None
        plan = recipes(self.abilities, kind)
        operands = [x[0], y[0], *(wire(dot) for dot in carry)]
        shapes = [self.shape(term) for term in operands]
        rest = itertools.zip_longest(map(self.shape, x[1:]), map(self.shape, y[1:]))
        domains = frozenset((False, True)).intersection(*(plan.domains(a, b) for a, b in rest))
        options = [plan.first(shapes[0], shapes[1], bool(carry), d) for d in sorted(domains)]
        _, order, made = min((o for o in options if o), key=lambda option: option[0])
        for i in made:
            dots = operands[i][0][0].dots
            operands[i] = wire(self.count(dots, depth=depth)[0])
        arranged = [operands[i] for i in order[: len(operands)]]
        cin = arranged[2][0][0].dots[0] if carry else None
        return arranged[0], arranged[1], cin

    def shape(self, term: Term) -> tuple[str, int]:
        """As `Recipes.shape` describes a term."""
        digit = term[0][0]
        if len(digit.dots) > 1:
            return f"digit {digit.place}", len(digit.dots)
        return ("xnor" if self.kind == "xnor" and digit.dots[0] < self.lanes else "bit"), 1


def wire(dot: int) -> Term:
    """A dot as it is."""
    return ((Digit((dot,)), 0),)
