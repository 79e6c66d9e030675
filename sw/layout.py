"""How a network lies in memory for the kernels: bit order, padding, groups of neurons, prefixes.

A *word* has 32 bits, the first of them the lowest. A position of a map has its channels' bits in
whole words of its own, and a vector is a map of one position, so that what a window sees is whole
words too. Spare bits are 0 in inputs and in weights, where they differ in nothing.

Differences are counted, d = popcount(a ^ w), for which p = K - d: so p >= t is d <= K - t.
Inputs of more than one bit are bytes, four to a word, and weights are bytes too, -1 and +1.

Weights lie as (groups of 16 neurons, words, 16): the 16 neurons of a group stand side by side in
the lanes of a vector. Where they are bits, word k is the XOR of the row's words 0 to k: see
`cpu/network.inc` for what that saves.
"""

__all__ = ["GROUP", "KINDS", "Affine", "Pooling", "Words", "layout", "packed_words"]

import dataclasses

import numpy as np
import numpy.typing as npt

from bnnhw.layers import Conv, Dense, Layer, Output
from bnnhw.maps import Flatten, Pool
from bnnhw.network import Network
from bnnhw.window import Window

GROUP = 16  # neurons side by side
WORD = 32
LINE = 64  # bytes
KINDS = {"bits": 0, "bytes": 1, "pool": 2}
NEVER = np.iinfo(np.int32).max

Words = npt.NDArray[np.uint32]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Affine:
    """A layer with weights.

    Parameters
    ----------
    kind : "bits" or "bytes"
        Of what it takes.
    window : Window
        On its map; its channels are the layer's own, without spare bits.
    unit : int
        Bytes of a position.
    inputs, neurons : int
        K and M.
    weights : ndarray[uint32], (groups, words, 16)
        Words even where they are bits, groups even.
    limit : ndarray[int32], (groups * 16,)
        Fires iff the differences are at most this; of bytes, iff the sum is at least this. Spare
        neurons never fire.
    scale, bias : ndarray[int32], (M,), or None where it gives bits
    """

    kind: str
    window: Window
    unit: int
    inputs: int
    neurons: int
    weights: Words
    limit: npt.NDArray[np.int32]
    scale: npt.NDArray[np.int32] | None = None
    bias: npt.NDArray[np.int32] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pooling:
    """A pooling of bits.

    Parameters
    ----------
    window : Window
    unit : int
        Bytes of a position.
    mask : ndarray[uint32], (words,)
        1 for each channel whose bits are ANDed.
    """

    window: Window
    unit: int
    mask: Words


def layout(network: Network) -> list[Affine | Pooling]:
    """The network's layers as the kernels take them.

    A flattening is none: the dense layer behind it sees the whole map as its window.
    """
    found: list[Affine | Pooling] = []
    whole: tuple[int, int, int] | None = None  # the map that was flattened
    for layer in network.layers:
        if isinstance(layer, Flatten):
            whole = layer.shape
        elif isinstance(layer, Pool):
            mask = packed_words(layer.pool_and[None, :])[0]
            found.append(Pooling(window=layer.window, unit=4 * len(mask), mask=mask))
        else:
            found.append(_affine(layer, whole))
            whole = None
    return found


def _affine(layer: Layer, whole: tuple[int, int, int] | None) -> Affine:
    if isinstance(layer, Conv):
        window = layer.window
    else:
        shape = whole or (1, 1, layer.inputs)
        window = Window(shape=shape, kernel=shape[:2])
    channels = window.shape[2]
    # One-bit pixels of an image have few channels: as bytes they waste less than as words.
    takes_bytes = layer.input_bits > 1 or (isinstance(layer, Conv) and channels < WORD // 4)
    positions = layer.weight.reshape(layer.neurons, -1, channels)
    if takes_bytes:
        rows = _bytes(layer.weight)
        limit = layer.threshold if isinstance(layer, Dense) else None
        if limit is not None and layer.input_bits == 1:
            # Of bits 0 and 1 as numbers p = s' + (weights of -1), s' the sum over their bytes.
            limit = limit + layer.weight.sum(axis=1, dtype=np.int32) - layer.inputs
        unit, spare = channels, NEVER
    else:
        words = packed_words(positions)
        unit, spare = 4 * words.shape[2], -1
        rows = words.reshape(layer.neurons, -1)
        rows = np.pad(rows, ((0, 0), (0, rows.shape[1] % 2)))
        rows = np.bitwise_xor.accumulate(rows, axis=1)
        limit = layer.inputs - layer.threshold if isinstance(layer, Dense) else None
    groups = -(-layer.neurons // (2 * GROUP)) * 2
    more = groups * GROUP - layer.neurons
    full = np.pad(rows, ((0, more), (0, 0))).reshape(groups, GROUP, -1)
    given = np.full(layer.neurons, spare) if limit is None else limit
    last = (layer.scale, layer.bias) if isinstance(layer, Output) else (None, None)
    scale, bias = (None if v is None else np.ascontiguousarray(v, np.int32) for v in last)
    return Affine(
        kind="bytes" if takes_bytes else "bits",
        window=window,
        unit=unit,
        inputs=layer.inputs,
        neurons=layer.neurons,
        weights=_aligned(full.transpose(0, 2, 1)),
        limit=np.pad(given, (0, more), constant_values=spare).astype(np.int32),
        scale=scale,
        bias=bias,
    )


def _aligned(values: Words) -> Words:
    """The values one after the other from an address that is a multiple of a cache line."""
    memory = np.empty(values.nbytes + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    result = memory[start : start + values.nbytes].view(np.uint32).reshape(values.shape)
    result[...] = values
    return result


def packed_words(bits: npt.NDArray[np.uint8]) -> Words:
    """Bits (..., C), 0/1, to words (..., ceil(C / 32))."""
    more = -bits.shape[-1] % WORD
    padded = np.pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, more)])
    return np.packbits(padded, axis=-1, bitorder="little").view("<u4")


def _bytes(weight: npt.NDArray[np.uint8]) -> Words:
    """Weights (M, K), 0/1, to bytes -1 and +1, four to a word."""
    signs = weight.astype(np.int8) * 2 - 1
    return np.pad(signs, ((0, 0), (0, -signs.shape[1] % 4))).view("<u4")
