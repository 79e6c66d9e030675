"""What is installed: tools, Python packages, CPU and GPU; what is missing, and what installs it."""

__all__ = ["Diagnosis", "Entry", "doctor"]

import dataclasses
import importlib.metadata
import importlib.util
import platform
import re
from typing import Any, Literal

from rich.table import Table

from . import __version__, console
from .errors import InputError, MissingToolError, ToolError
from .machine import cores, processor
from .tools import TOOLS, Found, Tool, find, start

# Python package, purpose, whether the main flow needs it, what installs it
PACKAGES = (
    ("numpy", "golden model", True, "pip install numpy"),
    ("safetensors", "the network file", True, "pip install safetensors"),
    ("rich", "tables and progress", True, "pip install rich"),
    ("tomli_w", "folding files", True, "pip install tomli-w"),
    ("pillow", "reads pictures", True, "pip install pillow"),
    ("pooch", "downloads data sets", True, "pip install pooch"),
    ("amaranth", "the gateware's language", True, "pip install 'amaranth[builtin-yosys]<0.6'"),
    ("cocotb", "Python in the simulator", True, "pip install cocotb"),
    ("torch", "training", True, "pip install torch==2.13.0"),
    ("scikit-learn", "the digits data set", True, "pip install scikit-learn"),
    ("matplotlib", "charts", True, "pip install matplotlib"),
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One thing that was looked for.

    Parameters
    ----------
    name, purpose : str
    needed : bool
        Whether the main flow needs it.
    state : "ok", "missing", "too old" or "broken"
    version : str
        Empty where it is missing.
    kind : str
        `wheel` or `native` of a tool, `package` of a Python package.
    path : str
        Where a tool is.
    install : str
        The command that installs it.
    """

    name: str
    purpose: str
    needed: bool
    state: Literal["ok", "missing", "too old", "broken"]
    version: str = ""
    kind: str = ""
    path: str = ""
    install: str

    @property
    def ok(self) -> bool:
        return self.state == "ok"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """What `doctor` found.

    Parameters
    ----------
    entries : tuple of Entry
    machine : dict
        `bnnhw`, `python`, `system`, `cpu`, `cores`, `gpu`, `kernels`: names; no GPU says why.
    """

    entries: tuple[Entry, ...]
    machine: dict[str, str]

    @property
    def healthy(self) -> bool:
        """Whether all that the main flow needs is there."""
        return all(entry.ok for entry in self.entries if entry.needed)

    def table(self) -> Table:
        """What a person wants to see."""
        rows = [
            (
                entry.name,
                entry.state if entry.ok else entry.state.upper(),
                entry.version.split()[0] if entry.version else "-",
                entry.kind or "-",
                entry.purpose + ("" if entry.needed else " (optional)"),
            )
            for entry in self.entries
        ]
        shown = console.table("", ("what", "state", "version", "kind", "for"), rows)
        for column in shown.columns[1:]:
            column.justify = "left"
        return shown

    def remedies(self) -> list[str]:
        """A line for each thing that is not there: what, whether it is needed, what installs it."""
        return [
            f"{entry.name} is {entry.state}{'' if entry.needed else ' (optional)'}: {entry.install}"
            for entry in self.entries
            if not entry.ok
        ]

    def to_json(self) -> dict[str, Any]:
        return {
            "healthy": self.healthy,
            "machine": self.machine,
            "entries": [dataclasses.asdict(entry) for entry in self.entries],
        }


def doctor(*, warm: bool = False) -> Diagnosis:
    """Look for everything bnnhw uses; starts nothing but programs that print their version.

    With `warm` every tool is started once, which makes the yowasp tools compile themselves (up to
    40 s each, kept for the next time) and shows that they run.
    """
    tools = tuple(_tool(tool, warm=warm) for tool in TOOLS.values())
    packages = tuple(_package(*package) for package in PACKAGES)
    return Diagnosis(entries=tools + packages, machine=_machine())


def _tool(tool: Tool, *, warm: bool) -> Entry:
    try:
        found = find(tool.name)
    except MissingToolError:
        return _entry(tool, "missing", install=tool.install)
    except InputError as error:
        return _entry(tool, "broken", install=str(error))
    if warm:
        with console.progress(f"starting {tool.name}"):
            started = start(found)
        if not started:
            return _entry(tool, "broken", found, install=tool.install)
    if _older(found.version, tool.at_least):
        return _entry(tool, "too old", found, install=f"{tool.install} ({tool.at_least} or newer)")
    return _entry(tool, "ok", found, install=tool.install)


def _entry(
    tool: Tool,
    state: Literal["ok", "missing", "too old", "broken"],
    found: Found | None = None,
    *,
    install: str,
) -> Entry:
    return Entry(
        name=tool.name,
        purpose=tool.purpose,
        needed=tool.needed,
        state=state,
        version=found.version if found else "",
        kind=found.kind if found else "",
        path=str(found.path) if found else "",
        install=install,
    )


def _older(version: str, least: str) -> bool:
    """Whether a version is below the least one; one that cannot be read is not held against it."""
    have, want = _numbers(version), _numbers(least)
    return bool(have and want) and have < want


def _numbers(version: str) -> tuple[int, ...]:
    leading = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in leading.group().split(".")) if leading else ()


def _package(name: str, purpose: str, needed: bool, install: str) -> Entry:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = ""
    return Entry(
        name=name,
        purpose=purpose,
        needed=needed,
        state="ok" if version else "missing",
        version=version,
        kind="package" if version else "",
        install=install,
    )


def _machine() -> dict[str, str]:
    return {
        "bnnhw": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpu": processor(),
        "cores": str(cores()),
        "gpu": _gpu(),
        "kernels": _kernels(),
    }


def _kernels() -> str:
    """The sets of instructions that the CPU kernels can use here."""
    try:
        from .sw.native import available
    except ImportError as error:
        return f"not looked for: {error.name} is not installed"
    return ", ".join(available()) or "not built: install gcc, then bnnhw again"


def _gpu() -> str:
    if importlib.util.find_spec("torch") is None:
        return "not looked for: torch is not installed"
    try:
        import torch

        if torch.cuda.is_available():
            from .sw.cuda.gpu import Gpu

            try:
                gpu = Gpu()
            except ToolError as error:
                return f"{torch.cuda.get_device_name(0)}, but not for the kernels: {error}"
            return f"{gpu.name}, kernels by {gpu.architecture.product}"
    except Exception as error:  # a broken driver must not keep the doctor from the rest
        return f"not usable: {error}"
    return "none that torch can use"
