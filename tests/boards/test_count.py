"""LUT sites and the rest, on netlists small enough to count by hand."""

from typing import Any

import pytest

from bnnhw.boards.count import Counts, count
from bnnhw.boards.netlist import Cell, Netlist

OUTPUTS = frozenset({"O", "O5", "O6", "CO", "Z", "Q", "COUT", "S0", "S1", "F"})


def cell(kind: str, **ports: Any) -> Cell:
    """A cell; a port is a net's number, a constant, or a list of those."""
    bits = {p: tuple(v) if isinstance(v, list) else (v,) for p, v in ports.items()}
    return Cell(
        name=f"{kind}{sorted(ports.items(), key=str)}",
        type=kind,
        ports=bits,
        outputs=OUTPUTS & set(bits),
        parameters={},
    )


def counted(family: str, cells: list[Cell], read: list[int] | None = None) -> Counts:
    """Counts of a netlist in which the nets `read` are outputs of the module."""
    ports = {"y": ("output", tuple(read or []))}
    return count(Netlist(top="top", cells=tuple(cells), ports=ports), family)


def many(kind: str, number: int) -> list[Cell]:
    return [cell(kind, O=1000 + i) for i in range(number)]


FLAT = [  # family, cells, LUT cells, carry sites, memory sites, FFs, block RAMs, their bits, DSPs
    (
        "ecp5",
        {"LUT4": 5, "CCU2C": 3, "TRELLIS_DPR16X4": 2, "TRELLIS_FF": 7, "DP16KD": 1, "L6MUX21": 4},
        (5, 6, 12, 7, 1, 18_432, 0),
    ),
    ("ecp5", {"PDPW16KD": 2, "MULT18X18D": 3}, (0, 0, 0, 0, 2, 36_864, 3)),
    (
        "nexus",
        {"LUT4": 5, "INV": 1, "WIDEFN9": 2, "CCU2": 3, "DPR16X4": 1, "FD1P3IX": 2, "FD1P3DX": 1},
        (10, 6, 6, 3, 0, 0, 0),
    ),
    ("nexus", {"PDPSC16K_MODE": 1, "DP16K_MODE": 1, "VHI": 1}, (0, 0, 0, 0, 2, 36_864, 0)),
    (
        "gowin",
        {"LUT1": 1, "LUT2": 2, "LUT3": 3, "LUT4": 4, "ALU": 5, "RAM16SDP4": 2, "MUX2_LUT5": 9},
        (10, 5, 12, 0, 0, 0, 0),
    ),
    ("gowin", {"DFF": 1, "DFFRE": 2, "SDPX9B": 1, "pROM": 1}, (0, 0, 0, 3, 2, 34_816, 0)),
    ("ice40", {"SB_DFF": 1, "SB_DFFESR": 2, "SB_RAM40_4K": 3}, (0, 0, 0, 3, 3, 12_288, 0)),
    ("xilinx7", {"LUT1": 1, "LUT6": 2, "LUT6_2": 3, "INV": 1, "MUXF7": 9}, (7, 0, 0, 0, 0, 0, 0)),
    (
        "xilinx7",
        {"RAM64M": 1, "SRL16E": 2, "RAM64X1D": 1, "FDRE": 3, "RAMB36E1": 1, "DSP48E1": 1},
        (0, 0, 8, 3, 1, 36_864, 1),
    ),
]


@pytest.mark.parametrize(("family", "cells", "expected"), FLAT)
def test_each_cell_takes_what_its_family_says(
    family: str, cells: dict[str, int], expected: tuple[int, ...]
) -> None:
    seen = counted(family, [c for kind, number in cells.items() for c in many(kind, number)])
    luts, carry, memory, ffs, block_rams, bits, dsps = expected
    assert (seen.luts, seen.carry_sites, seen.memory_sites) == (luts, carry, memory)
    assert seen.lut_sites == luts + carry + memory
    assert (seen.ffs, seen.block_rams, seen.block_ram_bits, seen.dsps) == (
        ffs,
        block_rams,
        bits,
        dsps,
    )
    assert seen.cells == cells


def ice40_carry(a: Any, b: Any, ci: Any, co: int) -> Cell:
    return cell("SB_CARRY", I0=a, I1=b, CI=ci, CO=co)


