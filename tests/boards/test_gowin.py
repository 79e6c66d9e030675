"""Gowin's netlists for nextpnr: LUTs whose delay it knows, one before every flip-flop."""

import json
from pathlib import Path
from typing import Any

from bnnhw.boards.gowin import to_timed_cells
from bnnhw.boards.rewrite import rewritten


def cell(kind: str, inputs: dict[str, Any], outputs: dict[str, int], init: str = "") -> Any:
    return {
        "type": kind,
        "parameters": {"INIT": init} if init else {},
        "port_directions": dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output"),
        "connections": {pin: [net] for pin, net in (inputs | outputs).items()},
    }


CELLS = {
    "own": cell("LUT2", {"I0": 2, "I1": 3}, {"F": 4}, "0110"),
    "shared": cell("LUT3", {"I0": 2, "I1": 3, "I2": 4}, {"F": 5}, "10010110"),
    "seen": cell("LUT4", dict.fromkeys(("I0", "I1", "I2", "I3"), 2), {"F": 6}, "1" * 16),
    "slot": cell("ALU", {"I0": 2, "I1": 3, "CIN": "0"}, {"SUM": 7}),
    "after_shared": cell("DFF", {"D": 5, "CLK": 8}, {"Q": 9}),
    "after_seen": cell("DFFE", {"D": 6, "CLK": 8, "CE": 5}, {"Q": 10}),
    "after_slot": cell("DFFR", {"D": 7, "CLK": 8}, {"Q": 11}),
    "after_dff": cell("DFF", {"D": 9, "CLK": 8}, {"Q": 12}),
    "constant": cell("DFF", {"D": "0", "CLK": 8}, {"Q": 13}),
}
OWN = {"after_own": cell("DFF", {"D": 14, "CLK": 8}, {"Q": 15}),
       "own_of_it": cell("LUT1", {"I0": 2}, {"F": 14}, "01")}  # fmt: skip


def test_every_path_goes_through_cells_whose_delay_nextpnr_knows(tmp_path: Path) -> None:
    ports = {
        "clk": {"direction": "input", "bits": [8]},
        "y": {"direction": "output", "bits": [6, 12]},
    }
    path = tmp_path / "netlist.json"
    module = {"cells": {**CELLS, **OWN}, "ports": ports}
    path.write_text(json.dumps({"modules": {"top": module}}))
    with rewritten(path, "top") as given:
        put = to_timed_cells(given)
    found = json.loads(path.read_text())["modules"]["top"]["cells"]
    ways = {name.removesuffix("_way") for name in found if name.endswith("_way")}
    assert ways == {"after_shared", "after_seen", "after_slot", "after_dff"} and put == len(ways)
    nets = set()
    for name in ways:
        way = found[f"{name}_way"]
        (own,) = found[name]["connections"]["D"]
        assert way["connections"] == {"I0": CELLS[name]["connections"]["D"], "F": [own]}
        assert own > 15
        nets.add(own)
    assert len(nets) == len(ways)
    for name in ("constant", "after_own"):
        assert found[name] == {**CELLS, **OWN}[name]
    luts = {name: one for name, one in found.items() if "LUT" in one["type"]}
    assert {one["type"] for one in luts.values()} == {"LUT4"}
    assert luts["own"]["parameters"]["INIT"] == "0110" * 4
    assert luts["shared"]["parameters"]["INIT"] == "10010110" * 2
    assert luts["own_of_it"]["parameters"]["INIT"] == "01" * 8
    assert luts["after_dff_way"]["parameters"]["INIT"] == "10" * 8
