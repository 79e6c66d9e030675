"""Compares results with the golden model's."""

__all__ = ["Checker", "Fields", "Mismatch", "first_mismatch", "result_fields", "trace_fields"]

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from ..golden import Trace
from .core import Core
from .packet import Results

OUTPUT = "m_axis"  # named like a layer where a core's own result differs
Fields = list[tuple[str, npt.NDArray[np.int64]]]


class Checker:
    """Compares packets, as numbers, with the expected ones, and keeps them.

    Parameters
    ----------
    expected : ndarray[uint8], (N, size)
    mask : ndarray[uint8], (size,)
        The bits that count.
    """

    def __init__(self, expected: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8]) -> None:
        self._expected = expected
        self._mask = int.from_bytes(mask.tobytes(), "little")
        self.packets = np.zeros_like(expected)
        self.count = 0

    def check(self, bits: int, unknown: int) -> bool:
        """Whether the next packet is as expected; an X never is."""
        i = self.count
        self.count += 1
        size = self.packets.shape[1]
        self.packets[i] = np.frombuffer(bits.to_bytes(size, "little"), np.uint8)
        expected = int.from_bytes(self._expected[i].tobytes(), "little")
        return not ((bits ^ expected) | unknown) & self._mask


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Mismatch:
    """The first value that differs: by image, then by layer, then by neuron.

    Parameters
    ----------
    image : int
    layer : str
        Its name; `m_axis` for what the core gives.
    neuron : int
        In the layer, of a map the place in it, channels last; of `m_axis` that in the result.
    expected : int
    got : int, or "X" for a value with undefined bits
    """

    image: int
    layer: str
    neuron: int
    expected: int
    got: int | str

    def __str__(self) -> str:
        where = f"image {self.image}, layer {self.layer}, neuron {self.neuron}"
        return f"{where}: expected {self.expected}, got {self.got}"

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def trace_fields(core: Core, trace: Trace) -> Fields:
    """What golden says of what is seen of a core: values (N, M) of each layer, then of `m_axis`."""
    values = core.layer_values(trace)
    named = list(zip((layer.name for layer in core.layers), values, strict=True))
    output = values[-1]
    if core.output == "class":
        assert trace.classes is not None
        output = trace.classes[:, None]
    seen = named if core.tapped else []
    return [(name, v.astype(np.int64)) for name, v in (*seen, (OUTPUT, output))]


def result_fields(core: Core, results: Results) -> Fields:
    """What a core gave, likewise."""
    values: list[npt.NDArray[Any]] = [*results.bits]
    if results.scores is not None:
        values.append(results.scores)
    named = list(zip((layer.name for layer in core.tapped), values, strict=True))
    return [(name, v.astype(np.int64)) for name, v in (*named, (OUTPUT, results.output))]


def first_mismatch(expected: Fields, got: Fields, unknown: Fields | None = None) -> Mismatch | None:
    """Where the same images' values first differ: by image, then layer, then neuron.

    Parameters
    ----------
    unknown : Fields, optional
        Not 0 where a value of `got` has undefined bits.
    """
    wrong = [e != g for (_, e), (_, g) in zip(expected, got, strict=True)]
    if unknown is not None:
        wrong = [w | (u != 0) for w, (_, u) in zip(wrong, unknown, strict=True)]
    images = np.flatnonzero(np.stack([w.any(axis=1) for w in wrong]).any(axis=0))
    if not len(images):
        return None
    image = int(images[0])
    layer = next(i for i, w in enumerate(wrong) if w[image].any())
    neuron = int(np.flatnonzero(wrong[layer][image])[0])
    undefined = unknown is not None and unknown[layer][1][image, neuron] != 0
    return Mismatch(
        image=image,
        layer=expected[layer][0],
        neuron=neuron,
        expected=int(expected[layer][1][image, neuron]),
        got="X" if undefined else int(got[layer][1][image, neuron]),
    )
