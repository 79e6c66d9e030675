"""The two simulators behind one interface: compile the core with its shim once, run it often."""

__all__ = ["SIMULATORS", "Compiled", "compile_core"]

import contextlib
import dataclasses
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cocotb_tools import runner as cocotb_runner

from .. import console
from ..errors import ToolError
from ..files import new_folder, remove
from ..tools import Found, find, run_tool
from .core import Core
from .library import MAKE_ARGS, find_verilator, shared_library
from .shim import CONTROL, shim_text

SIMULATORS = ("verilator", "icarus")
MARKER = "compiled.txt"  # is there when a compilation came to its end
KEPT = 4  # compiled simulations in a build folder; the oldest go

VERILATOR_ARGS = [
    "--x-assign", "fast", "--x-initial", "fast", "--noassert",
    "-Wno-fatal",  # the Verilog that Yosys writes draws CASEINCOMPLETE
    "--output-split", "20000",  # bytes of C++ a file: both cores of a small machine get work
]  # fmt: skip

STEPS = {
    "verilator": "Verilog to C++",
    "make": "compiling C++",
    "iverilog": "compiling for Icarus",
}


class _Quiet(cocotb_runner.Runner):
    """Runs a runner's commands through `run_tool`: progress shown, output to a log."""

    found: Found
    log_path: Path
    on_line: Callable[[str], None] | None = None

    def _execute(self, cmds: Sequence[Sequence[str]], cwd: Any) -> None:
        for command in cmds:
            folder, what = Path(cwd), STEPS.get(Path(command[0]).name)
            if what is None:  # the simulation itself, whose progress is counted in images
                self._call(command, folder, self.on_line)
                continue
            making = command[0] == "make"
            files = len([*folder.glob("*.cpp")]) if making else None
            library = shared_library(folder, self.found) if making else contextlib.nullcontext()
            with console.progress(what, files) as bar, library:
                self._call(command, folder, _counting(bar))

    def _call(
        self, command: Sequence[str], cwd: Path, on_line: Callable[[str], None] | None
    ) -> None:
        run_tool(
            dataclasses.replace(self.found, command=(command[0],)),
            command[1:],
            cwd=cwd,
            log=self.log_path,
            environment=self.env,
            on_line=on_line,
        )


def _counting(bar: console.Bar) -> Callable[[str], None]:
    """Advances a bar by one for each file that make compiles."""

    def on_line(line: str) -> None:
        if " -c -o " in line:
            bar.advance()

    return on_line


class _Verilator(_Quiet, cocotb_runner.Verilator):
    def _simulator_in_path_build_only(self) -> None:
        self.executable = self.found.command[0]  # of the wheel, so not on PATH

    def _build_command(self) -> list[list[str]]:
        commands = super()._build_command()
        commands[0].remove("--public-flat-rw")  # the control file says what has to be public
        commands[1] += MAKE_ARGS
        return commands


