"""A cell's weights in LUTs, a bit for each lane."""

__all__ = ["WeightTable"]

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value

from .delay import late
from .families import FAMILIES
from .families.cells import Cells
from .plan import LayerPlan

REACH = 16  # tables that one register of an address serves, where nothing stands behind them


class WeightTable:
    """Each lane's bit, read in the stage of the counter that wants it.

    A lane that joins the sum some stages later is read by an address that comes as much later:
    a register for all lanes of a stage, not one for each of them in every stage before.

    `bits` are the lanes' nets, of the first stage. They are to be had by `at` only, and `write`
    drives them in the end.

    Parameters
    ----------
    m, cells
        The cell, and where its primitives go.
    plan : LayerPlan
    columns : a lane's words, for each
    near : Value
        Their address, registered in the cell, a cycle before the bits of the first stage.
    """

    def __init__(
        self,
        m: Module,
        cells: Cells,
        plan: LayerPlan,
        columns: Sequence[tuple[int, ...]],
        near: Value,
    ) -> None:
        self.m = m
        self.cells = cells
        self.technology = plan.technology
        self.columns = columns
        self.near = near
        self.bits = [Signal(name=f"w_{lane}") for lane in range(len(columns))]
        self.lanes = {id(bit): lane for lane, bit in enumerate(self.bits)}
        self.reads: dict[int, dict[int, Value]] = {}  # by lane and stage

    def at(self, net: Value, stage: int) -> Value | None:
        """One of `bits` in a stage of the counter, no earlier than before; None of other nets."""
        lane = self.lanes.get(id(net))
        if lane is None:
            return None
        reads = self.reads.setdefault(lane, {})
        if not reads:
            reads[stage] = Signal(name=f"w_{lane}_{stage}") if stage else self.bits[lane]
        # Once read, it waits in registers: a second table is a LUT.
        for later in range(max(reads) + 1, stage + 1):
            reads[later] = late(self.m, f"w_{lane}_{later}", reads[later - 1])
        return reads[stage]

    def write(self) -> None:
        """The tables that were asked for."""
        near = self.near
        stages = [min(reads) for reads in self.reads.values()]
        for stage in range(max(stages, default=-1) + 1):
            if stage:
                near = late(self.m, f"addr_near_{stage}", near, apart=True)
            lanes = [lane for lane, reads in self.reads.items() if min(reads) == stage]
            if lanes:
                wanted = Cat(*(self.reads[lane][stage] for lane in lanes))
                self.m.d.comb += wanted.eq(self._read(stage, lanes, near))

    def _read(self, stage: int, lanes: list[int], near: Value) -> Value:
        family = FAMILIES[self.technology.family]
        columns = [self.columns[lane] for lane in lanes]
        if not self.technology.open_tables:
            bits = family.roms(self.cells, f"weight_{stage}", near, columns)
            return late(self.m, f"w_of_{stage}", Cat(*bits))
        bits = []
        for k in range(0, len(lanes), REACH):
            name = f"{stage}_{k // REACH}"
            by = late(self.m, f"addr_by_{name}", near, apart=True)
            bits += family.roms(self.cells, f"weight_{name}", by, columns[k : k + REACH])
        return Cat(*bits)
