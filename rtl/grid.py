"""The systolic grid: rows x cols cells, wires between neighbours only."""

__all__ = ["Grid"]

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .cell import Cell
from .plan import LayerPlan
from .weight_ram import WeightRam, shared
from .weights import outside


class Grid(wiring.Component):
    """Cells side by side: activations enter at the top, partial sums leave at the right.

    Column c gets its activations c cycles after column 0. The sum over all columns of a row in
    band b leaves `timing.cell_latency(fold) + cols - 1 + b` cycles after column 0 got them.

    Members
    -------
    a_{c} : In, planes * lanes bits, for each column
    addr_{c} : In, range(depth), for each column
        As `Cell` describes them.
    ps_{r} : Out, for each row
    """

    def __init__(self, plan: LayerPlan) -> None:
        self.plan = plan
        fold = plan.fold
        self.cells = [[Cell(plan, r, c) for c in range(fold.cols)] for r in range(fold.rows)]
        top, right = self.cells[0], [row[-1] for row in self.cells]
        super().__init__(
            {f"a_{c}": In(cell.a_i.shape()) for c, cell in enumerate(top)}
            | {f"addr_{c}": In(cell.addr_i.shape()) for c, cell in enumerate(top)}
            | {f"ps_{r}": Out(cell.ps_o.shape()) for r, cell in enumerate(right)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for r, row in enumerate(self.cells):
            for c, cell in enumerate(row):
                m.submodules[f"cell_{r}_{c}"] = cell
                band = self.plan.fold.band
                head = self.cells[r - r % band][c]
                above = self.cells[head.row - band][c] if head.row else None
                if cell is not head:
                    m.d.comb += cell.a_late.eq(head.a_o)
                m.d.comb += [
                    cell.a_i.eq(above.a_o if above else self._port(f"a_{c}")),
                    cell.addr_i.eq(above.addr_o if above else self._port(f"addr_{c}")),
                ]
                if c:
                    m.d.comb += cell.ps_i.eq(row[c - 1].ps_o)
            m.d.comb += self._port(f"ps_{r}").eq(row[-1].ps_o)
        if outside(self.plan):
            self._rams(m)
        return m

    def _rams(self, m: Module) -> None:
        """Block RAM between the cells."""
        for k, slices in enumerate(shared(self.plan)):
            m.submodules[f"ram_{k}"] = ram = WeightRam(self.plan, slices)
            for i, (row, col, _) in enumerate(slices):
                cell = self.cells[row][col]
                lanes = ram.lanes(slices[i])
                m.d.comb += [
                    getattr(ram, f"addr_{i}").eq(cell.addr_i),
                    cell.w_i[lanes.start : lanes.stop].eq(getattr(ram, f"w_{i}")),
                ]

    def _port(self, name: str) -> Signal:
        port: Signal = getattr(self, name)
        return port
