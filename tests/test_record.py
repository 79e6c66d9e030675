"""Records: to a file and back, and one clear line for what is none."""

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from bnnhw import record
from bnnhw.errors import InputError
from bnnhw.record import Record, commit, read_records, write_records

CLOCK = Record(
    name="clock",
    value=201.5e6,
    unit="Hz",
    kind="measured",
    how="routed",
    on="LFE5U-45F",
    tools={"nextpnr-ecp5": "0.11"},
    seed=3,
    commit="abc",
)
PEAK = Record(
    name="peak", value=8, unit="1/s", kind="estimated", how="roofline", on="T4", source="sheet"
)


def test_records_come_back_from_their_file(tmp_path: Path) -> None:
    write_records(tmp_path / "records.json", [CLOCK, PEAK])
    assert read_records(tmp_path / "records.json") == [CLOCK, PEAK]


def test_a_record_is_measured_or_estimated() -> None:
    with pytest.raises(InputError) as raised:
        dataclasses.replace(CLOCK, kind="guessed")  # type: ignore[arg-type]
    assert str(raised.value) == "clock: kind must be measured or estimated, not 'guessed'"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "No such file or directory"),
        ("", "Expecting value"),
        ("[{", "Expecting property name"),
        ("3", "not iterable"),
        ("[3]", "must be a mapping"),
        ('[{"name": "clock"}]', "missing 5 required"),
        ('[{"speed": 1}]', "unexpected keyword argument 'speed'"),
        ("[" * 100_000, "recursion"),
        (
            '[{"name":"a","value":1,"unit":"1","kind":"guessed","how":"","on":""}]',
            "kind must be measured or estimated",
        ),
    ],
    ids=["missing", "empty", "cut", "a number", "numbers", "short", "unknown", "deep", "guessed"],
)
def test_one_line_says_what_is_no_file_of_records(
    text: str | None, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "records.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_records(path)
    line = str(raised.value)
    assert re.fullmatch(rf"{re.escape(str(path))}: not a file of records \(.*{why}.*\)", line), line


def test_the_commit_is_one_of_git_or_nothing() -> None:
    assert re.fullmatch(r"([0-9a-f]{12,40}(-dirty)?)?", commit())


def test_a_changed_file_makes_it_dirty_unless_it_is_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    files = [tmp_path / name for name in ("bnnhw/record.py", "benchmarks/records/one.json")]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_text("old")
    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    monkeypatch.setattr(record, "__file__", str(files[0]))
    try:
        for changed, dirty in ((None, False), (files[1], False), (files[0], True)):
            if changed:
                changed.write_text("new")
            commit.cache_clear()
            assert re.fullmatch(r"[0-9a-f]{12}" + "-dirty" * dirty, commit())
    finally:
        commit.cache_clear()


def test_no_commit_is_found_outside_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit.cache_clear()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "none"))
    try:
        assert commit() == ""
        commit.cache_clear()
        monkeypatch.setenv("PATH", str(tmp_path))
        assert commit() == ""
    finally:
        commit.cache_clear()
