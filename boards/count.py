"""What a mapped netlist takes of a device: LUT sites, flip-flops, memory, multipliers.

A LUT site is a place that holds a LUT: a carry slot takes one whether or not its LUT is used, and
so does memory made of LUTs. So figures of different families, and of designs with more or less
carry, can be set beside each other. See docs/synthesis.md.
"""

__all__ = ["Counts", "count"]

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType

from .netlist import Bit, Netlist


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Resources of one netlist.

    Parameters
    ----------
    luts : int
        LUT cells.
    carry_sites : int
        LUT sites that carry cells take beyond those.
    memory_sites : int
        LUT sites that memory and shift registers in LUTs take.
    ffs : int
        Flip-flops.
    block_rams : int
        Block RAM cells of any size; `block_ram_bits` is what they hold.
    block_ram_bits, lut_ram_bits : int
    dsps : int
        Multipliers.
    cells : dict
        Cell type to number, of everything.
    """

    luts: int
    carry_sites: int
    memory_sites: int
    ffs: int
    block_rams: int
    block_ram_bits: int
    lut_ram_bits: int
    dsps: int
    cells: Mapping[str, int]

    @property
    def lut_sites(self) -> int:
        return self.luts + self.carry_sites + self.memory_sites


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """What each cell type of a family counts for; a type ending in `*` stands for a prefix."""

    luts: Mapping[str, int]  # LUT cells
    carry: Mapping[str, int] | Callable[[Netlist], int]  # LUT sites of carry cells
    memory: Mapping[str, tuple[int, int]]  # LUT sites, bits
    ffs: tuple[str, ...]
    block_rams: Mapping[str, int]  # bits
    dsps: tuple[str, ...]


def _bare_ice40_carries(netlist: Netlist) -> int:
    """SB_CARRY cells for which there is no LUT that reads the same two nets on I1 and I2.

    A logic cell feeds its carry from the LUT's pins I1 and I2, so a carry shares a cell only with
    such a LUT, and each LUT with one carry.
    """
    carries: Counter[tuple[Bit, Bit]] = Counter(
        (cell.bit("I0"), cell.bit("I1")) for cell in netlist.of_type("SB_CARRY")
    )
    luts: Counter[tuple[Bit, Bit]] = Counter(
        (cell.bit("I1"), cell.bit("I2")) for cell in netlist.of_type("SB_LUT4")
    )
    return sum((carries - luts).values())


def _bare_carry4_slots(netlist: Netlist) -> int:
    """Used slots of CARRY4 cells for which the netlist has no LUT of their own.

    A slot's S comes from output O6 of the LUT beside it and from nowhere else. So where S is a
    constant, a flip-flop, another LUT's second output, or a LUT that already feeds another slot, a
    LUT site goes to making S. DI can come in past the LUT, so it costs nothing. A slot is used if
    its O or CO, or that of a higher slot of the same CARRY4, is read.
    """
    taken: set[str] = set()
    bare = 0
    for cell in netlist.of_type("CARRY4"):
        used = [
            slot
            for slot in range(4)
            if any(netlist.readers[cell.bit(port, slot)] for port in ("O", "CO"))
        ]
        for slot in range(max(used, default=-1) + 1):
            driver, port = netlist.drivers.get(cell.bit("S", slot), (None, ""))
            own = driver is not None and (driver.type, port) in XILINX_S_OUTPUTS
            if driver is None or not own or driver.name in taken:
                bare += 1
            else:
                taken.add(driver.name)
    return bare


_LUT1_TO_6 = {f"LUT{inputs}": 1 for inputs in range(1, 7)}
XILINX_S_OUTPUTS = {("LUT6_2", "O6"), ("INV", "O"), *((lut, "O") for lut in _LUT1_TO_6)}

# Four LUTs hold the words of a 16x4 memory and the sites of two more take its writing.
_RAM16X4 = (6, 64)

WEIGHTS: Mapping[str, Weights] = MappingProxyType(
    {
        "ecp5": Weights(
            luts={"LUT4": 1},
            carry={"CCU2C": 2},
            memory={"TRELLIS_DPR16X4": _RAM16X4},
            ffs=("TRELLIS_FF",),
            block_rams={"DP16KD": 18_432, "PDPW16KD": 18_432},
            dsps=("MULT*",),
        ),
        "nexus": Weights(
            luts={"LUT4": 1, "INV": 1, "WIDEFN9": 2},
            carry={"CCU2": 2},
            memory={"DPR16X4": _RAM16X4},
            ffs=("FD1P3*",),
            block_rams={
                "DP16K*": 18_432,
                "PDP16K*": 18_432,
                "PDPSC16K*": 18_432,
                "DPSC512K*": 524_288,
                "PDPSC512K*": 524_288,
                "SP512K*": 524_288,
            },
            dsps=("MULT*",),
        ),
        "gowin": Weights(
            luts={"LUT1": 1, "LUT2": 1, "LUT3": 1, "LUT4": 1, "INV": 1},
            carry={"ALU": 1},
            memory={"RAM16S1": _RAM16X4, "RAM16S2": _RAM16X4, "RAM16S4": _RAM16X4}
            | {"RAM16SDP1": _RAM16X4, "RAM16SDP2": _RAM16X4, "RAM16SDP4": _RAM16X4},
            ffs=("DFF*",),
            block_rams={
                "SP": 16_384,
                "SPX9": 18_432,
                "SDPB": 16_384,
                "SDPX9B": 18_432,
                "DPB": 16_384,
                "DPX9B": 18_432,
                "pROM": 16_384,
                "pROMX9": 18_432,
            },
            dsps=("MULT*",),
        ),
        "ice40": Weights(
            luts={"SB_LUT4": 1},
            carry=_bare_ice40_carries,
            memory={},
            ffs=("SB_DFF*",),
            block_rams={"SB_RAM40_4K*": 4_096, "SB_SPRAM256KA": 262_144},
            dsps=("SB_MAC16",),
        ),
        "xilinx7": Weights(
            luts={**_LUT1_TO_6, "LUT6_2": 1, "INV": 1},
            carry=_bare_carry4_slots,
            memory={
                "SRL16E": (1, 0),
                "SRLC16E": (1, 0),
                "SRLC32E": (1, 0),
                "RAM32X1S*": (1, 32),
                "RAM64X1S*": (1, 64),
                "RAM128X1S*": (2, 128),
                "RAM256X1S*": (4, 256),
                "RAM32X1D*": (2, 32),
                "RAM64X1D*": (2, 64),
                "RAM128X1D*": (4, 128),
                "RAM32M": (4, 192),
                "RAM64M": (4, 192),
            },
            ffs=("FDRE*", "FDSE*", "FDCE*", "FDPE*"),
            block_rams={"RAMB18E1": 18_432, "RAMB36E1": 36_864},
            dsps=("DSP48E1",),
        ),
    }
)


def _matches(kind: str, pattern: str) -> bool:
    return kind == pattern or (pattern.endswith("*") and kind.startswith(pattern[:-1]))


def _weigh(types: Counter[str], weights: Mapping[str, int]) -> int:
    return sum(
        number * weight
        for kind, number in types.items()
        for pattern, weight in weights.items()
        if _matches(kind, pattern)
    )


def count(netlist: Netlist, family: str) -> Counts:
    """What a netlist mapped to `family` takes."""
    weights, types = WEIGHTS[family], netlist.types
    carry = weights.carry
    return Counts(
        luts=_weigh(types, weights.luts),
        carry_sites=carry(netlist) if callable(carry) else _weigh(types, carry),
        memory_sites=_weigh(types, {kind: sites for kind, (sites, _) in weights.memory.items()}),
        ffs=_weigh(types, dict.fromkeys(weights.ffs, 1)),
        block_rams=_weigh(types, dict.fromkeys(weights.block_rams, 1)),
        block_ram_bits=_weigh(types, weights.block_rams),
        lut_ram_bits=_weigh(types, {kind: bits for kind, (_, bits) in weights.memory.items()}),
        dsps=_weigh(types, dict.fromkeys(weights.dsps, 1)),
        cells=dict(sorted(types.items())),
    )
