"""The words in which maps pass between layers, and how many of them a sample takes."""

__all__ = ["MapWords", "least_cycles", "map_words", "word_channels"]

import dataclasses
from collections.abc import Iterator

from .layers import Conv
from .maps import Flatten, Pool
from .network import Network
from .window import Window


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class MapWords:
    """How a map comes to a layer.

    Parameters
    ----------
    name : str
        The layer's.
    channels : int
        Of a position, a word.
    words : int
        That pass a sample, in or out of the layer's window buffer, whichever is more.
    whole : bool
        Windows come whole, out of a column buffer; the words are then columns.
    """

    name: str
    channels: int
    words: int
    whole: bool = False


def word_channels(channels: int, positions: int, cycles: int) -> int:
    """The fewest channels a word with which so many positions pass in so many cycles; else all.

    They divide the channels, so that words of a position follow each other without a gap.
    """
    divisors = (wide for wide in range(1, channels + 1) if channels % wide == 0)
    return next((w for w in divisors if positions * (channels // w) <= cycles), channels)


def map_words(network: Network, cycles: int) -> Iterator[MapWords]:
    """Of each convolution, pooling and flattening.

    A convolution's windows come whole where they would bind position by position.

    Parameters
    ----------
    cycles : int
        Of the slowest layer, which none of them shall be slower than.
    """
    for layer in network.layers:
        if isinstance(layer, Conv | Pool):
            positions, channels = _positions(layer.window), layer.window.shape[2]
        elif isinstance(layer, Flatten):
            (high, wide, channels) = layer.shape
            positions = high * wide
        else:
            continue
        wide = word_channels(channels, positions, cycles)
        words = positions * (channels // wide)
        if isinstance(layer, Conv) and (columns := _columns(layer.window)) < words > cycles:
            yield MapWords(name=layer.name, channels=channels, words=columns, whole=True)
        else:
            yield MapWords(name=layer.name, channels=wide, words=words)


def least_cycles(network: Network) -> int:
    """Cycles a sample that no folding goes below: those of the words of whole positions; or 1."""
    return max((one.words for one in map_words(network, 1)), default=1)


def _positions(window: Window) -> int:
    """What passes in or out of a window buffer, whichever is more."""
    high, wide, _ = window.shape
    return max(high * wide, window.positions * window.kernel[0] * window.kernel[1])


def _columns(window: Window) -> int:
    """What passes in or out of a column buffer, whichever is more."""
    high, wide, _ = window.shape
    return max(high * wide, window.rows * window.columns)
