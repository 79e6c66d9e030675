"""One cell of the systolic grid: weights, XNOR, popcount, and the links to its neighbours."""

__all__ = ["Cell"]

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .counting.writer import write_count
from .delay import late
from .families import FAMILIES
from .families.cells import Cells
from .plan import LayerPlan, pack
from .popcount import Popcount
from .rom import Rom
from .weights import address_lead, cell_structure, lane_functions, outside


class Cell(wiring.Component):
    """Counts the lanes whose activation equals the weight, and adds the count to a passing sum.

    Activations and the weights' address move down by one register a band of rows, partial sums
    right by one a cell. Nothing stalls and nothing is reset. The address comes
    `weights.address_lead` cycles before its activations.

    Latency: `timing.cell_latency` from `a_i` to `ps_o`; `ps_i` comes one cycle before that.

    Parameters
    ----------
    plan : LayerPlan
    row, col : int
        The cell's place in the grid.

    Members
    -------
    a_i : In, planes * lanes bits
        Bit `p * lanes + l` is plane p (of weight 2^p) of lane l.
    addr_i : In, range(depth)
    a_o, addr_o : Out
        One cycle later, for the rows below; only of a band's first row.
    a_late : In
        The first row's `a_o`, in the others.
    w_i : In, lanes bits
        The weights, with `a_i`; only where block RAM holds them outside.
    ps_i : In, ps_o : Out
        The sum of the cells to the left, and with this one.
    """

    a_i: Signal
    a_o: Signal
    a_late: Signal
    addr_i: Signal
    addr_o: Signal
    w_i: Signal
    ps_i: Signal
    ps_o: Signal

    def __init__(self, plan: LayerPlan, row: int, col: int) -> None:
        self.plan = plan
        self.row = row
        self.col = col
        self.heads = row % plan.fold.band == 0
        most = plan.fold.lanes * ((1 << plan.fold.planes) - 1)  # of one cell
        self.ps_max = (col + 1) * most
        width = plan.fold.planes * plan.fold.lanes
        address = max(1, (plan.depth - 1).bit_length())
        super().__init__(
            {
                "a_i": In(width),
                "addr_i": In(address),
                "ps_i": In(max(1, (col * most).bit_length())),
                "ps_o": Out(self.ps_max.bit_length()),
            }
            | ({"a_o": Out(width), "addr_o": Out(address)} if self.heads else {"a_late": In(width)})
            | ({"w_i": In(plan.fold.lanes)} if outside(plan) else {})
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.heads:
            # The last band's links lead to no cell, but a family's counters begin with them.
            below = self.row + self.plan.fold.band < self.plan.fold.rows
            if below or not self.plan.technology.generic:
                self._link(m, "a_link", self.a_i, self.a_o)
            if below and self.plan.depth > 1:
                self._link(m, "addr_link", self.addr_i, self.addr_o)
        if self.plan.technology.generic:
            self._plain(m)
        else:
            self._written(m)
        return m

    def _written(self, m: Module) -> None:
        """Counter and sum in one structure, in a family's cells."""
        plan = self.plan
        most = self.ps_max // (self.col + 1) * self.col  # of ps_i
        counter = cell_structure(plan.layer, plan.fold, plan.technology, most)
        cells = Cells(m, FAMILIES[plan.technology.family].twins, simulated=plan.simulated)
        words = plan.weight_words[self.row, self.col]
        lanes, table = lane_functions(
            m,
            cells,
            plan,
            words,
            a=self.a_i,
            a_link=self.a_o if self.heads else self.a_late,
            addr=self.addr_i,
            w=self.w_i if outside(plan) else None,
        )
        total = write_count(
            m,
            counter,
            plan.technology,
            lanes,
            self.ps_i,
            again=table.at if table else None,
            simulated=plan.simulated,
        )
        if table:
            table.write()
        m.d.comb += self.ps_o.eq(total)

    def _plain(self, m: Module) -> None:
        fold = self.plan.fold
        weights = Rom(
            m,
            "rom",
            [pack(word) for word in self.plan.weight_words[self.row, self.col]],
            fold.lanes,
            self.addr_i,
            latency=address_lead(self.plan.layer, self.plan.fold, self.plan.technology),
        )
        weight = Signal(fold.lanes)
        m.d.comb += weight.eq(weights.data)
        count: Value = self._count(m, weight)
        ps_link = Signal(self.ps_o.shape(), reset_less=True)
        m.d.sync += ps_link.eq(count if self.col == 0 else self.ps_i + count)
        m.d.comb += self.ps_o.eq(ps_link)

    @staticmethod
    def _link(m: Module, name: str, before: Signal, after: Signal) -> None:
        """A register on the way to the cell below.

        Those of cells on one anti-diagonal always hold the same values. `keep` and the name tell
        synthesis to leave them apart, or one of them would drive a cell far away.
        """
        m.d.comb += after.eq(late(m, name, before, apart=True))

    def _count(self, m: Module, weight: Signal) -> Value:
        """The cell's own count: matching lanes, planes weighted; one register before the sum."""
        fold = self.plan.fold
        terms: list[tuple[Value, int]] = []
        for plane in range(fold.planes):
            x = Signal(fold.lanes, name=f"x_{plane}", reset_less=True)
            a = Signal(fold.lanes, name=f"a_{plane}")
            m.submodules[f"popcount_{plane}"] = popcount = Popcount(fold.lanes)
            m.d.comb += a.eq(self.a_i[plane * fold.lanes : (plane + 1) * fold.lanes])
            m.d.sync += x.eq(~(a ^ weight))
            m.d.comb += popcount.i.eq(x)
            terms.append((popcount.o, fold.lanes))
        apart = 1  # planes between a pair of terms
        while len(terms) > 1:
            pairs = [(terms[k], terms[k + 1]) for k in range(0, len(terms), 2)]
            terms = []
            for k, ((low, low_max), (high, high_max)) in enumerate(pairs):
                most = low_max + (high_max << apart)
                total = Signal(range(most + 1), name=f"planes_{apart}_{k}", reset_less=True)
                m.d.sync += total.eq(low + (high << apart))
                terms.append((total, most))
            apart *= 2
        return terms[0][0]
