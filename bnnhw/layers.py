"""The layers of a binarized network that have weights, checked when built."""

__all__ = ["Conv", "Dense", "Layer", "Output", "check_name", "frozen"]

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from .bits import pack_bits
from .errors import InputError
from .window import MOST_VALUES, Window

INT32 = np.iinfo(np.int32)


def check_name(name: str) -> None:
    """InputError where a layer's name is no identifier: it names a module of Verilog too."""
    if not (name.isascii() and name.isidentifier()):
        raise InputError(f"layer name must be an identifier, not {name!r}")


def frozen(array: npt.NDArray[Any], dtype: type, what: str) -> npt.NDArray[Any]:
    """The array as `dtype`, read-only; refuses one whose values that dtype cannot hold."""
    array = np.asarray(array)
    if array.dtype.kind not in "biu":
        raise InputError(f"{what} must be integers, not {array.dtype}")
    limits = np.iinfo(dtype)
    if array.size and (array.min() < limits.min or array.max() > limits.max):
        raise InputError(
            f"{what} must be {limits.min} to {limits.max}, not {array.min()} to {array.max()}"
        )
    array = array.astype(dtype)
    array.setflags(write=False)
    return array


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Layer:
    """A layer with weights: K inputs, M neurons, one bit a weight.

    Parameters
    ----------
    name : str
        An identifier; names the layer in tables, foldings and the Verilog's hierarchy.
    weight : ndarray[uint8], (M, K), 0/1
        Bit 1 is +1, bit 0 is -1.
    input_bits : int
        1: inputs are bits, and bit 0 is -1; the sum is s = 2p - K, p = popcount(xnor(a, w)).
        B in 2..8: inputs are 0 to 2^B - 1; the sum is s = sum(x_k * w_k), w in {-1, +1}.
    """

    name: str
    weight: npt.NDArray[np.uint8]
    input_bits: int = 1

    def __post_init__(self) -> None:
        check_name(self.name)
        if not 1 <= self.input_bits <= 8:
            raise InputError(f"{self.name}: input bits must be 1 to 8, not {self.input_bits}")
        weight = frozen(self.weight, np.uint8, f"{self.name}: weights")
        if weight.ndim != 2 or 0 in weight.shape:
            raise InputError(f"{self.name}: weights must have shape (M, K), not {weight.shape}")
        if weight.max() > 1:
            raise InputError(f"{self.name}: weights must be 0 or 1, not {weight.max()}")
        object.__setattr__(self, "weight", weight)

    @property
    def inputs(self) -> int:
        """K."""
        return self.weight.shape[1]

    @property
    def neurons(self) -> int:
        """M."""
        return self.weight.shape[0]

    @property
    def vectors(self) -> int:
        """Of inputs that it meets a sample: 1, or a window for each position of its map."""
        return 1

    @property
    def operations(self) -> int:
        """Operations a sample: 2 K M, a multiply and an add for each weight, for each vector."""
        return 2 * self.inputs * self.neurons * self.vectors

    @property
    def sum_limits(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The least and the largest s that each neuron can reach: two ndarray[int64], (M,)."""
        ones = self.weight.sum(axis=1, dtype=np.int64)
        if self.input_bits == 1:
            reach = np.full(self.neurons, self.inputs, dtype=np.int64)
            return -reach, reach
        top = (1 << self.input_bits) - 1
        return -top * (self.inputs - ones), top * ones

    @property
    def shape_in(self) -> tuple[int, ...]:
        """Of what it takes of a sample."""
        return (self.inputs,)

    @property
    def shape_out(self) -> tuple[int, ...]:
        """Of what it gives of a sample."""
        return (self.neurons,)

    def _vector(self, values: npt.NDArray[Any], dtype: type, what: str) -> npt.NDArray[Any]:
        values = frozen(values, dtype, f"{self.name}: {what}")
        if values.shape != (self.neurons,):
            raise InputError(
                f"{self.name}: {what} must have shape ({self.neurons},), not {values.shape}"
            )
        return values


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Dense(Layer):
    """A hidden layer: neuron j fires (bit 1) iff its sum reaches its threshold.

    Parameters
    ----------
    threshold : ndarray[int32], (M,)
        Inputs of one bit: fires iff p >= t, 0 <= t <= K + 1 (0 always, K + 1 never).
        Inputs of B > 1 bits: fires iff s >= t, -(2^B - 1) K <= t <= (2^B - 1) K + 1.
    """

    threshold: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        Layer.__post_init__(self)
        threshold = self._vector(self.threshold, np.int32, "thresholds")
        low, high = self.threshold_limits
        if threshold.min() < low or threshold.max() > high:
            bad = threshold.min() if threshold.min() < low else threshold.max()
            raise InputError(f"{self.name}: thresholds must be {low} to {high}, not {bad}")
        object.__setattr__(self, "threshold", threshold)

    @property
    def threshold_limits(self) -> tuple[int, int]:
        """The threshold that always fires, and the one that never does."""
        if self.input_bits == 1:
            return 0, self.inputs + 1
        reach = ((1 << self.input_bits) - 1) * self.inputs
        return -reach, reach + 1

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """What the network's file holds of it."""
        return {"weight": pack_bits(self.weight), "threshold": self.threshold}

    def to_json(self) -> dict[str, Any]:
        return _dense_json(self, "bits")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Conv(Dense):
    """A convolution: a dense layer over each window of a map, bits out.

    Parameters
    ----------
    window : Window
        K = kh * kw * C inputs, `k = (ky * kw + kx) * C + c`. Padding is input 0, so -1 where
        inputs are bits.
    """

    window: Window

    def __post_init__(self) -> None:
        Dense.__post_init__(self)
        if self.inputs != self.window.size:
            raise InputError(
                f"{self.name}: weights must have {self.window.size} columns, one for each input "
                f"of a window, not {self.inputs}"
            )
        values = self.window.positions * self.neurons
        if values > MOST_VALUES:
            raise InputError(
                f"{self.name}: a map must have at most {MOST_VALUES:,} values, not {values:,}"
            )

    @property
    def vectors(self) -> int:
        """Windows: OH * OW."""
        return self.window.positions

    @property
    def shape_in(self) -> tuple[int, ...]:
        """(H, W, C)."""
        return self.window.shape

    @property
    def shape_out(self) -> tuple[int, ...]:
        """(OH, OW, M)."""
        return self.window.rows, self.window.cols, self.neurons

    def to_json(self) -> dict[str, Any]:
        described = {"kind": "conv", "name": self.name, "neurons": self.neurons}
        return described | self.window.to_json()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Output(Layer):
    """The last layer: `score_j = scale_j * s_j + bias_j`; the largest score is the class.

    Parameters
    ----------
    scale : ndarray[int16], (M,)
    bias : ndarray[int32], (M,)
        Every score that can be reached fits int32 (checked).
    """

    scale: npt.NDArray[np.int16]
    bias: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        Layer.__post_init__(self)
        object.__setattr__(self, "scale", self._vector(self.scale, np.int16, "scales"))
        object.__setattr__(self, "bias", self._vector(self.bias, np.int32, "biases"))
        low, high = self.score_limits
        if low < INT32.min or high > INT32.max:
            raise InputError(f"{self.name}: scores must fit 32 bits, but reach {low} to {high}")

    @property
    def score_limits(self) -> tuple[int, int]:
        """The least and the largest score that any class can reach."""
        ends = [self.scale * s + self.bias.astype(np.int64) for s in self.sum_limits]
        return int(np.minimum(*ends).min()), int(np.maximum(*ends).max())

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """What the network's file holds of it."""
        return {"weight": pack_bits(self.weight), "scale": self.scale, "bias": self.bias}

    def to_json(self) -> dict[str, Any]:
        return _dense_json(self, "scores")


def _dense_json(layer: Layer, gives: str) -> dict[str, Any]:
    return {
        "kind": "dense",
        "name": layer.name,
        "inputs": layer.inputs,
        "neurons": layer.neurons,
        "gives": gives,
    }
