"""Plans a counter of ones with the fewest LUT sites: a tree of adders strung on carry lines.

Two counts x and y and one more lane, as the carry into the adder, make the count of n1 + n2 + 1
lanes; which n1 and n2, and what counts the few lanes at the leaves, is found by dynamic programming
over what the family's cells can do. One carry slot between two adders takes the first one's carry
out and the next one's carry in, so an adder of L slots costs L + 1 (docs/popcount.md).
"""

__all__ = ["Abilities", "Kind", "plan_count"]

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from .along import plan_along, slots_of
from .compressed import compressed, sites
from .structure import Chain, Count, Digit, Slot, Structure

Kind = Literal["xnor", "bit"]  # of a lane: the XNOR of two nets, or one net
Term = tuple[tuple[Digit, int], ...]  # what a number brings to one slot


@dataclasses.dataclass(frozen=True, eq=False)
class Abilities:
    """What a family's cells can do, as far as a plan depends on it.

    Parameters
    ----------
    fits : function
        Whether one carry slot can add a value that depends on some nets, given as the values (0, 1
        or 2) for all assignments of the nets, net i being bit i of the index.
    fused : tuple of int
        Numbers of lanes of kind "bit" whose count may enter an adder undone, as digits.
    counters : dict
        (kind, n) to the LUT sites of a `Count` of n lanes.
    ripple : dict
        kind to the LUT sites of a `Count` of two lanes and one dot that is a net.
    wide : bool
        Whether LUTs and slots can do what `columns` plans with.
    ripple_depth : int
        Such counts in a row that make one operation's depth.
    """

    fits: Callable[[tuple[int, ...]], bool]
    fused: tuple[int, ...] = ()
    counters: Mapping[tuple[Kind, int], int] = dataclasses.field(default_factory=dict)
    ripple: Mapping[Kind, int] = dataclasses.field(default_factory=dict)
    wide: bool = False
    ripple_depth: int = 4


# How the count of n lanes is made. `x`, `y`: recipes; a number of lanes left undone is "fused".
@dataclasses.dataclass(frozen=True, slots=True)
class _Recipe:
    how: Literal["lane", "fused", "counter", "ripple", "adder", "along"]
    lanes: int
    cost: int = 0
    depth: int = 0
    x: "_Recipe | None" = None
    y: "_Recipe | None" = None
    carry: bool = False