class _Icarus(_Quiet, cocotb_runner.Icarus):
    def _test_command(self) -> list[list[str]]:
        return [[word.replace("-none", "-vcd") for word in c] for c in super()._test_command()]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Compiled:
    """A compiled simulation.

    Parameters
    ----------
    simulator : "verilator" or "icarus"
    version : str
        Of the simulator.
    folder : Path
    cached : bool
        It was there already.
    """

    simulator: str
    version: str
    folder: Path
    cached: bool

    def run(
        self,
        work: Path,
        *,
        log: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        """Run the bench in the folder `work`; ToolError where the simulation breaks off."""
        runner = _runner(self.simulator, log)
        runner.on_line = on_line
        with _no_exit(log):
            runner.test(
                hdl_toplevel="shim",
                test_module="bnnhw.sim.bench",
                build_dir=self.folder,
                test_dir=work,
                results_xml=str(work / "results.xml"),
                extra_env={"COCOTB_ANSI_OUTPUT": "0", "GPI_LOG_LEVEL": "WARNING", **environment},
                hdl_toplevel_lang="verilog",
            )


def compile_core(
    core: Core, simulator: str, *, waves: bool = False, memories: Iterable[str] = ()
) -> Compiled:
    """Compile a core with its shim, or find it compiled.

    Compilations lie in the build folder under `simulation/`, named by the hash of all that goes
    into them; a second run finds the first one's.

    Parameters
    ----------
    waves : bool
        Able to record waveforms (Verilator: a larger and slower program).
    memories : names, optional
        Memories whose words can be changed at run time (Verilator likewise), without their paths.
    """
    found = _find(simulator)
    shim = shim_text(core)
    verilog = b"".join(path.read_bytes() for path in core.verilog)
    control = CONTROL + "".join(
        f'public_flat_rw -module "*" -var "{name}"\n' for name in sorted(memories)
    )
    arguments = str(VERILATOR_ARGS + MAKE_ARGS)
    parts = [simulator, found.version, arguments, str(waves), shim, control, core.models]
    digest = hashlib.sha256("\0".join(parts).encode() + verilog).hexdigest()
    folder = core.folder / "simulation" / f"{simulator}-{digest[:16]}"
    if (folder / MARKER).is_file():
        os.utime(folder)
        return Compiled(
            simulator=simulator, version=found.version, folder=folder.resolve(), cached=True
        )
    log = core.folder.resolve() / "simulation" / f"compile-{simulator}.log"
    log.parent.mkdir(exist_ok=True)
    with new_folder(folder, marker=MARKER) as fresh:
        (fresh / "shim.v").write_text(shim)
        (fresh / "control.vlt").write_text(control)
        (fresh / "cells.v").write_text(core.models)
        _compile(core, simulator, fresh, log, waves)
        (fresh / MARKER).write_text(f"{simulator} {found.version}\n")
    _forget_old(folder)
    return Compiled(
        simulator=simulator, version=found.version, folder=folder.resolve(), cached=False
    )


def _compile(core: Core, simulator: str, folder: Path, log: Path, waves: bool) -> None:
    runner = _runner(simulator, log)
    verilog = [path.resolve() for path in core.verilog]
    sources: list[Any] = [*verilog, folder / "cells.v", folder / "shim.v"]
    args = ["-DWAVES"] if waves else []
    if simulator == "verilator":
        sources.insert(0, folder / "control.vlt")
        args += VERILATOR_ARGS
    else:
        args += ["-g2005"]  # under -g2012 Amaranth's `always @*` is X at time 0 (amaranth#1629)
    with _no_exit(log):
        runner.build(
            sources=sources,
            hdl_toplevel="shim",
            build_dir=folder,
            build_args=args,
            waves=waves and simulator == "verilator",
            timescale=("1ns", "1ns"),
            always=True,
        )
    for surplus in (*folder.glob("*.o"), *folder.glob("*.cpp"), *folder.glob("*.gch")):
        surplus.unlink()  # of a large core 100 MB, and of no more use


def _find(simulator: str) -> Found:
    return find("iverilog") if simulator == "icarus" else find_verilator()


def _runner(simulator: str, log: Path) -> Any:
    logging.getLogger("_Verilator").setLevel(logging.WARNING)
    with _no_exit(log):
        runner: Any = _Icarus() if simulator == "icarus" else _Verilator()
    runner.log.setLevel(logging.ERROR)
    runner.found = _find(simulator)
    runner.log_path = log
    return runner


@contextlib.contextmanager
def _no_exit(log: Path) -> Iterator[None]:
    """cocotb's runner reports by SystemExit and RuntimeError; we by ToolError."""
    try:
        yield
    except (SystemExit, RuntimeError, ValueError) as error:
        if isinstance(error, ToolError):
            raise
        raise ToolError(f"the simulation broke off ({error})", log=log) from None


def _forget_old(newest: Path) -> None:
    folders = [p for p in newest.parent.iterdir() if (p / MARKER).is_file() and p != newest]
    for folder in sorted(folders, key=lambda p: p.stat().st_mtime)[: -(KEPT - 1)]:
        remove(folder)


@contextlib.contextmanager
def work_folder(core: Core) -> Iterator[Path]:
    """A folder for one run, gone after it."""
    parent = core.folder.resolve() / "simulation"
    parent.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
