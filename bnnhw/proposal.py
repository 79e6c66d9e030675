"""Foldings proposed for a network: for an interval, for images a second, for a budget of LUTs."""

__all__ = ["balanced", "proposed", "within_budget"]

import contextlib
import dataclasses
import itertools
import math
from collections.abc import Iterator

from .dataflow import at_once, conv_words, least_cycles
from .errors import InputError
from .folding import CLOCK_HZ, Folding, LayerFolding, ceil_div
from .layers import Conv, Layer
from .network import Network
from .technology import Technology

DEFAULT_INTERVAL = 1024  # cycles: a grid of one cell runs a layer of 128 x 128 bits in that
EDGE_LANES = 12  # that a row's edge costs, about
MOST_CYCLES = 1 << 36  # of a sample: more than any network takes on one cell
STEP = 32


def balanced(network: Network, interval: int, *, lanes: int = 16, output: str = "class") -> Folding:
    """The folding with the fewest lanes in all that reaches an interval.

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
        layers.insert(0, _smallest(layer, interval, lanes, wide, last=last))
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
    network: Network, budget: int, technology: Technology, *, output: str = "class"
) -> Folding:
    """The balanced folding of the shortest interval whose estimated LUT sites are at most `budget`.

    The estimates are those of `rtl.area`. A slower core may take more, as weights move between LUTs
    and block RAM, so intervals are tried from the shortest on, each about 3 % longer; takes under a
    second.

    Raises
    ------
    InputError
        If no folding is that small, or the family is not said.
    """
    from .rtl.area import core_area

    if technology.generic:
        raise InputError("a budget is of a family's LUT sites: name the family by --target")
    if budget < 1:
        raise InputError(f"the budget must be at least 1 LUT site, not {budget}")

    interval = _least(network, output)
    least, seen = math.inf, set()
    while interval < MOST_CYCLES:
        with contextlib.suppress(InputError):  # some short ones cannot be had
            folding = balanced(network, interval, output=output)
            if folding not in seen:
                seen.add(folding)
                area = sum(one.sites for one in core_area(network, folding, technology))
                if area <= budget:
                    return folding
                least = min(least, area)
        interval += 1 + interval // STEP
    raise InputError(
        f"a budget of {budget:,} LUT sites is too small; the smallest core takes about {least:,.0f}"
    )


def _least(network: Network, output: str) -> int:
    """Cycles a sample that no folding goes below."""
    least = least_cycles(network)
    if network.output is not None and output == "scores":
        least = max(least, network.output.neurons)
    return least


def _smallest(
    layer: Layer, interval: int, lanes: int, next_simd: int, *, last: bool
) -> LayerFolding:
    lanes = min(lanes, layer.inputs)
    planes_choices = [p for p in (1, 2, 4, 8) if p == 1 or p < 2 * layer.input_bits]
    best: tuple[tuple[int, ...], LayerFolding] | None = None
    widest = ceil_div(layer.inputs, lanes)
    counts = _positions_in_time(layer, interval, last=last)
    for count, planes, cols in itertools.product(counts, planes_choices, _useful(widest)):
        fold = LayerFolding(name=layer.name, cols=cols, lanes=lanes, planes=planes, positions=count)
        folds = interval // (fold.groups(layer) * fold.steps(layer))
        if folds < 1:
            continue
        rows = ceil_div(layer.neurons, folds)
        while next_simd % rows and rows % next_simd:
            rows += 1
        fold = dataclasses.replace(fold, rows=rows)
        if isinstance(layer, Conv):
            words = conv_words(layer, interval, count, fold.hold(layer)).words
            if words > interval:
                continue
        # A plane of a lane costs what a lane does; a row's edge and a column's bank a little more.
        cost = count * rows * fold.simd * planes
        # Each further position's grid has a replay buffer and edges of its own.
        cost += (count - 1) * (fold.simd * planes + rows * EDGE_LANES)
        key = (cost, count * (rows + 2 * cols), planes)
        if best is None or key < best[0]:
            best = key, fold
    if best is None:
        fold = LayerFolding(
            name=layer.name,
            rows=layer.neurons,
            cols=widest,
            lanes=lanes,
            planes=planes_choices[-1],
            positions=counts[-1],
        )
        return fold
    return best[1]


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
