"""A network in int8, in torch: for GPUs whose tensor cores do not multiply bits."""

__all__ = ["Int8Network"]

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from bnnhw.errors import ToolError
from bnnhw.layers import Conv, Layer, Output
from bnnhw.maps import Flatten, Pool
from bnnhw.network import Network
from bnnhw.window import Window

MOST_VALUES = 1 << 28  # of a layer's windows at a time
STEP, LEAST_ROWS = 16, 32  # sizes that torch._int_mm takes on any GPU


class Int8Network:
    """A network as int8 matrices of -1 and +1, sums in int32: equal to golden to the bit.

    Bits are -1 and +1, pixels of 8 bits less 128, which the thresholds take into account.

    Parameters
    ----------
    network : Network
    device : str
        torch's name of it.

    Raises
    ------
    ToolError
        If the device has no memory for the weights.
    """

    def __init__(self, network: Network, device: str = "cuda") -> None:
        self.network, self.device = network, device
        self._held = {layer.name: self._arrays(layer) for layer in network.weighted}
        seen = [one.window.positions * one.window.size for one in network.layers
                if isinstance(one, Conv | Pool)]  # fmt: skip
        self._step = max(1, MOST_VALUES // max([*seen, network.input.size]))

    def run(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.integer]:
        """Scores, int32 (N, M), or the last layer's bits, uint8 (N, *shape), of quantized inputs.

        Parameters
        ----------
        x : ndarray[uint8], (N, K)

        Raises
        ------
        ToolError
            If the device has no memory for the activations.
        """
        starts = range(0, len(x), self._step) or range(1)
        try:
            found = [self._run(x[start : start + self._step]) for start in starts]
        except torch.OutOfMemoryError as error:
            raise ToolError(
                "the GPU has no memory for it; run fewer samples at a time, or use --backend cpu"
            ) from error
        return np.concatenate(found)

    def _run(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.integer]:
        bits = self.network.input.bits
        values = torch.from_numpy(np.ascontiguousarray(x)).to(self.device)
        values = (2 * values.to(torch.int16) - 1 if bits == 1 else values).to(torch.int16)
        given = values.view(len(x), *self.network.layers[0].shape_in)
        for layer in self.network.layers:
            if isinstance(layer, Flatten):
                given = given.reshape(len(x), *layer.shape_out)
            elif isinstance(layer, Pool):
                sign = torch.from_numpy(1 - 2 * layer.pool_and.astype(np.int16)).to(self.device)
                given = _windows(given * sign, layer.window, 0).amax(dim=3) * sign
            else:
                sums = self._sums(layer, given)
                if isinstance(layer, Output):
                    scale, bias = (torch.from_numpy(v.astype(np.int64)).to(self.device)
                                   for v in (layer.scale, layer.bias))  # fmt: skip
                    return (sums.long() * scale + bias).int().cpu().numpy()
                threshold = layer.threshold.astype(np.int64)
                if layer.input_bits == 1:
                    threshold = 2 * threshold - layer.inputs  # p >= t is s >= 2t - K
                fires = sums >= torch.from_numpy(threshold).to(self.device)
                given = torch.where(fires, 1, -1).to(torch.int16)
        return (given > 0).to(torch.uint8).cpu().numpy()

    def _arrays(self, layer: Layer) -> tuple[Tensor, Tensor]:
        """Weights, int8 (K, M), padded to whole steps; and what they add up to, int32 (M,)."""
        signs = layer.weight.astype(np.int8) * 2 - 1
        more = [(0, -size % STEP) for size in signs.shape]
        ones = signs.sum(axis=1, dtype=np.int32)
        try:
            weights = torch.from_numpy(np.pad(signs, more)).to(self.device)
            return weights.t(), torch.from_numpy(ones).to(self.device)
        except torch.OutOfMemoryError as error:
            raise ToolError("the GPU has no memory for the weights; use --backend cpu") from error

    def _sums(self, layer: Layer, given: Tensor) -> Tensor:
        """s, int32 (N, ..., M), of what a layer takes, int16 (N, ..., K) or (N, H, W, C)."""
        weights, ones = self._held[layer.name]
        if isinstance(layer, Conv):
            # Beside a map there are bits 0, which are -1, and pixels 0.
            given = _windows(given, layer.window, -1 if layer.input_bits == 1 else 0).flatten(3)
        less = 128 if layer.input_bits == 8 else 0
        rows = (given.reshape(-1, layer.inputs) - less).to(torch.int8)
        count = len(rows)
        down = max(LEAST_ROWS, -(-count // STEP) * STEP) - count
        padded = functional.pad(rows, (0, -layer.inputs % STEP, 0, down))
        product: Any = torch._int_mm(padded, weights)
        sums = product[:count, : layer.neurons] + less * ones
        return sums.view(*given.shape[:-1], layer.neurons)


def _windows(maps: Tensor, window: Window, beyond: int) -> Tensor:
    """What windows see of maps (N, H, W, C): (N, OH, OW, kh * kw, C)."""
    (py, px), (sy, sx) = window.padding, window.stride
    padded = functional.pad(maps, (0, 0, px, px, py, py), value=beyond)
    seen = padded.unfold(1, window.kernel[0], sy).unfold(2, window.kernel[1], sx)
    return seen.permute(0, 1, 2, 4, 5, 3).flatten(3, 4)
