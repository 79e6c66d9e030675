"""The CUDA kernels' own source on a CPU: every index, no speed; `emulate.h` says how."""

__all__ = ["Emulated"]

import ctypes
import functools
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bnnhw.sw import cuda
from bnnhw.sw.cuda.compiler import KERNELS, Architecture, file_of
from bnnhw.sw.cuda.gpu import described

HERE = Path(__file__).parent


class Emulated:
    """A `Machine` on which threads take turns.

    Parameters
    ----------
    folder : Path
        For what is compiled.
    product : "wgmma" or "mma"
    early : iterable of "copies", "multiplications"
        Which of them happen when they are started; else when they are waited for.
    backwards : bool
        The last thread first.
    changed : tuple of (str, str), optional
        A text of the kernels' sources, and what stands in its place.
    """

    device, name = "cpu", "a CPU that takes threads in turn"

    def __init__(
        self,
        folder: Path,
        *,
        product: str = "wgmma",
        blocks: int = 2,
        stages: int = 4,
        early: Iterable[str] = (),
        backwards: bool = False,
        changed: tuple[str, str] | None = None,
    ) -> None:
        self.folder, self.blocks = folder, blocks
        self.architecture = Architecture(name="emulated", stages=stages, product=product)
        self.early = sum({"copies": 1, "multiplications": 2}[what] for what in early)
        self.backwards, self.changed = backwards, changed
        self.launched: list[str] = []

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
        """Run a kernel to its end."""
        pointers, _kept = described(arguments)
        sizes = (ctypes.c_uint32 * 5)(*blocks, *threads, shared)
        self.launched.append(kernel)
        library = _library(file_of(kernel), self.folder, self.architecture.stages, self.changed)
        library[f"launch_{kernel}"](pointers, sizes, together, self.early, self.backwards)


@functools.cache
def _library(file: str, folder: Path, stages: int, changed: tuple[str, str] | None) -> ctypes.CDLL:
    name = f"{Path(file).stem}-{stages}-{abs(hash(changed))}"
    own = folder / name
    own.mkdir()
    times = 0
    for source in Path(cuda.__file__).parent.glob("*.cu*"):
        text = source.read_text()
        if changed:
            times += text.count(changed[0])
            text = text.replace(*changed)
        (own / source.name).write_text(text)
    assert not changed or times, f"no kernel has {changed[0]!r}"
    launches = "\n".join(f"LAUNCH({kernel})" for kernel in KERNELS[file])
    (own / "all.cpp").write_text(f'#include "emulate.h"\n#include "{file}"\n{launches}\n')
    flags = ["-std=c++17", "-O2", "-w", "-fPIC", "-shared", "-U_FORTIFY_SOURCE"]
    command = ["g++", *flags, f"-I{HERE}", f"-DSTAGES={stages}", "all.cpp", "-o", "all.so"]
    subprocess.run(command, check=True, capture_output=True, text=True, cwd=own)
    return ctypes.CDLL(str(own / "all.so"))
