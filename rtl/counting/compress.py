"""Brings columns of dots down to one dot a weight, by the moves that `columns` chose.

Each move takes the dots that were ready first, so that the depth grows with the logarithm of the
lanes; a chain goes on into a column only with dots that were there before the chain.
"""

__all__ = ["RIPPLE", "Compressor"]

import bisect
import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from .columns import GROUPS, Column, Group
from .structure import Chain, Count, Digit, Slot

RIPPLE = 4  # steps of a ripple that count as one operation deep


@dataclasses.dataclass
class _Open:
    """A chain that may still go on."""

    carry_in: int
    place: int
    depth: int
    slots: list[Slot]


# A move that could be made: when it would be ready, what, on which chain or with what as its carry.
_Option = tuple[float, Group | str, _Open | None, str]


class Compressor:
    """Dots by weight, and the operations that bring them down.

    Parameters
    ----------
    places : list of int
        Weights of the dots that come in, as powers of two.
    top : int
        The result's highest weight.

    Members
    -------
    places, depths : list of int
        Of every dot. The depth of a wide dot is that of the nets that it depends on.
    nets, wide : list of list of int
        By weight and then depth: dots that are nets, and bits that depend on several.
    operations : list of Chain or Count
    """

    def __init__(self, places: Sequence[int], top: int) -> None:
        self.places = list(places)
        self.depths = [0] * len(places)
        self.top = top
        # A group's digits may lie above the top: they are 0.
        self.nets: list[list[int]] = [[] for _ in range(top + 4)]
        self.wide: list[list[int]] = [[] for _ in range(top + 4)]
        self.pairs: list[list[tuple[int, int]]] = [[] for _ in range(top + 4)]
        self.open: list[_Open] = []
        self.operations: list[Chain | Count] = []

    def dot(self, place: int, depth: int) -> int:
        self.places.append(place)
        self.depths.append(depth)
        return len(self.places) - 1

    def give(self, dot: int, *, wide: bool = False) -> None:
        """A dot for any move to take."""
        dots = (self.wide if wide else self.nets)[self.places[dot]]
        bisect.insort(dots, dot, key=self.depths.__getitem__)

    def ready(self, dots: Iterable[int]) -> int:
        return max((self.depths[dot] for dot in dots), default=0)

    def count(self, dots: Sequence[int], digits: str, *, depth: int = 0) -> list[int]:
        """A count of nets, each digit a net, a wide dot or, the upper two, a pair."""
        ready = self.ready(dots)
        depth = depth or ready + 1
        place = self.places[dots[0]]
        kinds = digits.replace("P", "PP")
        outputs = [
            self.dot(place + i, depth if kind == "N" else ready) for i, kind in enumerate(kinds)
        ]
        wide = frozenset(dot for dot, kind in zip(outputs, kinds, strict=True) if kind != "N")
        self.operations.append(Count(tuple(dots), tuple(outputs), depth, wide))
        for dot, kind in zip(outputs, kinds, strict=True):
            if kind != "P":
                self.give(dot, wide=kind == "W")
        if "P" in kinds:
            self.pairs[place + 1].append((outputs[-2], outputs[-1]))
        return outputs

    def ripple(self, lanes: Sequence[int]) -> None:
        """Count lanes two by two, each LUT with the sum of those before; one left is a wide dot."""
        if len(lanes) % 2:
            self.give(lanes[-1], wide=True)
        total: list[int] = []
        for k in range(0, len(lanes) - 1, 2):
            depth = self.ready([*lanes[k : k + 2], *total]) + (k // 2 % RIPPLE == 0)
            for dot in total:
                self.nets[self.places[dot]].remove(dot)
            total = self.count([*lanes[k : k + 2], *total], "NN", depth=depth)[:1]

    def add(
        self, number: Sequence[int], addend: Sequence[int], spare: int | None, most: int
    ) -> list[int]:
        """An adder of a number, the addend and a dot; `most` is the largest sum without the dot."""
        depth = self.ready(number) + 1
        slots = max(len(number), len(addend))
        sums = [self.dot(place, depth) for place in range(slots)]
        terms = [[Digit((dot,)) for dot in pair if dot is not None]
                 for pair in itertools.zip_longest(number, addend)]  # fmt: skip
        chain = [
            Slot(tuple((digit, 0) for digit in digits), total)
            for digits, total in zip(terms, sums, strict=True)
        ]
        out = self.dot(slots, depth) if most + (spare is not None) >> slots else None
        self.operations.append(Chain(spare, tuple(chain), out, depth))
        return [*sums, *([] if out is None else [out])]

    def make(self, place: int) -> None:
        """A wide dot gets a LUT after all."""
        dot = self.wide[place].pop(0)
        for i, operation in enumerate(self.operations):
            if isinstance(operation, Count) and dot in operation.wide:
                self.operations[i] = dataclasses.replace(operation, wide=operation.wide - {dot})
                self.depths[dot] = operation.depth
                self.give(dot)
                return
        made = self.dot(place, self.depths[dot] + 1)
        self.operations.append(Count((dot,), (made,), self.depths[made]))
        self.give(made)

    def close(self, chain: _Open) -> int:
        """End a chain; its carry becomes a net, or is known to be 0 above the top weight."""
        place = chain.place + len(chain.slots)
        out = None
        if place <= self.top:
            out = self.dot(place, chain.depth)
            self.give(out)
        self.operations.append(Chain(chain.carry_in, tuple(chain.slots), out, chain.depth))
        return -1 if out is None else out

    def column(self, place: int, plan: Column, late: float) -> bool:
        """Make a column's moves; False where no order of them is found.

        What is ready first comes first, groups as if they were ready `late` operations later.
        """
        self.open.sort(key=lambda chain: chain.depth)
        ending = len(self.open) + plan.wide_starts + plan.net_starts - plan.slots
        for chain in self.open[:ending]:
            self.close(chain)
        waiting, going = self.open[ending:], []
        groups = Counter(dict(zip(GROUPS, plan.groups, strict=True)))
        slots = Counter(P=plan.pairs, NW=plan.both, W=plan.wide, NN=plan.two, N=plan.one)
        starts = Counter(W=plan.wide_starts, N=plan.net_starts)
        made = plan.made
        while groups.total() or slots.total() or made:
            best = min(
                [
                    *self.group_options(place, +groups, late),
                    *self.slot_options(place, waiting, +slots, +starts),
                ],
                key=lambda option: option[0],
                default=None,
            )
            if best is None:
                if not made or not self.wide[place]:
                    return False
                self.make(place)
                made -= 1
                continue
            _, move, old, entry = best
            if isinstance(move, Group):
                dots = [self.nets[place].pop(0) for _ in range(move.dots)]
                dots += [self.nets[place + 1].pop(0) for _ in range(move.upper)]
                self.count(dots, move.digits)
                groups[move] -= 1
                continue
            slots[move] -= 1
            if entry:
                starts[entry] -= 1
                first = self.take(place, entry)[0]
                taken = self.take(place, move)
                chain = _Open(first, place, self.ready([first, *taken]) + 1, [])
            else:
                assert old
                taken = self.take(place, move)
                waiting.remove(old)
                chain = old
                if self.ready(taken) >= old.depth:  # too late for this chain: it ends, one begins
                    carry = self.close(old)
                    self.nets[place].remove(carry)
                    chain = _Open(carry, place, self.ready([carry, *taken]) + 1, [])
            going.append(chain)
            total = self.dot(place, chain.depth)
            terms = [(Digit((dot,)), self.places[dot] - place) for dot in taken]
            chain.slots.append(Slot(tuple(terms), total))
            self.give(total)
        self.open = going
        return len(self.nets[place]) + len(self.wide[place]) == 1

    def group_options(self, place: int, groups: Counter[Group], late: float) -> Iterator[_Option]:
        nets, above = self.nets[place], self.nets[place + 1]
        for group in groups:
            if len(nets) >= group.dots and len(above) >= group.upper:
                ready = self.ready(nets[: group.dots] + above[: group.upper])
                yield ready + late, group, None, ""

    def slot_options(
        self, place: int, waiting: list[_Open], slots: Counter[str], starts: Counter[str]
    ) -> Iterator[_Option]:
        for kind in slots:
            if (operands := self.operands(place, kind)) is not None:
                ready = self.ready(operands)
                later = [chain for chain in waiting if chain.depth > ready]
                if later:
                    yield later[0].depth, kind, later[0], ""
                elif waiting:
                    yield ready + 1.5, kind, waiting[-1], ""
            for entry in starts:
                if (operands := self.operands(place, kind + entry)) is not None:
                    yield self.ready(operands) + 1, kind, None, entry

    def operands(self, place: int, kinds: str) -> list[int] | None:
        """The first dots of some kinds, left where they are; None if there are not enough."""
        nets, wide, pairs = kinds.count("N"), kinds.count("W"), kinds.count("P")
        have = self.nets[place], self.wide[place], self.pairs[place]
        if len(have[0]) < nets or len(have[1]) < wide or len(have[2]) < pairs:
            return None
        return [
            *have[0][:nets],
            *have[1][:wide],
            *(dot for pair in have[2][:pairs] for dot in pair),
        ]

    def take(self, place: int, kinds: str) -> list[int]:
        """`operands`, taken away."""
        taken: list[int] = []
        for kind in kinds:
            if kind == "P":
                taken += self.pairs[place].pop(0)
            else:
                taken.append((self.nets if kind == "N" else self.wide)[place].pop(0))
        return taken
