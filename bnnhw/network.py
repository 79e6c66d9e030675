"""What a binarized network is: a chain of layers, checked when built, and its file's bytes."""

__all__ = ["Network", "Stage"]

import dataclasses
import hashlib
import json
import math
from pathlib import Path
from typing import Any

from .errors import InputError
from .files import write_bytes
from .input_format import InputFormat
from .layers import Conv, Dense, Output
from .maps import Flatten, Pool

SCHEMA = 1
METADATA_KEY = "bnnhw"
MOST_CLASSES = 1 << 16

Stage = Dense | Conv | Pool | Flatten | Output


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Network:
    """A binarized network: an input format and a chain of layers.

    The last layer is an `Output`, which gives scores and a class; a chain that ends in another
    one is legal too (a single layer, say) and gives bits.

    Parameters
    ----------
    input : InputFormat
    layers : tuple of Dense, Conv, Pool and Flatten, an Output last
        What each gives has the shape that the next one takes. A dense layer takes a vector; the
        network's input is one to it even if samples have another shape (row by row, channels
        last), and what a convolution gives becomes one by a `Flatten`.
    training : dict
        How it came about (data, seed, options): for people, no executor reads it.
    accuracy : dict
        Of this integer network, by part of the data: {"test": 0.973}.
    """

    input: InputFormat
    layers: tuple[Stage, ...]
    training: dict[str, Any] = dataclasses.field(default_factory=dict)
    accuracy: dict[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.layers:
            raise InputError("a network must have at least 1 layer, not 0")
        shape, bits = self.input.shape, self.input.bits
        if len(self.layers[0].shape_in) == 1:
            shape = (self.input.size,)
        names = set()
        for i, layer in enumerate(self.layers):
            if layer.shape_in != shape:
                raise InputError(
                    f"{layer.name}: inputs must be {_sizes(shape)}, not {_sizes(layer.shape_in)}"
                )
            if not isinstance(layer, Flatten) and layer.input_bits != bits:
                raise InputError(f"{layer.name}: input bits must be {bits}, not {layer.input_bits}")
            if isinstance(layer, Output) and i != len(self.layers) - 1:
                raise InputError(f"{layer.name}: only the last layer can give scores")
            if layer.name in names:
                raise InputError(f"layer names must differ, but two are {layer.name}")
            names.add(layer.name)
            shape, bits = layer.shape_out, bits if isinstance(layer, Flatten) else 1
        if math.prod(shape) > MOST_CLASSES and self.output is not None:
            raise InputError(f"classes must be at most {MOST_CLASSES}, not {math.prod(shape)}")
        for part, share in self.accuracy.items():
            if not isinstance(share, int | float) or not 0 <= share <= 1:
                raise InputError(f"accuracy on {part!r} must be a number 0 to 1, not {share!r}")

    @property
    def output(self) -> Output | None:
        """The layer that gives scores, or None where the network gives bits."""
        last = self.layers[-1]
        return last if isinstance(last, Output) else None

    @property
    def gives(self) -> str:
        """What a core of it gives unless told otherwise: the class, or bits."""
        return "bits" if self.output is None else "class"

    @property
    def weighted(self) -> tuple[Dense | Conv | Output, ...]:
        """The layers that have weights."""
        return tuple(layer for layer in self.layers if not isinstance(layer, Pool | Flatten))

    @property
    def is_dense(self) -> bool:
        """Whether all layers are dense ones."""
        return not any(isinstance(layer, Conv | Pool | Flatten) for layer in self.layers)

    @property
    def dense(self) -> tuple[Dense | Output, ...]:
        """The layers of a network that has dense ones only; InputError where it has others."""
        for layer in self.layers:
            if isinstance(layer, Conv | Pool | Flatten):
                raise InputError(
                    f"{layer.name}: is of kind {layer.to_json()['kind']}; so far this takes "
                    "networks of dense layers only"
                )
        return self.weighted

    @property
    def sizes(self) -> str:
        """What people call it: `784-256-10`, or `28x28x1-16C5-P2-128-10` with 16 kernels of 5 x 5
        and a pooling of 2 x 2."""
        taken = self.layers[0].shape_in
        words = ["x".join(map(str, taken))]
        for layer in self.layers:
            if isinstance(layer, Conv | Pool):
                high, wide = layer.window.kernel
                kind = f"{layer.neurons}C" if isinstance(layer, Conv) else "P"
                words.append(f"{kind}{high}" if high == wide else f"{kind}{high}x{wide}")
            elif not isinstance(layer, Flatten):
                words.append(str(layer.neurons))
        return "-".join(words)

    @property
    def operations(self) -> int:
        """Operations a sample, over all layers: 2 for each weight that a window meets."""
        return sum(layer.operations for layer in self.weighted)

    @property
    def sha256(self) -> str:
        """Of the file that `save` writes."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """The network as a safetensors file; the same network gives the same bytes."""
        from safetensors.numpy import save

        tensors = {
            f"layers.{i}.{name}": tensor
            for i, layer in enumerate(self.layers)
            for name, tensor in layer.tensors().items()
        }
        described = {
            "schema": SCHEMA,
            "input": self.input.to_json(),
            "layers": [layer.to_json() for layer in self.layers],
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


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
