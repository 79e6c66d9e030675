"""What a family's cells can do, as far as the plan of a counter depends on it."""

__all__ = ["Abilities", "Kind"]

import dataclasses
from collections.abc import Callable, Mapping
from typing import Literal

Kind = Literal["xnor", "bit"]  # of a lane: the XNOR of two nets, or one net


@dataclasses.dataclass(frozen=True, eq=False)
class Abilities:
    """What a family's cells can do, as far as a plan depends on it.

    Parameters
    ----------
    fits : function
        Whether one carry slot can add a value that depends on some nets, given as the values (0, 1
        or 2) for all assignments of the nets, net i being bit i of the index.
    fused : tuple of int
        Numbers of lanes of kind "bit" whose count may enter an adder undone, as digits.
    counters : dict
        (kind, n) to the LUT sites of a `Count` of n lanes.
    ripple : dict
        kind to the LUT sites of a `Count` of two lanes and one dot that is a net.
    wide : bool
        Whether LUTs and slots can do what `columns` plans with.
    ripple_depth : int
        Such counts in a row that make one operation's depth.
    """

    fits: Callable[[tuple[int, ...]], bool]
    fused: tuple[int, ...] = ()
    counters: Mapping[tuple[Kind, int], int] = dataclasses.field(default_factory=dict)
    ripple: Mapping[Kind, int] = dataclasses.field(default_factory=dict)
    wide: bool = False
    ripple_depth: int = 4
