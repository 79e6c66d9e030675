"""A cell: the lanes that match are counted, and added to what comes from the left."""

__all__ = ["PROOFS"]

import dataclasses
import functools

from amaranth.hdl import Signal, Value

from bnnhw.rtl.cell import Cell, weight_latency
from bnnhw.rtl.plan import LayerPlan, pack
from bnnhw.timing import cell_latency

from .bench import Bench, design_of
from .board import table
from .plans import dense_plan
from .proof import Broken, Case, Proof

# Name to plan, row and column.
CELLS = {
    "lane1": (dense_plan(1, 2, rows=2), 0, 0),
    "lanes3": (dense_plan(6, 2, lanes=3, cols=2, rows=2), 0, 1),
    "lanes5_fold4": (dense_plan(20, 2, lanes=5, cols=2), 0, 1),
    "lanes8": (dense_plan(24, 1, lanes=8, cols=3), 0, 2),
    "planes2": (dense_plan(6, 2, bits=2, lanes=3, cols=2, planes=2), 0, 1),
    "planes4": (dense_plan(3, 2, bits=4, lanes=3, planes=4), 0, 0),
    "bram": (dense_plan(12, 2, lanes=3, cols=2, weights="bram"), 0, 1),
}


def counts_matches(
    bench: Bench, plan: LayerPlan, row: int, col: int, built: LayerPlan | None = None
) -> None:
    """`ps_o` is the matches of `cell_latency` cycles ago, and `ps_i` of one cycle ago.

    Parameters
    ----------
    built : LayerPlan
        What the component is built for, if it is not `plan`: a broken copy.
    """
    fold = plan.fold
    cell = Cell(built or plan, row, col)
    bench.dut(cell)
    m = bench.m
    a, addr = bench.free("a", len(cell.a_i)), bench.free("addr", len(cell.addr_i))
    ps = bench.free("ps", len(cell.ps_i))
    m.d.comb += [cell.a_i.eq(a), cell.addr_i.eq(addr), cell.ps_i.eq(ps)]
    lane_sum = fold.lanes * ((1 << fold.planes) - 1)
    bench.assume((addr < plan.depth) & (ps <= col * lane_sum))

    now: Value = addr
    for k in range(weight_latency(plan)):
        now = bench.before(f"addr_{k}", now)
    words = [pack(word) for word in plan.weight_words[row, col]]
    weight = Signal(fold.lanes, name="weight")
    m.d.comb += weight.eq(table(words, now))
    total = Signal(range(lane_sum + 1), name="total")
    m.d.comb += total.eq(
        sum(
            (a[plane * fold.lanes + lane] == weight[lane]) << plane
            for plane in range(fold.planes)
            for lane in range(fold.lanes)
        )
    )
    latency = cell_latency(fold)
    known, matches = bench.named("known", 1), total
    for k in range(latency + weight_latency(plan)):
        known = bench.before(f"known_{k}", known)
    for k in range(latency):
        matches = bench.before(f"matches_{k}", matches)
    left = bench.before("ps_before", ps) if col else 0
    bench.check("sum", ~known | (cell.ps_o == matches + left))
    if row + 1 < fold.rows:
        moved = bench.before("moved", 1)
        bench.check("a_moves_down", ~moved | (cell.a_o == bench.before("a_before", a)))
        addr_before = bench.before("addr_before", addr)
        bench.check("addr_moves_down", ~moved | (plan.depth == 1) | (cell.addr_o == addr_before))


def _flipped(plan: LayerPlan) -> LayerPlan:
    """The last weight is the other one."""
    weight = plan.layer.weight.copy()
    weight[-1, -1] ^= 1
    return LayerPlan(dataclasses.replace(plan.layer, weight=weight), plan.fold)


def _depth(plan: LayerPlan) -> int:
    return cell_latency(plan.fold) + weight_latency(plan) + 3


def _broken(name: str) -> Broken:
    plan, row, col = CELLS[name]
    harness = functools.partial(counts_matches, plan=plan, row=row, col=col, built=_flipped(plan))
    return Broken(
        name=f"one weight bit flipped, {name}", design=design_of(harness), depth=_depth(plan)
    )


PROOFS = (
    Proof(
        name="cell-generic",
        says="`ps_o` is `ps_i` and the lanes that equal their weights, planes weighted, "
        "`cell_latency` cycles later; activations and address move down by one.",
        bounds="1 to 8 lanes, 1 to 4 planes, 1 to 4 words",
        cases=tuple(
            Case(
                name=name,
                design=design_of(functools.partial(counts_matches, plan=plan, row=row, col=col)),
                depth=_depth(plan),
            )
            for name, (plan, row, col) in CELLS.items()
        ),
        broken=(_broken("lanes5_fold4"), _broken("bram")),
    ),
)
