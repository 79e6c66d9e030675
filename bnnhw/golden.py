"""The reference: what a network computes, in integers and numpy only. Everything else equals it."""

__all__ = ["Trace", "evaluate", "layer_scores", "layer_sums"]

import dataclasses

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .network import Dense, Layer, Network, Output


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trace:
    """All that a network computes for N samples.

    Parameters
    ----------
    bits : tuple of ndarray[uint8], (N, M), 0/1
        What each hidden layer gives.
    scores : ndarray[int32], (N, M), or None where the network ends in bits
    classes : ndarray[uint16], (N,), or None likewise
        The largest score; the lowest index wins a tie.
    """

    bits: tuple[npt.NDArray[np.uint8], ...]
    scores: npt.NDArray[np.int32] | None
    classes: npt.NDArray[np.uint16] | None


def layer_sums(layer: Layer, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """What a layer compares with its threshold: p for inputs of one bit, else s.

    Parameters
    ----------
    x : ndarray[uint8], (N, K)
        Bits, or inputs of `layer.input_bits` bits.

    Returns
    -------
    ndarray[int32], (N, M).
    """
    if layer.input_bits == 1:
        sums = np.empty((len(x), layer.neurons), np.int32)
        for j, w in enumerate(layer.weight):
            sums[:, j] = np.count_nonzero(x == w, axis=1)  # popcount(xnor(a, w))
        return sums
    bipolar = layer.weight.astype(np.int32) * 2 - 1
    return x.astype(np.int32) @ bipolar.T


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
    bits = []
    for layer in network.layers:
        sums = layer_sums(layer, x)
        if isinstance(layer, Dense):
            x = (sums >= layer.threshold).astype(np.uint8)
            bits.append(x)
        else:
            scores = layer_scores(layer, sums)
            # argmax returns the first of equal maxima: the lowest index wins.
            return Trace(
                bits=tuple(bits), scores=scores, classes=scores.argmax(axis=1).astype(np.uint16)
            )
    return Trace(bits=tuple(bits), scores=None, classes=None)


def layer_scores(layer: Output, sums: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The scores, (N, M), that an output layer makes of its `layer_sums`.

    `scale * s + bias`, in int64 on the way; fits int32 by the layer's own check.
    """
    s = sums.astype(np.int64)
    if layer.input_bits == 1:
        s = 2 * s - layer.inputs
    return (layer.scale * s + layer.bias).astype(np.int32)
