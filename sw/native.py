"""The CPU kernels, from Python: C by ctypes, which lets go of the interpreter's lock."""

__all__ = ["ISAS", "NativeNetwork", "available", "library"]

import ctypes
import functools
import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bnnhw.errors import InputError, ToolError
from bnnhw.machine import cores
from bnnhw.network import Network

from .layout import KINDS, Affine, Pooling, Words, layout

ISAS = ("avx512", "avx2", "portable")  # the fastest first
LEAST = 8  # samples that are worth a thread
WORTH = 80_000_000  # operations that are


class _Layer(ctypes.Structure):
    """`bnn_layer` of cpu/bnn.h."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in
          ("kind", "h", "w", "unit", "kh", "kw", "sy", "sx", "py", "px", "oh", "ow",
           "inputs", "words", "neurons", "groups")),
        *((name, ctypes.c_void_p) for name in ("weights", "limit", "mask", "scale", "bias")),
    ]  # fmt: skip


@functools.cache
def library() -> ctypes.CDLL | None:
    """The kernels, where the package could build them."""
    for path in sorted(Path(__file__).parent.glob("_kernels*")):
        try:
            return ctypes.CDLL(str(path))
        except OSError:
            continue
    return None


@functools.cache
def available() -> tuple[str, ...]:
    """Those of `ISAS` that this processor can run, the fastest first; none without the kernels."""
    there = library()
    return tuple(isa for isa in ISAS if there and there.bnn_has(isa.encode()))


class NativeNetwork:
    """A network in the memory of the CPU kernels.

    Parameters
    ----------
    network : Network
    isa : str, optional
        One of `available()`; the fastest if left out.
    threads : int, optional
        At most; one a core if left out.

    Attributes
    ----------
    weights_bytes : int
        What weights and thresholds take.
    activations_bytes : int
        What all that one sample's layers hand on takes.

    Raises
    ------
    ToolError
        If the kernels were not built.
    InputError
        For an `isa` that this processor lacks.
    """

    def __init__(
        self, network: Network, *, isa: str | None = None, threads: int | None = None
    ) -> None:
        there = available()
        if not there:
            raise ToolError(
                "the CPU kernels were not built; install a C compiler (apt-get install gcc) "
                "and then bnnhw again (pip install --force-reinstall bnnhw)"
            )
        if isa is not None and isa not in there:
            raise InputError(f"isa must be {' or '.join(there)} on this processor, not {isa!r}")
        kernels = library()
        assert kernels is not None
        self.isa = isa or there[0]
        self.threads = threads or cores()
        self._run = getattr(kernels, f"bnn_run_{self.isa}")
        self._run.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t,
                              ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p]  # fmt: skip
        self._kept = layout(network)  # and nothing else of it: its own weights are bytes
        self._operations = network.operations
        self._shape_out = network.layers[-1].shape_out
        self.weights_bytes = sum(layer.nbytes for layer in self._kept)
        maps = ((layer.window.shape, layer.unit) for layer in self._kept[1:])
        self.activations_bytes = sum(high * wide * unit for (high, wide, _), unit in maps)
        self._layers = (_Layer * len(self._kept))(*map(_described, self._kept))
        self._pool = ThreadPoolExecutor(max(1, self.threads - 1))  # beside the thread that calls

    def run(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.integer]:
        """Scores, int32 (N, M), or the last layer's bits, uint8 (N, *shape), of quantized inputs.

        Parameters
        ----------
        x : ndarray[uint8], (N, K)
        """
        given = np.ascontiguousarray(x)
        last = self._kept[-1]
        if isinstance(last, Affine) and last.scale is not None:
            scores = np.empty((len(x), last.neurons), np.int32)
            self._call(given, scores)
            return scores
        shape = self._shape_out
        packed = self.run_packed(given)
        return np.unpackbits(packed.view(np.uint8), axis=-1, count=shape[-1], bitorder="little")

    def run_packed(self, x: npt.NDArray[np.uint8] | Words) -> Words:
        """The last layer's bits, uint32 (N, *positions, words), spare ones 0.

        Parameters
        ----------
        x : ndarray[uint8], (N, K); or bits packed already, ndarray[uint32], (N, words), of a
            network that is not given maps.
        """
        shape = self._shape_out
        out = np.empty((len(x), *shape[:-1], -(-shape[-1] // 32)), np.uint32)
        self._call(np.ascontiguousarray(x), out)
        return out

    def _call(self, x: npt.NDArray[np.unsignedinteger], out: npt.NDArray[np.integer]) -> None:
        work = self._operations * len(x)
        parts = max(1, min(self.threads, len(x) // LEAST, work // WORTH))
        if parts == 1:
            self._part(x, out)
            return
        cuts = [len(x) * i // parts for i in range(parts + 1)]
        first, *others = [(x[a:b], out[a:b]) for a, b in itertools.pairwise(cuts)]
        started = [self._pool.submit(self._part, *pair) for pair in others]
        self._part(*first)
        for one in started:
            one.result()

    def _part(self, x: npt.NDArray[np.unsignedinteger], out: npt.NDArray[np.integer]) -> None:
        size, packed = x.shape[1] * x.itemsize, x.dtype == np.uint32
        if self._run(
            self._layers, len(self._kept), x.ctypes.data, size, packed, len(x), out.ctypes.data
        ):
            raise ToolError("there is no memory for the activations")


def _described(layer: Affine | Pooling) -> _Layer:
    """A layer as the kernels take it; it points into the layer's arrays."""
    window = layer.window
    told = _Layer(
        h=window.shape[0], w=window.shape[1], unit=layer.unit, kh=window.kernel[0],
        kw=window.kernel[1], sy=window.stride[0], sx=window.stride[1], py=window.padding[0],
        px=window.padding[1], oh=window.rows, ow=window.cols,
    )  # fmt: skip
    if isinstance(layer, Pooling):
        told.kind = KINDS["pool"]
        told.mask = layer.mask.ctypes.data
        return told
    told.kind = KINDS[layer.kind]
    told.inputs, told.neurons = layer.inputs, layer.neurons
    told.groups, told.words = layer.weights.shape[:2]
    told.weights, told.limit = layer.weights.ctypes.data, layer.limit.ctypes.data
    if layer.scale is not None and layer.bias is not None:
        told.scale, told.bias = layer.scale.ctypes.data, layer.bias.ctypes.data
    return told
