"""How many of which moves bring columns of dots down to one dot a weight, at the fewest LUT sites.

For cells whose carry slot has a LUT of six inputs before it (7-series). A column holds dots of one
weight: *nets*, and *wide* dots, bits that depend on up to five nets and that no LUT has made. Five
nets of one weight are counted as three digits, each a net (a LUT6_2 gives two of them) or wide. A
slot takes a net and a wide dot beside its carry for the price of the net alone, and the two upper
digits of one count (a *pair*, 0 to 2) go into one slot. So the digits cost nothing: two dots less
a slot instead of one.

The search goes through the columns from the lowest, and through a column's moves one kind after
the other, keeping the best few states by cost plus what their dots will cost. `compress` makes the
moves with dots.
"""

__all__ = ["Column", "Group", "plan_columns"]

import dataclasses
import functools
import itertools
import operator
from collections.abc import Iterable, Iterator

WIDTH = 150, 9000  # states kept after each kind of move: at most, and times the dots
PLANS = 8  # plans given, the best first


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """A count of some nets of one weight, and of a few of the next.

    Parameters
    ----------
    dots, upper : int
        Nets of the weight, and of the next one.
    digits : str
        Per digit N, a net, or W, a wide dot; P stands for the two upper digits as a pair.
    """

    dots: int
    upper: int
    digits: str

    @property
    def sites(self) -> int:
        return -(-self.digits.count("N") // 2)


GROUPS = (
    *(Group(5, 0, digits) for digits in ("NNW", "NWN", "WNN", "WWW")),
    *(Group(4, 1, digits) for digits in ("NNW", "WNN", "WWW")),
    Group(3, 0, "NN"),
    Group(2, 0, "NN"),
    Group(5, 0, "WP"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """The moves of one column.

    Parameters
    ----------
    groups : tuple of int
        How many of each of `GROUPS`.
    left : int
        Wide dots left as they are, instead of the net that a column ends as: 0 or 1.
    made : int
        Wide dots that a LUT makes nets.
    wide_starts, net_starts : int
        Chains that begin here, by what enters them.
    pairs, both, wide, two, one : int
        Slots by what they take: a pair, a net and a wide dot, a wide dot, two nets, a net.
    """

    groups: tuple[int, ...]
    left: int
    made: int
    wide_starts: int
    net_starts: int
    pairs: int
    both: int
    wide: int
    two: int
    one: int

    @property
    def slots(self) -> int:
        return self.pairs + self.both + self.wide + self.two + self.one

    @property
    def sites(self) -> int:
        """LUT sites without the groups: each chain has a slot too in which its carry enters."""
        return self.made + self.wide_starts + self.net_starts + self.slots


# Nets and wide dots of this column and the next two, pairs of this and the next, carries in.
_State = tuple[int, int, int, int, int, int, int, int, int]
_Path = tuple[int, tuple[int, ...], tuple[Column, ...]]  # LUT sites, groups here, columns done


@functools.lru_cache(256)
def plan_columns(
    nets: tuple[int, ...], wide: tuple[int, ...], most: int, *, loose: bool
) -> list[list[Column]]:
    """Plans for columns of dots, the best first; what a bounded search found, not optima.

    Parameters
    ----------
    nets, wide : tuple of int
        Dots of each weight, from 2^0.
    most : int
        The largest sum, which says how many bits the result has.
    loose : bool
        Whether the result's bits may be wide dots.
    """
    weights = most.bit_length()
    width = min(WIDTH[0], WIDTH[1] // (sum(nets) + sum(wide)))
    nets, wide = ((*dots, *[0] * (weights + 3))[: weights + 3] for dots in (nets, wide))
    states: dict[_State, _Path] = {(*nets[:3], *wide[:3], 0, 0, 0): (0, (), ())}  # type: ignore[dict-item]
    for weight in range(weights):
        left = weights - 1 - weight
        for group in GROUPS[:-1]:
            states = _best(_grouped(states, group), left, width)
        after: dict[_State, _Path] = {}
        for state, (sites, groups, columns) in _grouped(states, GROUPS[-1]):
            for column in _closed(state, groups, loose):
                _, n1, n2, _, w1, w2, _, p1, _ = state
                new = (n1, n2, nets[weight + 3], w1, w2, wide[weight + 3], p1, 0, column.slots)
                cost = sites + column.sites
                if new not in after or cost < after[new][0]:
                    after[new] = cost, (), (*columns, column)
        states = _best(after.items(), left - 1, width)
    return [list(columns) for _, _, columns in sorted(states.values(), key=lambda p: p[0])[:PLANS]]


def _grouped(states: dict[_State, _Path], group: Group) -> Iterator[tuple[_State, _Path]]:
    """Each state with any number of a group, of which some dots may come from slots."""
    change = [0] * 9
    change[0] -= group.dots
    change[1] -= group.upper
    for place, digit in enumerate(group.digits):
        change["NWP".index(digit) * 3 + place] += 1
    for state, (sites, groups, columns) in states.items():
        most = max(0, state[0] + state[3] + state[8]) // (group.dots - group.digits.startswith("N"))
        if group.upper:
            most = min(most, state[1] // group.upper)
        for times in range(most + 1):
            now = tuple(a + times * b for a, b in zip(state, change, strict=True))
            yield now, (sites + times * group.sites, (*groups, times), columns)  # type: ignore[misc]


def _closed(state: _State, groups: tuple[int, ...], loose: bool) -> Iterator[Column]:
    """The ways to bring a column to one dot, once its groups are chosen.

    Every slot gives a net and a carry, every carry that no slot takes becomes a net. So with c
    carries in, the dots at the end are nets + left + made + c + wide_starts - 2 two - both - one.
    """
    nets, _, _, all_wide, _, _, pairs, _, carries = state
    # A column that ends without a net has a last move that takes nets and gives none.
    drained = any(n and g.digits[0] == "W" for n, g in zip(groups, GROUPS, strict=True))
    some = range(min(all_wide, 1) + 1)
    for left, made, wide, one in itertools.product(some[: 1 + loose], some, (0, 1), (0, 1)):
        free = all_wide - left - made - wide
        for wide_starts in range(free + 1):
            both = free - wide_starts
            over = nets + left + made + carries + wide_starts - both - one - 1
            if over < 0 or over % 2:
                continue
            slots = pairs + both + wide + over // 2 + one
            if left and not drained and (any(groups) or slots or carries):
                continue
            net_starts = max(0, slots - carries - wide_starts)
            if wide_starts + net_starts <= slots:
                yield Column(
                    groups, left, made, wide_starts, net_starts, pairs, both, wide, over // 2, one
                )


def _best(found: Iterable[tuple[_State, _Path]], left: int, width: int) -> dict[_State, _Path]:
    """The few best states, by LUT sites so far and the price of their dots."""
    cheapest: dict[_State, _Path] = {}
    for state, path in found:
        if state not in cheapest or path[0] < cheapest[state][0]:
            cheapest[state] = path
    prices = _prices(left)
    ranked = sorted(
        cheapest.items(),
        key=lambda item: item[1][0] + sum(map(operator.mul, prices, item[0])),
    )
    return dict(ranked[:width])


@functools.cache
def _prices(left: int) -> tuple[float, ...]:
    """What a dot of each kind will cost, `left` weights being above its own.

    The dual values of the linear program that has the moves as its variables: by them no move
    gains, and the moves of a good plan lose nothing.
    """
    fades = [2.0 ** (1 - max(left - k, 0)) for k in range(3)]
    net, wide = [0.5 - fade for fade in fades], [1 - fade for fade in fades]
    pairs = [1.5 - 2 * fade for fade in fades[:2]]
    return (*net, *wide, *pairs, net[0])
