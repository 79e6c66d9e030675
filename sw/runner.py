"""One interface to run a network in software, on whatever this machine has."""

__all__ = ["BACKENDS", "Result", "Runner"]

import dataclasses
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnhw.errors import InputError, ToolError
from bnnhw.network import Network

Inputs = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.integer[Any]]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Result:
    """What a network said of N samples.

    Parameters
    ----------
    scores : ndarray[int32], (N, M)
    classes : ndarray[uint16], (N,)
        The largest score's; the lowest index wins a tie.
    """

    scores: Scores
    classes: npt.NDArray[np.uint16]


class Runner:
    """A network, laid out for one backend; scores are golden's to the bit on each of them.

    Parameters
    ----------
    network : Network
        With scores.
    backend : str
        "cuda": kernels for an NVIDIA GPU whose tensor cores multiply bits. "cpu": kernels in C for
        the instructions that the processor has. "numpy": packed bits, needs nothing else. "torch":
        float32 matrices, as any other network is run. "auto": the first of these that runs here.
    threads : int, optional
        At most, of "cpu" and "torch"; one a core if left out.
    isa : str, optional
        Of "cpu": the set of instructions, `avx512`, `avx2` or `portable`.

    Attributes
    ----------
    backend : str
        Which one it is.
    how : str
        In words: instructions, threads.

    Raises
    ------
    InputError
        An unknown backend, or a network without scores.
    ToolError
        A backend that does not run here; says what to install.
    """

    def __init__(
        self,
        network: Network,
        backend: str = "auto",
        *,
        threads: int | None = None,
        isa: str | None = None,
    ) -> None:
        if network.output is None:
            raise InputError("the network gives bits, not scores")
        if backend not in ("auto", *BACKENDS):
            raise InputError(f"backend must be auto, {', '.join(BACKENDS)}, not {backend!r}")
        if threads is not None and threads < 1:
            raise InputError(f"threads must be at least 1, not {threads}")
        if isa is not None and backend not in ("auto", "cpu"):
            raise InputError(f"isa is an option of the backend cpu, not of {backend}")
        self.network = network
        for name in BACKENDS if backend == "auto" else (backend,):
            try:
                self._scores, self.how = BACKENDS[name](network, threads, isa)
            except ToolError:
                if backend != "auto":
                    raise
                continue
            self.backend = name
            break

    def run(self, images: npt.NDArray[Any]) -> Result:
        """Classify samples.

        Parameters
        ----------
        images : ndarray, (N, *shape) or (N, K)
            Raw values, as the network's input format takes them; N at least 1.

        Raises
        ------
        InputError
            Samples of another shape, or that are no numbers.
        """
        return self.run_quantized(self.network.input.quantize(images))

    def run_quantized(self, x: Inputs) -> Result:
        """The same for inputs as `InputFormat.quantize` gives them, uint8 (N, K)."""
        form = self.network.input
        if x.ndim != 2 or x.shape[1] != form.size or x.dtype != np.uint8:
            raise InputError(f"inputs must be uint8 (N, {form.size}), not {x.dtype} {x.shape}")
        if not len(x):
            raise InputError("there must be at least 1 sample, not 0")
        scores = self._scores(x)
        return Result(scores=scores, classes=scores.argmax(axis=1).astype(np.uint16))


Made = tuple[Callable[[Inputs], Scores], str]


def _cuda(network: Network, threads: int | None, isa: str | None) -> Made:
    from .cuda.network import CudaNetwork

    gpu = CudaNetwork(network)
    return gpu.run, f"{gpu.product}, {gpu.machine.name}"


def _cpu(network: Network, threads: int | None, isa: str | None) -> Made:
    from .native import NativeNetwork

    native = NativeNetwork(network, isa=isa, threads=threads)
    return native.run, f"{native.isa}, {native.threads} thread{'s'[: native.threads > 1]}"


def _numpy(network: Network, threads: int | None, isa: str | None) -> Made:
    from .packed import PackedNetwork

    return PackedNetwork(network).run, "1 thread"


def _torch(network: Network, threads: int | None, isa: str | None) -> Made:
    if importlib.util.find_spec("torch") is None:
        raise ToolError("torch is not installed; install it with: pip install torch")
    import torch

    from .float32 import FloatNetwork

    if threads is not None:
        torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    floats = FloatNetwork(network, device)

    def scores(x: Inputs) -> Scores:
        return floats.run(floats.load(x)).cpu().numpy().astype(np.int32)

    count = torch.get_num_threads()
    on = torch.cuda.get_device_name() if device == "cuda" else f"{count} thread{'s'[: count > 1]}"
    return scores, f"float32, {on}"


# The fastest first.
BACKENDS: Mapping[str, Callable[[Network, int | None, str | None], Made]] = {
    "cuda": _cuda,
    "cpu": _cpu,
    "numpy": _numpy,
    "torch": _torch,
}
