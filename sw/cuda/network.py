"""A network in a GPU's memory, its layers one kernel after the other, or all in one."""

__all__ = ["FEW", "CudaNetwork", "Maps", "dense"]

import ctypes
import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnhw.errors import InputError, ToolError
from bnnhw.network import Network
from bnnhw.window import Window

from ..layout import CHUNK, TILE_GROUP, Pooling, Tiled, in_tiles
from .gpu import Machine, first_gpu

FEW = 8  # samples that go through in one launch
MOST_ROWS = 1 << 20  # windows of a layer at a time
TILE_ROWS, TILE_COLS, THREADS, STAGE = 128, 256, 256, 3 * 128 * 128  # of cuda/tiles.cuh
FEW_BLOCKS = 128  # a power of two; cuda/few.cu


class _Layer(ctypes.Structure):
    """`Layer` of tiles.cuh."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in
          ("given", "ones", "weights", "limit", "out", "out_ones")),
        *((name, ctypes.c_int) for name in ("rows", "chunks", "groups")),
    ]  # fmt: skip


class _Window(ctypes.Structure):
    """`Window` of maps.cu."""

    _fields_ = [(name, ctypes.c_int) for name in
                ("h", "w", "kernel_h", "kernel_w", "stride_h", "stride_w", "padding_h",
                 "padding_w", "rows", "cols")]  # fmt: skip


class _Few(ctypes.Structure):
    """`Few` of few.cu."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("weights", "limit", "scale", "bias")),
        *((name, ctypes.c_int) for name in ("bits", "chunks", "groups", "neurons", "inputs")),
    ]  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Held:
    """A layer's arrays on the device; `scale` and `bias` of the last one."""

    layer: Tiled
    weights: Any
    most: Any
    limit: Any
    scale: Any
    bias: Any

    @property
    def chunks(self) -> int:
        return self.weights.shape[1] // 4

    @property
    def groups(self) -> int:
        return len(self.weights) // TILE_GROUP


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Maps:
    """Activations of N samples on the device.

    Parameters
    ----------
    samples : int
    values : tensor of uint8
        Bits in groups of 16 bytes, or bytes.
    ones : tensor of uint8, optional
        Of bits: how many are set in each 16 bytes.
    """

    samples: int
    values: Any
    ones: Any = None


