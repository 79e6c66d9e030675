"""XNOR and popcount, by every structure: the number of lanes that match."""

__all__ = ["PROOFS"]

import functools

import numpy as np
from amaranth.hdl import Const, Signal, Value

from bnnhw.rtl.plan import pack
from bnnhw.rtl.popcount import XnorPopcount
from bnnhw.technology import LINE, TECHNOLOGIES, Technology

from .bench import Bench, design_of
from .proof import Broken, Case, Proof

LANES = (range(1, 9), range(9, 13), range(13, 17))  # those of a range in one run
BROKEN_LANES = 11
SMALLER_FLAT = ("nexus", "xilinx7")  # without registers other structures than with them


def counts(
    bench: Bench, lanes: int, technology: Technology, *, baked: bool, stuck: bool = False
) -> None:
    """`count` is the number of lanes whose activation equals the weight, `latency` cycles later.

    A family's cells are their twins, which the tests prove equal to Yosys's models.

    Parameters
    ----------
    baked : bool
        Weights are constants.
    stuck : bool
        The last lane's activation does not arrive: a broken copy.
    """
    weights = np.random.default_rng(lanes).integers(0, 2, lanes, dtype=np.uint8) if baked else None
    component = XnorPopcount(lanes, technology, weights=weights, simulated=True)
    bench.dut(component)
    m = bench.m
    a = bench.free("a", lanes)
    w: Value
    w = bench.free("w", lanes) if weights is None else Const(pack(weights), lanes)
    m.d.comb += component.a.eq(a[: lanes - 1] if stuck else a)
    if not baked:
        m.d.comb += component.w.eq(w)
    total = Signal(range(lanes + 1), name=f"{bench.prefix}total")
    m.d.comb += total.eq(sum(a[k] == w[k] for k in range(lanes)))
    known = bench.named("known", 1)
    for k in range(component.latency):
        total = bench.before(f"total_{k}", total)
        known = bench.before(f"known_{k}", known)
    bench.check("sum", ~known | (component.count == total))


def all_count(bench: Bench, sizes: range, technology: Technology, *, baked: bool) -> None:
    """All of several sizes, side by side."""
    for lanes in sizes:
        bench.prefix = f"lanes{lanes}_"
        counts(bench, lanes, technology, baked=baked)


def _depth(lanes: int, technology: Technology, *, baked: bool) -> int:
    weights = np.ones(lanes, dtype=np.uint8) if baked else None
    component = XnorPopcount(lanes, technology, weights=weights, simulated=True)
    component._MustUse__used = True  # type: ignore[attr-defined]  # only asked its latency
    return component.latency + 2


def _proof(family: str, every: int, *, baked: bool) -> Proof:
    # Without registers there is no line too long: then a family's smallest structures are planned.
    technology = Technology(family=family, every=every, line=LINE if every else 0)
    harness = functools.partial(all_count, technology=technology, baked=baked)
    broken = functools.partial(
        counts, lanes=BROKEN_LANES, technology=technology, baked=baked, stuck=True
    )
    return Proof(
        name=f"popcount-{family}{'' if every else '-flat'}{'-baked' if baked else ''}",
        says="The count is the number of lanes that match their weights, `latency` cycles later.",
        bounds=f"{LANES[0][0]} to {LANES[-1][-1]} lanes, "
        f"{'constant weights' if baked else 'all weights'}",
        heavy=not every and family not in SMALLER_FLAT,
        cases=tuple(
            Case(
                name=f"lanes{sizes[0]}to{sizes[-1]}",
                design=design_of(functools.partial(harness, sizes=sizes)),
                depth=_depth(sizes[-1], technology, baked=baked),
            )
            for sizes in LANES
        ),
        broken=(
            Broken(
                name="a lane is not counted",
                design=design_of(broken),
                depth=_depth(BROKEN_LANES, technology, baked=baked),
            ),
        ),
    )


# Registers after each operation, or only at the end.
PROOFS = tuple(
    _proof(family, every, baked=baked)
    for family in TECHNOLOGIES
    for every, baked in ((1, False), (1, True), (0, False), (0, True))
)
