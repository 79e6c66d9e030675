"""What else would run the same network on the same GPU: torch in four formats, and the paper's own
kernels."""

__all__ = ["FORMATS", "LEAST_INT8", "PaperNetwork", "TorchNetwork", "torch_product"]

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from bnnhw.layers import Dense, Output
from bnnhw.network import Network

from ..layout import packed_words
from .gpu import Machine

FORMATS = ("float32", "tf32", "bfloat16", "int8", "float8", "float8_fast")
SIDE = 16  # blocks of the paper's kernels
LEAST_INT8 = 17  # samples that torch._int_mm takes


def torch_product(
    kind: str, a: npt.NDArray[np.uint8], w: npt.NDArray[np.uint8], device: str = "cuda"
) -> Callable[[], Tensor]:
    """a (N, K) times w (M, K) transposed, bits as -1 and +1, as torch multiplies a format.

    float32 without and with TF32 (result float32), bfloat16 (bfloat16), int8 (int32), float8_e4m3
    (bfloat16; sums without fast accumulation, and with).
    """
    x, y = (torch.from_numpy(v * np.float32(2) - 1).to(device) for v in (a, w))
    product = _product(kind, y)
    given = _as(kind, x)
    return lambda: product(given)


def _as(kind: str, x: Tensor) -> Tensor:
    eight = torch.float8_e4m3fn
    types = {"bfloat16": torch.bfloat16, "int8": torch.int8, "float8": eight, "float8_fast": eight}
    return x.to(types.get(kind, torch.float32))


def _product(kind: str, weight: Tensor) -> Callable[[Tensor], Tensor]:
    """Of rows in a format with weights (M, K) of -1.0 and +1.0; numbers out."""
    w = _as(kind, weight)
    if kind == "int8":
        return lambda x: torch._int_mm(x, w.t())
    if kind.startswith("float8"):
        one, fast = torch.ones((), device=weight.device), kind == "float8_fast"

        def scaled(x: Tensor) -> Tensor:
            return torch._scaled_mm(
                x, w.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16, use_fast_accum=fast
            )

        return scaled
    return lambda x: functional.linear(x, w)


class TorchNetwork:
    """A network of dense layers in one of `FORMATS`, compiled by torch.

    Sums of bfloat16 and float8 are rounded to 8 bits before they meet their threshold, so some bits
    differ from golden's: that is what these formats give. The others are exact. 8-bit pixels are
    bfloat16 for float8, and pixels less 128 for int8.

    Parameters
    ----------
    network : Network
    kind : str
    device : str
        torch's name of it.
    """

    def __init__(self, network: Network, kind: str, device: str = "cuda") -> None:
        self.kind, self.device, self._bits = kind, device, network.input.bits
        self._layers = []
        self.weights_bytes = self.activations_bytes = 0
        for layer in network.dense:
            signs = torch.from_numpy(layer.weight * np.float32(2) - 1).to(device)
            own = "bfloat16" if kind.startswith("float8") and layer.input_bits > 1 else kind
            if isinstance(layer, Dense):
                limit = layer.threshold.astype(np.float64)
                limit = limit if layer.input_bits > 1 else 2 * limit - layer.inputs
                if kind == "int8" and layer.input_bits > 1:
                    limit = limit - 128.0 * (2.0 * layer.weight.sum(axis=1) - layer.inputs)
                last = [torch.from_numpy(limit.astype(np.float32)).to(device)]
            else:
                more = -layer.neurons % SIDE
                signs = functional.pad(signs, (0, 0, 0, more))
                arrays = (layer.scale.astype(np.float32), layer.bias.astype(np.float32))
                last = [torch.from_numpy(values).to(device) for values in arrays]
            self._layers.append((own, _product(own, signs), last, layer.neurons))
            each = _as(own, signs[:1, :1]).element_size()
            self.weights_bytes += signs.numel() * each + sum(4 * v.numel() for v in last)
            if isinstance(layer, Dense):
                self.activations_bytes += layer.neurons * _as(kind, signs[:1, :1]).element_size()
        torch._dynamo.config.recompile_limit = 256  # one for each format, network and batch
        self.run = torch.compile(self._run, dynamic=False)

    def load(self, x: npt.NDArray[np.uint8]) -> Tensor:
        """Quantized inputs (N, K) as the first layer takes them."""
        values = torch.from_numpy(x).to(self.device)
        if self._bits == 1:
            return _as(self.kind, values * 2.0 - 1.0)
        if self.kind == "int8":
            return (values.to(torch.int16) - 128).to(torch.int8)
        kind = "bfloat16" if self.kind.startswith("float8") else self.kind
        return _as(kind, values.float())

    def _run(self, x: Tensor) -> Tensor:
        for i, (_, product, last, neurons) in enumerate(self._layers):
            sums = product(x)
            if len(last) > 1:
                scale, bias = last
                return sums[:, :neurons].float() * scale + bias
            fires = sums >= last[0]
            kind = self._layers[i + 1][0]
            x = _as(kind, torch.where(fires, 1.0, -1.0))
        return x


