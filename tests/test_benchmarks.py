"""The hardware benchmark: growth is seen, and fails."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import hardware
from benchmarks.cases import CASES, Case
from bnnhw.record import Record, write_records


def record(name: str, value: float) -> Record:
    return Record(name=name, value=value, unit="1", kind="measured", how="counted", on="ecp5")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Fake(Case):
    luts: int

    def run(self, out: Path, *, route: bool, seeds: tuple[int, ...] = (1,)) -> Any:
        return SimpleNamespace(records=[record("lut_sites", self.luts), record("ffs", 7)])


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A kept record of 100 LUT sites."""
    monkeypatch.setattr(hardware, "RECORDS", tmp_path)
    write_records(tmp_path / "fake.json", [record("lut_sites", 100), record("ffs", 7)])
    return monkeypatch


@pytest.mark.parametrize(
    ("luts", "code", "shown"),
    [(100, 0, "100"), (103, 0, "103 (+3.0%)"), (104, 1, "104 (+4.0%)"), (90, 0, "90 (-10.0%)")],
)
def test_more_than_three_percent_more_lut_sites_fail(
    luts: int, code: int, shown: str, kept: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.setattr(hardware, "CASES", (Fake(name="fake", family="ecp5", luts=luts),))
    assert hardware.main([]) == code
    said = capsys.readouterr()
    assert shown in said.out
    assert ("take over 3% more" in said.err) == bool(code)


def test_keep_replaces_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "CASES", (Fake(name="fake", family="ecp5", luts=5),))
    monkeypatch.setattr(hardware, "RECORDS", tmp_path / "new")
    assert hardware.main(["--keep"]) == 0
    assert hardware.kept(Fake(name="fake", family="ecp5", luts=0)) == {"lut_sites": 5, "ffs": 7}


def test_designs_have_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("arguments", [["--only", "none"], ["--quick", "--keep"]])
def test_a_mistake_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert hardware.main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
