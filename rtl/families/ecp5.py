"""Lattice ECP5: a carry slot's G sees A and B."""

__all__ = ["Ecp5"]

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value
from amaranth.lib import memory

from .cells import Cells, Parameter, Parameters, lookup
from .family import wire
from .lattice import PINS, Lattice, carry_slots


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
    inits = [parameters["INIT0"], parameters["INIT1"]]
    carry_slots(m, inits, Ecp5.tapped, inputs, outputs)


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


class Ecp5(Lattice):
    """CCU2C is two slots: P = LUT4(A, B, C, D), G = the same contents at C = D = 0.

    So where all four pins are in use, G is tied to P: two XNOR lanes fit only because the adder may
    work on complements (P = A^B^C^D is the same, and G = A^B the complement of a lane). Where one
    of C and D is left, it is 1, and G is any function of A and B.
    """

    name = "ecp5"
    carry_cell = "CCU2C"
    carry_parameters = MappingProxyType({"INJECT1_0": "NO", "INJECT1_1": "NO"})
    tapped = 2
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

    @staticmethod
    def contents(init: int) -> Parameter:
        return Const(init, 16)

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
