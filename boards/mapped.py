"""What `synth` leaves beside a netlist to say whose it is, and reading that again."""

__all__ = ["FACTS", "Mapped", "read_mapped", "write_mapped"]

import dataclasses
import json
from pathlib import Path

from bnnhw.errors import InputError
from bnnhw.files import sha256_of, write_text

FACTS = "synthesis.json"
NETLIST = "netlist.v"
SCHEMA = 1


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Mapped:
    """A netlist on disk.

    Parameters
    ----------
    folder : Path
    target : str
        Family.
    device : str
        `ecp5 85k speed 6 CABGA756`: what a record is `on`.
    top : str
    verilog_sha256 : str
        Of what was synthesized, `source.Source.sha256`.
    cells : tuple of str
        Types of the cells in it.
    """

    folder: Path
    target: str
    device: str
    top: str
    verilog_sha256: str
    cells: tuple[str, ...]

    @property
    def verilog(self) -> Path:
        """The netlist as Verilog, a flat module `top`."""
        return self.folder / NETLIST


def write_mapped(mapped: Mapped) -> None:
    """Write the facts beside the netlist, with its hash."""
    facts = dataclasses.asdict(mapped) | {"netlist_sha256": sha256_of(mapped.verilog)}
    del facts["folder"]
    write_text(mapped.folder / FACTS, json.dumps({"schema": SCHEMA, **facts}, indent=2) + "\n")


def read_mapped(folder: Path, *, check: bool = True) -> Mapped:
    """A netlist that `synth` wrote; InputError: there is none or, with `check`, it was changed."""
    path = folder / FACTS
    try:
        facts = json.loads(path.read_text())
        if facts.pop("schema") != SCHEMA:
            raise ValueError(f"schema must be {SCHEMA}")
        wanted = facts.pop("netlist_sha256")
        mapped = Mapped(folder=folder, **facts | {"cells": tuple(facts["cells"])})
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}; `bnnhw synth` writes it beside a netlist"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not what `bnnhw synth` writes ({error})") from None
    if not mapped.verilog.is_file():
        raise InputError(f"{mapped.verilog}: no such file; synthesize it again")
    if check and sha256_of(mapped.verilog) != wanted:
        raise InputError(f"{mapped.verilog}: changed since it was synthesized; synthesize it again")
    return mapped
