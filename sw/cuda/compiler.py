"""CUDA C++ to machine code for one GPU, by NVRTC; kept, so that it is done once."""

__all__ = [
    "ARCHITECTURES", "KERNELS", "Architecture", "architecture", "cache_folder", "cubin", "file_of",
]  # fmt: skip

import dataclasses
import functools
import hashlib
import importlib
import os
from importlib import resources
from pathlib import Path

from bnnhw import console
from bnnhw.errors import ToolError
from bnnhw.files import write_bytes

DIGEST = hashlib.sha256().digest_size


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Architecture:
    """What a family of GPUs has.

    Parameters
    ----------
    name : str
        Of its machine code, as NVRTC calls it.
    stages : int
        Of 48 KiB each in a block's shared memory.
    product : "wgmma" or "mma"
        The instruction that multiplies bits.
    """

    name: str
    stages: int
    product: str


# From compute capability 10.0 on bits are multiplied by a subroutine of dozens of instructions.
ARCHITECTURES = {
    (8, 0): Architecture(name="sm_80", stages=3, product="mma"),
    (8, 6): Architecture(name="sm_86", stages=2, product="mma"),
    (8, 7): Architecture(name="sm_87", stages=3, product="mma"),
    (8, 9): Architecture(name="sm_89", stages=2, product="mma"),
    (9, 0): Architecture(name="sm_90a", stages=4, product="wgmma"),
}

# The kernels, by their file.
KERNELS = {
    "1_float.cu": ("float_product",),
    "2_xnor.cu": ("xnor_product", "sign_words"),
    "3_popc.cu": ("popc_bits", "prefixes"),
    "4_mma.cu": ("mma_bits", "mma_bytes"),
    "5_wgmma.cu": ("wgmma_bits", "wgmma_bytes"),
    "few.cu": ("few_1", "few_8"),
    "maps.cu": (
        "pack_bits", "gather_bits", "gather_bytes", "pool_bits", "scores_bits", "scores_bytes",
    ),
    "rates.cu": (
        "nothing",
        "rate_popc", "rate_mma_bits", "rate_mma_bytes", "rate_wgmma_bits", "rate_wgmma_bytes",
    ),
}  # fmt: skip


def file_of(kernel: str) -> str:
    """The file that a kernel stands in."""
    return next(file for file, kernels in KERNELS.items() if kernel in kernels)


def multiplies_bits(capability: tuple[int, int]) -> bool:
    """Whether the tensor cores of a compute capability do."""
    return capability in ARCHITECTURES


def architecture(capability: tuple[int, int]) -> Architecture:
    """What a GPU of a compute capability has.

    Raises
    ------
    ToolError
        If its tensor cores do not multiply bits.
    """
    found = ARCHITECTURES.get(capability)
    if found is None:
        known = ", ".join(f"{major}.{minor}" for major, minor in ARCHITECTURES)
        raise ToolError(
            f"tensor cores multiply bits on GPUs of compute capability {known}, not on this one's "
            f"{capability[0]}.{capability[1]}; run the network in torch (--backend torch)"
        )
    return found


@functools.cache
def _sources() -> dict[str, str]:
    """The kernels' files, by name."""
    folder = resources.files(__package__)
    return {
        file.name: file.read_text()
        for file in folder.iterdir()
        if file.name.endswith((".cu", ".cuh"))
    }


def cache_folder() -> Path:
    """Where compiled kernels are kept: BNNHW_CACHE, or bnnhw's folder among the user's caches."""
    own = os.environ.get("BNNHW_CACHE")
    shared = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(own) if own else Path(shared).expanduser() / "bnnhw"


def cubin(file: str, target: Architecture) -> bytes:
    """The machine code of one file of kernels.

    A kept one begins with its own SHA-256: one that is damaged is told of, and made again.

    Raises
    ------
    ToolError
        If NVRTC is missing, or does not compile it.
    """
    nvrtc = _nvrtc()
    _, *version = nvrtc.nvrtcVersion()
    options = (f"-arch={target.name}", "-std=c++17", f"-DSTAGES={target.stages}")
    told = (file, *options, *map(str, version), *(f"{n}\n{s}" for n, s in _sources().items()))
    key = hashlib.sha256("\0".join(told).encode()).hexdigest()[:32]
    kept = cache_folder() / f"{Path(file).stem}-{target.name}-{key}.cubin"
    found = _read(kept)
    if found is None:
        found = _compiled(nvrtc, file, options)
        try:
            write_bytes(kept, hashlib.sha256(found).digest() + found)
        except OSError as error:
            console.remark(f"the compiled kernel is not kept: {error.strerror}: {kept}")
    return found


def _read(kept: Path) -> bytes | None:
    try:
        content = kept.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content[DIGEST:]).digest() != content[:DIGEST]:
        console.remark(f"{kept} is damaged and is made again")
        return None
    return content[DIGEST:]


def _nvrtc():  # type: ignore[no-untyped-def]
    try:
        nvrtc = importlib.import_module("cuda.bindings.nvrtc")
        nvrtc.nvrtcVersion()
    except (ImportError, RuntimeError) as error:  # without the wheel; without the library
        raise ToolError(
            "NVRTC, which compiles the kernels, is not installed; "
            "install it with: pip install 'bnnhw[cuda]'"
        ) from error
    return nvrtc


def _compiled(nvrtc, file: str, options: tuple[str, ...]) -> bytes:  # type: ignore[no-untyped-def]
    sources = _sources()
    headers = {name: text for name, text in sources.items() if name.endswith(".cuh")}
    program = _ok(
        nvrtc.nvrtcCreateProgram(
            sources[file].encode(),
            file.encode(),
            len(headers),
            [text.encode() for text in headers.values()],
            [name.encode() for name in headers],
        )
    )
    try:
        (result,) = nvrtc.nvrtcCompileProgram(
            program, len(options), [option.encode() for option in options]
        )
        if result != nvrtc.nvrtcResult.NVRTC_SUCCESS:
            log = bytes(_ok(nvrtc.nvrtcGetProgramLogSize(program)))
            nvrtc.nvrtcGetProgramLog(program, log)
            said = next(iter(log.decode(errors="replace").strip("\0\n ").splitlines()), "")
            raise ToolError(f"NVRTC does not compile {file} ({' '.join(options)}): {said}")
        code = bytes(_ok(nvrtc.nvrtcGetCUBINSize(program)))
        _ok(nvrtc.nvrtcGetCUBIN(program, code))
    finally:
        nvrtc.nvrtcDestroyProgram(program)
    return code


def _ok(results):  # type: ignore[no-untyped-def]
    """What a call gave behind its status."""
    status, *values = results
    if int(status):
        raise ToolError(f"NVRTC: {status!r}")
    return values[0] if values else None
