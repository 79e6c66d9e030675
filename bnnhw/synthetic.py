"""Networks made of a seed, for trying a size before anything is trained."""

__all__ = ["bits_input", "random_conv", "random_layer", "random_mlp"]

import itertools
from collections.abc import Sequence

import numpy as np

from .errors import InputError
from .input_format import InputFormat
from .layers import Conv, Dense, Output
from .network import Network
from .window import Window


def bits_input(shape: Sequence[int], bits: int) -> InputFormat:
    """An input of so many values of B bits that are their own raw values."""
    if bits == 1:
        return InputFormat(shape=tuple(shape), bits=1, threshold=1.0)
    return InputFormat(shape=tuple(shape), bits=bits, lo=0.0, hi=float((1 << bits) - 1))


def random_layer(inputs: int, neurons: int, *, input_bits: int = 1, seed: int = 0) -> Network:
    """One layer with random weights, and thresholds near the mean of what the sums reach.

    Random inputs then make about half of the neurons fire.
    """
    for what, size in (("inputs", inputs), ("neurons", neurons)):
        _check_size(what, size)
    rng = np.random.default_rng(seed)
    return Network(
        input=bits_input((inputs,), input_bits),
        layers=(_layer("fc", inputs, neurons, input_bits, rng),),
        training={"seed": seed, "weights": "random"},
    )


def random_conv(window: Window, neurons: int, *, input_bits: int = 1, seed: int = 0) -> Network:
    """One convolution, its weights and thresholds as `random_layer` draws them."""
    _check_size("neurons", neurons)
    rng = np.random.default_rng(seed)
    dense = _layer("conv", window.size, neurons, input_bits, rng)
    layer = Conv(
        name=dense.name,
        weight=dense.weight,
        input_bits=input_bits,
        threshold=dense.threshold,
        window=window,
    )
    return Network(
        input=bits_input(window.shape, input_bits),
        layers=(layer,),
        training={"seed": seed, "weights": "random"},
    )


def random_mlp(sizes: Sequence[int], *, input_bits: int = 1, seed: int = 0) -> Network:
    """Dense layers with random weights and thresholds near the mean, then scores: the last sums.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, neurons of each layer, classes.
    """
    rng = np.random.default_rng(seed)
    *hidden, classes = sizes
    layers: list[Dense | Output] = [
        _layer(f"fc{i}", inputs, neurons, input_bits if i == 1 else 1, rng)
        for i, (inputs, neurons) in enumerate(itertools.pairwise(hidden), start=1)
    ]
    last = Output(
        name=f"fc{len(hidden)}",
        weight=rng.integers(0, 2, (classes, hidden[-1]), np.uint8),
        input_bits=1 if layers else input_bits,
        scale=np.ones(classes, np.int16),
        bias=np.zeros(classes, np.int32),
    )
    return Network(
        input=bits_input(sizes[:1], input_bits),
        layers=(*layers, last),
        training={"seed": seed, "weights": "random"},
    )


def _check_size(what: str, size: int) -> None:
    if not 1 <= size <= 1 << 20:
        raise InputError(f"{what} must be 1 to 1048576, not {size}")


def _layer(
    name: str, inputs: int, neurons: int, input_bits: int, rng: np.random.Generator
) -> Dense:
    top = (1 << input_bits) - 1
    weight = rng.integers(0, 2, (neurons, inputs), np.uint8)
    if input_bits == 1:
        mean, spread = np.full(neurons, inputs / 2), np.sqrt(inputs) / 2
        low, high = 0, inputs + 1
    else:
        mean = top / 2 * (2.0 * weight.sum(axis=1) - inputs)
        spread = top * np.sqrt(inputs / 12)
        low, high = -top * inputs, top * inputs + 1
    threshold = np.clip(np.rint(rng.normal(mean, spread)), low, high).astype(np.int32)
    return Dense(name=name, weight=weight, input_bits=input_bits, threshold=threshold)
