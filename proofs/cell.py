"""A cell: the lanes that match are counted, and added to what comes from the left."""

__all__ = ["PROOFS"]

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from amaranth.hdl import Signal, Value

from bnnhw.rtl.cell import Cell
from bnnhw.rtl.plan import LayerPlan, pack
from bnnhw.rtl.weights import address_lead, outside
from bnnhw.technology import TECHNOLOGIES
from bnnhw.timing import cell_latency

from .bench import Bench, design_of
from .board import table
from .plans import dense_plan
from .proof import Broken, Case, Proof

# By how weights are kept, a layer on its grid: inputs, neurons, and the rest. The cell is that of
# the first band's last row and the last column.
Size = tuple[int, int, Mapping[str, Any]]
SIZES: dict[str, Sequence[Size]] = {
    "constant": (
        (1, 2, {"rows": 2}),
        (6, 2, {"lanes": 3, "cols": 2, "rows": 2}),
        (24, 1, {"lanes": 8, "cols": 3}),
        (6, 1, {"bits": 2, "lanes": 3, "cols": 2, "planes": 2}),
        (3, 1, {"bits": 4, "lanes": 3, "planes": 4}),
    ),
    "tables": (
        (20, 2, {"lanes": 5, "cols": 2}),
        (12, 4, {"lanes": 3}),
        (6, 20, {"lanes": 2}),
        (5, 36, {"lanes": 5, "rows": 3, "band": 3}),
        (4, 16, {"lanes": 4, "rows": 2, "band": 2}),
        (6, 3, {"bits": 2, "lanes": 3, "cols": 2, "planes": 2}),
    ),
    "open": (
        (12, 4, {"lanes": 3, "open_tables": True}),
        (5, 36, {"lanes": 5, "rows": 3, "band": 3, "open_tables": True}),
    ),
    "ram": ((12, 6, {"lanes": 3, "cols": 2, "rows": 2, "weights": "bram"}),),
}


def counts_matches(bench: Bench, plan: LayerPlan, built: LayerPlan | None = None) -> None:
    """`ps_o` is the matches of `cell_latency` cycles ago, and `ps_i` of one cycle ago.

    Parameters
    ----------
    built : LayerPlan
        What the component is built for, if it is not `plan`: a broken copy.
    """
    fold, col, row = plan.fold, plan.fold.cols - 1, plan.fold.band - 1
    cell = Cell(built or plan, row, col)
    bench.dut(cell)
    m = bench.m
    a, addr = bench.free("a", len(cell.a_i)), bench.free("addr", len(cell.addr_i))
    ps = bench.free("ps", len(cell.ps_i))
    m.d.comb += [cell.a_i.eq(a), cell.addr_i.eq(addr), cell.ps_i.eq(ps)]
    lane_sum = fold.lanes * ((1 << fold.planes) - 1)
    bench.assume((addr < plan.depth) & (ps <= col * lane_sum))

    if not cell.heads:
        m.d.comb += cell.a_late.eq(bench.before("a_link", a))
    words = [pack(word) for word in plan.weight_words[row, col]]
    weight = Signal(fold.lanes, name=f"{bench.prefix}weight")
    lead = address_lead(plan.layer, fold, plan.technology)
    if outside(plan):
        w = bench.free("w", fold.lanes)
        m.d.comb += [cell.w_i.eq(w), weight.eq(w)]
    else:
        now: Value = addr
        for k in range(lead):
            now = bench.before(f"addr_{k}", now)
        m.d.comb += weight.eq(table(words, now))
    total = Signal(range(lane_sum + 1), name=f"{bench.prefix}total")
    m.d.comb += total.eq(
        sum(
            (a[plane * fold.lanes + lane] == weight[lane]) << plane
            for plane in range(fold.planes)
            for lane in range(fold.lanes)
        )
    )
    latency = cell_latency(plan.layer, fold, plan.technology)
    known, matches = bench.named("known", 1), total
    for k in range(latency + lead):
        known = bench.before(f"known_{k}", known)
    for k in range(latency):
        matches = bench.before(f"matches_{k}", matches)
    left = bench.before("ps_before", ps) if col else 0
    bench.check("sum", ~known | (cell.ps_o == matches + left))
    if cell.heads and fold.rows > 1:
        moved = bench.before("moved", 1)
        bench.check("a_moves_down", ~moved | (cell.a_o == bench.before("a_before", cell.a_i)))
        addr_before = bench.before("addr_before", addr)
        bench.check("addr_moves_down", ~moved | (plan.depth == 1) | (cell.addr_o == addr_before))


def all_count(bench: Bench, plans: Sequence[LayerPlan]) -> None:
    """Several cells, side by side."""
    for k, plan in enumerate(plans):
        bench.prefix = f"cell{k}_"
        counts_matches(bench, plan)


def _flipped(plan: LayerPlan) -> LayerPlan:
    """The last weight is the other one."""
    weight = plan.layer.weight.copy()
    weight[-1, -1] ^= 1
    return dataclasses.replace(plan, layer=dataclasses.replace(plan.layer, weight=weight))


def _depth(plan: LayerPlan) -> int:
    sizes = (plan.layer, plan.fold, plan.technology)
    return cell_latency(*sizes) + address_lead(*sizes) + 3


def _proof(family: str) -> Proof:
    plans = {
        kind: [dense_plan(K, M, family=family, **rest) for K, M, rest in sizes]
        for kind, sizes in SIZES.items()
    }
    victim = plans["tables"][0]
    broken = functools.partial(counts_matches, plan=victim, built=_flipped(victim))
    return Proof(
        name=f"cell-{family}",
        says="`ps_o` is `ps_i` and the lanes that equal their weights, planes weighted, "
        "`cell_latency` cycles later; activations and address move down by one.",
        bounds="1 to 8 lanes, 1 to 4 planes, 1 to 60 words",
        cases=tuple(
            Case(
                name=kind,
                design=design_of(functools.partial(all_count, plans=some)),
                depth=max(map(_depth, some)),
            )
            for kind, some in plans.items()
        ),
        broken=(
            Broken(name="one weight bit flipped", design=design_of(broken), depth=_depth(victim)),
        ),
    )


PROOFS = tuple(_proof(family) for family in TECHNOLOGIES)
