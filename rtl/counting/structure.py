"""What a counter of ones is made of, as integers: which dots meet in which carry slot or LUT.

A *dot* is one bit of some weight, known by its number. A structure says how the dots that come in
(lanes, and the bits of a partial sum) become the dots of their sum; how a device's cells do that is
for `families` to say. Vocabulary: notes in docs/popcount.md.
"""

__all__ = ["Chain", "Count", "Digit", "Slot", "Structure"]

import dataclasses
import functools
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Digit:
    """Binary digit `place` of the number of ones among `dots`; of one dot, the dot itself.

    Digits of several dots are no wires: a slot or a LUT computes them on the way.
    """

    dots: tuple[int, ...]
    place: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """One carry cell with the LUT before it: `sum + 2 * carry_out = value + carry_in`.

    The value is the sum of `digit * 2^shift` over the terms, and is 0, 1 or 2.
    """

    terms: tuple[tuple[Digit, int], ...]
    sum: int


@dataclasses.dataclass(frozen=True, slots=True)
class Chain:
    """Slots of rising weight; the carry goes from one to the next.

    Parameters
    ----------
    carry_in : dot, or None for 0
    slots : tuple of Slot
    carry_out : dot, or None where it is always 0
    depth : int
        Operations one after the other from the inputs to here, this one included.
    """

    carry_in: int | None
    slots: tuple[Slot, ...]
    carry_out: int | None
    depth: int

    @property
    def outputs(self) -> tuple[int, ...]:
        carry = () if self.carry_out is None else (self.carry_out,)
        return tuple(slot.sum for slot in self.slots) + carry

    @property
    def inputs(self) -> set[int]:
        digits = (digit for slot in self.slots for digit, _ in slot.terms)
        carry = set() if self.carry_in is None else {self.carry_in}
        return carry | {dot for digit in digits for dot in digit.dots}

    def renamed(self, names: Sequence[int], depth: int) -> "Chain":
        """The same chain of other dots: dot d is now `names[d]`."""

        def digit(old: Digit) -> Digit:
            return Digit(tuple(names[dot] for dot in old.dots), old.place)

        return Chain(
            None if self.carry_in is None else names[self.carry_in],
            tuple(
                Slot(tuple((digit(old), shift) for old, shift in slot.terms), names[slot.sum])
                for slot in self.slots
            ),
            None if self.carry_out is None else names[self.carry_out],
            depth,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """The sum of some dots, by LUTs alone: one output a digit.

    Parameters
    ----------
    dots : tuple of int
        Of one weight, or of that and higher ones; the first has the lowest.
    outputs : tuple of int
    depth : int
        As a chain's.
    wide : frozenset of int
        Outputs that get no LUT: what takes one depends on the dots itself.
    """

    dots: tuple[int, ...]
    outputs: tuple[int, ...]
    depth: int
    wide: frozenset[int] = frozenset()

    @property
    def inputs(self) -> set[int]:
        return set(self.dots)


@dataclasses.dataclass(frozen=True)
class Structure:
    """A plan for `sum over lanes of 2^place * lane, + addend`.

    Parameters
    ----------
    places : tuple of int
        Of every dot, the power of two that it weighs. Lanes come first, then the addend's bits.
    lanes : int
        Number of lanes.
    addend : int
        Bits of the addend; they have the places 0, 1, 2, ...
    operations : tuple of Chain or Count
        In an order in which each finds its inputs ready.
    result : tuple of int
        The sum's bits, lowest first, as dots.
    """

    places: tuple[int, ...]
    lanes: int
    addend: int
    operations: tuple[Chain | Count, ...]
    result: tuple[int, ...]

    @functools.cached_property
    def depth(self) -> int:
        return max((op.depth for op in self.operations), default=0)

    def stages(self, every: int) -> int:
        """Register stages with one after every so many operations; 0: one, at the end."""
        return max(1, -(-self.depth // every)) if every else 1

    def stage(self, depth: int, every: int) -> int:
        """The stage, from 0, that an operation of that depth is in."""
        return (depth - 1) // every if every else 0

    def evaluate(self, lanes: Sequence[int], addend: int = 0) -> int:
        """What the structure computes, digit by digit; to hold against the sum of the lanes."""
        values = dict(enumerate(lanes))
        values |= {self.lanes + i: addend >> i & 1 for i in range(self.addend)}
        for operation in self.operations:
            if isinstance(operation, Count):
                lowest = self.places[operation.dots[0]]
                total = sum(values[dot] << self.places[dot] - lowest for dot in operation.dots)
                values |= {dot: total >> i & 1 for i, dot in enumerate(operation.outputs)}
                assert total >> len(operation.outputs) == 0
                continue
            carry = 0 if operation.carry_in is None else values[operation.carry_in]
            for slot in operation.slots:
                value = slot_value(slot, values)
                assert value in (0, 1, 2)
                values[slot.sum] = value + carry & 1
                carry = value + carry >> 1
            if operation.carry_out is not None:
                values[operation.carry_out] = carry
            else:
                assert carry == 0
        return sum(values[dot] << i for i, dot in enumerate(self.result))


def slot_value(slot: Slot, values: Mapping[int, int]) -> int:
    """What a slot adds to its carry, of the values of its dots."""
    return sum(
        (sum(values[dot] for dot in digit.dots) >> digit.place & 1) << shift
        for digit, shift in slot.terms
    )
