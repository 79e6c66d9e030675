"""Work in slices: what is done stays done, what failed or was stopped is begun again, later."""

import ctypes
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from benchmarks import on_gpu
from benchmarks.exactness import CASES
from benchmarks.on_gpu import FINISHED, Step, build_kernels, steps, work
from bnnhw.errors import ToolError

ROOT = Path(__file__).parent.parent


def says(name: str, code: int = 0, seconds: float = 0.0, **options: bool) -> Step:
    """Writes its name and arguments to the log, after a while."""
    text = (
        f"import sys, time; time.sleep({seconds}); print({name!r}, *sys.argv[1:]); sys.exit({code})"
    )
    return Step(name=name, command=(sys.executable, "-c", text), **options)


def log(out: Path) -> list[str]:
    lines = (out / "results" / "on_gpu.log").read_text().splitlines()
    return [line for line in lines if not line.startswith("$")]


def tried(out: Path) -> dict[str, int]:
    return dict(json.loads((out / "results" / "tried.json").read_text()))


def test_what_is_done_is_not_done_again_and_what_failed_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work([says("a"), says("b", code=3), says("c")], tmp_path) == 1
    assert log(tmp_path) == ["a", "b", "c"]
    assert "b: failed, exit code 3; see on_gpu.log" in capsys.readouterr().err
    assert work([says("a"), says("b"), says("d", endless=True), says("c")], tmp_path) == 0
    assert log(tmp_path)[3:] == ["b", "d"]
    assert work([says("b"), says("d", endless=True)], tmp_path) == 0
    assert log(tmp_path)[5:] == ["d"]
    missing = Step(name="e", command=(str(tmp_path / "nothing"),))
    assert work([missing], tmp_path) == 1
    assert "nothing is not installed" in capsys.readouterr().err


def test_a_step_that_outlasts_its_slice_ends_with_all_it_started_and_goes_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_gpu, "LEAST_S", 0.5)
    alive = tmp_path / "alive"
    child = f"import time; time.sleep(4); open({str(alive)!r}, 'w')"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    long = Step(name="long", command=(sys.executable, "-c", parent))
    assert work([says("a"), long, says("b")], tmp_path, minutes=2 / 60) == 0
    assert tried(tmp_path) == {"a": FINISHED, "long": 1}
    time.sleep(4)
    assert not alive.exists()
    assert work([says("a"), says("long"), says("b")], tmp_path) == 0
    assert log(tmp_path) == ["a", "b", "long"]


def test_a_step_in_slices_is_done_when_it_ends_before_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_gpu, "LEAST_S", 30.0)
    asleep = "import sys, time; time.sleep(60 * float(sys.argv[-1]))"
    uses_up = Step(name="bench", command=(sys.executable, "-c", asleep), slices=True)
    assert work([uses_up], tmp_path, minutes=31 / 60) == 0
    assert tried(tmp_path) == {}
    assert work([says("bench", slices=True)], tmp_path, minutes=60 / 60) == 0
    assert tried(tmp_path) == {"bench": FINISHED}
    (line,) = log(tmp_path)
    name, flag, minutes = line.split()
    assert (name, flag) == ("bench", "--minutes") and 29 < 60 * float(minutes) <= 30


def test_the_steps_are_commands_that_there_are(tmp_path: Path) -> None:
    found = steps(tmp_path, tmp_path)
    cases = [f"exactness of {case.name}" for case in CASES]
    names = [step.name for step in found if step.name not in on_gpu.SANITIZERS]
    assert names == [*on_gpu.TESTS, "bench", *cases, "accuracy"]
    assert [step.name for step in found if step.endless] == ["accuracy"]
    marked = {
        str(path.relative_to(ROOT))
        for path in ROOT.glob("tests/**/test_*.py")
        if "mark.gpu" in path.read_text() and path != Path(__file__)
    }
    assert marked == set(on_gpu.TESTS)
    collect = [sys.executable, "-m", "pytest", "-q", "--co", "-m", "gpu", *on_gpu.SANITIZED]
    told = subprocess.run(collect, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0 and told.stdout.count("::test_") > 3


def test_results_are_packed_and_another_machine_goes_on_from_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(on_gpu, "steps", lambda *_: [says("a"), says("b", code=1)])
    copy = ["--copy", str(tmp_path / "copy")]
    assert on_gpu.main(["-o", str(tmp_path / "one"), *copy]) == 1
    with tarfile.open(tmp_path / "copy" / "on_gpu.tar.gz") as archive:
        assert {"results/on_gpu.log", "results/tried.json"} <= set(archive.getnames())
    assert on_gpu.main(["-o", str(tmp_path / "other"), *copy]) == 1
    (out,) = (tmp_path / "other").iterdir()
    assert log(out) == ["a", "b", "b"]


def test_the_c_kernels_are_built_without_the_package(tmp_path: Path) -> None:
    build_kernels(ROOT / "sw" / "cpu", tmp_path / "kernels.so")
    assert ctypes.CDLL(str(tmp_path / "kernels.so")).bnn_has(b"portable")
    (tmp_path / "wrong.c").write_text("int wrong(")
    with pytest.raises(ToolError, match="the C kernels do not compile"):
        build_kernels(tmp_path, tmp_path / "no.so")
