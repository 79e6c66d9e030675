"""Networks for the tests: random ones of any shape, out of a seed."""

import itertools
from collections.abc import Sequence

import numpy as np

from bnnhw.input_format import InputFormat
from bnnhw.layers import Conv, Dense, Output
from bnnhw.maps import Flatten, Pool
from bnnhw.network import Network, Stage
from bnnhw.window import Window

__all__ = ["input_format", "network_of_ends", "random_conv_network", "random_network"]


def input_format(bits: int, *shape: int) -> InputFormat:
    """An input of B bits in which a raw value is the input itself."""
    if bits == 1:
        return InputFormat(shape=shape, bits=1, threshold=0.5)
    return InputFormat(shape=shape, bits=bits, lo=0.0, hi=float((1 << bits) - 1))


def random_thresholds(M: int, K: int, B: int, rng: np.random.Generator) -> np.ndarray:
    """Where they decide something, near the middle of what the sums reach; the first always fires
    and the second never does."""
    reach = ((1 << B) - 1) * K
    low, high, middle = (0, K + 1, K // 2) if B == 1 else (-reach, reach + 1, 0)
    spread = max(1, reach // 4)
    threshold = np.clip(middle + rng.integers(-spread, spread + 1, M), low, high)
    threshold[:2] = [low, high][: min(M, 2)]
    return threshold.astype(np.int32)


def random_output(K: int, M: int, B: int, rng: np.random.Generator) -> Output:
    """A last layer with random scales and biases."""
    weight = rng.integers(0, 2, (M, K), np.uint8)
    scale = rng.integers(-300, 301, M).astype(np.int16)
    bias = rng.integers(-1000, 1001, M).astype(np.int32)
    return Output(name="out", weight=weight, input_bits=B, scale=scale, bias=bias)


def random_network(
    sizes: Sequence[int], *, bits: int = 1, gives: str = "scores", seed: int = 0
) -> Network:
    """A network of dense layers: K inputs of `bits` bits, then the sizes of its layers."""
    rng = np.random.default_rng(seed)
    layers: list[Dense | Output] = []
    for i, (K, M) in enumerate(itertools.pairwise(sizes)):
        B = bits if i == 0 else 1
        if gives == "scores" and i == len(sizes) - 2:
            layers.append(random_output(K, M, B, rng))
            continue
        weight = rng.integers(0, 2, (M, K), np.uint8)
        threshold = random_thresholds(M, K, B, rng)
        layers.append(Dense(name=f"fc{i + 1}", weight=weight, input_bits=B, threshold=threshold))
    return Network(input=input_format(bits, sizes[0]), layers=tuple(layers))


def network_of_ends(inputs: int, bits: int) -> Network:
    """A layer of 40 neurons with thresholds at their limits and beside; ten of them have only
    weights of -1, ten of +1."""
    network = random_network((inputs, 40), bits=bits, gives="bits")
    layer = network.layers[0]
    assert isinstance(layer, Dense)
    low, high = layer.threshold_limits
    weight = layer.weight.copy()
    weight[:10], weight[10:20] = 0, 1
    ends = np.array([low, low + 1, high - 1, high, 0, 1, inputs // 2, inputs - 1, 5, 7])
    threshold = np.tile(ends, 4).astype(np.int32).clip(low, high)
    layer = Dense(name="fc1", weight=weight, threshold=threshold, input_bits=bits)
    return Network(input=network.input, layers=(layer,))


def random_conv_network(
    shape: tuple[int, int, int],
    stages: Sequence[tuple[str, int, int, int, int]],
    *,
    bits: int = 1,
    classes: int = 3,
    seed: int = 0,
) -> Network:
    """Convolutions and poolings, then a vector and scores.

    `stages` are ("conv", neurons, kernel, stride, padding) or ("pool", 0, kernel, stride, 0);
    windows are a position wider than they are high where the map lets them.
    """
    rng = np.random.default_rng(seed)
    layers: list[Stage] = []
    now, B = shape, bits
    for i, (kind, neurons, kernel, stride, padding) in enumerate(stages):
        window = Window(
            shape=now,
            kernel=(kernel, min(kernel + 1, now[1] + 2 * padding)),
            stride=(stride, stride),
            padding=(padding, min(padding, kernel)),
        )
        if kind == "pool":
            pool_and = rng.integers(0, 2, now[2], np.uint8)
            layers.append(Pool(name=f"pool{i}", window=window, pool_and=pool_and))
        else:
            layers.append(
                Conv(
                    name=f"conv{i}",
                    weight=rng.integers(0, 2, (neurons, window.size), np.uint8),
                    input_bits=B,
                    threshold=random_thresholds(neurons, window.size, B, rng),
                    window=window,
                )
            )
            B = 1
        h, w, c = layers[-1].shape_out
        now = h, w, c
    layers.append(Flatten(name="flat", shape=now))
    layers.append(random_output(layers[-1].shape_out[0], classes, B, rng))
    return Network(input=input_format(bits, *shape), layers=tuple(layers))
