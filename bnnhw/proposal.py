"""Foldings proposed for a network: for an interval, for images a second, for a budget of LUTs."""

__all__ = ["Budget", "balanced", "proposed", "within_budget"]

import bisect
import dataclasses
import itertools
import math
from collections.abc import Iterator

from .dataflow import MapWords, at_once, conv_words, least_cycles
from .errors import InputError
from .folding import CLOCK_HZ, Folding, LayerFolding, ceil_div
from .layers import Conv, Layer
from .network import Network
from .technology import Technology

LANES = 16  # of a cell, where nothing but lanes is counted
DEFAULT_INTERVAL = 1024  # cycles: a grid of one cell runs a layer of 128 x 128 bits in that
EDGE_LANES = 12  # that a row's edge costs, about
MOST_CYCLES = 1 << 36  # of a sample: more than any network takes on one cell
STEP = 32
# Cells' lanes that are tried for a family: whole carry lines, words of block RAM, whole windows.
SIZES = (16, 18, 24, 32, 36, 48, 64, 72)
WIDEST = 256  # planes of lanes in one counter: wider ones save little, and take long to plan
# What a block RAM may be worth, of the family's LUTs to each of theirs: the less, the more used.
SHARES = (8, 2, 1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6, 1 / 8, 1 / 10, 1 / 12, 1 / 16, 1 / 32, 0)


@dataclasses.dataclass(frozen=True, slots=True)
class Budget:
    """What a core may take of a family, about.

    Parameters
    ----------
    luts : int
        LUT sites.
    rams : int, optional
        Block RAMs, used where they save most LUT sites. Without, one is used where it saves as many
        as the family's devices have to each.
    """

    luts: int
    rams: int | None = None

    def __post_init__(self) -> None:
        if self.luts < 1:
            raise InputError(f"the budget must be at least 1 LUT site, not {self.luts}")
        if self.rams is not None and self.rams < 0:
            raise InputError(f"the budget must be at least 0 block RAMs, not {self.rams}")

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """`60000`, or `60000,200` with block RAMs."""
        parts = text.split(",")
        if len(parts) > 2 or not all(part.isascii() and part.isdecimal() for part in parts):
            raise InputError(f"the budget must be LUTs or LUTs,RAMs, as 60000,200, not {text!r}")
        return cls(*map(int, parts))

    def __str__(self) -> str:
        rams = "" if self.rams is None else f" and {self.rams:,} block RAMs"
        return f"{self.luts:,} LUT sites{rams}"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """What a grid costs, by the estimates of `rtl.area`.

    Parameters
    ----------
    technology : Technology
        Of a family.
    ram : float
        LUT sites that a block RAM is worth.
    """

    technology: Technology
    ram: float

    def of(self, layer: Layer, fold: LayerFolding, words: MapWords | None) -> float:
        """In LUT sites, of a layer on a grid, its map coming in these words."""
        from .rtl.area import layer_area

        areas = layer_area(layer, fold, self.technology, words)
        return math.fsum(area.sites + self.ram * area.rams for area in areas)


def balanced(
    network: Network,
    interval: int,
    *,
    lanes: int = LANES,
    output: str = "class",
    prices: Prices | None = None,
) -> Folding:
    """The smallest folding that reaches an interval.

    From the last layer to the first: of all grids of whole cells that take at most `interval`
    cycles, and whose rows divide the next layer's SIMD or are divided by it (any other width needs
    a gearbox that is larger and slower), or before a map the map's channels, the one with the
    fewest lanes (LUTs go with them), then the fewest rows and columns. A convolution has grids for
    as few positions as bring its windows in time, and for more where that takes fewer lanes.

    Parameters
    ----------
    interval : int
        Cycles a sample, at least 1.
    lanes : int
        Inputs a cell takes; fewer where a layer has fewer inputs.
    prices : Prices, optional
        Then cells of several sizes, with weights in LUTs and in block RAM, are compared by them.

    Raises
    ------
    InputError
        If no folding is that fast; says the best that can be had.
    """
    if interval < 1:
        raise InputError(f"the interval must be at least 1 cycle, not {interval}")
    layers: list[LayerFolding] = []
    next_width = 1
    for layer in reversed(network.weighted):
        wide = layer.neurons if isinstance(layer, Conv) else next_width
        last = layer is network.layers[-1]
        layers.insert(0, _smallest(layer, interval, lanes, wide, prices, last=last))
        next_width = layers[0].simd
    folding = Folding(layers=tuple(layers))
    reached = folding.interval(network, output)
    if reached > interval:
        raise InputError(f"an interval of {interval} cycles is out of reach; the best is {reached}")
    return folding


def proposed(
    network: Network,
    *,
    target_fps: float | None = None,
    clock_hz: float = CLOCK_HZ,
    output: str = "class",
) -> Folding:
    """The smallest balanced folding for a target; without, for an image every 1,024 cycles, or as
    soon as maps can pass, a word a cycle.

    Parameters
    ----------
    target_fps : float, optional
        Images a second to reach at `clock_hz`.

    Raises
    ------
    InputError
        If the target is out of reach; says the best that can be had.
    """
    if not 0 < clock_hz < float("inf"):
        raise InputError(f"the clock must be above 0 Hz and finite, not {clock_hz}")
    least = _least(network, output)
    if target_fps is None:
        return balanced(network, max(DEFAULT_INTERVAL, least), output=output)
    if not 0 < target_fps < float("inf"):
        raise InputError(f"the target must be above 0 images/s and finite, not {target_fps}")
    interval = max(1, int(clock_hz / target_fps))
    try:
        folding = balanced(network, interval, output=output)
        best = folding.interval(network, output)
    except InputError:
        best = least
    if best * target_fps > clock_hz:
        raise InputError(
            f"{target_fps:,.0f} images/s is out of reach at {clock_hz / 1e6:g} MHz; "
            f"the best is {clock_hz / best:,.0f}, an interval of {best} cycles"
        )
    return folding


