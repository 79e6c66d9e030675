"""How a network lies in memory for the kernels: bit order, padding, groups of neurons, prefixes.

A *word* has 32 bits, the first of them the lowest. A position of a map has its channels' bits in
whole words of its own, and a vector is a map of one position, so that what a window sees is whole
words too. Spare bits are 0 in inputs and in weights, where they differ in nothing.

Differences are counted, d = popcount(a ^ w), for which p = K - d: so p >= t is d <= K - t.
Inputs of more than one bit are bytes, against which weights are bytes, -1 and +1.

For a CPU weights lie as (groups of 16 neurons, words, 16): the 16 neurons of a group stand side by
side in the lanes of a vector, and word k is the XOR of the row's words 0 to k: see
`cpu/network.inc` for what that saves. Against bytes they are bits still, (groups, words, 2): four
bits a neuron, which the kernels make bytes a group at a time.

For tensor cores weights lie as (neurons, chunks of 16 bytes), neurons and channels in groups of
128, in which channel 8 t + 2 q + i is bit 2 t + i of word q: see `cuda/tiles.cuh` for what that
saves.
"""

__all__ = [
    "CHUNK", "GROUP", "KINDS", "NEVER", "TILE_GROUP", "Affine", "Pooling", "Tiled", "Words",
    "in_tiles", "layout", "packed_words", "tile_order",
]  # fmt: skip

import dataclasses

import numpy as np
import numpy.typing as npt

from bnnhw.layers import Conv, Dense, Layer, Output
from bnnhw.maps import Flatten, Pool
from bnnhw.network import Network
from bnnhw.window import Window

GROUP = 16  # neurons side by side
TILE_GROUP = 128
WORD = 32
CHUNK = 16  # bytes
LINE = 64  # bytes
KINDS = {"bits": 0, "bytes": 1, "pool": 2}
NEVER = 1 << 30  # no sum and no count of differences is as large

Words = npt.NDArray[np.uint32]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Affine:
    """A layer with weights.

    Parameters
    ----------
    kind : "bits" or "bytes"
        Of what it takes.
    window : Window
        On its map; its channels are the layer's own, without spare bits.
    unit : int
        Bytes of a position.
    inputs, neurons : int
        K and M.
    weights : ndarray[uint32], (groups, words, 16), or of bytes (groups, words, 2)
        Words even where it takes bits, groups even.
    limit : ndarray[int32], (groups * 16,)
        Fires iff the differences are at most this; of bytes, iff the sum is at least this. Spare
        neurons never fire.
    scale, bias : ndarray[int32], (M,), or None where it gives bits
    """

    kind: str
    window: Window
    unit: int
    inputs: int
    neurons: int
    weights: Words
    limit: npt.NDArray[np.int32]
    scale: npt.NDArray[np.int32] | None = None
    bias: npt.NDArray[np.int32] | None = None

    @property
    def nbytes(self) -> int:
        """Of all its arrays."""
        arrays = (self.weights, self.limit, self.scale, self.bias)
        return sum(array.nbytes for array in arrays if array is not None)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pooling:
    """A pooling of bits.

    Parameters
    ----------
    window : Window
    unit : int
        Bytes of a position.
    mask : ndarray[uint32], (words,)
        1 for each channel whose bits are ANDed.
    """

    window: Window
    unit: int
    mask: Words

    @property
    def nbytes(self) -> int:
        """Of its mask."""
        return self.mask.nbytes


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Tiled:
    """A layer with weights, for tensor cores.

    Parameters
    ----------
    kind : "bits" or "bytes"
        Of what it takes.
    window : Window
        On its map; its channels are the layer's own, without spare bits.
    inputs, neurons : int
        K and M.
    weights : ndarray[uint32], (groups * 128, 4 * chunks)
        Spare neurons are 0.
    most : ndarray[int32], (groups * 128,)
        Of bits: fires iff at most so many differ. Of bytes: iff the sum is at least this. Spare
        neurons never fire.
    limit : ndarray[int32], (2, groups * 128)
        Of bits, with n = popcount(a): fires iff popcount(a & w) - n // 2 is above limit[n % 2]. Of
        bytes, both alike: iff the sum is.
    scale, bias : ndarray[int32], (M,), or None where it gives bits
    """

    kind: str
    window: Window
    inputs: int
    neurons: int
    weights: Words
    most: npt.NDArray[np.int32]
    limit: npt.NDArray[np.int32]
    scale: npt.NDArray[np.int32] | None = None
    bias: npt.NDArray[np.int32] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Plain:
    """A layer with weights, in nobody's order.

    `bits` is (M, positions, channels), `most` as `Tiled`'s without spare neurons; 0 for scores.
    """

    kind: str
    window: Window
    bits: npt.NDArray[np.uint8]
    most: npt.NDArray[np.int64]
    layer: Layer

    @property
    def output(self) -> dict[str, npt.NDArray[np.int32] | None]:
        if not isinstance(self.layer, Output):
            return {"scale": None, "bias": None}
        kept = {"scale": self.layer.scale, "bias": self.layer.bias}
        return {name: np.ascontiguousarray(values, np.int32) for name, values in kept.items()}


def _plain(network: Network) -> list[_Plain | Pool]:
    """The network's layers without flattenings: a dense layer behind one sees the whole map as its
    window."""
    found: list[_Plain | Pool] = []
    whole: tuple[int, int, int] | None = None  # the map that was flattened
    for layer in network.layers:
        if isinstance(layer, Flatten):
            whole = layer.shape
        elif isinstance(layer, Pool):
            found.append(layer)
        else:
            found.append(_plain_layer(layer, whole))
            whole = None
    return found


