"""How a cell's weights are kept, and what they make of its lanes."""

__all__ = [
    "Form",
    "address_lead",
    "cell_structure",
    "form_of",
    "lane_functions",
    "outside",
    "settled",
    "store_of",
]

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from amaranth.hdl import Cat, Module, Value

from ..folding import Folding, LayerFolding
from ..layers import Layer
from ..network import Network
from ..technology import Technology
from .counting.abilities import Kind
from .counting.structure import Structure
from .counting.writer import structure
from .delay import late
from .families import FAMILIES
from .families.cells import Cells, Function
from .plan import LayerPlan, pack
from .rom import Rom
from .weight_table import WeightTable

COLUMNS_DEPTH = 4  # up to complement 4 words have 7 different columns, which all lanes can share
XNOR, XOR, SAME, INVERTED = (1, 0, 0, 1), (0, 1, 1, 0), (0, 1), (1, 0)

Words = npt.NDArray[np.uint8]
Form = Literal["constant", "columns", "fused", "table", "ram"]


def form_of(layer: Layer, fold: LayerFolding, technology: Technology) -> Form:
    """How the weights of a layer's cells are kept, of a family that writes its cells itself.

    constant : one word, so a lane is the activation or its complement.
    columns : few words, of which the lanes share their different columns.
    fused : a lane's words and its XNOR are one LUT.
    table : a lane's words are LUTs; the XNOR is in the counter.
    ram : a lane's words are in block RAM; the XNOR is in the counter.
    """
    depth = fold.depth(layer)
    if depth == 1:
        return "constant"
    if store_of(layer, fold, technology) == "bram":
        return "ram"
    if depth <= COLUMNS_DEPTH:
        return "columns"
    return "fused" if depth <= FAMILIES[technology.family].fused_depth else "table"


def settled(network: Network, folding: Folding, technology: Technology) -> Folding:
    """The folding with `weights = "auto"` settled."""
    layers = [
        dataclasses.replace(fold, weights=store_of(layer, fold, technology))
        for layer, fold in folding.pairs(network)
    ]
    return dataclasses.replace(folding, layers=tuple(layers))


def store_of(layer: Layer, fold: LayerFolding, technology: Technology) -> Literal["baked", "bram"]:
    """Where the weights go, `auto` by what a family's LUTs and RAMs cost.

    A block RAM counts for as many LUTs as the family's devices have to each of theirs. Without a
    family the rule is `LayerFolding.stores`, by depth alone.
    """
    if fold.weights == "auto" and not technology.generic:
        return "bram" if _ram_is_cheaper(layer, fold, technology) else "baked"
    return fold.stores(layer)


