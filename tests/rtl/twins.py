"""Proves that behavioural twins of a vendor's cells do what Yosys's own models of them do.

Both twins of a cell are proved: the one in Amaranth (`Family.twins`) and the one in Verilog
(`rtl/families/<family>.v`), for all values of the inputs, for the parameters that are given.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from amaranth.back import rtlil  # type: ignore[attr-defined]  # the stubs lack it
from amaranth.hdl import Const, Instance, Module, Signal
from amaranth.hdl._ir import Fragment

import bnnhw.rtl.families
from bnnhw.boards.targets import FAMILIES as DEVICES
from bnnhw.rtl.families import FAMILIES
from bnnhw.rtl.families.cells import Parameter, Twin
from bnnhw.tools import find, run_tool

FOLDER = Path(bnnhw.rtl.families.__file__).parent


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell type with parameters; its ports with their widths."""

    kind: str
    parameters: tuple[tuple[str, str | tuple[int, int]], ...]  # text, or value and width
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]


def cell(
    kind: str, parameters: Mapping[str, Parameter], inputs: Iterable[str], outputs: Iterable[str]
) -> Cell:
    """A cell whose ports are one bit wide."""
    return Cell(
        kind,
        tuple((name, _plain(value)) for name, value in parameters.items()),
        tuple((port, 1) for port in inputs),
        tuple((port, 1) for port in outputs),
    )


def _plain(value: Parameter) -> str | tuple[int, int]:
    return value if isinstance(value, str) else (value.value, len(value))


def cells_of(component: Any) -> set[Cell]:
    """Every cell that a component places, once."""
    found: set[Cell] = set()

    def walk(fragment: Any) -> None:
        if isinstance(fragment, Instance):
            ports: dict[str, tuple[Any, str]] = fragment.ports  # type: ignore[attr-defined]
            parameters: dict[str, Parameter] = fragment.parameters  # type: ignore[attr-defined]
            widths: dict[str, list[tuple[str, int]]] = {"i": [], "o": []}
            for port, (value, way) in ports.items():
                widths[way].append((port, len(value)))
            placed = tuple((name, _plain(value)) for name, value in parameters.items())
            kind: str = fragment.type  # type: ignore[attr-defined]
            found.add(Cell(kind, placed, tuple(widths["i"]), tuple(widths["o"])))
        for inner, *_ in fragment.subfragments:
            walk(inner)

    walk(Fragment.get(component, None))
    return found


def prove_twins(
    family: str,
    cells: Iterable[Cell],
    folder: Path,
    *,
    twins: Mapping[str, Twin] | None = None,
    verilog: str | None = None,
) -> None:
    """Prove both twins of each cell; ToolError if one differs from Yosys's model.

    Parameters
    ----------
    family : str
        Of `FAMILIES`.
    cells : list of Cell
        At least one.
    folder : Path
        Where the files are written; the log, with the inputs that tell the two apart, is
        `yosys.log` in it.
    twins, verilog : optional
        Others than the family's.
    """
    chosen = sorted(cells, key=repr)
    assert chosen
    shipped = (FOLDER / f"{family}.v").read_text() if verilog is None else verilog
    (folder / "shipped.v").write_text(shipped)
    (folder / "wrapper.v").write_text(_wrapper(chosen))
    (folder / "twin.il").write_text(_twin(chosen, twins or FAMILIES[family].twins))
    flat = "hierarchy -check -top top; proc; flatten; opt_clean; rename top"
    script = [
        # deferred: of iCE40's models, the block RAMs that no cell here is would take minutes
        f"read_verilog -overwrite -defer {DEVICES[family].cells}; read_verilog wrapper.v",
        f"{flat} vendor; design -stash vendor",
        f"read_verilog shipped.v; read_verilog wrapper.v; {flat} shipped; design -stash shipped",
        f"read_rtlil twin.il; {flat} twin; design -stash twin",
    ]
    for name in ("shipped", "twin"):
        script += [
            "design -copy-from vendor -as vendor vendor",
            f"design -copy-from {name} -as {name} {name}",
            f"miter -equiv -flatten -make_outputs vendor {name} miter",
            "sat -verify -show-ports -prove trigger 0 miter",
            "design -reset",
        ]
    (folder / "prove.ys").write_text("\n".join([*script, ""]))
    run_tool(find("yosys"), ["-q", "prove.ys"], cwd=folder, log=folder / "yosys.log")


def _wrapper(cells: list[Cell]) -> str:
    """Module `top`: one instance of each cell, its ports the module's."""
    ports, body = [], []
    for k, one in enumerate(cells):
        for way, names in (("input", one.inputs), ("output", one.outputs)):
            ports += [f"{way} [{width - 1}:0] c{k}_{port}" for port, width in names]
        values = ", ".join(
            f'.{name}("{value}")' if isinstance(value, str) else f".{name}({value[1]}'d{value[0]})"
            for name, value in one.parameters
        )
        wires = ", ".join(f".{port}(c{k}_{port})" for port, _ in (*one.inputs, *one.outputs))
        body.append(f"  {one.kind} {f'#({values}) ' if values else ''}c{k} ({wires});")
    return "\n".join([f"module top({', '.join(ports)});", *body, "endmodule", ""])


def _twin(cells: list[Cell], twins: Mapping[str, Twin]) -> str:
    """The same module, of twins in Amaranth."""
    m = Module()
    ports: list[Signal] = []
    for k, one in enumerate(cells):
        inputs = {port: Signal(width, name=f"c{k}_{port}") for port, width in one.inputs}
        outputs = {port: Signal(width, name=f"c{k}_{port}") for port, width in one.outputs}
        parameters = {
            name: value if isinstance(value, str) else Const(*value)
            for name, value in one.parameters
        }
        twins[one.kind](m, parameters, inputs, outputs)
        ports += [*inputs.values(), *outputs.values()]
    return rtlil.convert(m, name="top", ports=ports, emit_src=False)
