"""What a family's slots can take: which lanes must be plain, and what each slot of a chain adds."""

__all__ = ["arranged", "fitting", "troubled"]

import itertools
from collections.abc import Mapping, Sequence

from amaranth.hdl import Const

from ..families.cells import Function, indices, merged
from ..families.family import Family
from .structure import Chain, Slot, Structure, slot_value

PLAIN = ((0, 1), (1, 0, 0, 1))  # values of a lane that is a net, or the XNOR of two
NET = Function((Const(0, 1),), (0, 1))


def arranged(family: Family, plan: Structure, lanes: Sequence[Function]) -> list[Function]:
    """The lane for each dot: lanes of one weight change places where slots want plain ones.

    A slot can take some lanes inverted, not all; which ones, the family's cells say. So every
    adder first gets as many plain lanes as it cannot do without, then they are dealt out. Where
    a net enters a line for nothing, those that do so are plain too, if any is left.
    """
    plain = [lane for lane in lanes if lane.values in PLAIN]
    inverted = [lane for lane in lanes if lane.values not in PLAIN]
    if not (plain and inverted):
        return list(lanes)
    hardest = tuple(max(some, key=lambda lane: len(lane.nets)) for some in (plain, inverted))
    chains = [operation for operation in plan.operations if isinstance(operation, Chain)]
    dots: dict[int, Function] = {}
    for place in sorted(set(plan.places[: len(lanes)])):
        here = [i for i in range(len(lanes)) if plan.places[i] == place]
        mine = sorted((lanes[i] for i in here), key=lambda lane: lane.values not in PLAIN)
        wanted = [dot for c in chains for dot in _wanting(family, c, set(here), hardest)]
        if family.free_start:
            entering = {chain.carry_in for chain in chains}
            wanted += [dot for dot in here if dot in entering and dot not in wanted]
        order = [*wanted, *(dot for dot in here if dot not in wanted)]
        dots |= dict(zip(order, mine, strict=True))
    return [dots[dot] for dot in range(len(lanes))]


def _wanting(
    family: Family, chain: Chain, lanes: set[int], hardest: tuple[Function, ...]
) -> list[int]:
    """The fewest lanes of an adder that must be plain, if all others are inverted."""
    mine = sorted(chain.inputs & lanes)
    plain, inverted = hardest
    nets = {dot: apart(NET) for dot in chain.inputs}
    for size in range(len(mine)):
        for chosen in itertools.combinations(mine, size):
            now = {dot: apart(plain if dot in chosen else inverted) for dot in mine}
            if fitting(family, chain, nets | now) is not None:
                return list(chosen)
    return mine


def troubled(family: Family, chain: Chain, dots: Mapping[int, Function]) -> tuple[int, ...]:
    """The fewest dots that LUTs must make plain nets before the cells can add `chain`."""
    loose = [dot for dot in sorted(dots) if dots[dot].values != (0, 1)]
    for size in range(len(loose)):
        for chosen in itertools.combinations(loose, size):
            if fitting(family, chain, {**dots, **{dot: apart(NET) for dot in chosen}}) is not None:
                return chosen
    return tuple(loose)


def fitting(
    family: Family, chain: Chain, dots: Mapping[int, Function]
) -> tuple[bool, list[Function]] | None:
    """`chain` of given functions; None where the cells cannot do it."""
    nothing = Function((), (0,))
    entering = nothing if chain.carry_in is None else dots[chain.carry_in]
    entry = Function(entering.nets, tuple(2 * value for value in entering.values))
    plain = [entry, *(slot_function(slot, dots) for slot in chain.slots)]
    for complemented in (False, True):
        functions = [one.complemented(2) if complemented else one for one in plain]
        if all(family.abilities.fits(one.values) for one in functions):
            return complemented, functions
    return None


def apart(function: Function) -> Function:
    """The same of nets of its own: a slot sees a net that it gets twice as one."""
    return Function(tuple(Const(0, 1) for _ in function.nets), function.values)


def slot_function(slot: Slot, functions: Mapping[int, Function]) -> Function:
    """What a slot adds, of the nets of its dots."""
    dots = list(dict.fromkeys(dot for digit, _ in slot.terms for dot in digit.dots))
    nets, tables = merged([functions[dot] for dot in dots])
    values = [
        slot_value(slot, {dot: table[i] for dot, table in zip(dots, tables, strict=True)})
        for i in indices(len(nets))
    ]
    return Function(nets, tuple(values))
