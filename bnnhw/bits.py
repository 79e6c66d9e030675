"""Bits packed into bytes and words: bit k in byte k // 8 at k % 8, spare bits 0."""

__all__ = ["pack_bits", "pack_words", "unpack_bits"]

import numpy as np
import numpy.typing as npt


def pack_bits(bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Bits (..., K), 0/1, to bytes (..., ceil(K / 8))."""
    return np.packbits(bits, axis=-1, bitorder="little")


def unpack_bits(packed: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.uint8]:
    """The inverse of `pack_bits`: bytes (..., ceil(K / 8)) to the first `count` = K bits."""
    return np.unpackbits(packed, axis=-1, count=count, bitorder="little")


def pack_words(bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Bits (..., K), 0/1, to words (..., ceil(K / 64))."""
    packed = pack_bits(bits)
    spare = -packed.shape[-1] % 8
    if spare:
        packed = np.concatenate([packed, np.zeros((*packed.shape[:-1], spare), np.uint8)], axis=-1)
    return np.ascontiguousarray(packed).view(np.uint64)
