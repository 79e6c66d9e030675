"""`doctor`: what is there, what is not, what installs it, and the exit code."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bnnhw import cli
from bnnhw.diagnosis import doctor
from bnnhw.tools import TOOLS, Found


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever native tools the user has named, the tests choose their own."""
    for tool in TOOLS.values():
        monkeypatch.delenv(tool.variable or "UNUSED", raising=False)


def test_everything_the_main_flow_needs_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert seen["healthy"] is True
    entries = {entry["name"]: entry for entry in seen["entries"]}
    assert set(TOOLS) <= set(entries)
    assert all(entry["state"] == "ok" for entry in entries.values() if entry["needed"])
    assert entries["yosys"]["kind"] == "wheel" and entries["make"]["kind"] == "native"
    assert entries["numpy"]["kind"] == "package" and entries["numpy"]["version"]
    assert set(seen["machine"]) == {"bnnhw", "python", "system", "cpu", "cores", "gpu", "kernels"}
    assert all(seen["machine"].values()) and int(seen["machine"]["cores"]) >= 1


@pytest.mark.parametrize(
    ("capability", "told"),
    [((9, 0), "A GPU, kernels by wgmma"), ((12, 0), "A GPU, but not for the kernels: .+ 12.0; .+")],
)
def test_it_says_whether_a_gpu_runs_the_kernels(
    capability: tuple[int, int], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    major, minor = capability
    found = SimpleNamespace(name="A GPU", major=major, minor=minor, multi_processor_count=1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "A GPU")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: found)
    monkeypatch.setattr(torch, "zeros", lambda *_, **__: None)
    assert re.fullmatch(told, doctor().machine["gpu"])


def test_a_missing_tool_fails_and_is_told_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["doctor"]) == 1
    told = capsys.readouterr()
    assert told.err == "bnnhw: not all is there that the main flow needs: make, g++, perl\n"
    assert "g++ is missing: apt-get install g++" in told.out
    assert "iverilog is missing (optional): apt-get install iverilog" in told.out
    assert cli.main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["healthy"] is False


VERSIONS = [("5.006", "too old"), ("5.36", "ok"), ("6.1", "ok")]


@pytest.mark.parametrize(("version", "state"), VERSIONS)
def test_a_tool_below_the_version_it_must_have_is_too_old(
    version: str, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verilator = tmp_path / "verilator"
    verilator.write_text(f"#!/bin/sh\necho Verilator {version} 2023-01-22\n")
    verilator.chmod(0o755)
    monkeypatch.setenv("VERILATOR", str(verilator))
    found = doctor()
    (entry,) = (entry for entry in found.entries if entry.name == "verilator")
    assert (entry.state, entry.version, entry.kind) == (state, version, "native")
    assert found.healthy is (state == "ok")


def test_a_variable_that_names_nothing_is_shown_not_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("YOSYS", "/no/such")
    (entry,) = (entry for entry in doctor().entries if entry.name == "yosys")
    assert (entry.state, entry.install) == (
        "broken",
        "YOSYS=/no/such: no such program; correct it or unset it",
    )


def test_a_package_that_is_not_installed_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ("no-such-package", "nothing", True, "pip install no-such-package")
    monkeypatch.setattr("bnnhw.diagnosis.PACKAGES", (package,))
    found = doctor()
    assert not found.healthy
    assert found.remedies()[-1] == "no-such-package is missing: pip install no-such-package"


def test_warm_starts_every_tool_and_one_that_does_not_start_is_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[str] = []

    def start(found: Found) -> bool:
        started.append(found.tool.name)
        return len(started) > 1

    monkeypatch.setattr("bnnhw.diagnosis.start", start)
    states = {entry.name: entry.state for entry in doctor(warm=True).entries}
    assert started and set(started) <= set(TOOLS)
    assert [name for name, state in states.items() if state == "broken"] == [started[0]]
