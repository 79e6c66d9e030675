"""The Verilog that is synthesized: of a build folder, checked against its manifest, or made."""

__all__ = ["Source", "made_for", "popcount_source", "read_build"]

import dataclasses
import hashlib
import json
from pathlib import Path

from bnnhw.errors import InputError
from bnnhw.rtl.emit import MANIFEST, SCHEMA
from bnnhw.technology import GENERIC, Technology

from .check import Counting


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Verilog and where it is from.

    Parameters
    ----------
    top : str
        Module to synthesize.
    files : dict
        File name to content.
    about : str
        What it is, for the table.
    family : str
        The family whose cells it names, or `generic`.
    model_sha256 : str
        Of the network it was generated from; empty for none.
    counting : Counting, optional
        What it computes, where it is a popcount.
    edited : bool
        Whether a file is not what the manifest says, which the user allowed.
    """

    top: str
    files: dict[str, bytes]
    about: str
    family: str = GENERIC
    model_sha256: str = ""
    counting: Counting | None = None
    edited: bool = False

    @property
    def made_for(self) -> str:
        """The family to synthesize for, if nobody says another one."""
        return "ecp5" if self.family == GENERIC else self.family

    @property
    def sha256(self) -> str:
        """Of the files' contents, one after the other."""
        return hashlib.sha256(b"".join(self.files.values())).hexdigest()


def read_build(build: Path, *, allow_edited: bool = False) -> Source:
    """The Verilog of a folder that `bnnhw generate` wrote.

    Raises InputError where there is no manifest, it is not one, or a Verilog file is not the one
    whose sha256 the manifest holds, unless `allow_edited`.
    """
    build = Path(build)
    path = build / MANIFEST
    if not path.is_file():
        raise InputError(f"{build}: no {MANIFEST} in it; `bnnhw generate -o {build}` makes one")
    try:
        manifest = json.loads(path.read_text())
        schema, top = manifest["schema"], str(manifest["top"])
        twins = set(manifest.get("twins", []))
        family = str(manifest["technology"]["family"]) if "technology" in manifest else GENERIC
        listed = {str(file["path"]): str(file["sha256"]) for file in manifest["files"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a manifest ({error!r})") from None
    if schema != SCHEMA:
        raise InputError(f"{path}: schema must be {SCHEMA}, not {schema!r}")
    files, edited = {}, False
    for name, expected in listed.items():
        if not name.endswith(".v") or name in twins:
            continue
        if Path(name).name != name:
            raise InputError(f"{path}: files must lie beside it, not at {name!r}")
        try:
            files[name] = (build / name).read_bytes()
        except OSError as error:
            raise InputError(f"{build / name}: {error.strerror}; generate it again") from None
        if hashlib.sha256(files[name]).hexdigest() != expected:
            if not allow_edited:
                raise InputError(
                    f"{build / name} is not what was generated (its sha256 differs from the "
                    "manifest's); generate it again, or pass --allow-edited"
                )
            edited = True
    if not files:
        raise InputError(f"{path}: lists no Verilog file")
    return Source(
        top=top,
        files=files,
        about=f"{top} of {build}",
        family=family,
        model_sha256=str(manifest.get("model_sha256") or ""),
        edited=edited,
    )


def made_for(build: Path) -> str:
    """The family to synthesize a build folder for, if nobody says another one."""
    return read_build(build, allow_edited=True).made_for


def popcount_source(lanes: int, technology: Technology, *, baked: bool = False) -> Source:
    """One XNOR-popcount, inputs and output registered.

    Parameters
    ----------
    lanes : int
    technology : Technology
    baked : bool
        Constant weights, drawn from seed 0, instead of a port for them.
    """
    if lanes < 1:
        raise InputError(f"popcount lanes must be at least 1, not {lanes}")
    import numpy as np

    from bnnhw.rtl.popcount import XnorPopcount, popcount_verilog

    weights = np.random.default_rng(0).integers(0, 2, lanes, dtype=np.uint8) if baked else None
    component = XnorPopcount(lanes, technology, weights=weights)
    structure = "plain" if technology.generic else technology.family
    kind = "baked weights" if baked else "weights at run time"
    registers = f"registers every {technology.every}" if technology.every else "no registers inside"
    return Source(
        top="popcount",
        files={"popcount.v": popcount_verilog(component).encode()},
        family=technology.family,
        about=f"XNOR-popcount of {lanes} lanes, {kind}, {structure}, {registers}",
        counting=Counting(lanes=lanes, latency=component.latency, weights=weights),
    )
