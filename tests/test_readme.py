"""README's Python runs as it stands, and so do the commands for one's own data."""

import re
import shlex
from pathlib import Path

import pytest

from bnnhw import cli

ROOT = Path(__file__).parents[1]


def blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text()
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)
    return found


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").symlink_to(ROOT / "models")
    monkeypatch.chdir(tmp_path)
    first, _ = blocks("python")
    exec(compile(first, "README.md", "exec"), {})
    assert (tmp_path / "build" / "digits" / "simulation" / "records.json").is_file()


def test_ones_own_data_goes_all_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _, arrays = blocks("python")
    exec(compile(arrays, "README.md", "exec"), {})
    commands = next(block for block in blocks("sh") if "wine.npz" in block).splitlines()
    assert len(commands) == 4
    for command in commands:
        name, *words = shlex.split(command, comments=True)
        assert name == "bnnhw"
        assert cli.main(words) == 0, command
        if "run" in words:  # how many are right is torch's to say on each machine
            assert re.search(r"\d+ of 45 right", capsys.readouterr().out)
    assert (tmp_path / "build" / "simulation" / "records.json").is_file()