def within_budget(
    network: Network,
    budget: Budget,
    technology: Technology,
    *,
    output: str = "class",
) -> Folding:
    """The folding of the shortest interval whose estimated area is within the budget.

    The estimates are those of `rtl.area`. A longer interval takes no more, so the shortest is found
    by halving, to about 3 %; takes a few seconds.

    Raises
    ------
    InputError
        If no folding is that small, or the family is not said.
    """
    from .rtl.area import core_area
    from .rtl.families import FAMILIES

    if technology.generic:
        raise InputError("a budget is of a family's LUT sites: name the family by --target")
    worth = FAMILIES[technology.family].luts_per_ram
    least: list[tuple[float, int]] = []

    def smallest(interval: int, share: float) -> tuple[Folding, float, int]:
        """With a block RAM worth so much; its LUT sites and block RAMs."""
        prices = Prices(technology=technology, ram=share * worth)
        folding = balanced(network, interval, output=output, prices=prices)
        areas = core_area(network, folding, technology)
        return folding, math.fsum(a.sites for a in areas), sum(a.rams for a in areas)

    def fitting(interval: int) -> Folding | None:
        """The one of that interval that uses as many block RAMs as it may, if it is within."""
        try:
            share: float = 1
            if (rams := budget.rams) is not None:
                over = bisect.bisect_left(
                    SHARES, True, key=lambda share: smallest(interval, share)[2] > rams
                )
                share = SHARES[max(0, over - 1)]
            folding, sites, blocks = smallest(interval, share)
        except InputError:  # some short intervals cannot be had
            return None
        least.append((sites, blocks))
        fits = sites <= budget.luts and (budget.rams is None or blocks <= budget.rams)
        return folding if fits else None

    intervals = [_least(network, output)]
    while intervals[-1] < MOST_CYCLES:
        intervals.append(intervals[-1] + 1 + intervals[-1] // STEP)
    first = bisect.bisect_left(intervals, True, key=lambda n: fitting(n) is not None)
    folding = fitting(intervals[first]) if first < len(intervals) else None
    if folding is None:
        sites, blocks = min(least)
        smallest_one = Budget(math.ceil(sites), None if budget.rams is None else blocks)
        raise InputError(
            f"a budget of {budget} is too small; the smallest core takes about {smallest_one}"
        )
    return folding


def _least(network: Network, output: str) -> int:
    """Cycles a sample that no folding goes below."""
    least = least_cycles(network)
    if network.output is not None and output == "scores":
        least = max(least, network.output.neurons)
    return least


def _smallest(
    layer: Layer,
    interval: int,
    lanes: int,
    next_simd: int,
    prices: Prices | None,
    *,
    last: bool,
) -> LayerFolding:
    planes_choices = [p for p in (1, 2, 4, 8) if p == 1 or p < 2 * layer.input_bits]
    counts = _positions_in_time(layer, interval, last=last)
    sizes, stores = [min(lanes, layer.inputs)], ["auto"]
    if prices is not None:
        sizes = sorted({min(size, layer.inputs) for size in SIZES})
        stores = ["baked", "bram"]
    best: tuple[tuple[float, ...], LayerFolding] | None = None
    for count, planes, size in itertools.product(counts, planes_choices, sizes):
        if size * planes > max(WIDEST, sizes[0] * planes):
            continue
        for cols in _useful(ceil_div(layer.inputs, size)):
            fold = LayerFolding(
                name=layer.name, cols=cols, lanes=size, planes=planes, positions=count
            )
            folds = interval // (fold.groups(layer) * fold.steps(layer))
            if folds < 1:
                continue
            rows = ceil_div(layer.neurons, folds)
            while next_simd % rows and rows % next_simd:
                rows += 1
            words = None
            if isinstance(layer, Conv):
                words = conv_words(layer, interval, count, fold.hold(layer))
                if words.words > interval:
                    continue
            for store in stores:
                fold = dataclasses.replace(fold, rows=rows, weights=store)
                cost = _lanes(fold) if prices is None else prices.of(layer, fold, words)
                key = (cost, count * (rows + 2 * cols), planes)
                if best is None or key < best[0]:
                    best = key, fold
    if best is None:
        return LayerFolding(
            name=layer.name,
            rows=layer.neurons,
            cols=ceil_div(layer.inputs, sizes[-1]),
            lanes=sizes[-1],
            planes=planes_choices[-1],
            positions=counts[-1],
        )
    return best[1]


def _lanes(fold: LayerFolding) -> float:
    """A plane of a lane costs what a lane does; a row's edge and a column's bank a little more."""
    lanes, count = fold.simd * fold.planes, fold.positions
    # Each further position's grid has a replay buffer and edges of its own.
    return count * fold.rows * lanes + (count - 1) * (lanes + fold.rows * EDGE_LANES)


def _positions_in_time(layer: Layer, interval: int, *, last: bool) -> list[int]:
    """Windows at once that come within the interval, the fewest first; else the most there can
    be."""
    if not isinstance(layer, Conv):
        return [1]
    fit = at_once(layer.window, even=last)
    return [q for q in fit if conv_words(layer, interval, q).words <= interval] or fit[-1:]


def _useful(most: int) -> Iterator[int]:
    """The sizes 1..most that give different folds: each the least with its ceil(most / size)."""
    size = 1
    while size <= most:
        yield size
        folds = ceil_div(most, size)
        if folds == 1:
            return
        size = ceil_div(most, folds - 1)
