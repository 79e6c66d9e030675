"""The cells' twins, proved equal to the models that Yosys ships (tests/rtl/twins.py)."""

import random
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Const
from twins import FOLDER, Cell, cell, cells_of, prove_twins

from bnnhw.errors import ToolError
from bnnhw.rtl.families import FAMILIES
from bnnhw.rtl.families.cells import Parameter
from bnnhw.rtl.families.lattice import PINS
from bnnhw.rtl.popcount import XnorPopcount
from bnnhw.technology import Technology


def ecp5(draw: random.Random) -> list[Cell]:
    """Contents that no popcount has, and the cells that only tables of weights need."""
    pins = [f"{pin}{half}" for half in range(2) for pin in PINS]
    contents = [Const(draw.getrandbits(16), 16) for _ in range(12)]
    chosen = [cell("LUT4", {"INIT": init}, PINS, "Z") for init in contents]
    for low, high in zip(contents[::2], contents[1::2], strict=True):
        parameters: dict[str, Parameter] = {
            "INIT0": low,
            "INIT1": high,
            "INJECT1_0": "NO",
            "INJECT1_1": "NO",
        }
        chosen.append(cell("CCU2C", parameters, ["CIN", *pins], ["S0", "S1", "COUT"]))
    chosen.append(cell("PFUMX", {}, ["ALUT", "BLUT", "C0"], ["Z"]))
    chosen.append(cell("L6MUX21", {}, ["D0", "D1", "SD"], ["Z"]))
    return chosen


# Yosys has no model of these to prove a twin against: netlist simulation shows them.
BLACK_BOXES = {"DP16KD"}


def nexus(draw: random.Random) -> list[Cell]:
    """Contents that no popcount has."""
    pins = [f"{pin}{half}" for half in range(2) for pin in PINS]
    contents = [f"0x{draw.getrandbits(16):04X}" for _ in range(12)]
    chosen = [cell("LUT4", {"INIT": init}, PINS, "Z") for init in contents]
    for low, high in zip(contents[::2], contents[1::2], strict=True):
        parameters = {"INIT0": low, "INIT1": high, "INJECT": "NO"}
        chosen.append(cell("CCU2", parameters, ["CIN", *pins], ["S0", "S1", "COUT"]))
    return chosen


def gowin(draw: random.Random) -> list[Cell]:
    """Contents that no popcount has, all modes, and the cells that only tables of weights need."""
    chosen = []
    for size in [1, 2, 3, 4] * 3:
        init = {"INIT": Const(draw.getrandbits(1 << size), 1 << size)}
        chosen.append(cell(f"LUT{size}", init, [f"I{pin}" for pin in range(size)], "F"))
    for mode in range(3):
        parameters = {"ALU_MODE": Const(mode, 32)}
        chosen.append(cell("ALU", parameters, ["I0", "I1", "I3", "CIN"], ["SUM", "COUT"]))
    return chosen + [cell(f"MUX2_LUT{n}", {}, ["I0", "I1", "S0"], "O") for n in range(5, 9)]


def ice40(draw: random.Random) -> list[Cell]:
    """Contents that no popcount has."""
    contents = [Const(draw.getrandbits(16), 16) for _ in range(12)]
    pins = [f"I{pin}" for pin in range(4)]
    chosen = [cell("SB_LUT4", {"LUT_INIT": init}, pins, "O") for init in contents]
    return [*chosen, cell("SB_CARRY", {}, ["I0", "I1", "CI"], ["CO"])]


def xilinx7(draw: random.Random) -> list[Cell]:
    """Contents that no popcount has, and the cells that only tables of weights need."""
    chosen = []
    for size in [1, 2, 3, 4, 5, 6] * 3:
        init = {"INIT": Const(draw.getrandbits(1 << size), 1 << size)}
        pins = [f"I{pin}" for pin in range(size)]
        chosen.append(cell(f"LUT{size}", init, pins, "O"))
        if size == 6:
            chosen.append(cell("LUT6_2", init, pins, ["O6", "O5"]))
    ports = [("CI", 1), ("CYINIT", 1), ("DI", 4), ("S", 4)]
    chosen.append(Cell("CARRY4", (), tuple(ports), (("O", 4), ("CO", 4))))
    return chosen + [cell(f"MUXF{n}", {}, ["I0", "I1", "S"], "O") for n in (7, 8)]


# Beside the cells of some popcounts.
MORE = {"ecp5": ecp5, "gowin": gowin, "ice40": ice40, "nexus": nexus, "xilinx7": xilinx7}


def popcounts(family: str) -> set[Cell]:
    """All cells of some popcounts, weights at run time and constant."""
    cells: set[Cell] = set()
    for lanes in (3, 5, 16, 37):
        weights = np.random.default_rng(lanes).integers(0, 2, lanes, dtype=np.uint8)
        for constants in (None, weights):
            cells |= cells_of(XnorPopcount(lanes, Technology(family=family), weights=constants))
    return cells


@pytest.mark.parametrize("family", FAMILIES)
def test_twins_are_what_yosys_models_say(family: str, tmp_path: Path) -> None:
    more = MORE[family](random.Random(family))
    without = set(FAMILIES[family].twins) - BLACK_BOXES
    assert {one.kind for one in more} == without, "a twin without a case"
    prove_twins(family, popcounts(family) | set(more), tmp_path)


def test_a_twin_that_is_wrong_is_found(tmp_path: Path) -> None:
    cells = ecp5(random.Random(0))
    wrong = (FOLDER / "ecp5.v").read_text().replace("propagate_1 ? carry", "propagate_0 ? carry")
    with pytest.raises(ToolError, match="proof did fail"):
        prove_twins("ecp5", cells, tmp_path, verilog=wrong)
    twins = dict(FAMILIES["ecp5"].twins)
    twins["PFUMX"] = lambda m, parameters, inputs, outputs: twins["L6MUX21"](
        m,
        parameters,
        {"D0": inputs["ALUT"], "D1": inputs["BLUT"], "SD": inputs["C0"]},
        outputs,
    )
    with pytest.raises(ToolError, match="proof did fail"):
        prove_twins("ecp5", cells, tmp_path, twins=twins)
