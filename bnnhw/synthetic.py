"""Networks made of a seed, for trying a size before anything is trained."""

__all__ = ["bits_input", "random_layer"]

import numpy as np

from .errors import InputError
from .input_format import InputFormat
from .layers import Dense
from .network import Network


def bits_input(size: int, bits: int) -> InputFormat:
    """An input of `size` values of B bits that are their own raw values."""
    if bits == 1:
        return InputFormat(shape=(size,), bits=1, threshold=1.0)
    return InputFormat(shape=(size,), bits=bits, lo=0.0, hi=float((1 << bits) - 1))


def random_layer(inputs: int, neurons: int, *, input_bits: int = 1, seed: int = 0) -> Network:
    """One layer with random weights, and thresholds near the mean of what the sums reach.

    Random inputs then make about half of the neurons fire.
    """
    for what, size in (("inputs", inputs), ("neurons", neurons)):
        if not 1 <= size <= 1 << 20:
            raise InputError(f"{what} must be 1 to 1048576, not {size}")
    form = bits_input(inputs, input_bits)
    rng = np.random.default_rng(seed)
    weight = rng.integers(0, 2, (neurons, inputs), np.uint8)
    if input_bits == 1:
        mean, spread = np.full(neurons, inputs / 2), np.sqrt(inputs) / 2
        low, high = 0, inputs + 1
    else:
        mean = form.top / 2 * (2.0 * weight.sum(axis=1) - inputs)
        spread = form.top * np.sqrt(inputs / 12)
        low, high = -form.top * inputs, form.top * inputs + 1
    threshold = np.clip(np.rint(rng.normal(mean, spread)), low, high).astype(np.int32)
    layer = Dense(name="fc", weight=weight, input_bits=input_bits, threshold=threshold)
    return Network(input=form, layers=(layer,), training={"seed": seed, "weights": "random"})
