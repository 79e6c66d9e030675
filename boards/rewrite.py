"""Changes to a netlist's JSON between Yosys and nextpnr."""

__all__ = ["JsonCell", "JsonModule", "new_cell", "next_net", "readers", "rewritten"]

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bnnhw.files import write_text

JsonModule = dict[str, Any]
JsonCell = dict[str, Any]


@contextlib.contextmanager
def rewritten(path: Path, top: str) -> Iterator[JsonModule]:
    """A module of a file of Yosys's, written back as it was changed."""
    netlist = json.loads(path.read_text())
    yield netlist["modules"][top]
    write_text(path, json.dumps(netlist))


def readers(module: JsonModule) -> Counter[int | str]:
    """How many cell inputs and outputs of the module read each net."""
    found: Counter[int | str] = Counter()
    for cell in module["cells"].values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                found.update(bits)
    for port in module["ports"].values():
        if port["direction"] != "input":
            found.update(port["bits"])
    return found


def next_net(module: JsonModule) -> int:
    """A number that no net has, nor any above it."""
    connected = [bits for cell in module["cells"].values() for bits in cell["connections"].values()]
    connected += [port["bits"] for port in module["ports"].values()]
    return 1 + max((net for bits in connected for net in bits if isinstance(net, int)), default=1)


def new_cell(
    kind: str, inputs: dict[str, Any], outputs: dict[str, Any], **parameters: str
) -> JsonCell:
    """A cell whose ports are one bit wide."""
    return {
        "hide_name": 0,
        "type": kind,
        "parameters": parameters,
        "attributes": {},
        "port_directions": dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output"),
        "connections": {port: [net] for port, net in (inputs | outputs).items()},
    }
