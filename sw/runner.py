"""One interface to run a network in software, on whatever this machine has."""

__all__ = ["BACKENDS", "Result", "Runner"]

import dataclasses
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnhw import console
from bnnhw.errors import InputError, ToolError
from bnnhw.network import Network

from .cuda.compiler import multiplies_bits

INT8 = (7, 5)  # the first compute capability whose tensor cores multiply int8
BLOCK = 4096  # samples in float32 at a time

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
        "cuda": kernels for an NVIDIA GPU whose tensor cores multiply bits, on others int8 in torch,
        and says so. "cpu": kernels in C for
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
    device : str
        The GPU's name; empty on the CPU.
    input : InputFormat
        The network's. Nothing else of it is kept but what the backend makes of it.

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
        self.input = network.input
        for name in BACKENDS if backend == "auto" else (backend,):
            try:
                self._scores, self.how, self.device = BACKENDS[name](network, threads, isa)
            except ToolError as error:
                if backend != "auto":
                    raise
                if name != "cuda" or _gpu():
                    console.remark(f"{name} is left out: {error}")
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
        return self.run_quantized(self.input.quantize(images))

    def run_quantized(self, x: Inputs) -> Result:
        """The same for inputs as `InputFormat.quantize` gives them, uint8 (N, K)."""
        form = self.input
        if x.ndim != 2 or x.shape[1] != form.size or x.dtype != np.uint8:
            raise InputError(f"inputs must be uint8 (N, {form.size}), not {x.dtype} {x.shape}")
        if not len(x):
            raise InputError("there must be at least 1 sample, not 0")
        scores = self._scores(x)
        return Result(scores=scores, classes=scores.argmax(axis=1).astype(np.uint16))


Made = tuple[Callable[[Inputs], Scores], str, str]  # what runs it, how, and on which GPU


def _gpu() -> str:
    """The first GPU's name, where torch finds one."""
    if importlib.util.find_spec("torch") is None:
        return ""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""


def _cuda(network: Network, threads: int | None, isa: str | None) -> Made:
    from .cuda.gpu import capability

    if not multiplies_bits(capability()) and capability() >= INT8:
        from .cuda.int8 import Int8Network

        name, (major, minor) = _gpu(), capability()
        console.remark(
            f"tensor cores of compute capability {major}.{minor} ({name}) multiply no bits: "
            "int8 in torch takes their place"
        )
        return Int8Network(network).run, f"int8 in torch, {name}", name
    from .cuda.network import CudaNetwork

    gpu = CudaNetwork(network)
    return gpu.run, f"{gpu.product}, {gpu.machine.name}", gpu.machine.name


def _cpu(network: Network, threads: int | None, isa: str | None) -> Made:
    from .native import NativeNetwork

    native = NativeNetwork(network, isa=isa, threads=threads)
    return native.run, f"{native.isa}, {native.threads} thread{'s'[: native.threads > 1]}", ""


def _numpy(network: Network, threads: int | None, isa: str | None) -> Made:
    from .packed import PackedNetwork

    return PackedNetwork(network).run, "1 thread", ""


def _torch(network: Network, threads: int | None, isa: str | None) -> Made:
    if importlib.util.find_spec("torch") is None:
        raise ToolError("torch is not installed; install it with: pip install torch")
    import torch

    from .float32 import FloatNetwork

    if threads is not None:
        torch.set_num_threads(threads)
    gpu = _gpu()
    floats = FloatNetwork(network, "cuda" if gpu else "cpu")

    def scores(x: Inputs) -> Scores:
        parts = (x[start : start + BLOCK] for start in range(0, len(x), BLOCK))
        try:
            found = [floats.run(floats.load(part)).cpu().numpy() for part in parts]
        except torch.OutOfMemoryError as error:
            raise ToolError(
                f"there is no memory for {BLOCK:,} samples in float32; use --backend cpu"
            ) from error
        return np.concatenate(found).astype(np.int32)

    count = torch.get_num_threads()
    return scores, f"float32, {gpu or f'{count} thread' + 's'[: count > 1]}", gpu


# The fastest first.
BACKENDS: Mapping[str, Callable[[Network, int | None, str | None], Made]] = {
    "cuda": _cuda,
    "cpu": _cpu,
    "numpy": _numpy,
    "torch": _torch,
}
