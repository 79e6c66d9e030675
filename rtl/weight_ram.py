"""Block RAM with the weights of two places in the grid."""

__all__ = ["WeightRam", "shared"]

from collections.abc import Sequence

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .delay import late
from .families import FAMILIES
from .families.cells import Cells
from .plan import LayerPlan, pack

Slice = tuple[int, int, int]  # row, column, number: a cell's lanes, a RAM's width at a time


def shared(plan: LayerPlan) -> list[tuple[Slice, ...]]:
    """Which slices share a RAM: two, one a port, where their words fit together.

    Neighbours in a column, for the address comes down it.
    """
    family = FAMILIES[plan.technology.family]
    fold = plan.fold
    each = 2 if 2 * plan.depth <= family.ram_words else 1
    slices = [
        (row, col, number)
        for col in range(fold.cols)
        for row in range(fold.rows)
        for number in range(-(-fold.lanes // family.ram_width))
    ]
    return [tuple(slices[k : k + each]) for k in range(0, len(slices), each)]


class WeightRam(wiring.Component):
    """One RAM, a port for each slice, read in two cycles: its own output register is in use.

    A third is for the way to the cells.

    Parameters
    ----------
    plan : LayerPlan
    slices : tuple of (row, col, number)

    Members
    -------
    addr_{i} : In, range(depth)
        Of slice i's cell.
    w_{i} : Out
        Its lanes, `ram_width` at most.
    """

    def __init__(self, plan: LayerPlan, slices: Sequence[Slice]) -> None:
        self.plan = plan
        self.slices = slices
        self.family = FAMILIES[plan.technology.family]
        address = (plan.depth - 1).bit_length()
        super().__init__(
            {f"addr_{i}": In(address) for i in range(len(slices))}
            | {f"w_{i}": Out(len(self.lanes(one))) for i, one in enumerate(slices)}
        )

    def lanes(self, one: Slice) -> range:
        """The cell's lanes that a slice holds."""
        start = one[2] * self.family.ram_width
        return range(start, min(start + self.family.ram_width, self.plan.fold.lanes))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cells = Cells(m, self.family.twins, simulated=self.plan.simulated)
        tables = []
        for one in self.slices:
            lanes = self.lanes(one)
            words = self.plan.weight_words[one[0], one[1]][:, lanes.start : lanes.stop]
            tables.append([pack(word) for word in words])
        addresses: list[Signal] = [getattr(self, f"addr_{i}") for i in range(len(self.slices))]
        for i, data in enumerate(self.family.ram(cells, "ram", addresses, tables)):
            m.d.comb += getattr(self, f"w_{i}").eq(late(m, f"way_{i}", data))
        return m
