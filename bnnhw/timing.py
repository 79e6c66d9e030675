"""The clock cycles of the gateware: fixed latencies, and the latency of a whole network.

`rtl` is built to these numbers, and simulation counts them.
"""

__all__ = [
    "Latency",
    "cell_latency",
    "exit_depth",
    "layer_latency",
    "network_latency",
    "popcount_levels",
    "read_latency",
]

import dataclasses
import math

from .folding import Folding, LayerFolding, ceil_div
from .layers import Layer, Output
from .network import Network
from .technology import Technology

COUNT_BITS = 4  # bits that a leaf of the popcount tree counts
OFFER = 2  # from a vector's last word to its offer to the sequencer: registered, and counted
EDGE = 2  # a register for the way; accumulated, and the sign taken
FIFO = 5  # from a word's arrival at the exit to its offer: register, memory, its two, slack
# From a word's arrival to a launch that its credit allows, if it leaves at once: two cycles to the
# memory, three back to the sequencer, two in which it is counted.
CREDIT = 7


def popcount_levels(lanes: int) -> int:
    """Register levels of the popcount: a leaf level of 4-bit counts, then a binary adder tree."""
    if lanes == 1:
        return 0
    return 1 + math.ceil(math.log2(ceil_div(lanes, COUNT_BITS)))


def read_latency(layer: Layer, fold: LayerFolding, technology: Technology) -> int:
    """From a sequencer's step to the activations at the first cell: address, bank, register.

    They wait for weights from block RAM, whose address comes two cycles after the step.
    """
    from .rtl.weights import address_lead

    return max(3, 2 + address_lead(layer, fold, technology))


def cell_latency(layer: Layer, fold: LayerFolding, technology: Technology) -> int:
    """From a cell's activations to its partial sum: XNOR, popcount, planes added, sum added.

    Of a family's own cells: a register, and the stages of `rtl.weights.cell_structure`.
    """
    if not technology.generic:
        from .rtl.weights import cell_structure

        return 1 + cell_structure(layer, fold, technology, 0).stages(technology.every)
    return 1 + popcount_levels(fold.lanes) + int(math.log2(fold.planes)) + 1


def score_stages(layer: Layer) -> int:
    """Stages that turn an accumulated sum into a score: none, or factors, product, addition."""
    return 3 if isinstance(layer, Output) and shift_of(layer) is None else 0


def shift_of(layer: Output) -> int | None:
    """n where every score is `2^n * acc + add`, so that no multiplier is needed; else None."""
    scale = int(layer.scale[0])
    if (layer.scale != scale).any() or scale < 1 or scale & (scale - 1):
        return None
    return scale.bit_length() - 1 + (1 if layer.input_bits == 1 else 0)


def layer_latency(layer: Layer, fold: LayerFolding, technology: Technology) -> int:
    """From the last step of a neuron fold to its word (the tap) at the grid's exit."""
    read = read_latency(layer, fold, technology)
    return read + fold.skew + cell_latency(layer, fold, technology) + EDGE + score_stages(layer)


def argmax_latency(rows: int) -> int:
    """From a word of scores to the class: a tree of comparisons, then the best fold."""
    return 2 * math.ceil(math.log2(rows)) + 2


def exit_depth(
    layer: Layer, fold: LayerFolding, technology: Technology, *, class_every: int = 0
) -> int:
    """Words of a layer's exit with which it never waits for a credit while they leave at once.

    Little's law: a layer that launches a word every c cycles, each of which takes a place for L,
    has L / c places taken. The word that is launched is counted two cycles late, so that of the
    places all but one are of use, or all where launches follow each other cycle by cycle.

    Parameters
    ----------
    class_every : int
        The layer gives a class, and it is time for the next one so many cycles later; 0: it gives
        a word for each neuron fold.
    """
    steps, flight = fold.steps(layer), layer_latency(layer, fold, technology)
    if class_every:
        steps *= fold.neuron_folds(layer)
        flight += argmax_latency(fold.rows)
    between = max(steps, class_every)
    return ceil_div(steps - 1 + flight + CREDIT, between) + (between > 1)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """Cycles from the one that takes an image's first beat, core empty, nothing stalling.

    Parameters
    ----------
    layers : tuple of int
        To the cycle in which each layer offers its last word.
    total : int
        To the cycle that gives the image's last beat.
    """

    layers: tuple[int, ...]
    total: int


