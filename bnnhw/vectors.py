"""Inputs that try a network at its edges: thresholds met and just missed, corners, ties."""

__all__ = ["edge_vectors", "random_vectors"]

import numpy as np
import numpy.typing as npt

from .golden import evaluate
from .layers import Conv, Dense
from .network import Network
from .window import Window

DRAWS = 512  # random inputs among which ties are looked for
MOST_TIES = 16


def edge_vectors(network: Network, seed: int) -> npt.NDArray[np.uint8]:
    """Inputs at the edges of the first layer's thresholds, the corners, and ties between classes.

    For every neuron of the first layer whose threshold can be reached and missed, an `a` whose sum
    is the threshold and a `b`, which is `a` with one lane a step lower, so one below it. With
    inputs of one bit these are p = t and p = t - 1, for 0 < t <= K. Any one bit flipped in such a
    neuron's weights shows in `a` or in `b`: a lane that then counts less loses `a`, one that counts
    more wins `b`. So does any other threshold: a larger one loses `a`, a smaller one wins `b`.
    A convolution's lie in its first window without padding, if it has one.

    Parameters
    ----------
    seed : int
        The same network and seed give the same inputs.

    Returns
    -------
    ndarray[uint8], (N, K)
        All zeros, all ones (2^B - 1), the pairs a, b in the order of the neurons, then up to 16
        inputs whose largest score is not the only one, where a few hundred random inputs have any.
    """
    rng = np.random.default_rng(seed)
    first, top, size = network.layers[0], network.input.top, network.input.size
    found = [np.zeros((1, size), np.uint8), np.full((1, size), top, np.uint8)]
    if isinstance(first, Dense):
        for w, t in zip(first.weight, first.threshold.tolist(), strict=True):
            # A lane counts u = x where w = 1 and top - x where w = 0, as a popcount of XNORs does.
            # For B = 1 the sum of u is p; for B > 1 it is s + top * (number of w = -1).
            total = t if top == 1 else t + top * int(np.count_nonzero(w == 0))
            if 0 < total <= top * first.inputs:
                found.append(_pair(w, total, top, rng))
        if isinstance(first, Conv):
            found[2:] = [_amid(first.window, top, pair, rng) for pair in found[2:]]
    if network.output is not None:
        found.append(_ties(network, rng))
    return np.concatenate(found)


def _amid(
    window: Window, top: int, seen: npt.NDArray[np.uint8], rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Maps (2, H * W * C), alike around what a window sees, (2, K): the first without padding, or
    the first of all, of which the map then holds a part."""
    (high, wide, channels), (kernel_y, kernel_x) = window.shape, window.kernel
    y, x = (-p % s for p, s in zip(window.padding, window.stride, strict=True))
    if y + kernel_y > high or x + kernel_x > wide:
        y = x = 0
    maps = rng.integers(0, top, (1, *window.shape), np.uint8, endpoint=True).repeat(2, axis=0)
    windows = seen.reshape(2, kernel_y, kernel_x, channels)
    maps[:, y : y + kernel_y, x : x + kernel_x] = windows[:, : high - y, : wide - x]
    return maps.reshape(2, -1)


def _pair(
    w: npt.NDArray[np.uint8], total: int, top: int, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Inputs (2, K) that make a neuron count `total` and `total - 1`; they differ in one lane."""
    order = rng.permutation(len(w))
    full, rest = divmod(total, top)
    u = np.zeros(len(w), np.int64)
    u[order[:full]] = top
    if rest:
        u[order[full]] = rest
    # Full lanes meet empty ones and share at random, so that planes hold different bits.
    half = len(w) // 2
    one, other = order[:half], order[::-1][:half]
    both = u[one] + u[other]
    u[one] = rng.integers(np.maximum(both - top, 0), np.minimum(both, top), endpoint=True)
    u[other] = both - u[one]
    lower = u.copy()
    lower[rng.choice(np.flatnonzero(u))] -= 1
    counts = np.stack([u, lower])
    return np.where(w == 1, counts, top - counts).astype(np.uint8)


def _ties(network: Network, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    x = rng.integers(0, network.input.top, (DRAWS, network.input.size), np.uint8, endpoint=True)
    scores = evaluate(network, x).scores
    assert scores is not None
    tied = np.count_nonzero(scores == scores.max(axis=1, keepdims=True), axis=1) > 1
    return x[tied][:MOST_TIES]


def random_vectors(network: Network, count: int, seed: int) -> npt.NDArray[np.uint8]:
    """Inputs (count, K) drawn evenly from 0 to 2^B - 1."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, network.input.top, (count, network.input.size), np.uint8, endpoint=True)
