"""A figure with its provenance. Tables and plots are made from records, and from nothing else."""

__all__ = ["Record", "commit", "read_records", "write_records"]

import dataclasses
import functools
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Literal

from .errors import InputError
from .files import write_text

KEPT = ("benchmarks/records", "sw/records")  # where the repository keeps records


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One figure: what, how much, how it was come by.

    Parameters
    ----------
    name : str
        What it is, `lut_sites`, `clock`, `latency`, ...
    value : number or str
    unit : str
        `Hz`, `s`, `uJ`, `1` for a count.
    kind : "measured" or "estimated"
    how : str
        In words: counted on a netlist, routed, counted in simulation, median of 30 runs, ...
    on : str
        What it was measured on, or what the estimate is for: a device, a machine, a simulator.
    tools : dict
        Tool to version.
    seed : int
    commit : str
        Of bnnhw, `-dirty` where the tree was changed; empty outside a checkout.
    source : str
        Of an estimate's inputs: data sheet, whitepaper.
    """

    name: str
    value: float | int | str
    unit: str
    kind: Literal["measured", "estimated"]
    how: str
    on: str
    tools: dict[str, str] = dataclasses.field(default_factory=dict)
    seed: int | None = None
    commit: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ("measured", "estimated"):
            raise InputError(f"{self.name}: kind must be measured or estimated, not {self.kind!r}")

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@functools.cache
def commit() -> str:
    """The commit this copy of bnnhw stands at; where it is no git checkout what BNNHW_COMMIT says.

    With `-dirty` where a tracked file was changed that is no record itself.
    """
    head = _git("rev-parse", "--short=12", "HEAD")
    others = (":/", *(f":(exclude,top){folder}" for folder in KEPT))
    changed = head and _git("status", "--porcelain", "--untracked-files=no", "--", *others)
    return f"{head}-dirty" if changed else head or os.environ.get("BNNHW_COMMIT", "")


def _git(*arguments: str) -> str:
    """What git says about this checkout; empty if it is none."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def write_records(path: Path, records: list[Record]) -> None:
    """Records to a JSON file."""
    write_text(path, json.dumps([r.to_json() for r in records], indent=2) + "\n")


def read_records(path: Path) -> list[Record]:
    """Records from a JSON file; InputError names the file and what is wrong with it."""
    try:
        return [Record(**entry) for entry in json.loads(Path(path).read_text())]
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: not a file of records ({error})") from None
