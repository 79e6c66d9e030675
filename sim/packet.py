"""What passes between Python and the shim once an image: the input's bits, the results' bits."""

__all__ = ["STAMP_BITS", "Packet", "Results", "drive"]

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..golden import Trace
from .core import Core

STAMP_BITS = 48  # of a cycle number


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Results:
    """What the Verilog gave for N images.

    Parameters
    ----------
    bits : tuple of ndarray[uint8], (N, M), of maps (N, M * positions)
        Of each hidden layer but flattenings; of a netlist, none.
    scores : ndarray[int32], (N, M), or None where the network ends in bits, and of a netlist
    output : ndarray[int64], (N, number of results)
        What came out of `m_axis`: the class, the scores or the bits.
    first, last : ndarray[int64], (N,)
        The cycle that took an image's first beat, and the one that gave its last.
    """

    bits: tuple[npt.NDArray[np.uint8], ...]
    scores: npt.NDArray[np.int32] | None
    output: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)


def drive(core: Core, x: npt.NDArray[np.uint8], seed: int) -> npt.NDArray[np.uint8]:
    """Inputs (N, K) as the beats of `s_axis`: ndarray[uint8], (N, bytes of all beats).

    Bits of `tdata` that hold no part of a pixel are drawn at random: the core has to ignore them.
    Pixels that fill up the last beat are 0.
    """
    P, beats, width = core.pixels_per_beat, core.input_beats, core.input_width
    pixel_bits, top = (1, 1) if core.network.input.bits == 1 else (8, core.network.input.top)
    rng = np.random.default_rng(seed)
    padded = np.zeros((len(x), beats * P), np.uint8)
    padded[:, : x.shape[1]] = x
    lanes = padded.reshape(len(x), beats, P)
    if pixel_bits == 8:
        noise = rng.integers(0, 256, lanes.shape, np.uint8) & np.uint8(255 - top)
        return (lanes | noise).reshape(len(x), beats * P)
    bits = rng.integers(0, 2, (len(x), beats, width), np.uint8)
    bits[:, :, :P] = lanes
    return np.packbits(bits.reshape(len(x), -1), axis=1, bitorder="little")


@dataclasses.dataclass(frozen=True, slots=True)
class Packet:
    """The layout of the shim's result packet, lowest bit first.

    The layers' tap words in order, the beats of `m_axis`, the cycles of first and last beat.
    """

    core: Core

    @property
    def checked_bits(self) -> int:
        """Bits before the cycle numbers."""
        return (
            sum(x.bits for x in self.core.tapped) + self.core.output_beats * self.core.output_width
        )

    @property
    def bits(self) -> int:
        return self.checked_bits + 2 * STAMP_BITS

    @property
    def size(self) -> int:
        """In bytes."""
        return -(-self.bits // 8)

    def _fields(self, trace: Trace) -> Iterator[tuple[npt.NDArray[np.int64], int]]:
        """Values (N, places), padding 0, and bits a value, field by field."""
        given = [values.astype(np.int64) for values in self.core.layer_values(trace)]
        for layer, values in zip(self.core.layers, given, strict=True):
            if layer in self.core.tapped:
                yield layer.placed(values), layer.width
        if self.core.output == "bits":
            yield self._bit_beats(given[-1]), 1
        elif self.core.output == "scores":
            yield given[-1], 32
        else:
            assert trace.classes is not None
            yield trace.classes.astype(np.int64)[:, None], 32

    def _bit_beats(self, bits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The last layer's bits as they lie in beats, its words rounded up to whole bytes."""
        last = self.core.layers[-1]
        words = last.placed(bits).reshape(len(bits), last.words_an_image, last.values)
        spare = self.core.output_width - last.values
        return np.pad(words, ((0, 0), (0, 0), (0, spare))).reshape(len(bits), -1)

    def encode(self, trace: Trace, count: int) -> npt.NDArray[np.uint8]:
        """The packets, ndarray[uint8], (count, size), that golden's results would make."""
        fields = []
        for values, width in self._fields(trace):
            places = np.arange(width)
            fields.append(((values[:, :, None] >> places) & 1).astype(np.uint8).reshape(count, -1))
        fields.append(np.zeros((count, 2 * STAMP_BITS), np.uint8))
        return np.packbits(np.concatenate(fields, axis=1), axis=1, bitorder="little")

    def mask(self) -> npt.NDArray[np.uint8]:
        """The bits of a packet that count, ndarray[uint8], (size,): no padding, no cycles."""
        core = self.core
        bits = np.zeros(self.bits, np.uint8)
        place = 0
        for layer in core.tapped:
            ones = layer.placed(np.ones((1, layer.vectors * layer.neurons), np.uint8))[0]
            bits[place : place + layer.bits] = ones.repeat(layer.width)
            place += layer.bits
        if core.output == "bits":
            last = core.layers[-1]
            beats = self._bit_beats(np.ones((1, last.vectors * last.neurons), np.int64))[0]
            bits[place : place + len(beats)] = beats
        else:
            bits[place : self.checked_bits] = 1
        return np.packbits(bits, bitorder="little")

    def decode(self, packets: npt.NDArray[np.uint8]) -> Results:
        """The results in packets, ndarray[uint8], (N, size)."""
        core, N = self.core, len(packets)
        spread = np.unpackbits(packets, axis=1, bitorder="little")
        hidden, place = [], 0
        for layer in core.tapped:
            field = spread[:, place : place + layer.bits]
            words = field.reshape(N, layer.words_an_image * layer.values, layer.width)
            hidden.append(layer.taken(_numbers(words)))
            place += layer.bits
        beats = spread[:, place : self.checked_bits].reshape(
            N, core.output_beats, core.output_width
        )
        if core.output == "bits":
            last_layer = core.layers[-1]
            output = last_layer.taken(beats[:, :, : last_layer.values]).astype(np.int64)
        else:
            output = _numbers(beats)
        place = self.checked_bits
        stamps = spread[:, place : place + 2 * STAMP_BITS].reshape(N, 2, STAMP_BITS)
        first, last = _numbers(stamps).T
        scored = core.network.output is not None and bool(hidden)
        return Results(
            bits=tuple(h.astype(np.uint8) for h in (hidden[:-1] if scored else hidden)),
            scores=hidden[-1].astype(np.int32) if scored else None,
            output=output,
            first=first,
            last=last,
        )


def _numbers(bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Bits (..., width), lowest first, as numbers; two's complement where width > 1."""
    width = bits.shape[-1]
    weights = np.int64(1) << np.arange(width, dtype=np.int64)
    if width > 1:
        weights[-1] = -weights[-1]
    return bits.astype(np.int64) @ weights