class PaperNetwork:
    """A network of dense layers by the paper's kernels: all of it in floats, its baseline; or, of
    the layers that take bits, by XNOR and popcount.

    Parameters
    ----------
    network : Network
    machine : Machine
    xnor : bool
    """

    def __init__(self, network: Network, machine: Machine, *, xnor: bool) -> None:
        self.machine, self.xnor = machine, xnor
        self._layers = []
        self.weights_bytes = self.activations_bytes = 0
        for layer in network.dense:
            bits = xnor and layer.input_bits == 1
            if bits:
                weight = torch.from_numpy(packed_words(layer.weight).view(np.int32))
            else:
                weight = torch.from_numpy(layer.weight * np.float32(2) - 1)
            weight = weight.t().contiguous().to(machine.device)
            last: list[npt.NDArray[np.integer]] = (
                [layer.scale, layer.bias]
                if isinstance(layer, Output)
                else [
                    layer.threshold if layer.input_bits > 1 else 2 * layer.threshold - layer.inputs
                ]
            )
            held = [torch.from_numpy(v.astype(np.float32)).to(machine.device) for v in last]
            self._layers.append((bits, weight, held, layer))
            self.weights_bytes += weight.numel() * 4 + sum(4 * v.numel() for v in held)
            if isinstance(layer, Dense):
                self.activations_bytes += 4 * (-(-layer.neurons // 32) if xnor else layer.neurons)

    def load(self, x: npt.NDArray[np.uint8]) -> Tensor:
        """Quantized inputs (N, K) on the device: floats, or packed where the first layer is."""
        first = self._layers[0][0]
        if first:
            return torch.from_numpy(packed_words(x).view(np.int32)).to(self.machine.device)
        values = x.astype(np.float32)
        signs = values * 2 - 1 if self._layers[0][3].input_bits == 1 else values
        return torch.from_numpy(signs).to(self.machine.device)

    def run(self, x: Tensor) -> Tensor:
        """Scores in floats; of a single layer that gives bits its sums."""
        rows = len(x)
        for i, (bits, weight, held, layer) in enumerate(self._layers):
            sums = x.new_empty((rows, layer.neurons), dtype=torch.float32)
            blocks = (-(-layer.neurons // SIDE), -(-rows // SIDE))
            sizes = [rows, weight.shape[0], layer.neurons, *([layer.inputs] if bits else [])]
            kernel = "xnor_product" if bits else "float_product"
            self.machine.launch(kernel, blocks, (SIDE, SIDE), [x, weight, sums, *sizes])
            if not isinstance(layer, Dense):
                return sums * held[0] + held[1]
            if i + 1 == len(self._layers):
                return sums
            if self.xnor:
                words = -(-layer.neurons // 32)
                x = sums.new_empty((rows, words), dtype=torch.int32)
                given = [sums, held[0], x, rows, layer.neurons]
                self.machine.launch("sign_words", (-(-rows * words // 256), 1), (256, 1), given)
            else:
                x = torch.where(sums >= held[0], 1.0, -1.0)
        return x
