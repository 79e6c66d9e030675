"""What a proof is: a statement, the cases it is proved for, and broken copies it must refuse."""

__all__ = ["Broken", "Case", "Design", "Proof"]

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Design:
    """What SymbiYosys is given.

    Parameters
    ----------
    files : dict
        File name to text.
    script : tuple of str
        Yosys commands that read the files and leave one flat module with assertions.
    before : str
        Yosys script that is run first, in the same folder; empty for none.
    edit : callable
        Is given the folder after that; may change what lies there.
    made : tuple of str
        Files that `before` makes and `script` reads.
    """

    files: Mapping[str, str]
    script: tuple[str, ...]
    before: str = ""
    edit: Callable[[Path], None] | None = None
    made: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One size of what is proved.

    Parameters
    ----------
    name : str
        Its size in a few letters; names its folder.
    design : callable
        Makes the design.
    depth : int
        Cycles: k of a proof by k-induction, or how far from reset a bounded one goes.
    """

    name: str
    design: Callable[[], Design]
    depth: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Broken:
    """The same statement about a component that was broken on purpose: it must not hold.

    Parameters
    ----------
    name : str
        What was broken.
    design : callable
    depth : int
        Cycles from reset within which the fault must show.
    """

    name: str
    design: Callable[[], Design]
    depth: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Proof:
    """A statement about a component.

    Parameters
    ----------
    name : str
    says : str
        The statement, in a sentence.
    bounds : str
        The sizes it is proved for.
    cases : tuple of Case
    broken : tuple of Broken
        At least one.
    bounded : bool
        True: from reset, up to `depth` cycles. False: for all time, by induction.
    heavy : bool
        Left out unless it is asked for by name or by `--all`.
    """

    name: str
    says: str
    bounds: str
    cases: tuple[Case, ...]
    broken: tuple[Broken, ...]
    bounded: bool = False
    heavy: bool = False

    @property
    def mode(self) -> str:
        return "bounded" if self.bounded else "induction"

    @property
    def depth(self) -> str:
        """The cases' depths, as text."""
        depths = [case.depth for case in self.cases]
        low, high = min(depths), max(depths)
        return str(low) if low == high else f"{low} to {high}"
