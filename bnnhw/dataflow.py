"""The words in which maps pass between layers, and how many of them a sample takes."""

__all__ = ["MapWords", "at_once", "conv_words", "least_cycles", "map_words"]

import dataclasses
from collections.abc import Iterator, Mapping

from .layers import Conv
from .maps import Flatten, Pool
from .network import Network
from .window import Columns, Window


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class MapWords:
    """How a map comes to a layer.

    Parameters
    ----------
    name : str
        The layer's.
    channels : int
        Of each of a word's positions.
    words : int
        That pass a sample, in or out of the layer's window buffer, whichever is more; of columns,
        the cycles that they take.
    positions : int
        Side by side, a word; all their channels if they are several.
    columns : Columns, optional
        Windows come whole, out of a column buffer; the words are then columns of it.
    """

    name: str
    channels: int
    words: int
    positions: int = 1
    columns: Columns | None = None

    @property
    def wide(self) -> int:
        """Values a word."""
        return self.positions * self.channels


def at_once(window: Window, *, even: bool = False) -> list[int]:
    """How many of a row's windows can come at once: so many that their columns divide a line.

    `even`: and that none of a row's groups lacks one, as in a map that is a core's result.
    """
    (_, wide, _), (_, sx) = window.shape, window.stride
    counts = [q for q in range(2, window.cols + 1) if wide % (q * sx) == 0]
    return [1, *(q for q in counts if not even or window.cols % q == 0)]


def map_words(
    network: Network, cycles: int, windows: Mapping[str, tuple[int, int]] | None = None
) -> Iterator[MapWords]:
    """Of each convolution, pooling and flattening.

    A convolution's windows come whole where there are several at once, or where they would bind
    position by position; a pooling's, several at once, where they would bind.

    Parameters
    ----------
    cycles : int
        Of the slowest layer, which none of them shall be slower than.
    windows : mapping from name to (int, int), optional
        Windows at once of a convolution, and cycles for which they are held as they are taken; 1
        where it is silent.
    """
    for layer in network.layers:
        if isinstance(layer, Conv):
            yield conv_words(layer, cycles, *(windows or {}).get(layer.name, (1, 1)))
        elif isinstance(layer, Pool):
            yield _pooled(layer, cycles)
        elif isinstance(layer, Flatten):
            yield _flattened(layer, cycles)


def conv_words(layer: Conv, cycles: int, count: int, hold: int = 1) -> MapWords:
    """How a map comes to a convolution that takes `count` windows at once, each for so long."""
    window = layer.window
    single = _by_channels(layer.name, window.shape[2], _positions(window), cycles)
    across = count * window.stride[1] if count > 1 else 1
    columns = Columns(window, across)
    if count > 1 or columns.cycles(hold) < single.words > cycles:
        return _whole(layer.name, columns, hold)
    return single


def _pooled(layer: Pool, cycles: int) -> MapWords:
    window = layer.window
    single = _by_channels(layer.name, window.shape[2], _positions(window), cycles)
    if single.words <= cycles:
        return single
    counts = [q for q in at_once(window) if window.shape[1] % (q * window.stride[1]) == 0]
    several = [_whole(layer.name, Columns(window, q * window.stride[1])) for q in counts]
    return next((w for w in several if w.words <= cycles), min([single, *several], key=_words))


def _flattened(layer: Flatten, cycles: int) -> MapWords:
    high, wide, channels = layer.shape
    single = _by_channels(layer.name, channels, high * wide, cycles)
    several = [
        MapWords(name=layer.name, channels=channels, words=high * wide // p, positions=p)
        for p in range(2, wide + 1)
        if wide % p == 0
    ]
    choices = [single, *several]
    return next((words for words in choices if words.words <= cycles), choices[-1])


def _by_channels(name: str, channels: int, positions: int, cycles: int) -> MapWords:
    """A position, or as few of its channels as will do, a word.

    They divide the channels, so that words of a position follow each other without a gap.
    """
    divisors = (wide for wide in range(1, channels + 1) if channels % wide == 0)
    fit = (wide for wide in divisors if positions * (channels // wide) <= cycles)
    wide = next(fit, channels)
    return MapWords(name=name, channels=wide, words=positions * (channels // wide))


def _whole(name: str, columns: Columns, hold: int = 1) -> MapWords:
    return MapWords(
        name=name, channels=columns.window.shape[2], words=columns.cycles(hold),
        positions=columns.positions, columns=columns,
    )  # fmt: skip


def _words(one: MapWords) -> int:
    return one.words


def least_cycles(network: Network) -> int:
    """Cycles a sample that no folding goes below: those of words as wide as they can be; or 1."""
    convs = (one for one in network.layers if isinstance(one, Conv))
    most = {one.name: (at_once(one.window)[-1], 1) for one in convs}
    return max((one.words for one in map_words(network, 1, most)), default=1)


def _positions(window: Window) -> int:
    """What passes in or out of a window buffer, whichever is more."""
    high, wide, _ = window.shape
    return max(high * wide, window.positions * window.kernel[0] * window.kernel[1])
