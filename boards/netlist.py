"""A mapped netlist as Yosys's `write_json` gives it: cells, and who reads and drives each net."""

__all__ = ["Cell", "Netlist", "read_netlist"]

import dataclasses
import functools
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from bnnhw.errors import InputError, ToolError

Bit = int | str  # number of a net, or a constant "0", "1", "x", "z"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One cell: its type, its ports' nets (lowest bit first), which ports are outputs."""

    name: str
    type: str
    ports: Mapping[str, tuple[Bit, ...]]
    outputs: frozenset[str]
    parameters: Mapping[str, str]

    def bit(self, port: str, index: int = 0) -> Bit:
        """Net at one bit of a port; a port left open is the constant "x"."""
        bits = self.ports.get(port, ())
        return bits[index] if index < len(bits) else "x"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Netlist:
    """One flat module.

    Parameters
    ----------
    top : str
    cells : tuple of Cell
    ports : dict
        Name to (direction, nets), of the module itself.
    """

    top: str
    cells: tuple[Cell, ...]
    ports: Mapping[str, tuple[str, tuple[Bit, ...]]]

    @functools.cached_property
    def types(self) -> Counter[str]:
        """How many cells there are of each type."""
        return Counter(cell.type for cell in self.cells)

    @functools.cached_property
    def readers(self) -> Counter[Bit]:
        """How many cell inputs and module outputs read each net; constants are no nets."""
        count: Counter[Bit] = Counter()
        for cell in self.cells:
            for port, bits in cell.ports.items():
                if port not in cell.outputs:
                    count.update(bits)
        for direction, bits in self.ports.values():
            if direction != "input":
                count.update(bits)
        return Counter({bit: number for bit, number in count.items() if isinstance(bit, int)})

    @functools.cached_property
    def drivers(self) -> dict[Bit, tuple[Cell, str]]:
        """The cell and the port that drives each net that a cell drives."""
        return {
            bit: (cell, port)
            for cell in self.cells
            for port in cell.outputs
            for bit in cell.ports[port]
            if isinstance(bit, int)
        }

    def of_type(self, *types: str) -> Iterator[Cell]:
        return (cell for cell in self.cells if cell.type in types)


def read_netlist(path: Path, top: str) -> Netlist:
    """The netlist of a flat module; ToolError if the file is not whole or the module not flat."""
    try:
        modules = json.loads(path.read_text())["modules"]
        module = modules[top]
    except (OSError, ValueError, KeyError) as error:
        raise ToolError(f"{path.name}: not a whole netlist of {top} ({error})") from None
    ports = {
        name: (port["direction"], tuple(port["bits"])) for name, port in module["ports"].items()
    }
    return Netlist(top=top, cells=tuple(_cells(module, modules, top)), ports=ports)


def _cells(module: dict, modules: dict, top: str) -> Iterator[Cell]:
    for name, cell in module["cells"].items():
        kind = cell["type"]
        if kind == "$scopeinfo":  # a remark about the hierarchy before flattening
            continue
        known = modules.get(kind, {}).get("attributes", {})
        if kind.startswith("$"):
            raise InputError(f"{top}: {name} is a {kind}, which has no cell on this device")
        if kind in modules and not any("box" in attribute for attribute in known):
            raise ToolError(f"{top}: {name} is a module {kind}: the netlist is not flat")
        directions = cell.get("port_directions", {})
        yield Cell(
            name=name,
            type=kind,
            ports={port: tuple(bits) for port, bits in cell["connections"].items()},
            outputs=frozenset(port for port, way in directions.items() if way != "input"),
            parameters=cell.get("parameters", {}),
        )
