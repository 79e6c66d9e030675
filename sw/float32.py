"""The network in float32, in torch: what it costs to run it as any other network is run."""

__all__ = ["FloatNetwork"]

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnhw.layers import Conv, Layer, Output
from bnnhw.maps import Flatten, Pool
from bnnhw.network import Network


class FloatNetwork:
    """The network as matrices of -1.0 and +1.0, a sign between them; equal to golden to the bit.

    Every sum is an integer below 2^23, where float32 holds halves too: the bias is half a step off
    the threshold, so that no sum is ever 0 and torch.sign is safe. Scores are taken in float64,
    which holds all that fit 32 bits.

    Parameters
    ----------
    network : Network
    device : str
        torch's name of it: `cpu`, `cuda`.
    """

    def __init__(self, network: Network, device: str = "cpu") -> None:
        import torch

        self.network = network
        self.device = device
        self._given = {
            layer.name: tuple(torch.from_numpy(v).to(device) for v in _arrays(layer))
            for layer in network.layers
            if not isinstance(layer, Flatten)
        }

    @property
    def weights_bytes(self) -> int:
        """What weights and thresholds take."""
        return sum(
            tensor.numel() * tensor.element_size()
            for given in self._given.values()
            for tensor in given
        )

    @property
    def activations_bytes(self) -> int:
        """What all that one sample's layers hand on takes."""
        handed = (one for one in self.network.layers[:-1] if not isinstance(one, Flatten))
        return sum(4 * math.prod(one.shape_out) for one in handed)

    def load(self, x: npt.NDArray[np.uint8]) -> Any:
        """Quantized inputs (N, K) as a tensor on the device; bits become -1.0 and +1.0."""
        import torch

        values = x.astype(np.float32)
        if self.network.input.bits == 1:
            values = values * 2 - 1
        return torch.from_numpy(values).to(self.device)

    def run(self, x: Any) -> Any:
        """Scores (N, M), or the last layer's signs (N, *shape), as a tensor on the device."""
        import torch

        x = x.view(len(x), *self.network.layers[0].shape_in)
        # TensorFloat-32 would round the sums.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            for layer in self.network.layers:
                x = self._layer(layer, x)
            if self.device != "cpu":
                torch.cuda.synchronize()
        return x

    def _layer(self, layer: Any, x: Any) -> Any:
        """Maps are (N, H, W, C), as samples lie."""
        from torch.nn import functional

        if isinstance(layer, Flatten):
            return x.reshape(len(x), -1)
        if isinstance(layer, Pool):
            (sign,) = self._given[layer.name]
            window = layer.window
            maps = (x * sign).movedim(3, 1)
            return functional.max_pool2d(maps, window.kernel, window.stride).movedim(1, 3) * sign
        if isinstance(layer, Output):
            weight, scale, bias = self._given[layer.name]
            return functional.linear(x, weight).double() * scale + bias
        weight, bias = self._given[layer.name]
        if not isinstance(layer, Conv):
            return functional.linear(x, weight, bias).sign()
        window = layer.window
        (py, px), pad = window.padding, 0.0 if layer.input_bits > 1 else -1.0
        maps = functional.pad(x, (0, 0, px, px, py, py), value=pad).movedim(3, 1)
        return functional.conv2d(maps, weight, bias, window.stride).movedim(1, 3).sign()


def _arrays(layer: Layer | Pool) -> list[npt.NDArray[Any]]:
    """What a layer computes with."""
    if isinstance(layer, Pool):  # an AND is the negative of the negatives' maximum
        return [1 - 2 * layer.pool_and.astype(np.float32)]
    weight = layer.weight.astype(np.float32) * 2 - 1
    if isinstance(layer, Output):
        return [weight, layer.scale.astype(np.float64), layer.bias.astype(np.float64)]
    threshold = layer.threshold.astype(np.float64)  # type: ignore[attr-defined]
    if layer.input_bits == 1:
        threshold = 2 * threshold - layer.inputs
    if isinstance(layer, Conv):
        high, wide = layer.window.kernel
        shape = (layer.neurons, high, wide, layer.window.shape[2])
        weight = np.ascontiguousarray(weight.reshape(shape).transpose(0, 3, 1, 2))
    return [weight, (0.5 - threshold).astype(np.float32)]
