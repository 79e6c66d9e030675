"""The number of ones, by every structure: the sum of the bits."""

__all__ = ["PROOFS"]

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from amaranth.hdl import Signal

from bnnhw.rtl.popcount import Popcount
from bnnhw.timing import popcount_levels

from .bench import Bench, design_of
from .proof import Broken, Case, Proof

LANES = range(1, 17)
BROKEN_LANES = 11


@dataclasses.dataclass(frozen=True, kw_only=True)
class Structure:
    """A way to count.

    Parameters
    ----------
    name : str
    make : callable
        Lanes to a component with `i`, a bit a lane, and `o`, the count.
    latency : callable
        Lanes to cycles.
    wire : str
        A signal inside, stuck at 0 in the broken copy.
    """

    name: str
    make: Callable[[int], Any]
    latency: Callable[[int], int]
    wire: str


STRUCTURES = (
    Structure(name="generic", make=Popcount, latency=popcount_levels, wire="pairs_4"),
)  # fmt: skip


def equals_the_sum(bench: Bench, structure: Structure, lanes: int) -> None:
    """`o` is the number of ones that `i` held `latency` cycles ago."""
    component = structure.make(lanes)
    bench.dut(component)
    i = bench.free("bits", lanes)
    bench.m.d.comb += component.i.eq(i)
    total = Signal(range(lanes + 1), name="total")
    bench.m.d.comb += total.eq(sum(i[k] for k in range(lanes)))
    known = bench.named("known", 1)
    for k in range(structure.latency(lanes)):
        total = bench.before(f"total_{k}", total)
        known = bench.before(f"known_{k}", known)
    bench.check("count_is_the_sum", ~known | (component.o == total))
    bench.check("count_is_wide_enough", len(component.o) == lanes.bit_length())


def _proof(structure: Structure) -> Proof:
    def depth(lanes: int) -> int:
        return structure.latency(lanes) + 2

    return Proof(
        name=f"popcount-{structure.name}",
        says="The count is the sum of the bits, `popcount_levels` cycles later.",
        bounds=f"{LANES[0]} to {LANES[-1]} lanes",
        cases=tuple(
            Case(
                name=f"lanes{lanes}",
                design=design_of(
                    functools.partial(equals_the_sum, structure=structure, lanes=lanes)
                ),
                depth=depth(lanes),
            )
            for lanes in LANES
        ),
        broken=(
            Broken(
                name=f"{structure.wire} is stuck at 0",
                design=design_of(
                    functools.partial(equals_the_sum, structure=structure, lanes=BROKEN_LANES),
                    {structure.wire: lambda inside: 0},
                ),
                depth=depth(BROKEN_LANES),
            ),
        ),
    )


PROOFS = tuple(_proof(structure) for structure in STRUCTURES)
