"""Counters whose columns of dots are compressed by LUTs of six inputs and the slots behind them."""

__all__ = ["compressed", "sites"]

import copy
import itertools
from collections.abc import Iterable, Iterator

from .columns import plan_columns
from .compress import RIPPLE, Compressor
from .structure import Chain, Count, Structure

LATE = (0, 1, 2, 99)  # how long groups of nets are put off, as ways to try


def compressed(
    kind: str, lanes: int, planes: int, addend: int | None, *, deep: bool
) -> Iterator[Structure]:
    """Structures for a counter, as `planner.plan_count` describes it.

    Two XNOR lanes and a bit are one LUT, so XNOR lanes ripple, which gives half as many nets of the
    next weight: few lanes at a time, or all of them (`deep`).
    """
    bits = (addend or 0).bit_length()
    places = [*(p for p in range(planes) for _ in range(lanes)), *range(bits)]
    dots = list(range(planes * lanes))
    spare = dots.pop(lanes - 1) if addend is not None and lanes > 1 else None
    most = sum(1 << places[dot] for dot in dots)
    start = Compressor(places, most.bit_length() - 1)
    for p in range(planes):
        mine = [dot for dot in dots if places[dot] == p]
        if kind == "xnor":
            length = len(mine) if deep else 2 * RIPPLE
            for k in range(0, len(mine), max(length, 1)):
                start.ripple(mine[k : k + length])
        else:
            for dot in mine:
                start.give(dot)
    nets, wide = tuple(map(len, start.nets)), tuple(map(len, start.wide))
    plans = [
        plan
        for loose in (False, True)[: 1 + (addend is not None)]
        for plan in plan_columns(nets, wide, most, loose=loose)
    ]
    for plan, late in itertools.product(plans, LATE):
        now = copy.deepcopy(start)
        if not all(now.column(place, column, late) for place, column in enumerate(plan)):
            continue
        for chain in now.open:
            now.close(chain)
        result = [*(now.nets[p] + now.wide[p] for p in range(now.top + 1))]
        number = [dot for (dot,) in result]
        if addend is not None:
            number = now.add(number, range(planes * lanes, len(places)), spare, most + addend)
        operations = _ordered(now.operations, dots if kind == "xnor" else [])
        yield Structure(tuple(now.places), planes * lanes, bits, operations, tuple(number))


def sites(plan: Structure, kind: str) -> int:
    """LUT sites of a structure, with a line for the chains of each depth.

    A net enters the first chain of a line for nothing, the last one's carry leaves by a slot.
    """
    wide = _wide(plan.operations) | set(range(plan.lanes if kind == "xnor" else 0))
    total = 0
    lines: dict[int, list[Chain]] = {}
    for one in plan.operations:
        if isinstance(one, Count):
            total += -(-(len(one.outputs) - len(one.wide)) // 2)
        else:
            total += len(one.slots) + 1
            lines.setdefault(one.depth, []).append(one)
    for chains in lines.values():
        total += all(chain.carry_in in wide for chain in chains)
        total -= any(chain.carry_out is None for chain in chains)
    return total


def _wide(operations: Iterable[Chain | Count]) -> set[int]:
    return {dot for one in operations if isinstance(one, Count) for dot in one.wide}


def _ordered(
    operations: Iterable[Chain | Count], lanes: Iterable[int]
) -> tuple[Chain | Count, ...]:
    """By depth; counts first, then chains, one that begins with a net first, one without a carry
    out last. `lanes` are dots that are no nets.
    """
    wide = _wide(operations) | set(lanes)

    def place(one: Chain | Count) -> tuple[int, bool, bool, bool]:
        if isinstance(one, Count):
            return one.depth, False, False, False
        return one.depth, True, one.carry_out is None, one.carry_in in wide

    return tuple(sorted(operations, key=place))