class _Planner:
    """The best recipe for each number of lanes of one kind."""

    def __init__(self, abilities: Abilities, kind: Kind, deep: bool) -> None:
        self.abilities = abilities
        self.kind = kind
        self.deep = deep
        self.best: list[_Recipe] = [_Recipe("lane", 0), _Recipe("lane", 1)]
        self.domains = functools.cache(self._domains)
        self.first = functools.cache(self._first)

    def recipe(self, lanes: int) -> _Recipe:
        while len(self.best) <= lanes:
            n = len(self.best)
            self.best.append(min(self._candidates(n), key=lambda r: (r.cost, r.depth)))
        return self.best[lanes]

    def _candidates(self, n: int) -> Iterator[_Recipe]:
        if (self.kind, n) in self.abilities.counters:
            yield _Recipe("counter", n, self.abilities.counters[self.kind, n], 1)
        if self.kind in self.abilities.ripple and n >= 4 and n % 2 == 0:
            carries = planner(self.abilities, "bit", self.deep).recipe(n // 2)
            step = self.abilities.ripple[self.kind]
            cost = self.abilities.counters[self.kind, 2] + step * (n // 2 - 1) + carries.cost
            steps = -(-n // 2 // self.abilities.ripple_depth)
            yield _Recipe("ripple", n, cost, steps + carries.depth, carries)
        if self.deep and self.goes_along():
            plan = plan_along(self.kind, n)
            yield _Recipe("along", n, slots_of(plan), plan.depth)
        operands = [_Recipe("fused", k) for k in self.abilities.fused if self.kind == "bit"]
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
                    yield _Recipe("adder", n, cost, max(x.depth, y.depth) + 1, x, y, carry)

    def goes_along(self) -> bool:
        """Whether the cells can do all that `along` wants of them."""
        net = ("bit", 1)
        wanted = [(("digit 0", 3), net), (("digit 1", 3), net), ((self.kind, 1), net)]
        return self._enters((self.kind, 1), False) and all(
            False in self.domains(*pair) for pair in wanted
        )

    def shape(self, recipe: _Recipe) -> tuple[tuple[str, int], ...]:
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
def planner(abilities: Abilities, kind: Kind, deep: bool = False) -> _Planner:
    """`deep`: where there are no registers between operations, so that there may be many."""
    return _Planner(abilities, kind, deep)


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


class _Builder:
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

    def follow(self, recipe: _Recipe, dots: list[int], kind: Kind) -> list[Term]:
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
        plan = planner(self.abilities, kind)
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
        """As `_Planner.shape` describes a term."""
        digit = term[0][0]
        if len(digit.dots) > 1:
            return f"digit {digit.place}", len(digit.dots)
        return ("xnor" if self.kind == "xnor" and digit.dots[0] < self.lanes else "bit"), 1


def wire(dot: int) -> Term:
    """A dot as it is."""
    return ((Digit((dot,)), 0),)


def plan_count(
    abilities: Abilities,
    kind: Kind,
    lanes: int,
    *,
    planes: int = 1,
    addend: int | None = None,
    deep: bool = False,
) -> Structure:
    """The structure of a counter.

    Parameters
    ----------
    abilities : Abilities
    kind : "xnor" or "bit"
        What a lane is.
    lanes : int
        Lanes of one plane; lane l of plane p is dot `p * lanes + l`, of weight 2^p.
    addend : int, optional
        The largest value of a number added last, in an adder whose carry is one of the lanes. For
        0 that adder is still there; without an addend (None) it is not.
    deep : bool
        Operations one after the other cost nothing: there are no registers between them.
    """
    along = deep and not abilities.wide  # columns take less than that
    tree = _tree(abilities, kind, lanes, planes=planes, addend=addend, deep=along)
    if not abilities.wide:
        return tree
    plans = [tree, *compressed(kind, lanes, planes, addend, deep=deep)]
    return min(plans, key=lambda plan: (sites(plan, kind), plan.depth))


def _tree(
    abilities: Abilities, kind: Kind, lanes: int, *, planes: int, addend: int | None, deep: bool
) -> Structure:
    """The plan of adders."""
    total = planes * lanes
    bits = (addend or 0).bit_length()
    places = [*(p for p in range(planes) for _ in range(lanes)), *range(bits)]
    build = _Builder(abilities, kind, places, total)
    best = planner(abilities, kind, deep)
    numbers: list[tuple[list[Term], int]] = []  # with the largest value
    spare: list[int] = []
    for p in range(planes):
        dots = list(range(p * lanes, (p + 1) * lanes))
        if p == 0 and addend is not None and lanes > 1:
            spare.append(dots.pop())
        count = build.follow(best.recipe(len(dots)), dots, kind)
        numbers.append((count, lanes - len(spare) if p == 0 else lanes))
    apart = 1
    while len(numbers) > 1:
        pairs = [(numbers[k], numbers[k + 1]) for k in range(0, len(numbers), 2)]
        numbers = []
        for (low, low_most), (high, high_most) in pairs:
            most = low_most + (high_most << apart)
            upper = build.add(low[apart:], high, [], kind, most >> apart)
            numbers.append((low[:apart] + upper, most))
        apart *= 2
    number, most = numbers[0]
    if addend is not None:
        passing = [wire(total + i) for i in range(bits)]
        most += len(spare) + addend
        number = build.add(number, passing, spare, kind, most)
    result = tuple(term[0][0].dots[0] for term in number)
    return Structure(tuple(build.places), total, bits, tuple(build.operations), result)
