"""The reference: what a network computes, in integers and numpy only. Everything else equals it."""

__all__ = [
    "Trace",
    "evaluate",
    "layer_bits",
    "layer_scores",
    "layer_sums",
    "patches",
    "rearranged",
]

import dataclasses

import numpy as np
import numpy.typing as npt

from .bits import pack_words
from .errors import InputError
from .layers import Conv, Dense, Layer, Output
from .maps import Flatten, Pool
from .network import Network
from .window import Window

BLOCK_WORDS = 1 << 16  # of a temporary array: they stay in a core's second-level cache
BLOCK_VALUES = 1 << 25  # of the windows' values at a time


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trace:
    """All that a network computes for N samples.

    Parameters
    ----------
    bits : tuple of ndarray[uint8], (N, *layer.shape_out), 0/1
        What each layer gives, up to one that gives scores.
    scores : ndarray[int32], (N, M), or None where the network ends in bits
    classes : ndarray[uint16], (N,), or None likewise
        The largest score; the lowest index wins a tie.
    """

    bits: tuple[npt.NDArray[np.uint8], ...]
    scores: npt.NDArray[np.int32] | None
    classes: npt.NDArray[np.uint16] | None


def evaluate(network: Network, x: npt.NDArray[np.uint8]) -> Trace:
    """Run the network on quantized inputs.

    Parameters
    ----------
    x : ndarray[uint8], (N, K)
        As `network.input.quantize` gives them.
    """
    if x.ndim != 2 or x.shape[1] != network.input.size:
        raise InputError(f"inputs must have shape (N, {network.input.size}), not {x.shape}")
    if x.size and (x.dtype != np.uint8 or x.max() > network.input.top):
        raise InputError(f"inputs must be uint8, at most {network.input.top}")
    x = x.reshape(len(x), *network.layers[0].shape_in)
    bits: list[npt.NDArray[np.uint8]] = []
    for layer in network.layers:
        if isinstance(layer, Output):
            scores = layer_scores(layer, layer_sums(layer, x))
            # argmax returns the first of equal maxima: the lowest index wins.
            classes = scores.argmax(axis=1).astype(np.uint16)
            return Trace(bits=tuple(bits), scores=scores, classes=classes)
        x = layer_bits(layer, x)
        bits.append(x)
    return Trace(bits=tuple(bits), scores=None, classes=None)


def rearranged(layer: Pool | Flatten, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What a layer without weights gives, (N, *layer.shape_out), for x of (N, *layer.shape_in)."""
    if isinstance(layer, Flatten):
        return x.reshape(len(x), *layer.shape_out)
    seen = patches(layer.window, x)
    return np.where(layer.pool_and, seen.min(axis=3), seen.max(axis=3))


def layer_bits(layer: Dense | Pool | Flatten, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What a layer gives, (N, *layer.shape_out), for x of (N, *layer.shape_in)."""
    if isinstance(layer, Flatten | Pool):
        return rearranged(layer, x)
    if not isinstance(layer, Conv):
        return (layer_sums(layer, x) >= layer.threshold).astype(np.uint8)
    result = np.empty((len(x), *layer.shape_out), np.uint8)
    step = max(1, BLOCK_VALUES // (layer.window.positions * layer.inputs))
    for n in range(0, len(x), step):
        seen = patches(layer.window, x[n : n + step]).reshape(-1, layer.inputs)
        fires = layer_sums(layer, seen) >= layer.threshold
        result[n : n + step] = fires.reshape(-1, *layer.shape_out)
    return result


def patches(window: Window, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What each window sees of a map: (N, H, W, C) to (N, OH, OW, kh * kw, C), padded with 0."""
    (kh, kw), (sy, sx), (py, px) = window.kernel, window.stride, window.padding
    x = np.pad(x, ((0, 0), (py, py), (px, px), (0, 0)))
    h, w = (window.rows - 1) * sy + 1, (window.cols - 1) * sx + 1
    seen = [x[:, ky : ky + h : sy, kx : kx + w : sx] for ky in range(kh) for kx in range(kw)]
    return np.stack(seen, axis=3)


def layer_sums(layer: Layer, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """What a layer compares with its threshold: p for inputs of one bit, else s.

    Parameters
    ----------
    x : ndarray[uint8], (..., K)
        Bits, or inputs of `layer.input_bits` bits; of a convolution what its windows see.

    Returns
    -------
    ndarray[int32], (..., M).
    """
    if layer.input_bits > 1:
        bipolar = layer.weight.astype(np.int32) * 2 - 1
        return x.astype(np.int32) @ bipolar.T
    # Words come first, so that what is added lies side by side.
    a, w = pack_words(x.reshape(-1, layer.inputs)).T, pack_words(layer.weight).T[:, None]
    sums = np.empty((a.shape[1], layer.neurons), np.int32)
    step = max(1, BLOCK_WORDS // w.size)
    for n in range(0, len(sums), step):
        differ = np.bitwise_count(a[:, n : n + step, None] ^ w)
        sums[n : n + step] = layer.inputs - differ.sum(axis=0, dtype=np.int32)  # popcount(xnor)
    return sums.reshape(*x.shape[:-1], layer.neurons)


def layer_scores(layer: Output, sums: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The scores, (N, M), that an output layer makes of its `layer_sums`.

    `scale * s + bias`, in int64 on the way; fits int32 by the layer's own check.
    """
    s = sums.astype(np.int64)
    if layer.input_bits == 1:
        s = 2 * s - layer.inputs
    return (layer.scale * s + layer.bias).astype(np.int32)
