"""What Yosys makes of the scripts: link registers stay apart, and nothing else does."""

from pathlib import Path

import pytest
from designs import LINKS

from bnnhw.boards.count import count
from bnnhw.boards.netlist import read_netlist
from bnnhw.boards.scripts import core_script
from bnnhw.boards.targets import FAMILIES, Target
from bnnhw.tools import find, run_tool


def flip_flops(folder: Path, verilog: str, family: str) -> int:
    (folder / "top.v").write_text(verilog)
    script = core_script(Target(family=family), sources=["top.v"], top="top")
    (folder / "core.ys").write_text(script)
    run_tool(find("yosys"), ["-s", "core.ys"], cwd=folder, log=folder / "log")
    return count(read_netlist(folder / "netlist.json", "top"), family).ffs


@pytest.mark.parametrize("family", FAMILIES)
def test_equal_link_registers_of_two_cells_both_stay_and_unread_ones_go(
    family: str, tmp_path: Path
) -> None:
    assert flip_flops(tmp_path, LINKS, family) == 24


def test_equal_registers_are_merged_where_no_name_says_that_they_are_links(tmp_path: Path) -> None:
    assert flip_flops(tmp_path, LINKS.replace("_link", "_other"), "ecp5") == 12


def test_a_register_that_the_verilog_marks_keep_stays_too(tmp_path: Path) -> None:
    marked = LINKS.replace("_link", "_other").replace("reg [3:0]", "(* keep = 1 *) reg [3:0]")
    assert flip_flops(tmp_path, marked, "ecp5") == 16


def test_links_stay_apart_in_modules_with_the_names_that_amaranth_gives(tmp_path: Path) -> None:
    assert flip_flops(tmp_path, LINKS.replace("cell_a", "\\top.fc1.cell_a "), "ecp5") == 24
