"""Lattice ECP5: a carry slot is a LUT4 whose lowest four contents make the carry too."""

__all__ = ["Ecp5"]

import functools
import itertools
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value
from amaranth.lib import memory

from ..planner import Abilities
from .cells import Cells, Function, Parameter, Parameters, indices, lookup
from .family import Family, wire

PINS = "ABCD"


def _lut4(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    m.d.comb += outputs["Z"].eq(lookup(parameters["INIT"], [inputs[pin] for pin in PINS]))


def _pfumx(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    m.d.comb += outputs["Z"].eq(Mux(inputs["C0"], inputs["ALUT"], inputs["BLUT"]))


def _l6mux21(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    m.d.comb += outputs["Z"].eq(Mux(inputs["SD"], inputs["D1"], inputs["D0"]))


def _ccu2c(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    carry = inputs["CIN"]
    for half in range(2):
        pins = [inputs[f"{pin}{half}"] for pin in PINS]
        contents = parameters[f"INIT{half}"]
        propagate, generate = lookup(contents, pins), lookup(contents, pins[:2])
        m.d.comb += outputs[f"S{half}"].eq(propagate ^ carry)
        carry = Mux(propagate, carry, generate)
    m.d.comb += outputs["COUT"].eq(carry)


def _dp16kd(
    m: Module, parameters: Parameters, inputs: Mapping[str, Value], outputs: Mapping[str, Value]
) -> None:
    """Words of 18 bits, read only, with the output registers: the one use that is made of it."""
    words = []
    for row in range(64):
        contents = parameters[f"INITVAL_{row:02X}"]
        assert isinstance(contents, Const)
        words += [contents.value >> 20 * k & 0x3FFFF for k in range(16)]
    for port in "AB":
        table: memory.Memory = memory.Memory(shape=18, depth=len(words), init=words)
        m.submodules += table
        reader = table.read_port()
        m.d.comb += reader.addr.eq(Cat(inputs[f"AD{port}{k}"] for k in range(4, 14)))
        q = Signal(18, reset_less=True)
        m.d.sync += q.eq(reader.data)
        m.d.comb += Cat(outputs[f"DO{port}{k}"] for k in range(18)).eq(q)


class Ecp5(Family):
    """CCU2C is two slots: P = LUT4(A, B, C, D), G = the same contents at C = D = 0.

    So where all four pins are in use, G is tied to P: two XNOR lanes fit only because the adder may
    work on complements (P = A^B^C^D is the same, and G = A^B the complement of a lane). Where one
    of C and D is left, it is 1, and G is any function of A and B.
    """

    name = "ecp5"
    lut_inputs = 4
    fused_depth = 8
    wide_muxes = 3
    own_ram = True
    ram_words = 1024
    ram_width = 18
    luts_per_ram = 402  # LFE5U-85F: 83,640 and 208
    lut_ram_words = 16
    lut_ram_luts = 6
    twins = MappingProxyType(
        {"CCU2C": _ccu2c, "LUT4": _lut4, "PFUMX": _pfumx, "L6MUX21": _l6mux21, "DP16KD": _dp16kd}
    )

    @functools.cached_property
    def abilities(self) -> Abilities:
        return Abilities(
            fits=lambda values: carry_init(values) is not None,
            fused=(2, 3),
            counters={("bit", 3): 2, ("bit", 4): 3, ("xnor", 2): 2},
        )

    def lut(self, cells: Cells, name: str, function: Function) -> Value:
        z = wire(f"{name}_z")
        size = len(function.nets)
        init = sum(function.values[i & (1 << size) - 1] << i for i in indices(4))
        pins = dict(zip(PINS, (*function.nets, *[Const(0, 1)] * (4 - size)), strict=True))
        cells.place(name, "LUT4", {"INIT": Const(init, 16)}, pins, {"Z": z})
        return z

    def wide_mux(
        self, cells: Cells, name: str, wide: int, choice: Value, tables: tuple[Value, Value]
    ) -> Value:
        zero, one = tables
        z = wire(f"{name}_z")
        if wide == 0:
            cells.place(name, "PFUMX", {}, {"ALUT": one, "BLUT": zero, "C0": choice}, {"Z": z})
        else:
            cells.place(name, "L6MUX21", {}, {"D0": zero, "D1": one, "SD": choice}, {"Z": z})
        return z

    def ram(
        self,
        cells: Cells,
        name: str,
        addresses: Sequence[Value],
        tables: Sequence[Sequence[int]],
    ) -> list[Value]:
        """DP16KD as 1,024 words of 18 bits: each port's table begins where the last one ends."""
        size = 1 << (self.ram_words // len(tables) - 1).bit_length()
        words = [word for table in tables for word in (*table, *[0] * (size - len(table)))]
        parameters: dict[str, Parameter] = {
            f"INITVAL_{row:02X}": Const(
                sum(word << 20 * k for k, word in enumerate(words[16 * row : 16 * row + 16])), 320
            )
            for row in range(64)
        }
        inputs: dict[str, Value] = {}
        outputs: dict[str, Value] = {}
        given: list[Value] = []
        for i, port in enumerate("AB"):
            parameters |= {f"DATA_WIDTH_{port}": Const(18, 32), f"REGMODE_{port}": "OUTREG"}
            used = i < len(tables)
            address = Cat(addresses[i], Const(0, 10))[:10] + i * size if used else Const(0, 10)
            at = wire(f"{name}_at_{i}", 10)
            q = wire(f"{name}_q_{i}", 18)
            cells.m.d.comb += at.eq(address)
            inputs |= {f"CLK{port}": ClockSignal(), f"CE{port}": Const(int(used), 1)}
            inputs |= {f"OCE{port}": Const(1, 1)}
            inputs |= {f"{pin}{port}": Const(0, 1) for pin in ("WE", "RST")}
            inputs |= {f"CS{port}{k}": Const(0, 1) for k in range(3)}
            inputs |= {f"DI{port}{k}": Const(0, 1) for k in range(18)}
            inputs |= {f"AD{port}{k}": at[k - 4] if k >= 4 else Const(0, 1) for k in range(14)}
            outputs |= {f"DO{port}{k}": q[k] for k in range(18)}
            if used:
                given.append(q)
        cells.place(name, "DP16KD", parameters, inputs, outputs)
        return given

    def line(self, cells: Cells, name: str, slots: Sequence[Function]) -> list[Value]:
        padded = [*slots, *[IDLE] * (len(slots) % 2)]
        sums = wire(f"{name}_s", len(padded))
        carries = wire(f"{name}_c", len(padded) // 2)
        for k in range(len(padded) // 2):
            parameters: dict[str, Parameter] = {}
            inputs: dict[str, Value] = {"CIN": carries[k - 1] if k else Const(0, 1)}
            outputs: dict[str, Value] = {"COUT": carries[k]}
            for half in range(2):
                function = padded[2 * k + half]
                placed = carry_init(function.values)
                assert placed is not None
                pins, init = placed
                parameters |= {f"INIT{half}": Const(init, 16), f"INJECT1_{half}": "NO"}
                inputs |= {
                    f"{pin}{half}": Const(1, 1) if net is None else function.nets[net]
                    for pin, net in zip(PINS, pins, strict=True)
                }
                outputs[f"S{half}"] = sums[2 * k + half]
            cells.place(f"{name}_{k}", "CCU2C", parameters, inputs, outputs)
        return [sums[k] for k in range(len(slots))]


IDLE = Function((), (0,))


@functools.cache
def carry_init(values: tuple[int, ...]) -> tuple[tuple[int | None, ...], int] | None:
    """Which net goes to which of A, B, C, D (None: constant 1), and the slot's INIT.

    None if no slot adds these values.
    """
    size = len(values).bit_length() - 1
    if size > len(PINS):
        return None
    for order in itertools.permutations(range(size)):
        pins = (*order, *[None] * (len(PINS) - size))
        if (init := _init(values, pins)) is not None:
            return pins, init
    return None


def _init(values: tuple[int, ...], pins: tuple[int | None, ...]) -> int | None:
    """The contents with which a slot adds the values; None if P and G want different ones."""
    contents: dict[int, int] = {}
    for word, value in enumerate(values):
        address = sum((1 if net is None else word >> net & 1) << i for i, net in enumerate(pins))
        if contents.setdefault(address, value & 1) != value & 1:
            return None
    for word, value in enumerate(values):
        if value == 1:
            continue  # the carry goes through: G does not matter
        generate = sum((1 if n is None else word >> n & 1) << i for i, n in enumerate(pins[:2]))
        if contents.setdefault(generate, value >> 1) != value >> 1:
            return None
    return sum(bit << address for address, bit in contents.items())
