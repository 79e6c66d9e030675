"""AMD 7-series: a carry slot has a LUT of six inputs before it, whose second output it can take."""

__all__ = ["Xilinx7"]

import functools
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from amaranth.hdl import Cat, Const, Module, Mux, Value

from ..counting.abilities import Abilities
from .cells import Cells, Function, Parameters, indices, lookup, merged
from .family import Family, wire

PINS = tuple(f"I{i}" for i in range(6))
SHARED = 5  # inputs that both outputs of a LUT6_2 depend on, with I5 tied to 1
SLOTS = 4  # of a CARRY4


def _lut(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    m.d.comb += outputs["O"].eq(lookup(parameters["INIT"], list(inputs.values())))


def _lut6_2(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    pins = [inputs[pin] for pin in PINS]
    m.d.comb += outputs["O6"].eq(lookup(parameters["INIT"], pins))
    m.d.comb += outputs["O5"].eq(lookup(parameters["INIT"], pins[:SHARED]))


def _mux(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    m.d.comb += outputs["O"].eq(Mux(inputs["S"], inputs["I1"], inputs["I0"]))


def _carry4(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    carry = inputs["CI"] | inputs["CYINIT"]
    for k in range(SLOTS):
        m.d.comb += outputs["O"][k].eq(inputs["S"][k] ^ carry)
        carry = Mux(inputs["S"][k], carry, inputs["DI"][k])
        m.d.comb += outputs["CO"][k].eq(carry)


class Xilinx7(Family):
    """Four slots are a CARRY4: S is the LUT's O6, DI its O5 or a net that comes past the LUT.

    O5 depends on five inputs. So a slot adds anything of five nets, and of six what has one of them
    as its carry wherever it does not pass the one before. The first slot of a line may be CYINIT.
    """

    name = "xilinx7"
    lut_inputs = 6
    fused_depth = 1  # two tables share a LUT, and an XNOR lane takes less than a LUT more
    wide_muxes = 2
    ram_words = 1024
    ram_width = 18
    luts_per_ram = 208  # XC7A35T: 20,800 and 100 halves of 18 kbit
    free_start = True
    twins = MappingProxyType(
        {
            **{f"LUT{size}": _lut for size in range(1, 7)},
            "LUT6_2": _lut6_2,
            "CARRY4": _carry4,
            "MUXF7": _mux,
            "MUXF8": _mux,
        }
    )

    @functools.cached_property
    def abilities(self) -> Abilities:
        return Abilities(fits=lambda values: carry_input(values) is not None, wide=True)

    def lut(self, cells: Cells, name: str, function: Function) -> Value:
        if not function.nets:
            return Const(function.values[0], 1)
        o = wire(f"{name}_o")
        size = len(function.nets)
        init = sum(value << i for i, value in enumerate(function.values))
        pins = dict(zip(PINS, function.nets, strict=False))
        cells.place(name, f"LUT{size}", {"INIT": Const(init, 1 << size)}, pins, {"O": o})
        return o

    def count(self, cells: Cells, name: str, functions: Sequence[Function]) -> list[Value]:
        """Two bits a LUT, where together they depend on at most five nets."""
        bits: list[Value] = []
        for k in range(0, len(functions), 2):
            pair = functions[k : k + 2]
            nets, tables = merged(pair)
            if len(pair) == 2 and len(nets) <= SHARED:
                bits += self.lut6_2(cells, f"{name}_{k}", nets, tables[0], tables[1])
            else:
                bits += [self.lut(cells, f"{name}_lut_{k + i}", one) for i, one in enumerate(pair)]
        return bits

    def lut6_2(
        self,
        cells: Cells,
        name: str,
        nets: Sequence[Value],
        o6: Sequence[int],
        o5: Sequence[int],
    ) -> tuple[Value, Value]:
        """Two bits of at most five nets."""
        outputs = {"O6": wire(f"{name}_o6"), "O5": wire(f"{name}_o5")}
        mask = (1 << len(nets)) - 1
        init = sum(o5[i & mask] << i | o6[i & mask] << 32 + i for i in indices(SHARED))
        one = Const(1, 1)
        pins = dict(zip(PINS, (*nets, *[one] * (len(PINS) - len(nets))), strict=True))
        cells.place(name, "LUT6_2", {"INIT": Const(init, 64)}, pins, outputs)
        return outputs["O6"], outputs["O5"]

    def roms(
        self, cells: Cells, name: str, address: Value, columns: Sequence[Sequence[int]]
    ) -> list[Value]:
        """Two columns of up to 32 words share a LUT."""
        bits: list[Value] = [Const(column[0], 1) for column in columns]
        varied = [i for i, column in enumerate(columns) if len(set(column)) > 1]
        if not varied or len(columns[0]) > 1 << SHARED:
            return super().roms(cells, name, address, columns)
        nets = tuple(address[i] for i in range((len(columns[0]) - 1).bit_length()))
        functions = [
            Function(nets, (*columns[i], *[0] * ((1 << len(nets)) - len(columns[i]))))
            for i in varied
        ]
        for i, bit in zip(varied, self.count(cells, name, functions), strict=True):
            bits[i] = bit
        return bits

    def table_luts(self, words: int) -> float:
        return 0.5 if words <= 1 << SHARED else super().table_luts(words)

    def wide_mux(
        self, cells: Cells, name: str, wide: int, choice: Value, tables: tuple[Value, Value]
    ) -> Value:
        o = wire(f"{name}_o")
        inputs = {"I0": tables[0], "I1": tables[1], "S": choice}
        cells.place(name, ("MUXF7", "MUXF8")[wide], {}, inputs, {"O": o})
        return o

    def line(self, cells: Cells, name: str, slots: Sequence[Function]) -> list[Value]:
        start: Value = Const(0, 1)
        entering = slots[0].values in ((0,), (0, 2))
        if entering and slots[0].nets:
            start = slots[0].nets[0]
        rest = slots[entering:]
        sums = wire(f"{name}_o", len(rest))
        carry: Value = Const(0, 1)
        for k in range(0, len(rest), SLOTS):
            used = rest[k : k + SLOTS]
            pairs = [self.slot(cells, f"{name}_lut_{k + i}", one) for i, one in enumerate(used)]
            spare = [Const(0, 1)] * (SLOTS - len(used))
            out = wire(f"{name}_{k}_o", SLOTS)
            carries = wire(f"{name}_{k}_c", SLOTS)
            inputs = {
                "CI": carry,
                "CYINIT": Const(0, 1) if k else start,
                "S": Cat(*(s for s, _ in pairs), *spare),
                "DI": Cat(*(di for _, di in pairs), *spare),
            }
            cells.place(f"{name}_{k // SLOTS}", "CARRY4", {}, inputs, {"O": out, "CO": carries})
            cells.m.d.comb += sums[k : k + len(used)].eq(out[: len(used)])
            carry = carries[SLOTS - 1]
        return [*[Const(0, 1)] * entering, *(sums[k] for k in range(len(rest)))]

    def slot(self, cells: Cells, name: str, function: Function) -> tuple[Value, Value]:
        """S and DI of a slot that adds the function."""
        values = function.values
        passes = tuple(int(value == 1) for value in values)
        gives = tuple(value >> 1 for value in values)
        choice = carry_input(values)
        assert choice is not None
        if isinstance(choice, str):
            return self.lut6_2(cells, name, function.nets, passes, gives)
        di = choice if isinstance(choice, Const) else function.nets[choice]
        if not any(passes):
            return Const(0, 1), di
        return self.lut(cells, name, Function(function.nets, passes)), di


@functools.cache
def carry_input(values: tuple[int, ...]) -> int | Const | str | None:
    """What DI is in a slot that adds these values: net i, a constant, or "O5"; None if it cannot.

    It matters only where the slot does not pass on the carry that it gets, that is, adds 0 or 2.
    """
    size = len(values).bit_length() - 1
    if size > len(PINS):
        return None
    cares = [(i, value >> 1) for i, value in enumerate(values) if value != 1]
    for constant in (0, 1):
        if all(carry == constant for _, carry in cares):
            return Const(constant, 1)
    for net in range(size):
        if all(carry == i >> net & 1 for i, carry in cares):
            return net
    return "O5" if size <= SHARED else None
