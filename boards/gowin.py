"""A Gowin netlist in the cells whose delays nextpnr knows."""

__all__ = ["to_timed_cells"]

import json
from collections import Counter
from pathlib import Path
from typing import Any

from bnnhw.files import write_text

LUTS = ("LUT1", "LUT2", "LUT3", "LUT4")
INIT = "INIT"


def to_timed_cells(path: Path, top: str) -> int:
    """Write all LUTs as LUT4, and put one before each flip-flop that has none of its own.

    nextpnr's timing analysis leaves out every path through a LUT1, LUT2 or LUT3, and through the
    LUTs that nextpnr itself puts before flip-flops, which are reached in no other way, when all is
    placed. A LUT is a flip-flop's own if nothing else reads it.

    Parameters
    ----------
    path : Path
        The netlist, Yosys's JSON; rewritten in place.
    top : str
        The flat module.

    Returns
    -------
    int
        LUTs that were put in.
    """
    netlist = json.loads(path.read_text())
    module = netlist["modules"][top]
    cells = module["cells"]
    readers: Counter[int | str] = Counter()
    of_luts, last = set(), 0
    for cell in cells.values():
        for port, bits in cell["connections"].items():
            last = max([last, *(net for net in bits if isinstance(net, int))])
            if cell["port_directions"][port] == "input":
                readers.update(bits)
        if cell["type"] in LUTS:
            contents = cell["parameters"][INIT]
            cell["type"], cell["parameters"][INIT] = "LUT4", contents * (16 // len(contents))
            of_luts.add(cell["connections"]["F"][0])
    for port in module["ports"].values():
        readers.update(port["bits"])
    put: dict[str, Any] = {}
    for name, cell in cells.items():
        if not cell["type"].startswith("DFF"):
            continue
        (net,) = cell["connections"]["D"]
        if isinstance(net, int) and not (net in of_luts and readers[net] == 1):
            own = last + len(put) + 1
            cell["connections"]["D"] = [own]
            put[f"{name}_way"] = _way(net, own)
    cells.update(put)
    write_text(path, json.dumps(netlist))
    return len(put)


def _way(net: int, to: int) -> dict[str, Any]:
    """A LUT that passes a net on."""
    return {
        "hide_name": 0,
        "type": "LUT4",
        "parameters": {INIT: "10" * 8},
        "attributes": {},
        "port_directions": {"I0": "input", "F": "output"},
        "connections": {"I0": [net], "F": [to]},
    }
