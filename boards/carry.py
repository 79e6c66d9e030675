"""Ends of ECP5's carry lines left open, so that nextpnr spends no cells on them."""

__all__ = ["open_carries"]

import json
from collections import Counter
from pathlib import Path
from typing import Any

from bnnhw.files import write_text

ZERO, ONE, OPEN = ["0"], ["1"], ["x"]


def open_carries(path: Path, top: str) -> int:
    """Take connections that nothing depends on from a netlist's CCU2Cs; how many were taken.

    nextpnr puts a CCU2C of its own before each line whose carry in is connected, be it to a
    constant, and one behind each whose carry out is a net, be it one that nobody reads: four LUT
    sites a line. A carry in makes no difference to a slot that never lets it through and whose sum
    nobody reads; Yosys writes 0 there, and nextpnr takes "x" for not connected.

    Parameters
    ----------
    path : Path
        The netlist, Yosys's JSON; rewritten in place.
    top : str
        The flat module.
    """
    netlist = json.loads(path.read_text())
    module = netlist["modules"][top]
    readers: Counter[int | str] = Counter()
    for cell in module["cells"].values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                readers.update(bits)
    for port in module["ports"].values():
        if port["direction"] != "input":
            readers.update(port["bits"])
    taken = 0
    for cell in module["cells"].values():
        if cell["type"] != "CCU2C":
            continue
        pins = cell["connections"]
        if not readers[pins.get("COUT", OPEN)[0]] and pins.get("COUT") != OPEN:
            pins["COUT"] = OPEN
            taken += 1
        if pins["CIN"] == ZERO and _enters(cell) and not readers[pins.get("S0", OPEN)[0]]:
            pins["CIN"] = OPEN
            taken += 1
    write_text(path, json.dumps(netlist))
    return taken


def _enters(cell: dict[str, Any]) -> bool:
    """Whether the first slot propagates nothing: C and D are 1, and its LUT is 0 there."""
    contents = int(cell["parameters"]["INIT0"], 2)
    pins = cell["connections"]
    return pins["C0"] == pins["D0"] == ONE and contents >> 12 == 0
