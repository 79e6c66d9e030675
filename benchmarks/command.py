"""What the benchmarks' command lines have in common."""

__all__ = ["chosen", "new_parser"]

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from bnnhw.errors import InputError


class Named(Protocol):
    """What is measured: its records are kept under its name."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


def new_parser(
    name: str, about: str | None, *, choice: bool = True, data: bool = False
) -> argparse.ArgumentParser:
    """For `python -m benchmarks.NAME`: its docstring for help, and where to write and to keep.

    With `choice` part of it can be chosen, with `data` it reads data sets.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if choice:
        parser.add_argument("--only", default="", metavar="NAME", help="what begins with this name")
    parser.add_argument("--keep", action="store_true", help="replace the kept records")
    parser.add_argument("-o", dest="out", type=Path, default=Path("build", name), metavar="DIR")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    if data:
        parser.add_argument("--data-dir", type=Path, default=Path("data"), metavar="DIR")
    return parser


def chosen(things: Sequence[T], only: str) -> list[T]:
    """Those whose name begins so; InputError if there is none."""
    found = [thing for thing in things if thing.name.startswith(only)]
    if not found:
        names = ", ".join(thing.name for thing in things)
        raise InputError(f"nothing begins with {only!r}; there are {names}")
    return found
