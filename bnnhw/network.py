"""What a binarized network is: layers, checked when built, and the bytes that hold them."""

__all__ = ["Dense", "InputFormat", "Layer", "Network", "Output", "pack_bits", "unpack_bits"]

import dataclasses
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .files import write_bytes

SCHEMA = 1
METADATA_KEY = "bnnhw"
INT32 = np.iinfo(np.int32)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class InputFormat:
    """How a raw value v becomes an input x of B bits.

    `x = clip(rint((v - lo) / (hi - lo) * (2^B - 1)), 0, 2^B - 1)` in float64, or for B = 1
    `x = (v >= threshold)`.

    Parameters
    ----------
    shape : tuple of int
        Of one sample: (K,) or (height, width, channels).
    bits : int
        B, 1 to 8. One bit means bipolar: 0 is -1.
    lo, hi : float
        The raw values that become 0 and 2^B - 1 (B > 1).
    threshold : float
        The smallest raw value that becomes 1 (B = 1).
    """

    shape: tuple[int, ...]
    bits: int
    lo: float | None = None
    hi: float | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        if len(self.shape) not in (1, 3) or any(n < 1 for n in self.shape):
            raise InputError(
                f"input shape must be (K,) or (H, W, C) of sizes >= 1, not {self.shape}"
            )
        if not 1 <= self.bits <= 8:
            raise InputError(f"input bits must be 1 to 8, not {self.bits}")
        given = {n for n in ("lo", "hi", "threshold") if getattr(self, n) is not None}
        wanted = {"threshold"} if self.bits == 1 else {"lo", "hi"}
        if given != wanted:
            raise InputError(
                f"an input of {self.bits} bits has {' and '.join(sorted(wanted))}, "
                f"not {' and '.join(sorted(given)) or 'none'}"
            )
        for name in wanted:
            object.__setattr__(self, name, float(getattr(self, name)))
            if not math.isfinite(getattr(self, name)):
                raise InputError(f"input {name} must be finite, not {getattr(self, name)}")
        if self.lo is not None and self.hi is not None and not 0 < self.hi - self.lo < math.inf:
            raise InputError(
                f"input lo must be below hi, by a finite step, not {self.lo} and {self.hi}"
            )

    @property
    def size(self) -> int:
        """K, the number of inputs of one sample."""
        return math.prod(self.shape)

    @property
    def top(self) -> int:
        """The largest input, 2^B - 1."""
        return (1 << self.bits) - 1

    def quantize(self, values: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Raw samples to inputs.

        Parameters
        ----------
        values : array of numbers, (N, *shape) or (N, K)

        Returns
        -------
        ndarray[uint8], (N, K), each 0 to 2^B - 1.

        Raises
        ------
        InputError
            A shape that does not fit, or a value that is not a number.
        """
        try:
            v = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError("samples must be an array of numbers of one shape") from None
        if v.ndim < 2 or (v.shape[1:] != self.shape and v.shape[1:] != (self.size,)):
            raise InputError(
                f"samples must have shape (N, {', '.join(map(str, self.shape))}), not {v.shape}"
            )
        v = v.reshape(len(v), self.size)
        if np.isnan(v).any():
            raise InputError("samples must be numbers; at least one is NaN")
        if self.threshold is not None:
            return (v >= self.threshold).astype(np.uint8)
        assert self.lo is not None and self.hi is not None
        with np.errstate(over="ignore"):  # infinity is clipped like any other large value
            x = np.rint((v - self.lo) / (self.hi - self.lo) * self.top)
        return np.clip(x, 0, self.top).astype(np.uint8)

    def to_json(self) -> dict[str, Any]:
        fields = {n: getattr(self, n) for n in ("bits", "lo", "hi", "threshold")}
        return {n: v for n, v in fields.items() if v is not None} | {"shape": list(self.shape)}


def _frozen(array: npt.NDArray[Any], dtype: type, what: str) -> npt.NDArray[Any]:
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
    """A dense binarized layer: K inputs, M neurons, one bit a weight.

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
        if not (self.name.isascii() and self.name.isidentifier()):
            raise InputError(f"layer name must be an identifier, not {self.name!r}")
        if not 1 <= self.input_bits <= 8:
            raise InputError(f"{self.name}: input bits must be 1 to 8, not {self.input_bits}")
        weight = _frozen(self.weight, np.uint8, f"{self.name}: weights")
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
    def operations(self) -> int:
        """Operations a sample: 2 K M, a multiply and an add for each weight."""
        return 2 * self.inputs * self.neurons

    @property
    def sum_limits(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The least and the largest s that each neuron can reach: two ndarray[int64], (M,)."""
        ones = self.weight.sum(axis=1, dtype=np.int64)
        if self.input_bits == 1:
            reach = np.full(self.neurons, self.inputs, dtype=np.int64)
            return -reach, reach
        top = (1 << self.input_bits) - 1
        return -top * (self.inputs - ones), top * ones

    def _vector(self, values: npt.NDArray[Any], dtype: type, what: str) -> npt.NDArray[Any]:
        values = _frozen(values, dtype, f"{self.name}: {what}")
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


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Network:
    """A binarized network: an input format and a chain of dense layers.

    The last layer is an `Output`, which gives scores and a class; a chain that ends in a `Dense`
    is legal too (a single layer, say) and gives bits.

    Parameters
    ----------
    input : InputFormat
    layers : tuple of Dense, an Output last
    training : dict
        How it came about (data, seed, options): for people, no executor reads it.
    accuracy : dict
        Of this integer network, by part of the data: {"test": 0.973}.
    """

    input: InputFormat
    layers: tuple[Dense | Output, ...]
    training: dict[str, Any] = dataclasses.field(default_factory=dict)
    accuracy: dict[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.layers:
            raise InputError("a network must have at least 1 layer, not 0")
        size, bits = self.input.size, self.input.bits
        names = set()
        for i, layer in enumerate(self.layers):
            if layer.inputs != size:
                raise InputError(f"{layer.name}: inputs must be {size}, not {layer.inputs}")
            if layer.input_bits != bits:
                raise InputError(f"{layer.name}: input bits must be {bits}, not {layer.input_bits}")
            if isinstance(layer, Output) and i != len(self.layers) - 1:
                raise InputError(f"{layer.name}: only the last layer can give scores")
            if layer.name in names:
                raise InputError(f"layer names must differ, but two are {layer.name}")
            names.add(layer.name)
            size, bits = layer.neurons, 1
        if size > 1 << 16 and self.output is not None:
            raise InputError(f"classes must be at most {1 << 16}, not {size}")
        for part, share in self.accuracy.items():
            if not isinstance(share, int | float) or not 0 <= share <= 1:
                raise InputError(f"accuracy on {part!r} must be a number 0 to 1, not {share!r}")

    @property
    def output(self) -> Output | None:
        """The layer that gives scores, or None where the network gives bits."""
        last = self.layers[-1]
        return last if isinstance(last, Output) else None

    @property
    def operations(self) -> int:
        """Operations a sample, over all layers."""
        return sum(layer.operations for layer in self.layers)

    @property
    def sha256(self) -> str:
        """Of the file that `save` writes."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """The network as a safetensors file; the same network gives the same bytes."""
        from safetensors.numpy import save

        tensors: dict[str, npt.NDArray[Any]] = {}
        for i, layer in enumerate(self.layers):
            tensors[f"layers.{i}.weight"] = pack_bits(layer.weight)
            for name in _vectors_of(layer):
                tensors[f"layers.{i}.{name}"] = getattr(layer, name)
        described = {
            "schema": SCHEMA,
            "input": self.input.to_json(),
            "layers": [
                {
                    "kind": "dense",
                    "name": layer.name,
                    "inputs": layer.inputs,
                    "neurons": layer.neurons,
                    "gives": "scores" if isinstance(layer, Output) else "bits",
                }
                for layer in self.layers
            ],
            "training": self.training,
            "accuracy": self.accuracy,
        }
        try:
            text = json.dumps(described, sort_keys=True, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(f"the training record must be plain JSON ({error})") from None
        return bytes(save(tensors, {METADATA_KEY: text}))

    def save(self, path: Path | str) -> None:
        """Write the network to a .safetensors file, whole or not at all."""
        write_bytes(Path(path), self.to_bytes())


def _vectors_of(layer: Layer) -> tuple[str, ...]:
    """The names of a layer's tensors beside its weights."""
    return ("scale", "bias") if isinstance(layer, Output) else ("threshold",)


def pack_bits(bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Bits (..., K) to bytes (..., ceil(K / 8)): bit k in byte k // 8, bit k % 8; spare bits 0."""
    return np.packbits(bits, axis=-1, bitorder="little")


def unpack_bits(packed: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.uint8]:
    """The inverse of `pack_bits`: bytes (..., ceil(K / 8)) to the first `count` = K bits."""
    return np.unpackbits(packed, axis=-1, count=count, bitorder="little")
