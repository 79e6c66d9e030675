"""Networks for the tests: random ones of any shape, out of a seed."""

import itertools
from collections.abc import Sequence

import numpy as np

from bnnhw.network import Dense, InputFormat, Network, Output

__all__ = ["input_format", "random_network"]


def input_format(bits: int, *shape: int) -> InputFormat:
    """An input of B bits in which a raw value is the input itself."""
    if bits == 1:
        return InputFormat(shape=shape, bits=1, threshold=0.5)
    return InputFormat(shape=shape, bits=bits, lo=0.0, hi=float((1 << bits) - 1))


def random_network(
    sizes: Sequence[int], *, bits: int = 1, gives: str = "scores", seed: int = 0
) -> Network:
    """A network with random weights: K inputs of `bits` bits, then the sizes of its layers.

    Thresholds lie where they decide something, near the middle of what the sums reach; the first
    neuron of each layer always fires and the second never does.
    """
    rng = np.random.default_rng(seed)
    layers: list[Dense | Output] = []
    for i, (K, M) in enumerate(itertools.pairwise(sizes)):
        weight = rng.integers(0, 2, (M, K), np.uint8)
        B = bits if i == 0 else 1
        if gives == "scores" and i == len(sizes) - 2:
            scale = rng.integers(-300, 301, M).astype(np.int16)
            bias = rng.integers(-1000, 1001, M).astype(np.int32)
            layers.append(Output(name="out", weight=weight, input_bits=B, scale=scale, bias=bias))
            continue
        reach = ((1 << B) - 1) * K
        low, high, middle = (0, K + 1, K // 2) if B == 1 else (-reach, reach + 1, 0)
        spread = max(1, reach // 4)
        threshold = np.clip(middle + rng.integers(-spread, spread + 1, M), low, high)
        threshold[:2] = [low, high][: min(M, 2)]
        layers.append(
            Dense(name=f"fc{i + 1}", weight=weight, input_bits=B, threshold=threshold.astype("i4"))
        )
    return Network(input=input_format(bits, sizes[0]), layers=tuple(layers))
