"""Verilator's run-time library, compiled once for all designs instead of once for each.

Of the seconds that a small one takes to compile, most go into these few files, and they depend on
the design only through a handful of switches. They are kept in the user's cache folder; make finds
them newer than their sources and leaves them alone.
"""

__all__ = ["MAKE_ARGS", "library_from", "library_to"]

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..files import new_folder

MARKER = "verilated.o"
MAKE_ARGS = [
    # The wheel is not configured for a compiler and leaves this empty; large models need it.
    "CFG_CXXFLAGS_PCH_I=-include",
    "OPT_FAST=-O1",
]


def cache_folder() -> Path:
    """Where compiled things that belong to no build folder are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bnnhw"


def library_to(build: Path, versions: Sequence[str]) -> None:
    """Put the library's objects into a folder that Verilator has written, if we have them."""
    kept = _kept(build, versions)
    if (kept / MARKER).is_file():
        for path in kept.glob("*.o"):
            shutil.copyfile(path, build / path.name)


def library_from(build: Path, versions: Sequence[str]) -> None:
    """Keep the library's objects of a folder that make is done with."""
    kept = _kept(build, versions)
    if (kept / MARKER).is_file():
        return
    try:
        with new_folder(kept, marker=MARKER) as fresh:
            for path in build.glob("verilated*.o"):
                shutil.copyfile(path, fresh / path.name)
    except OSError:
        return  # no place to keep it: the next core takes as long as this one


def _kept(build: Path, versions: Sequence[str]) -> Path:
    """Named by the versions of Verilator and compiler, and by the switches of the makefile."""
    text = (build / "Vtop_classes.mk").read_text()
    switches = [line for line in text.splitlines() if line.startswith("VM_") and "+=" not in line]
    digest = hashlib.sha256("\n".join([*versions, *switches]).encode()).hexdigest()
    return cache_folder() / f"verilated-{digest[:16]}"