def network_latency(
    network: Network,
    folding: Folding,
    output: str = "class",
    technology: Technology | None = None,
) -> Latency:
    """Follow one image's words through an empty core, cycle by cycle."""
    technology = technology or Technology()
    pairs = list(folding.pairs(network))
    beats = folding.input_beats(network)
    words = [1 + i for i in range(beats)]  # the input stage registers a beat
    width, units = folding.bus_pixels(network), network.input.size
    ends = []
    for layer, fold in pairs:
        groups = fold.plane_groups(layer)
        taken = _regear(words, units, width, fold.bus(layer, width), groups)
        steps = fold.steps(layer)
        start = taken[-1] + OFFER
        grid = layer_latency(layer, fold, technology)
        words = [start + (f + 1) * steps - 1 + grid for f in range(fold.neuron_folds(layer))]
        if isinstance(layer, Output) and output == "class":
            words = [words[-1] + argmax_latency(fold.rows)]
        words = [word + FIFO for word in words]
        ends.append(words[-1])
        width, units = fold.rows, layer.neurons
    if network.output is not None and output == "scores":
        words = _regear(words, units, width, 1, 1)
    return Latency(layers=tuple(ends), total=words[-1])


def _regear(words: list[int], units: int, wide_in: int, wide_out: int, hold: int) -> list[int]:
    """The cycle in which each word after a gearbox is finished with, its reader holding it `hold`.

    `words` are the cycles in which the words before it are first offered.
    """
    count = ceil_div(units, wide_out)
    if wide_in == wide_out:
        return _passed(words, hold)
    if wide_out % wide_in == 0:
        return _collected(words, wide_out // wide_in, hold)
    if wide_in % wide_out == 0:
        return _split(words, wide_in // wide_out, count, hold)
    return _repacked(words, RepackSizes(units, wide_in, wide_out, hold), hold)


def _passed(words: list[int], hold: int) -> list[int]:
    done: list[int] = []
    for offered in words:
        done.append(max(offered, done[-1] + 1 if done else 0) + hold - 1)
    return done


def _collected(words: list[int], ratio: int, hold: int) -> list[int]:
    """Pieces go to their places; a whole word moves on to the slack where it may have to wait."""
    done: list[int] = []
    waiting = 2 if hold > 1 else 0  # words that the slack holds
    put = moved = -1
    for i, offered in enumerate(words):
        put = max(offered, put + 1, moved)
        if (i + 1) % ratio == 0 or i == len(words) - 1:
            moved = put + 1  # the cycle in which it is taken out of its places
            if waiting:
                if len(done) >= waiting:
                    moved = max(moved, done[-waiting] + 1)
                done.append(max(moved + 1, done[-1] + 1 if done else 0) + hold - 1)
            else:
                done.append(moved)
    return done


def _split(words: list[int], ratio: int, count: int, hold: int) -> list[int]:
    """A word is loaded when the one before is finished with, and offered from the next cycle."""
    done: list[int] = []
    for i, offered in enumerate(words):
        loaded = max(offered, done[-1] if done else 0)
        pieces = min(ratio, count - i * ratio)
        done += [loaded + (j + 1) * hold for j in range(pieces)]
    return done


@dataclasses.dataclass(frozen=True)
class RepackSizes:
    """Sizes of a repacking gearbox, all in units: words of `wide_in` to words of `wide_out`.

    A vector of `units` is padded with its last word to whole words of `wide_out`, so that vectors
    follow each other in the buffer without a seam.
    """

    units: int
    wide_in: int
    wide_out: int
    hold: int

    @property
    def words_in(self) -> int:
        return ceil_div(self.units, self.wide_in)

    @property
    def last(self) -> int:
        """Units that the last word of a vector puts into the buffer, padding included."""
        whole = ceil_div(self.units, self.wide_out) * self.wide_out
        return whole - (self.words_in - 1) * self.wide_in

    @property
    def most(self) -> int:
        """Units that the largest word puts into the buffer."""
        return max(self.last, self.wide_in if self.words_in > 1 else 0)

    @property
    def capacity(self) -> int:
        """Units of buffer with which neither side waits for the other's alignment."""
        held = self.wide_out if self.hold > 1 else 0
        return self.most + 2 * self.wide_out + self.wide_in + held


def _repacked(words: list[int], sizes: RepackSizes, hold: int) -> list[int]:
    done: list[int] = []
    fill = taken = held = cycle = 0
    while taken < len(words) or fill:
        put = 0
        if taken < len(words) and words[taken] <= cycle and fill + sizes.most <= sizes.capacity:
            taken += 1
            put = sizes.last if taken == len(words) else sizes.wide_in
        if fill >= sizes.wide_out:
            held += 1
            if held == hold:
                held = 0
                fill -= sizes.wide_out
                done.append(cycle)
        fill += put
        cycle += 1
    return done
