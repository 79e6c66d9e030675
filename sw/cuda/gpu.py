"""A GPU that runs kernels: the driver's interface; memory and streams are torch's."""

__all__ = ["Gpu", "Machine", "capability", "first_gpu"]

import ctypes
import functools
import importlib
from collections.abc import Sequence
from typing import Any, Protocol

from bnnhw.errors import ToolError

from .compiler import Architecture, architecture, cubin, file_of


class Machine(Protocol):
    """What runs kernels.

    Attributes
    ----------
    device : str
        Where torch keeps memory that the kernels see.
    name : str
    blocks : int
        Of 256 threads that run at once.
    architecture : Architecture
    """

    device: str
    name: str
    blocks: int
    architecture: Architecture

    def launch(
        self,
        kernel: str,
        blocks: tuple[int, int],
        threads: tuple[int, int],
        arguments: Sequence[Any],
        *,
        shared: int = 0,
        together: bool = False,
    ) -> None:
        """Start a kernel.

        Parameters
        ----------
        arguments : sequence
            int, tensors for pointers, structures of ctypes.
        shared : int
            Bytes of shared memory beyond what the kernel declares.
        together : bool
            All blocks run at once: they may wait for one another.
        """


def described(arguments: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Arguments as a kernel gets them, `void **`, and what has to live until then."""
    kept = list(map(_described, arguments))
    pointers = (ctypes.c_void_p * max(1, len(kept)))(*map(ctypes.addressof, kept))
    return pointers, kept


def _described(value: Any) -> Any:
    if hasattr(value, "data_ptr"):
        return ctypes.c_void_p(value.data_ptr())
    return ctypes.c_int(value) if isinstance(value, int) else value


class Gpu:
    """An NVIDIA GPU, a `Machine`.

    Parameters
    ----------
    index : int
        torch's number of it.

    Raises
    ------
    ToolError
        Without a GPU, torch for CUDA or NVRTC, or on one whose tensor cores do not multiply bits.
    """

    def __init__(self, index: int = 0) -> None:
        torch = _torch()
        found = torch.cuda.get_device_properties(index)
        self.device, self.name = f"cuda:{index}", found.name
        self.blocks = found.multi_processor_count
        self.architecture = architecture((found.major, found.minor))
        self._index = index
        torch.zeros(1, device=self.device)  # makes the context that modules are loaded into

    def launch(
        self,
        kernel: str,
        blocks: tuple[int, int],
        threads: tuple[int, int],
        arguments: Sequence[Any],
        *,
        shared: int = 0,
        together: bool = False,
    ) -> None:
        """Start a kernel on torch's current stream; `Machine.launch` says the rest."""
        import torch
        from cuda.bindings import driver

        function = self._function(kernel, shared)
        pointers, _kept = described(arguments)
        stream = torch.cuda.current_stream(self._index).cuda_stream
        start = driver.cuLaunchCooperativeKernel if together else driver.cuLaunchKernel
        sizes = (*blocks, 1, *threads, 1, shared, stream)
        more = () if together else (0,)
        with torch.cuda.device(self._index):
            _ok(start(function, *sizes, ctypes.addressof(pointers), *more))

    @functools.cache  # noqa: B019 - as many GPUs as the machine has
    def _function(self, kernel: str, shared: int) -> Any:
        from cuda.bindings import driver

        attribute = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        module = self._module(file_of(kernel))
        function = _ok(driver.cuModuleGetFunction(module, kernel.encode()))
        _ok(driver.cuFuncSetAttribute(function, attribute, shared))
        return function

    @functools.cache  # noqa: B019
    def _module(self, file: str) -> Any:
        import torch
        from cuda.bindings import driver

        with torch.cuda.device(self._index):
            return _ok(driver.cuModuleLoadData(cubin(file, self.architecture)))


@functools.cache
def first_gpu() -> Gpu:
    """The first GPU: one for all networks, so that its kernels are loaded once."""
    return Gpu()


def capability() -> tuple[int, int]:
    """The first GPU's compute capability. Raises ToolError without one."""
    found: tuple[int, int] = _torch_with_gpu().cuda.get_device_capability()
    return found


def _torch_with_gpu() -> Any:
    try:
        import torch
    except ImportError as error:
        raise ToolError("torch is not installed; install it with: pip install torch") from error
    if not torch.cuda.is_available():
        built = "built without CUDA" if torch.version.cuda is None else "finds no NVIDIA GPU"
        raise ToolError(f"torch {torch.__version__} {built}; use --backend cpu")
    return torch


def _torch() -> Any:
    torch = _torch_with_gpu()
    try:
        importlib.import_module("cuda.bindings.driver")
    except ImportError as error:
        raise ToolError(
            "cuda-bindings, which starts the kernels, is not installed; "
            "install it with: pip install 'bnnhw[cuda]'"
        ) from error
    return torch


def _ok(results: tuple[Any, ...]) -> Any:
    """What a call gave behind its status."""
    status, *values = results
    if int(status):
        raise ToolError(f"the GPU's driver: {status.name}")
    return values[0] if values else None
