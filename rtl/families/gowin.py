"""Gowin: a carry slot is the ALU primitive, in the modes that add."""

__all__ = ["Gowin"]

import functools
import itertools
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from amaranth.hdl import Const, Module, Mux, Value

from ..counting.abilities import Abilities
from .cells import Cells, Function, Parameters, Twin, lookup
from .family import Family, wire

ADD, SUB, ADDSUB = 0, 1, 2  # ALU_MODE: I0 + I1; I0 + ~I1; the one where I3, else the other
Pin = int | bool  # number of a net, or a constant


def _lut(size: int) -> Twin:
    def twin(
        m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
    ) -> None:
        pins = [inputs[f"I{pin}"] for pin in range(size)]
        m.d.comb += outputs["F"].eq(lookup(parameters["INIT"], pins))

    return twin


def _mux2(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    m.d.comb += outputs["O"].eq(Mux(inputs["S0"], inputs["I1"], inputs["I0"]))


def _alu(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    mode = parameters["ALU_MODE"]
    assert isinstance(mode, Const)
    plain = {ADD: Const(1, 1), SUB: Const(0, 1), ADDSUB: inputs["I3"]}[mode.value]
    propagate = inputs["I0"] ^ inputs["I1"] ^ ~plain
    m.d.comb += outputs["SUM"].eq(propagate ^ inputs["CIN"])
    m.d.comb += outputs["COUT"].eq(Mux(propagate, inputs["CIN"], inputs["I0"]))


class Gowin(Family):
    """ALU is a slot that adds a net, plain, and the XNOR of two nets, or one net of any polarity.

    A carry enters as one net, plain: I0 = I1 in mode ADD. The ALU's LUT could do what ECP5's does
    (Apicula's alu.md), but nextpnr ties its pin C.
    """

    name = "gowin"
    lut_inputs = 4
    fused_depth = 8
    wide_muxes = 4
    ram_words = 1024
    ram_width = 18
    luts_per_ram = 450  # GW2A-18: 20,736 and 46
    twins = MappingProxyType(
        {"ALU": _alu}
        | {f"LUT{size}": _lut(size) for size in range(1, 5)}
        | {f"MUX2_LUT{size}": _mux2 for size in range(5, 9)}
    )

    @functools.cached_property
    def abilities(self) -> Abilities:
        return Abilities(
            fits=lambda values: alu(values) is not None,
            counters={("bit", 3): 2, ("bit", 4): 3, ("xnor", 2): 2},
        )

    def lut(self, cells: Cells, name: str, function: Function) -> Value:
        f = wire(f"{name}_f")
        size = len(function.nets)
        init = sum(bit << i for i, bit in enumerate(function.values))
        pins = {f"I{pin}": net for pin, net in enumerate(function.nets)}
        cells.place(name, f"LUT{size}", {"INIT": Const(init, 1 << size)}, pins, {"F": f})
        return f

    def wide_mux(
        self, cells: Cells, name: str, wide: int, choice: Value, tables: tuple[Value, Value]
    ) -> Value:
        o = wire(f"{name}_o")
        pins = {"I0": tables[0], "I1": tables[1], "S0": choice}
        cells.place(name, f"MUX2_LUT{5 + wide}", {}, pins, {"O": o})
        return o

    def line(self, cells: Cells, name: str, slots: Sequence[Function]) -> list[Value]:
        sums, carries = wire(f"{name}_s", len(slots)), wire(f"{name}_c", len(slots))
        for k, function in enumerate(slots):
            placed = alu(function.values)
            assert placed is not None
            mode, pins = placed
            inputs: dict[str, Value] = {"CIN": carries[k - 1] if k else Const(0, 1)}
            inputs |= {
                port: Const(pin, 1) if isinstance(pin, bool) else function.nets[pin]
                for port, pin in zip(("I0", "I1", "I3"), pins, strict=True)
            }
            outputs: dict[str, Value] = {"SUM": sums[k], "COUT": carries[k]}
            cells.place(f"{name}_{k}", "ALU", {"ALU_MODE": Const(mode, 32)}, inputs, outputs)
        return [sums[k] for k in range(len(slots))]


@functools.cache
def alu(values: tuple[int, ...]) -> tuple[int, tuple[Pin, Pin, Pin]] | None:
    """A mode, and what I0, I1 and I3 are; None if no slot adds these values."""
    size = len(values).bit_length() - 1
    if size > 3:
        return None
    choices: list[Pin] = [*range(size), False, True]
    for i0, i1, i3 in itertools.product(choices, repeat=3):
        mode = ADD if i3 is True else ADDSUB
        if all(_adds(value, word, i0, i1, i3) for word, value in enumerate(values)):
            return mode, (i0, i1, i3)
    return None


def _adds(value: int, word: int, *pins: Pin) -> bool:
    i0, i1, i3 = (int(pin) if isinstance(pin, bool) else word >> pin & 1 for pin in pins)
    return value == i0 + (i1 if i3 else 1 - i1)
