"""Lattice Nexus: a carry slot's G sees A, B and C."""

__all__ = ["Nexus"]

from collections.abc import Mapping
from types import MappingProxyType

from amaranth.hdl import Const, Module, Value

from .cells import Parameter, Parameters, lookup
from .lattice import PINS, Lattice, carry_slots


def _bits(contents: Parameter) -> Const:
    assert isinstance(contents, str)
    return Const(int(contents, 16), 16)


def _lut4(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    pins = [inputs[pin] for pin in PINS]
    m.d.comb += outputs["Z"].eq(lookup(_bits(parameters["INIT"]), pins))


def _ccu2(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    inits = [_bits(parameters["INIT0"]), _bits(parameters["INIT1"])]
    carry_slots(m, inits, Nexus.tapped, inputs, outputs)


class Nexus(Lattice):
    """CCU2 is two slots: P = LUT4(A, B, C, D), G = the same contents at D = 0.

    With three nets D is 1, and G is any function of them: a lane and a net fit, and a lane enters
    through a boundary slot. With four, G is tied to P: two lanes do not fit, in neither domain
    (at D = 0, P = 0 forces G = 0), but any function of three bits and one more bit do.
    """

    name = "nexus"
    carry_cell = "CCU2"
    carry_parameters = MappingProxyType({"INJECT": "NO"})
    tapped = 3
    ram_words = 1024
    ram_width = 18
    luts_per_ram = 384  # LIFCL-40: 32,256 and 84
    twins = MappingProxyType({"CCU2": _ccu2, "LUT4": _lut4})

    @staticmethod
    def contents(init: int) -> Parameter:
        return f"0x{init:04X}"
