"""The network in float32, in torch: what it costs to run it as any other network is run."""

__all__ = ["FloatNetwork"]

from typing import Any

import numpy as np
import numpy.typing as npt

from bnnhw.layers import Dense, Output
from bnnhw.network import Network


class FloatNetwork:
    """The network as matrices of -1.0 and +1.0, a sign between them.

    Its hidden bits are golden's as long as every sum is below 2^23, where float32 holds halves:
    the bias is half a step off the threshold, so that no sum is ever 0 and torch.sign is safe.
    Scores are float32, so exact up to 2^24 only.

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
        self._layers = []
        for layer in network.dense:
            weight = layer.weight.astype(np.float32) * 2 - 1
            if isinstance(layer, Output):
                weight = weight * layer.scale[:, None]
                bias = layer.bias.astype(np.float32)
            else:
                assert isinstance(layer, Dense)
                threshold = layer.threshold.astype(np.float64)
                if layer.input_bits == 1:
                    threshold = 2 * threshold - layer.inputs
                bias = (0.5 - threshold).astype(np.float32)
            self._layers.append(
                (torch.from_numpy(weight).to(device), torch.from_numpy(bias).to(device))
            )

    def load(self, x: npt.NDArray[np.uint8]) -> Any:
        """Quantized inputs (N, K) as a tensor on the device; bits become -1.0 and +1.0."""
        import torch

        values = x.astype(np.float32)
        if self.network.input.bits == 1:
            values = values * 2 - 1
        return torch.from_numpy(values).to(self.device)

    def run(self, x: Any) -> Any:
        """Scores, or the last layer's signs, as a tensor (N, M) on the device."""
        import torch

        with torch.inference_mode():
            for (weight, bias), layer in zip(self._layers, self.network.dense, strict=True):
                x = torch.nn.functional.linear(x, weight, bias)
                if isinstance(layer, Dense):
                    x = torch.sign(x)
            if self.device != "cpu":
                torch.cuda.synchronize()
        return x
