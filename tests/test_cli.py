"""The command line: one line for what goes wrong, the exit codes, and a quick --help."""

import argparse
import errno
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from networks import random_network

from bnnhw import __version__, cli
from bnnhw.errors import InputError, MissingToolError, ToolError

ROOT = Path(__file__).parent.parent


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bnnhw", *command],
        capture_output=True, text=True, check=False, cwd=ROOT, **options,
    )  # fmt: skip


def test_help_names_every_command() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name in cli.COMMANDS:
        assert f"    {name} " in done.stdout


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_has_help_and_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main([name, "--help"])
    assert raised.value.code == 0
    assert "--json" in capsys.readouterr().out
    module = importlib.import_module(f"bnnhw.commands.{name}")
    assert module.HELP != "not written yet"


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys, bnnhw.cli as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'sklearn', 'amaranth', 'cocotb', 'matplotlib', 'scipy', 'pooch'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stderr == "[]\n"


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"bnnhw {__version__}\n"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ([], "the following arguments are required: COMMAND (see bnnhw --help)"),
        (["fly"], "argument COMMAND: invalid choice: 'fly'"),
        (["inspect"], "the following arguments are required: model (see bnnhw inspect --help)"),
        (["inspect", "x", "--fast"], "unrecognized arguments: --fast (see bnnhw --help)"),
    ],
    ids=["none", "unknown", "no model", "unknown option"],
)
def test_a_mistyped_command_is_one_line_and_exit_code_2(command: list[str], line: str) -> None:
    done = run(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"bnnhw: {line}")
    assert done.stderr.count("\n") == 1


ERRORS: dict[str, tuple[BaseException, int, str]] = {
    "input": (InputError("rows must be 1"), 2, "bnnhw: rows must be 1\n"),
    "tool": (ToolError("yosys failed"), 1, "bnnhw: yosys failed\n"),
    "tool with a log": (
        ToolError("yosys failed", log=Path("a.log"), tail="one\ntwo\n"),
        1,
        "one\ntwo\nbnnhw: yosys failed; the log is a.log\n",
    ),
    "missing tool": (
        MissingToolError("iverilog", "apt-get install iverilog"),
        1,
        "bnnhw: iverilog is missing; install it with: apt-get install iverilog\n",
    ),
    "missing file": (
        FileNotFoundError(errno.ENOENT, "No such file or directory", "a.npz"),
        1,
        "bnnhw: a.npz: No such file or directory\n",
    ),
    "full disk in a copy": (
        OSError(errno.ENOSPC, "No space left on device", "from.a", None, "to.a"),
        1,
        "bnnhw: to.a: No space left on device (free some space, or write elsewhere)\n",
    ),
    "full disk": (
        OSError(errno.ENOSPC, "No space left on device", "a.v"),
        1,
        "bnnhw: a.v: No space left on device (free some space, or write elsewhere)\n",
    ),
    "missing package": (
        ModuleNotFoundError("No module named 'torch'", name="torch"),
        1,
        "bnnhw: torch is not installed; `bnnhw doctor` says what installs it\n",
    ),
    "bug": (
        ZeroDivisionError("division by zero"),
        1,
        "bnnhw: this is a bug: ZeroDivisionError: division by zero (--debug shows where)\n",
    ),
    "interrupt": (KeyboardInterrupt(), 130, "bnnhw: interrupted\n"),
}


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Makes `bnnhw doctor` do something else."""

    def put(body: Callable[[], Any]) -> None:
        def run(args: argparse.Namespace) -> Any:
            return body()

        module = importlib.import_module("bnnhw.commands.doctor")
        monkeypatch.setattr(module, "run", run)

    return put


@pytest.mark.parametrize(("error", "code", "line"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_a_line_and_a_code(
    error: BaseException,
    code: int,
    line: str,
    command: Callable[[Callable[[], Any]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise error

    command(fail)
    assert cli.main(["doctor", "--json"]) == code
    assert capsys.readouterr() == ("", line)


def test_debug_shows_the_traceback(command: Callable[[Callable[[], Any]], None]) -> None:
    def fail() -> None:
        raise ToolError("yosys failed")

    command(fail)
    with pytest.raises(ToolError):
        cli.main(["--debug", "doctor"])


def test_json_is_one_object_and_nothing_is_printed_without_it(
    command: Callable[[Callable[[], Any]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(lambda: {"a": [1, None, "é"]})
    assert cli.main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"a": [1, None, "é"]}
    assert cli.main(["doctor"]) == 0
    assert capsys.readouterr().out == ""


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    random_network((64, 8, 4)).save(tmp_path / "net.safetensors")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "bnnhw", "inspect", str(tmp_path / "net.safetensors"), "--json"],
            stdout=pipe, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_brackets_in_a_name_are_printed_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random_network((64, 8, 4)).save(tmp_path / "net.safetensors")
    folding = tmp_path / "[red]" / "[" / "f.toml"
    command = ["inspect", str(tmp_path / "net.safetensors"), "--write-folding", str(folding)]
    assert cli.main(command) == 0
    assert capsys.readouterr().err == f"wrote {folding}\n"