def _ram_is_cheaper(layer: Layer, fold: LayerFolding, technology: Technology) -> bool:
    family = FAMILIES[technology.family]
    depth = fold.depth(layer)
    if depth <= max(COLUMNS_DEPTH, family.fused_depth):
        return False
    slices = -(-fold.lanes // family.ram_width)
    words = -(-depth // family.ram_words)
    halves = family.own_ram and 2 * depth <= family.ram_words
    rams = words * slices / (2 if halves else 1)
    return rams * family.luts_per_ram < fold.lanes * family.table_luts(depth)


def address_lead(layer: Layer, fold: LayerFolding, technology: Technology) -> int:
    """Cycles that a weight's address comes before its activations.

    Block RAM takes two cycles. In a family's cells another register, and a further one with the
    lanes, cover the way from a RAM, which lies where the device has them, to the cells it serves.
    Tables in LUTs have their address in a register of the cell's own.
    """
    cycles = 2 if store_of(layer, fold, technology) == "bram" else 0
    return cycles if technology.generic else cycles + 1


def outside(plan: LayerPlan) -> bool:
    """Whether weights come to the cell from a `WeightRam`."""
    if plan.technology.generic or form_of(plan.layer, plan.fold, plan.technology) != "ram":
        return False
    family = FAMILIES[plan.technology.family]
    return family.own_ram and plan.depth <= family.ram_words


def cell_structure(
    layer: Layer, fold: LayerFolding, technology: Technology, addend: int
) -> Structure:
    """The plan of a cell's counter: its lanes, and a partial sum of at most `addend` to add."""
    whole = form_of(layer, fold, technology) in ("constant", "fused")
    kind: Kind = "bit" if whole else "xnor"
    return structure(technology, kind, fold.lanes, fold.planes, addend)


def lane_functions(
    m: Module,
    cells: Cells,
    plan: LayerPlan,
    words: Words,
    *,
    a: Value,
    a_link: Value,
    addr: Value,
    w: Value | None,
) -> tuple[list[Function], WeightTable | None]:
    """The lanes of a cell, of nets one cycle after its activations.

    Those of a `WeightTable` are to be had from it.

    Parameters
    ----------
    m, cells
        The cell, and where its primitives go.
    plan : LayerPlan
    words : ndarray[uint8], (depth, lanes), 0/1
    a, a_link : planes * lanes bits
        The activations, and one cycle later.
    addr : Value
        The weights' address, `address_lead` cycles before `a`.
    w : Value or None
        The weights, with `a`, where they are kept outside of the cell.
    """
    fold = plan.fold
    form = form_of(plan.layer, fold, plan.technology)
    columns = [tuple(int(bit) for bit in words[:, lane]) for lane in range(fold.lanes)]
    nets = [a_link[k] for k in range(len(a_link))]
    if form in ("fused", "columns", "table"):
        addr = late(m, "addr_near", addr, apart=True)
    if form == "fused":
        return _fused(m, cells, plan, columns * fold.planes, a=a, addr=addr), None
    if form == "ram":
        if w is None:
            memory = [pack(word) for word in words]
            w = late(m, "way", Rom(m, "rom", memory, fold.lanes, addr, latency=2).data)
        weights = late(m, "w", w)
        bits = [weights[lane] for lane in range(fold.lanes)]
        return [Function((net, bits[k % fold.lanes]), XNOR) for k, net in enumerate(nets)], None
    # Columns that begin with 0, by which a lane is the XNOR or the XOR; 0 itself needs no net.
    keys = [column if not column[0] else tuple(1 - bit for bit in column) for column in columns]
    table, shared = None, {}
    if form == "columns":
        wanted = sorted({key for key in keys if any(key)})
        family = FAMILIES[plan.technology.family]
        w = late(m, "w", Cat(*family.roms(cells, "weight", addr, wanted)), apart=True)
        shared = {key: w[k] for k, key in enumerate(wanted)}
    elif form == "table":
        table = WeightTable(m, cells, plan, keys, addr)
    lanes = []
    for k, net in enumerate(nets):
        lane = k % fold.lanes
        inverts = columns[lane][0] == 1
        if not any(keys[lane]):
            lanes.append(Function((net,), SAME if inverts else INVERTED))
            continue
        bit = table.bits[lane] if table else shared[keys[lane]]
        lanes.append(Function((net, bit), XOR if inverts else XNOR))
    return lanes, table


def _fused(
    m: Module,
    cells: Cells,
    plan: LayerPlan,
    columns: Sequence[tuple[int, ...]],
    *,
    a: Value,
    addr: Value,
) -> list[Function]:
    """ROM and XNOR in one LUT each."""
    family = FAMILIES[plan.technology.family]
    address = [addr[i] for i in range((plan.depth - 1).bit_length())]
    bits = []
    for k, column in enumerate(columns):
        padded = (*column, *[0] * ((1 << len(address)) - len(column)))
        values = [int(weight == one) for weight in padded for one in (0, 1)]
        bits.append(family.lut(cells, f"equal_{k}", Function((a[k], *address), tuple(values))))
    x = late(m, "x", Cat(*bits))
    return [Function((x[k],), SAME) for k in range(len(columns))]
