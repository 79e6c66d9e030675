"""The queues between a core's layers, and words with which none waits but by plan.

All in closed form, from the network and its folding; simulation counts how full each one gets.
"""

__all__ = [
    "Queue",
    "bank_lines",
    "column_words",
    "marked_frames",
    "position_words",
    "queues",
    "ring_words",
]

import dataclasses
from collections.abc import Iterator

from .dataflow import MapWords
from .folding import Folding, ceil_div
from .layers import Conv, Output
from .maps import Flatten, Pool
from .network import Network
from .technology import Technology
from .timing import FIFO, OFFER, exit_depth, layer_latency
from .window import Columns, Window

TOLD = 8  # cycles in which a word comes, is read, and its room is told of, and one of slack
WAY = 12  # cycles through a map's buffer and the gearboxes beside it, at most


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """A FIFO, or the memory of a map's lines.

    Parameters
    ----------
    name : str
        Hierarchical, below the core's top.
    depth : int
        Words of it.
    level : str
        The signal, likewise named, that says how many of them are taken.
    base : int, optional
        The signal is in two's complement, and they are so many more than it says.
    down : bool
        Or than its negative.
    """

    name: str
    depth: int
    level: str
    base: int | None = None
    down: bool = False


def queues(
    network: Network, folding: Folding, output: str, technology: Technology
) -> Iterator[Queue]:
    """All queues of a core, in the order of its stages."""
    maps = {one.name: one for one in folding.map_words(network)}
    folds = {fold.name: fold for fold in folding.layers}
    interval = folding.interval(network, output)
    if frames := marked_frames(network, folding, technology):
        yield Queue(name="frame_marks", depth=frames, level="frame_marks.level")
    for i, stage in enumerate(network.layers):
        if isinstance(stage, Conv):
            yield _buffer(f"windows_{stage.name}", stage.window, maps[stage.name])
        elif isinstance(stage, Pool):
            words = maps[stage.name]
            yield _buffer(f"pool_{stage.name}.buffer", stage.window, words)
            if words.columns is None:
                following = maps[network.layers[i + 1].name]
                each = ceil_div(words.wide, following.wide)
                depth = position_words(stage.window, words, each, interval)
                name = f"pool_{stage.name}.position"
                yield Queue(name=name, depth=depth, level=f"{name}.level")
        if not isinstance(stage, Pool | Flatten):
            every = interval if isinstance(stage, Output) and output == "class" else 0
            depth = exit_depth(stage, folds[stage.name], technology, class_every=every)
            name = f"layer_{stage.name}.exit"
            yield Queue(name=name, depth=depth, level=f"{name}.credits", base=depth - 2, down=True)


def position_words(window: Window, words: MapWords, each: int, interval: int) -> int:
    """Words of the FIFO behind a pooling, which gives a position's words in a row.

    They come a cycle after the other, while their reader takes one in `each`; the first leaves the
    FIFO's memory a cycle after it came, the second when the reader takes the first, and so on. Two
    will do, which take a word every other cycle, where that leaves the pooling time enough.
    """
    count = window.shape[2] // words.channels
    if count == 1 or (each <= 2 and words.words + window.positions * count <= interval):
        return 2
    return max(3, count - 1 - (count - 4) // each)


def ring_words(window: Window, words: int) -> int:
    """Words of a window buffer's ring, `words` of them a position.

    What a window reaches over, and the lines by which the next row steps on, which come meanwhile,
    or what comes before room is told of; a power of two, as a memory has.
    """
    (_, wide, _), (high, across) = window.shape, window.kernel
    reach = (high - 1) * wide + across
    meanwhile = max(wide * window.stride[0] * words, TOLD)
    return 1 << (reach * words + meanwhile - 1).bit_length()


def bank_lines(columns: Columns) -> int:
    """Lines in each of the kh banks of a column buffer: a power of two.

    One is read, the others come meanwhile: one, or what comes before room is told of.
    """
    kh = columns.window.kernel[0]
    return 1 << ceil_div(TOLD, kh * columns.line).bit_length()


def column_words(columns: Columns) -> int:
    """Words that a column buffer's banks hold together."""
    return columns.window.kernel[0] * bank_lines(columns) * columns.line


def marked_frames(network: Network, folding: Folding, technology: Technology) -> int:
    """Frames that have come in whole while their map is no vector yet: so many are marked.

    Behind its last word a map has a row of windows yet to come in each stage, and its way through
    them all. 0 where no map becomes a vector: marks are then carried by the vectors themselves, or,
    where the network ends in maps, their first words leave before a frame shows its length.
    """
    if not any(isinstance(stage, Flatten) for stage in network.layers):
        return 0
    interval = folding.interval(network)
    folds = {fold.name: fold for fold in folding.layers}
    cycles = 0
    for stage in network.layers:
        if isinstance(stage, Flatten):
            break
        assert isinstance(stage, Conv | Pool)
        cycles += ceil_div(interval, stage.window.rows) + WAY
        if isinstance(stage, Conv):
            fold = folds[stage.name]
            cycles += OFFER + fold.steps(stage) + layer_latency(stage, fold, technology) + FIFO
    return 1 + ceil_div(cycles, interval)


def _buffer(name: str, window: Window, words: MapWords) -> Queue:
    if words.columns is not None:
        depth = column_words(words.columns)
    else:
        depth = ring_words(window, window.shape[2] // words.channels)
    return Queue(name=name, depth=depth, level=f"{name}.ahead", base=depth - 1)
