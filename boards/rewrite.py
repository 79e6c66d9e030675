"""Changes to a netlist's JSON between Yosys and nextpnr."""

__all__ = ["JsonCell", "JsonModule", "new_cell", "next_net", "readers"]

from collections import Counter
from typing import Any

JsonModule = dict[str, Any]
JsonCell = dict[str, Any]


def readers(module: JsonModule) -> Counter[int | str]:
    """How many cell inputs and ports of the module have each net."""
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
    cells = module["cells"].values()
    nets = (net for cell in cells for bits in cell["connections"].values() for net in bits)
    return 1 + max((net for net in nets if isinstance(net, int)), default=1)


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
