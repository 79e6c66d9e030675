"""Plans a counter of ones with the fewest LUT sites."""

__all__ = ["plan_count"]

from .abilities import Abilities, Kind
from .builder import Builder, Term, wire
from .compressed import compressed, sites
from .recipes import recipes
from .structure import Structure


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
    build = Builder(abilities, kind, places, total)
    best = recipes(abilities, kind, deep)
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
