"""LUT sites and block RAMs of a core, told before it is generated: estimates, and so marked."""

__all__ = ["Area", "core_area", "layer_area"]

import dataclasses
import functools
import math
from collections.abc import Iterator

from ..dataflow import MapWords
from ..folding import Folding, LayerFolding, ceil_div
from ..layers import Conv, Layer, Output
from ..maps import Flatten, Pool
from ..network import Network
from ..queues import bank_lines, ring_words
from ..technology import Technology
from ..timing import RepackSizes, exit_depth
from ..window import Window
from .bank import bank_area
from .counting.abilities import Kind
from .counting.compressed import sites
from .counting.writer import structure
from .families import FAMILIES
from .plan import RING, LayerPlan
from .weights import form_of

# LUT sites, about: of a stage's counters and handshakes, and of those that walk over a map.
CONTROL, WALK = 60, 350
PLACES = 3  # LUT sites a bit of a repacking gearbox, which comes from several places


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    """What a stage takes.

    Parameters
    ----------
    name : str
        The layer's.
    sites : float
        LUT sites.
    rams : int
        Block RAMs.
    """

    name: str
    sites: float
    rams: int = 0


def core_area(network: Network, folding: Folding, technology: Technology) -> list[Area]:
    """Of each layer, with the buffers before it.

    Cells are counted as they are planned; edges, memories and multiplexers by their bits; the rest
    is a constant a stage.
    """
    maps = {one.name: one for one in folding.map_words(network)}
    folds = {fold.name: fold for fold in folding.layers}
    found = []
    bits = network.input.bits
    for stage in network.layers:
        parts = [Area(name=stage.name, sites=CONTROL)]
        if isinstance(stage, Conv | Pool):
            parts.append(_buffer(stage.window, maps[stage.name], bits, technology))
        if isinstance(stage, Pool):
            parts.append(Area(name="or", sites=maps[stage.name].wide))
        elif not isinstance(stage, Flatten):
            parts += layer_area(stage, folds[stage.name], technology, maps.get(stage.name))
            bits = 1
        found.append(
            Area(name=stage.name, sites=sum(part.sites for part in parts),
                 rams=sum(part.rams for part in parts))
        )  # fmt: skip
    return found


def layer_area(
    layer: Layer, fold: LayerFolding, technology: Technology, words: MapWords | None = None
) -> Iterator[Area]:
    """Of a layer's parts, without the buffer before it.

    Parameters
    ----------
    words : MapWords, optional
        In which a convolution's map comes.
    """
    plan = LayerPlan(layer, fold, technology)
    grids, cells = fold.positions, fold.rows * fold.positions
    weight, rams = _weights(plan)
    kind: Kind = "bit" if form_of(layer, fold, technology) in ("constant", "fused") else "xnor"
    counters = _counters(technology, kind, fold.lanes, fold.planes, fold.cols)
    yield Area(name="cells", sites=cells * (counters + fold.cols * weight))
    yield Area(name="weights", sites=0, rams=ceil_div(rams * cells * fold.cols, 2))
    width = plan.acc_max.bit_length() + 1
    folds, family = plan.neuron_folds, FAMILIES[technology.family]
    table = family.table_luts(folds) if folds > 1 else 0
    edge = width * (1 + table + (plan.plane_groups > 1)) + 2
    if isinstance(layer, Output):
        edge += width
    yield Area(name="edges", sites=cells * edge)
    depth = exit_depth(layer, fold, technology)
    word = cells * plan.word_width
    bank, blocks = bank_area(technology, word, 1 << (depth - 1).bit_length())
    yield Area(name="exit", sites=bank + word, rams=blocks)
    if isinstance(layer, Conv) and words is not None:
        yield Area(name="gearbox", sites=_gearbox(layer, fold, words))
    depth = 1 << (RING * plan.steps - 1).bit_length()
    bank, blocks = bank_area(technology, fold.planes * fold.lanes, depth)
    yield Area(name="replay", sites=grids * fold.cols * bank, rams=grids * fold.cols * blocks)


@functools.cache
def _counter(technology: Technology, kind: Kind, lanes: int, planes: int, addend: int) -> int:
    return sites(structure(technology, kind, lanes, planes, addend), kind)


@functools.cache
def _counters(technology: Technology, kind: Kind, lanes: int, planes: int, cols: int) -> int:
    """Of a row's cells; foldings are compared by the thousand, and have few different ones."""
    most = lanes * ((1 << planes) - 1)
    # A partial sum's bits are what counts of it.
    addends = [(1 << (c * most).bit_length()) - 1 for c in range(cols)]
    return sum(_counter(technology, kind, lanes, planes, addend) for addend in addends)


def _gearbox(layer: Conv, fold: LayerFolding, words: MapWords) -> float:
    """Ahead of a convolution: whole windows are taken apart, positions' words put together."""
    if words.columns is not None:
        inputs = fold.positions * fold.input_folds(layer) * fold.simd
        return inputs * layer.input_bits if inputs > fold.simd * fold.positions else 0
    bus = fold.bus(layer, words.channels)
    if bus % words.channels == 0 or words.channels % bus == 0:
        return 0
    step = math.gcd(bus, words.channels)
    sizes = RepackSizes(layer.inputs // step, words.channels // step, bus // step, 1)
    return PLACES * sizes.capacity * step * layer.input_bits


def _weights(plan: LayerPlan) -> tuple[float, int]:
    """LUT sites of a cell's weights, and halves of block RAMs."""
    fold, family = plan.fold, FAMILIES[plan.technology.family]
    form = form_of(plan.layer, fold, plan.technology)
    if form == "fused":
        return fold.planes * fold.lanes, 0
    if form == "columns":  # as many different ones as random weights have
        kinds = 1 << (plan.depth - 1)
        return (kinds - 1) * (1 - (1 - 1 / kinds) ** fold.lanes), 0
    if form == "table":
        return fold.lanes * family.table_luts(plan.depth), 0
    if form == "ram":
        rams = ceil_div(fold.lanes, family.ram_width) * ceil_div(plan.depth, family.ram_words)
        return 0, rams if family.own_ram and 2 * plan.depth <= family.ram_words else 2 * rams
    return 0, 0


def _buffer(window: Window, words: MapWords, bits: int, technology: Technology) -> Area:
    if words.columns is None:
        depth = ring_words(window, window.shape[2] // words.channels)
        luts, blocks = bank_area(technology, words.wide * bits, depth)
        return Area(name="lines", sites=luts + 2 * words.wide * bits + WALK, rams=blocks)
    high, wide = window.kernel[0], words.wide * bits
    low = max(1, (words.columns.line - 1).bit_length())
    luts, blocks = bank_area(technology, wide, bank_lines(words.columns) << low)
    turn = high * wide * high  # each line out of any bank, and a slack
    return Area(name="lines", sites=high * luts + turn + WALK, rams=high * blocks)
