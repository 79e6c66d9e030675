"""Lattice's carry cell: two slots, each a LUT4 whose lowest contents make the carry too."""

__all__ = ["PINS", "Lattice", "carry_init", "carry_slots"]

import abc
import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import ClassVar

from amaranth.hdl import Const, Module, Mux, Value

from ..counting.abilities import Abilities
from .cells import Cells, Function, Parameter, indices, lookup
from .family import Family, wire

PINS = "ABCD"
IDLE = Function((), (0,))


class Lattice(Family):
    """P = LUT4(A, B, C, D); G = the same contents where the pins that it does not see are 0.

    Members
    -------
    carry_cell : str
    carry_parameters : dict
        Besides the contents.
    tapped : int
        Pins that G sees, from A on.
    """

    carry_cell: ClassVar[str]
    carry_parameters: ClassVar[Mapping[str, Parameter]]
    tapped: ClassVar[int]
    lut_inputs = 4
    fused_depth = 8

    @staticmethod
    @abc.abstractmethod
    def contents(init: int) -> Parameter:
        """A LUT's contents, as its cells take them."""

    @functools.cached_property
    def abilities(self) -> Abilities:
        return Abilities(
            fits=lambda values: carry_init(values, self.tapped) is not None,
            fused=(2, 3),
            counters={("bit", 3): 2, ("bit", 4): 3, ("xnor", 2): 2},
        )

    def lut(self, cells: Cells, name: str, function: Function) -> Value:
        z = wire(f"{name}_z")
        pins, init = lut4(function)
        inputs = dict(zip(PINS, pins, strict=True))
        cells.place(name, "LUT4", {"INIT": self.contents(init)}, inputs, {"Z": z})
        return z

    def line(self, cells: Cells, name: str, slots: Sequence[Function]) -> list[Value]:
        padded = [*slots, *[IDLE] * (len(slots) % 2)]
        sums = wire(f"{name}_s", len(padded))
        carries = wire(f"{name}_c", len(padded) // 2)
        for k in range(len(padded) // 2):
            parameters = dict(self.carry_parameters)
            inputs: dict[str, Value] = {"CIN": carries[k - 1] if k else Const(0, 1)}
            outputs: dict[str, Value] = {"COUT": carries[k]}
            for half in range(2):
                function = padded[2 * k + half]
                placed = carry_init(function.values, self.tapped)
                assert placed is not None
                pins, init = placed
                parameters[f"INIT{half}"] = self.contents(init)
                inputs |= {
                    f"{pin}{half}": Const(1, 1) if net is None else function.nets[net]
                    for pin, net in zip(PINS, pins, strict=True)
                }
                outputs[f"S{half}"] = sums[2 * k + half]
            cells.place(f"{name}_{k}", self.carry_cell, parameters, inputs, outputs)
        return [sums[k] for k in range(len(slots))]


def lut4(function: Function) -> tuple[tuple[Value, ...], int]:
    """A LUT4's pins, those left over at 0, and its contents."""
    size = len(function.nets)
    init = sum(function.values[i & (1 << size) - 1] << i for i in indices(4))
    return (*function.nets, *[Const(0, 1)] * (4 - size)), init


def carry_slots(
    m: Module,
    contents: Sequence[Parameter],
    tapped: int,
    inputs: Mapping[str, Value],
    outputs: Mapping[str, Value],
) -> None:
    """The carry cell's behaviour; `contents` are those of slot 0 and slot 1."""
    carry = inputs["CIN"]
    for half in range(2):
        pins = [inputs[f"{pin}{half}"] for pin in PINS]
        propagate = lookup(contents[half], pins)
        generate = lookup(contents[half], pins[:tapped])
        m.d.comb += outputs[f"S{half}"].eq(propagate ^ carry)
        carry = Mux(propagate, carry, generate)
    m.d.comb += outputs["COUT"].eq(carry)


@functools.cache
def carry_init(values: tuple[int, ...], tapped: int) -> tuple[tuple[int | None, ...], int] | None:
    """Which net goes to which of A, B, C, D (None: constant 1), and the slot's INIT.

    None if no slot adds these values.
    """
    size = len(values).bit_length() - 1
    if size > len(PINS):
        return None
    for order in itertools.permutations(range(size)):
        pins = (*order, *[None] * (len(PINS) - size))
        if (init := _init(values, pins, tapped)) is not None:
            return pins, init
    return None


def _init(values: tuple[int, ...], pins: tuple[int | None, ...], tapped: int) -> int | None:
    """The contents with which a slot adds the values; None if P and G want different ones."""
    contents: dict[int, int] = {}
    for word, value in enumerate(values):
        address = sum((1 if net is None else word >> net & 1) << i for i, net in enumerate(pins))
        if contents.setdefault(address, value & 1) != value & 1:
            return None
    for word, value in enumerate(values):
        if value == 1:
            continue  # the carry goes through: G does not matter
        generate = sum(
            (1 if n is None else word >> n & 1) << i for i, n in enumerate(pins[:tapped])
        )
        if contents.setdefault(generate, value >> 1) != value >> 1:
            return None
    return sum(bit << address for address, bit in contents.items())