def _plain_layer(layer: Layer, whole: tuple[int, int, int] | None) -> _Plain:
    if isinstance(layer, Conv):
        window = layer.window
    else:
        shape = whole or (1, 1, layer.inputs)
        window = Window(shape=shape, kernel=shape[:2])
    channels = window.shape[2]
    # One-bit pixels of an image have few channels: as bytes they waste less than as words.
    takes_bytes = layer.input_bits > 1 or (isinstance(layer, Conv) and channels < WORD // 4)
    most = np.zeros(layer.neurons, np.int64)
    if isinstance(layer, Dense):
        threshold = layer.threshold.astype(np.int64)
        most = threshold if takes_bytes else layer.inputs - threshold
        if takes_bytes and layer.input_bits == 1:
            # Of bits 0 and 1 as numbers p = s' + (weights of -1), s' the sum over their bytes.
            most = most + layer.weight.sum(axis=1, dtype=np.int64) - layer.inputs
    return _Plain(
        kind="bytes" if takes_bytes else "bits",
        window=window,
        bits=layer.weight.reshape(layer.neurons, -1, channels),
        most=most,
        layer=layer,
    )


def _pooling(layer: Pool, mask: Words) -> Pooling:
    return Pooling(window=layer.window, unit=mask.nbytes, mask=mask)


def layout(network: Network) -> list[Affine | Pooling]:
    """The network's layers as the CPU's kernels take them."""
    return [
        _pooling(one, packed_words(one.pool_and)) if isinstance(one, Pool) else _affine(one)
        for one in _plain(network)
    ]


def _affine(plain: _Plain) -> Affine:
    layer = plain.layer
    groups = -(-layer.neurons // (2 * GROUP)) * 2
    more = groups * GROUP - layer.neurons
    if plain.kind == "bytes":
        unit, spare = plain.window.shape[2], NEVER
        bits = np.pad(layer.weight, ((0, more), (0, -layer.inputs % 4)))
        fours = bits.reshape(groups, GROUP, -1, 4).transpose(0, 2, 1, 3)
        weights = packed_words(fours.reshape(*fours.shape[:2], 4 * GROUP))
    else:
        words = packed_words(plain.bits)
        unit, spare = 4 * words.shape[2], -1
        rows = words.reshape(layer.neurons, -1)
        rows = np.pad(rows, ((0, more), (0, rows.shape[1] % 2)))
        prefixes = np.bitwise_xor.accumulate(rows, axis=1)
        weights = prefixes.reshape(groups, GROUP, -1).transpose(0, 2, 1)
    return Affine(
        kind=plain.kind,
        window=plain.window,
        unit=unit,
        inputs=layer.inputs,
        neurons=layer.neurons,
        weights=_aligned(weights),
        limit=np.pad(plain.most, (0, more), constant_values=spare).astype(np.int32),
        **plain.output,
    )


def in_tiles(network: Network) -> list[Tiled | Pooling]:
    """The network's layers as the kernels for tensor cores take them."""
    return [
        _pooling(one, tile_order(one.pool_and)) if isinstance(one, Pool) else _tiled(one)
        for one in _plain(network)
    ]


def _tiled(plain: _Plain) -> Tiled:
    layer, most = plain.layer, plain.most
    if plain.kind == "bytes":
        signs = layer.weight.astype(np.int8) * 2 - 1
        rows = np.pad(signs, ((0, 0), (0, -layer.inputs % CHUNK))).view("<u4")
        limit, spare = np.stack([most - 1] * 2), NEVER
    else:
        rows = tile_order(plain.bits).reshape(layer.neurons, -1)
        # popcount(a ^ w) = popcount(a) + popcount(w) - 2 popcount(a & w)
        # so 2 popcount(a & w) >= least + popcount(a), where
        least, spare = layer.weight.sum(axis=1, dtype=np.int64) - most, -1
        limit = np.stack([(least - 1) // 2, least // 2])
    more = -layer.neurons % TILE_GROUP
    return Tiled(
        kind=plain.kind,
        window=plain.window,
        inputs=layer.inputs,
        neurons=layer.neurons,
        weights=np.pad(rows, ((0, more), (0, 0))),
        most=np.pad(most, (0, more), constant_values=spare).astype(np.int32),
        limit=np.pad(limit, ((0, 0), (0, more)), constant_values=NEVER).astype(np.int32),
        **plain.output,
    )


def _aligned(values: Words) -> Words:
    """The values one after the other from an address that is a multiple of a cache line."""
    memory = np.empty(values.nbytes + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    result = memory[start : start + values.nbytes].view(np.uint32).reshape(values.shape)
    result[...] = values
    return result


def packed_words(bits: npt.NDArray[np.uint8]) -> Words:
    """Bits (..., C), 0/1, to words (..., ceil(C / 32))."""
    more = -bits.shape[-1] % WORD
    padded = np.pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, more)])
    return np.packbits(padded, axis=-1, bitorder="little").view("<u4")


def tile_order(bits: npt.NDArray[np.uint8]) -> Words:
    """Bits (..., C), 0/1, to words (..., 4 ceil(C / 128)) in the order of tensor cores."""
    more = -bits.shape[-1] % TILE_GROUP
    padded = np.pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, more)])
    split = padded.reshape(*bits.shape[:-1], -1, 16, 4, 2)  # t, q, i
    ordered = np.moveaxis(split, -2, -3).reshape(padded.shape)
    return np.packbits(ordered, axis=-1, bitorder="little").view("<u4")
