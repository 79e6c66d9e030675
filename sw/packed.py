"""The network on packed bits, in numpy: 64 multiplications are one XOR and one popcount."""

__all__ = ["PackedNetwork"]

import numpy as np
import numpy.typing as npt

from bnnhw.bits import pack_words
from bnnhw.golden import patches, rearranged
from bnnhw.layers import Conv, Layer, Output
from bnnhw.maps import Flatten, Pool
from bnnhw.network import Network

Words = npt.NDArray[np.uint64]

MOST_WINDOWS = 1 << 15  # of a convolution at a time
BLOCK_BYTES = 1 << 19  # a block's temporaries stay in a core's second-level cache


class PackedNetwork:
    """A network with its weights packed into 64-bit words, equal to golden to the bit.

    Inputs of B > 1 bits are taken as their B bit-planes, which are {0,1}: a plane a adds
    2 popcount(a & w) - popcount(a), and since popcount(a ^ w) = popcount(a) + popcount(w)
    - 2 popcount(a & w), that is popcount(w) - popcount(a ^ w): the same XOR as for bipolar bits.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._words = {layer.name: pack_words(layer.weight) for layer in network.weighted}
        positions = [one.window.positions for one in network.layers if isinstance(one, Conv)]
        self._step = max(1, MOST_WINDOWS // max(positions, default=1))

    def run(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.integer]:
        """Scores, int32 (N, M), or the last layer's bits, uint8 (N, *shape), of quantized inputs.

        Parameters
        ----------
        x : ndarray[uint8], (N, K)
        """
        starts = range(0, len(x), self._step) or range(1)
        return np.concatenate([self._run(x[start : start + self._step]) for start in starts])

    def _run(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.integer]:
        x = x.reshape(len(x), *self.network.layers[0].shape_in)
        for layer in self.network.layers:
            if isinstance(layer, Pool | Flatten):
                x = rearranged(layer, x)
                continue
            seen = patches(layer.window, x) if isinstance(layer, Conv) else x
            sums = _sums(layer, self._words[layer.name], seen.reshape(-1, layer.inputs))
            if isinstance(layer, Output):
                return (layer.scale * sums + layer.bias).astype(np.int32)
            threshold = layer.threshold.astype(np.int64)
            if layer.input_bits == 1:
                threshold = 2 * threshold - layer.inputs  # p >= t is s >= 2t - K
            x = (sums >= threshold).view(np.uint8).reshape(len(x), *layer.shape_out)
        return x


def _sums(layer: Layer, words: Words, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """s of every sample and neuron, int64 (N, M)."""
    if layer.input_bits == 1:
        return layer.inputs - 2 * _differences(pack_words(x), words)
    B = layer.input_bits
    planes = (x[:, None, :] >> np.arange(B, dtype=np.uint8)[:, None]) & np.uint8(1)  # (N, B, K)
    differ = _differences(pack_words(planes).reshape(len(x) * B, words.shape[1]), words)
    ones = layer.weight.sum(axis=1, dtype=np.int64)
    counted = ones - differ.reshape(len(x), B, layer.neurons)
    return np.tensordot(1 << np.arange(B), counted, axes=(0, 1))


def _differences(a: Words, w: Words) -> npt.NDArray[np.int64]:
    """popcount(a ^ w): (N, W) and (M, W) to int64 (N, M)."""
    N, M, W = len(a), len(w), a.shape[1]
    if N * M * W * 8 <= BLOCK_BYTES:
        # At batch 1 the calls are what costs: all words in three of them.
        return np.bitwise_count(a[:, None, :] ^ w[None, :, :]).sum(axis=2, dtype=np.int64)
    result = np.empty((N, M), np.int64)
    rows = max(1, BLOCK_BYTES // (8 * M))
    transposed = np.ascontiguousarray(w.T)
    for start in range(0, N, rows):
        block = np.ascontiguousarray(a[start : start + rows].T)
        total = np.zeros((block.shape[1], M), np.uint32)
        differ = np.empty((block.shape[1], M), np.uint64)
        counts = np.empty((block.shape[1], M), np.uint8)
        for one, other in zip(block, transposed, strict=True):
            np.bitwise_xor(one[:, None], other[None, :], out=differ)
            np.bitwise_count(differ, out=counts)
            total += counts
        result[start : start + rows] = total
    return result