class CudaNetwork:
    """A network in the memory of a GPU.

    Parameters
    ----------
    network : Network
    machine : Machine, optional
        The first GPU if left out.
    product : str, optional
        `wgmma` or `mma`: the instruction that multiplies; the fastest that the GPU has if left out.

    Attributes
    ----------
    weights_bytes : int
        What the weights and thresholds take on the device.
    activations_bytes : int
        What all that one sample's layers hand on takes: bits, and a count of each 128.

    Notes
    -----
    Of a network that takes few samples one run at a time: on two streams at once the blocks of one
    would count those of the other.

    Raises
    ------
    ToolError
        Where there is no GPU that could, or it has no memory for the weights.
    InputError
        For a `product` that the GPU lacks.
    """

    def __init__(
        self, network: Network, *, machine: Machine | None = None, product: str | None = None
    ) -> None:
        import torch

        self.network = network
        self.machine = machine or first_gpu()
        best = self.machine.architecture.product
        if product not in (None, "mma", best):
            raise InputError(f"product must be {best} or mma on {self.machine.name}, not {product}")
        self.product = product or best
        self._layers: list[_Held | tuple[Pooling, Any]] = []
        self.weights_bytes = 0
        for layer in in_tiles(network):
            if isinstance(layer, Pooling):
                self._layers.append((layer, self._held(layer.mask)))
            else:
                arrays = ("weights", "most", "limit", "scale", "bias")
                held = {name: self._held(getattr(layer, name)) for name in arrays}
                self._layers.append(_Held(layer=layer, **held))
        after = (one.layer if isinstance(one, _Held) else one[0] for one in self._layers[1:])
        self.activations_bytes = sum(
            high * wide * -(-channels // TILE_GROUP) * (CHUNK + 1)
            for high, wide, channels in (layer.window.shape for layer in after)
        )
        self._few: Any = None
        if network.output is not None and all(
            isinstance(one, _Held) and one.layer.window.shape[:2] == (1, 1) for one in self._layers
        ):
            table = (_Few * len(self._layers))(*map(_few, self._layers))
            self._few = self._held(np.frombuffer(bytes(table), np.uint8))
            self._arrived = torch.zeros(1, dtype=torch.int32, device=self.machine.device)

    def _held(self, array: npt.NDArray[Any] | None) -> Any:
        """On the device, as bits of the same size: torch knows few unsigned types."""
        import torch

        if array is None:
            return None
        self.weights_bytes += array.nbytes
        values = np.ascontiguousarray(array)
        signed = values.view(np.int32) if values.dtype == np.uint32 else values.copy()
        return _allocated(lambda: torch.from_numpy(signed).to(self.machine.device))

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
        import torch

        most = max(
            one.layer.window.positions if isinstance(one, _Held) else 1 for one in self._layers
        )
        step = max(1, MOST_ROWS // most)
        starts = range(0, len(x), step) or range(1)
        found = torch.cat([self.forward(self.load(x[start : start + step])) for start in starts])
        scores = found.cpu().numpy()
        return scores if self.network.output is not None else self._unpacked(scores)

    def load(self, x: npt.NDArray[np.uint8]) -> Maps:
        """Quantized inputs, uint8 (N, K), on the device as the first layer takes them."""
        import torch

        given = torch.from_numpy(np.ascontiguousarray(x))
        values = _allocated(lambda: given.to(self.machine.device))
        first = self._layers[0]
        if isinstance(first, _Held) and first.layer.kind == "bytes":
            return Maps(samples=len(x), values=values)
        layer = first.layer if isinstance(first, _Held) else first[0]
        return self._packed(values, layer.window)

    def forward(self, x: Maps) -> Any:
        """Scores, a tensor of int32 (N, M), or bits as they lie on the device.

        Starts the kernels on torch's current stream, and may be captured into a CUDA graph.
        """
        if self._few is not None and x.samples <= FEW:
            return self._at_once(x)
        maps = x
        for one in self._layers:
            if isinstance(one, _Held):
                rows = self._rows(one, maps)
                if one.scale is not None:
                    return self._scores(one, rows)
                maps = self._product(one, rows)
            else:
                maps = self._pooled(*one, maps)
        return maps.values.view(x.samples, -1)

    def _empty(self, *shape: int) -> Any:
        return _uint8(self.machine, *shape)

    def _empty_scores(self, count: int, neurons: int) -> Any:
        import torch

        return self._empty(count, 4 * neurons).view(torch.int32)

    def _each(self, kernel: str, count: int, *arguments: Any) -> None:
        """A kernel with a thread for each of so many."""
        self.machine.launch(kernel, (-(-count // THREADS), 1), (THREADS, 1), arguments)

    def _packed(self, x: Any, window: Window) -> Maps:
        height, width, channels = window.shape
        positions, groups = len(x) * height * width, -(-channels // TILE_GROUP)
        values, ones = self._empty(positions * groups, 16), self._empty(positions * groups)
        count = 32 * positions * groups
        self._each("pack_bits", count, x, values, ones, positions, channels)
        return Maps(samples=len(x), values=values, ones=ones)

    def _rows(self, held: _Held, maps: Maps) -> Maps:
        """What each output of a layer sees, one after the other."""
        window, bits = held.layer.window, held.layer.kind == "bits"
        n, chunks = maps.samples, held.chunks
        outputs = n * window.positions
        whole = window.kernel == window.shape[:2] and window.padding == (0, 0)
        channels = window.shape[2]
        if whole and (bits or held.layer.inputs % 16 == 0):
            return maps
        values = self._empty(outputs, 16 * chunks)
        if not bits:
            given = (maps.values, values, n, channels, 16 * chunks, _window(window))
            self._each("gather_bytes", outputs * chunks * 16, *given)
            return Maps(samples=n, values=values)
        ones = self._empty(outputs, chunks)
        groups = -(-channels // TILE_GROUP)
        self._each(
            "gather_bits", outputs * chunks, maps.values, maps.ones, values, ones, n, groups,
            _window(window),
        )  # fmt: skip
        return Maps(samples=n, values=values, ones=ones)

    def _product(self, held: _Held, rows: Maps) -> Maps:
        kernel, given = f"{self.product}_{held.layer.kind}", (rows.values, rows.ones)
        values, ones = dense(self.machine, kernel, *given, weights=held.weights, limit=held.limit)
        return Maps(samples=rows.samples, values=values, ones=ones)

    def _pooled(self, layer: Pooling, mask: Any, maps: Maps) -> Maps:
        n, groups = maps.samples, layer.unit // 16
        count = n * layer.window.positions * groups
        values, ones = self._empty(count, 16), self._empty(count)
        self._each(
            "pool_bits", count, maps.values, mask, values, ones, n, groups, _window(layer.window),
        )  # fmt: skip
        return Maps(samples=n, values=values, ones=ones)

    def _scores(self, held: _Held, rows: Maps) -> Any:
        layer = held.layer
        count = rows.values.numel() // (16 * held.chunks)
        scores = self._empty_scores(count, layer.neurons)
        self._each(
            f"scores_{layer.kind}", 32 * count, rows.values, held.weights, held.scale, held.bias,
            scores, count, 4 * held.chunks, layer.neurons, layer.inputs,
        )  # fmt: skip
        return scores

    def _at_once(self, x: Maps) -> Any:
        """A few samples through all layers in one launch."""
        first, last = self._layers[0], self._layers[-1]
        assert isinstance(first, _Held) and isinstance(last, _Held)
        rows, n = self._rows(first, x), x.samples
        widest = max(one.groups for one in self._layers if isinstance(one, _Held))
        one, other = (self._empty(n, 16 * widest) for _ in range(2))
        scores = self._empty_scores(n, last.layer.neurons)
        self.machine.launch(
            "few_1" if n == 1 else "few_8",
            (min(FEW_BLOCKS, 1 << (self.machine.blocks.bit_length() - 1)), 1),
            (THREADS, 1),
            (self._few, len(self._layers), rows.values, one, other, scores, n, self._arrived),
            together=True,
        )  # fmt: skip
        return scores

    def _unpacked(self, found: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Bits as they lie on the device to uint8 (N, *shape)."""
        shape = self.network.layers[-1].shape_out
        groups = found.reshape(len(found), *shape[:-1], -1, 16)
        bits = np.unpackbits(groups, axis=-1, bitorder="little")
        split = bits.reshape(*groups.shape[:-1], 4, 16, 2)  # q, t, i
        ordered = np.moveaxis(split, -2, -3).reshape(*groups.shape[:-2], -1)
        return np.ascontiguousarray(ordered[..., : shape[-1]])


def dense(
    machine: Machine, kernel: str, rows: Any, ones: Any, *, weights: Any, limit: Any
) -> tuple[Any, Any]:
    """A dense layer that gives bits, on tensor cores.

    Parameters
    ----------
    machine : Machine
    kernel : str
        `wgmma_bits`, `wgmma_bytes`, `mma_bits` or `mma_bytes`.
    rows : tensor, 16 * chunks bytes a row
    ones : tensor of uint8, (N, chunks), or None where rows are bytes
    weights, limit : tensors
        As `layout.Tiled` has them.

    Returns
    -------
    tensors of uint8, (N, 16 * groups) and (N, groups)
        Bits and, of each 16 bytes, how many are set.
    """
    chunks, groups = weights.shape[1] // 4, len(weights) // TILE_GROUP
    count = rows.numel() * rows.element_size() // (16 * chunks)
    values, counted = (_uint8(machine, count, groups * size) for size in (16, 1))
    layer = _Layer(
        given=rows.data_ptr(),
        ones=0 if ones is None else ones.data_ptr(),
        weights=weights.data_ptr(),
        limit=limit.data_ptr(),
        out=values.data_ptr(),
        out_ones=counted.data_ptr(),
        rows=count,
        chunks=chunks,
        groups=groups,
    )
    tiles = -(-count // TILE_ROWS) * -(-groups * TILE_GROUP // TILE_COLS)
    machine.launch(
        kernel,
        (min(tiles, machine.blocks), 1),
        (THREADS, 1),
        (layer,),
        shared=machine.architecture.stages * STAGE,
    )
    return values, counted


def _uint8(machine: Machine, *shape: int) -> Any:
    import torch

    return _allocated(lambda: torch.empty(shape, dtype=torch.uint8, device=machine.device))


def _window(window: Window) -> _Window:
    return _Window(*window.shape[:2], *window.kernel, *window.stride, *window.padding,
                   window.rows, window.cols)  # fmt: skip


def _few(held: Any) -> _Few:
    layer = held.layer
    scale, bias = (0 if v is None else v.data_ptr() for v in (held.scale, held.bias))
    return _Few(
        weights=held.weights.data_ptr(), limit=held.most.data_ptr(), scale=scale, bias=bias,
        bits=layer.kind == "bits", chunks=held.chunks, groups=held.groups, neurons=layer.neurons,
        inputs=layer.inputs,
    )  # fmt: skip


def _allocated(make: Any) -> Any:
    """What it makes; a full device is the user's to know."""
    import torch

    try:
        return make()
    except torch.OutOfMemoryError as error:
        raise ToolError(
            "the GPU has no memory for it; run fewer samples at a time, or use --backend cpu"
        ) from error
