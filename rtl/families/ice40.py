"""Lattice iCE40: a carry cell sees two pins of its LUT as they are, and no function of them."""

__all__ = ["Ice40"]

import functools
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from amaranth.hdl import Const, Module, Value

from ..counting.abilities import Abilities
from .cells import Cells, Function, Parameters, indices, lookup
from .family import Family, wire

SUM = 0xC33C  # I1 ^ I2 ^ I3
Pin = int | bool  # number of a net, or a constant


def _lut4(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    pins = [inputs[f"I{pin}"] for pin in range(4)]
    m.d.comb += outputs["O"].eq(lookup(parameters["LUT_INIT"], pins))


def _carry(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    a, b, carry = (inputs[pin] for pin in ("I0", "I1", "CI"))
    m.d.comb += outputs["CO"].eq(a & b | (a | b) & carry)


class Ice40(Family):
    """SB_LUT4 and SB_CARRY on its pins I1 and I2 are a slot that adds two nets.

    Lanes are no nets, so LUTs count them; a full adder of two XNOR lanes and a net x takes three:
    t = l1 ^ l2, s = t ^ x, carry = x where t, else l1.
    """

    name = "ice40"
    lut_inputs = 4
    fused_depth = 8
    ram_words = 256
    ram_width = 16
    luts_per_ram = 240  # hx8k: 7,680 and 32
    twins = MappingProxyType({"SB_LUT4": _lut4, "SB_CARRY": _carry})

    @functools.cached_property
    def abilities(self) -> Abilities:
        return Abilities(
            fits=lambda values: addends(values) is not None,
            counters={("bit", 2): 2, ("bit", 3): 2, ("bit", 4): 3, ("xnor", 2): 2},
            ripple={"xnor": 3, "bit": 2},
            ripple_depth=2,
        )

    def lut(self, cells: Cells, name: str, function: Function) -> Value:
        size = len(function.nets)
        init = sum(function.values[i & (1 << size) - 1] << i for i in indices(4))
        return self._place(cells, name, init, (*function.nets, *[Const(0, 1)] * (4 - size)))

    def _place(self, cells: Cells, name: str, init: int, pins: Sequence[Value]) -> Value:
        o = wire(f"{name}_o")
        inputs = {f"I{pin}": net for pin, net in enumerate(pins)}
        cells.place(name, "SB_LUT4", {"LUT_INIT": Const(init, 16)}, inputs, {"O": o})
        return o

    def count(self, cells: Cells, name: str, functions: Sequence[Function]) -> list[Value]:
        total, carry = functions[0], functions[-1]
        *nets, x = total.nets
        if len(nets) < self.lut_inputs:
            return super().count(cells, name, functions)
        t = self.lut(cells, f"{name}_t", Function(tuple(nets), total.values[:16]))
        contents: dict[int, int] = {}  # of lane 1, t and x
        for word, bit in enumerate(carry.values):
            address = word & 3 | total.values[word & 15] << 2 | word >> 4 << 3
            assert contents.setdefault(address, bit) == bit
        by = tuple(contents.get(address, 0) for address in indices(4))
        s = Function((t, x), (0, 1, 1, 0))
        return [
            self.lut(cells, f"{name}_0", s),
            self.lut(cells, f"{name}_1", Function((nets[0], nets[1], t, x), by)),
        ]

    def line(self, cells: Cells, name: str, slots: Sequence[Function]) -> list[Value]:
        carries = wire(f"{name}_c", len(slots))
        sums: list[Value] = []
        for k, function in enumerate(slots):
            pins = addends(function.values)
            assert pins is not None
            one, two = (
                Const(pin, 1) if isinstance(pin, bool) else function.nets[pin] for pin in pins
            )
            carry = carries[k - 1] if k else Const(0, 1)
            if one is two:
                # A boundary: the net is the carry out, and no cell is needed to say so. nextpnr
                # begins a line with a logic cell of its own; it loops in routing where a carry has
                # one net on both pins, for it may bring the two through the same wire.
                cells.m.d.comb += carries[k].eq(one)
                one = two = Const(0, 1)
            else:
                inputs = {"I0": one, "I1": two, "CI": carry}
                cells.place(f"{name}_{k}_carry", "SB_CARRY", {}, inputs, {"CO": carries[k]})
            sums.append(self._place(cells, f"{name}_{k}", SUM, (Const(0, 1), one, two, carry)))
        return sums


@functools.cache
def addends(values: tuple[int, ...]) -> tuple[Pin, Pin] | None:
    """The two nets or constants whose sum the values are; None if there are none."""
    size = len(values).bit_length() - 1
    choices: list[Pin] = [*range(size), False, True]
    for k, one in enumerate(choices):
        for two in choices[k:]:
            bits = [
                [int(pin) if isinstance(pin, bool) else word >> pin & 1 for pin in (one, two)]
                for word in indices(size)
            ]
            if [sum(pair) for pair in bits] == list(values):
                return one, two
    return None
