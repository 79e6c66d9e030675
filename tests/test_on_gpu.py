"""Work in slices: what is done stays done, what failed or was stopped is begun again."""

import json
import sys
import tarfile
from pathlib import Path

import pytest

from benchmarks import on_gpu
from benchmarks.exactness import CASES
from benchmarks.on_gpu import Step, steps, work


def says(name: str, code: int = 0, seconds: float = 0.0, **options: bool) -> Step:
    """Writes its name and arguments to the log, after a while."""
    text = (
        f"import sys, time; time.sleep({seconds}); print({name!r}, *sys.argv[1:]); sys.exit({code})"
    )
    return Step(name=name, command=(sys.executable, "-c", text), **options)


def log(out: Path) -> list[str]:
    lines = (out / "results" / "on_gpu.log").read_text().splitlines()
    return [line for line in lines if not line.startswith("$")]


def test_what_is_done_is_not_done_again_and_what_failed_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work([says("a"), says("b", code=3), says("c")], tmp_path) == 1
    assert log(tmp_path) == ["a", "b", "c"]
    assert "b: failed, exit code 3; see on_gpu.log" in capsys.readouterr().err
    assert work([says("a"), says("b"), says("c"), says("d", endless=True)], tmp_path) == 0
    assert log(tmp_path)[3:] == ["b", "d"]
    assert work([says("b"), says("d", endless=True)], tmp_path) == 0
    assert log(tmp_path)[5:] == ["d"]
    missing = Step(name="e", command=(str(tmp_path / "nothing"),))
    assert work([missing], tmp_path) == 1
    assert log(tmp_path)[-1].endswith("nothing is not installed")


def test_a_slice_ends_with_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_gpu, "LEAST_S", 0.5)
    todo = [says("quick", slices=True), says("long", seconds=60), says("later")]
    assert work(todo, tmp_path, minutes=2.5 / 60) == 0
    (line,) = log(tmp_path)
    name, flag, minutes = line.split()
    assert (name, flag) == ("quick", "--minutes") and 1 < 60 * float(minutes) < 2.1
    assert json.loads((tmp_path / "done.json").read_text()) == ["quick"]
    # One that uses up its time has more to do.
    assert work([says("slice", seconds=2.0, slices=True)], tmp_path, minutes=2.2 / 60) == 0
    assert json.loads((tmp_path / "done.json").read_text()) == ["quick"]


def test_the_command_has_all_that_wants_a_gpu_and_packs_its_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [step.name for step in steps(tmp_path, tmp_path)]
    cases = [f"exactness of {case.name}" for case in CASES]
    assert names[-2 - len(cases) :] == ["bench", *cases, "accuracy"]
    root = Path(__file__).parent.parent
    marked = {
        str(path.relative_to(root))
        for path in root.glob("tests/**/test_*.py")
        if "mark.gpu" in path.read_text() and path != Path(__file__)
    }
    assert marked == set(on_gpu.TESTS)
    assert [step.name for step in steps(tmp_path, None)][-1] == "bench"
    monkeypatch.setattr(on_gpu, "steps", lambda *_: [says("a")])
    assert on_gpu.main(["-o", str(tmp_path / "out"), "--copy", str(tmp_path / "copy")]) == 0
    with tarfile.open(tmp_path / "copy" / "on_gpu.tar.gz") as archive:
        assert "./on_gpu.log" in archive.getnames()