def ice40_lut(i0: Any, i1: Any, i2: Any, i3: Any, o: int) -> Cell:
    return cell("SB_LUT4", I0=i0, I1=i1, I2=i2, I3=i3, O=o)


ICE40 = [
    ("a carry without any LUT", [ice40_carry(2, 3, "0", 4)], 1),
    ("a carry beside its LUT", [ice40_carry(2, 3, 9, 4), ice40_lut("0", 2, 3, 9, 5)], 1),
    (
        "a LUT that has the nets on other pins",
        [ice40_carry(2, 3, 9, 4), ice40_lut(2, 3, 9, 1, 5)],
        2,
    ),
    ("a LUT that has the nets swapped", [ice40_carry(2, 3, 9, 4), ice40_lut(1, 3, 2, 9, 5)], 2),
    (
        "two carries on the nets of one LUT",
        [ice40_carry(2, 3, 9, 4), ice40_carry(2, 3, 8, 6), ice40_lut("0", 2, 3, 9, 5)],
        2,
    ),
    (
        "a carry with a constant beside a LUT with that constant",
        [ice40_carry(2, "0", 9, 4), ice40_lut("0", 2, "0", 9, 5)],
        1,
    ),
]


@pytest.mark.parametrize(("cells", "sites"), [c[1:] for c in ICE40], ids=[c[0] for c in ICE40])
def test_an_ice40_carry_takes_a_site_unless_a_lut_shares_its_inputs(
    cells: list[Cell], sites: int
) -> None:
    assert counted("ice40", cells).lut_sites == sites


def carry4(s: list[Any], o: list[Any], co: list[Any], ci: Any = "0") -> Cell:
    return cell("CARRY4", CI=ci, CYINIT="0", S=s, DI=["0"] * 4, O=o, CO=co)


S_LUTS = [cell("LUT2", I0=100, I1=101, O=number) for number in (10, 11, 12, 13)]
X4 = ["x"] * 4
XILINX = [
    ("four slots, each with its LUT", [carry4([10, 11, 12, 13], [20, 21, 22, 23], X4)], 4, 0),
    ("a constant S in a used slot", [carry4([10, "1", 12, 13], [20, 21, 22, 23], X4)], 4, 1),
    (
        "S from a flip-flop",
        [cell("FDRE", Q=50), carry4([50, 11, 12, 13], [20, 21, 22, 23], X4)],
        4,
        1,
    ),
    ("S from a pin", [carry4([60, 11, 12, 13], [20, 21, 22, 23], X4)], 4, 1),
    ("one LUT for two slots", [carry4([10, 10, 12, 13], [20, 21, 22, 23], X4)], 4, 1),
    ("slots above the last one read", [carry4([10, 11, "0", "0"], [20, 21, 98, 99], X4)], 4, 0),
    ("a slot read below by its carry", [carry4(["0", "0", "0", 13], X4, [98, 98, 98, 23])], 4, 3),
    ("nothing read", [carry4(["0", "0", "0", "0"], [95, 96, 97, 98], [98, 98, 98, 99])], 4, 0),
    (
        "a carry that goes on into the next CARRY4",
        [
            carry4(["0", "0", "0", "0"], X4, [97, 98, 99, 30]),
            carry4([10, "0", "0", "0"], [20, 96, 97, 98], X4, ci=30),
        ],
        4,
        4,
    ),
    (
        "S from a LUT6_2's O6 and DI from its O5",
        [cell("LUT6_2", O6=70, O5=71), carry4([70, "x", "x", "x"], [20, 96, 97, 98], X4)],
        5,
        0,
    ),
    (
        "S from a LUT6_2's O5",
        [cell("LUT6_2", O6=70, O5=71), carry4([71, "x", "x", "x"], [20, 96, 97, 98], X4)],
        5,
        1,
    ),
]


@pytest.mark.parametrize(
    ("cells", "luts", "bare"), [c[1:] for c in XILINX], ids=[c[0] for c in XILINX]
)
def test_a_xilinx_carry_slot_takes_a_site_unless_a_lut_of_its_own_makes_s(
    cells: list[Cell], luts: int, bare: int
) -> None:
    seen = counted("xilinx7", [*S_LUTS, *cells], read=[20, 21, 22, 23])
    assert (seen.luts, seen.carry_sites) == (luts, bare)
    assert seen.lut_sites == luts + bare
