"""The ground under the tests: Makefile, CI, pinned versions, and what a skip means."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import bnnhw

ROOT = Path(__file__).parent.parent
TARGETS = ["help", ".venv", "demo", "test", "test-slow", "prove", "prove-all", "lint", "clean"]


def shell(*command: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    path = {"PATH": "/usr/bin:/bin", "HOME": str(cwd)}
    return subprocess.run(
        command, cwd=cwd, env=path | variables, capture_output=True, text=True, check=False
    )


def test_make_alone_lists_every_target() -> None:
    done = shell("make")
    assert done.returncode == 0, done.stderr
    listed = re.findall(r"^  make (\S+) +\S", done.stdout, flags=re.MULTILINE)
    assert [t for t in TARGETS if t not in listed] == []


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_how_to_make(target: str) -> None:
    assert shell("make", "-n", target).returncode == 0


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {
        re.split(r"[\[<>=~!; ]", item)[0].lower().replace("_", "-") for one in lists for item in one
    } - {"bnnhw"}
    lines = (ROOT / "constraints.txt").read_text().split()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert wanted - pinned == set()


def test_the_makefile_and_the_constraints_pin_the_same_torch() -> None:
    pins = set(re.findall(r"torch==[\w.]+", (ROOT / "Makefile").read_text()))
    assert pins == set(re.findall(r"torch==[\w.]+", (ROOT / "constraints.txt").read_text()))
    assert len(pins) == 1


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == bnnhw.__version__


def test_the_licence_is_the_one_that_pyproject_names() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text


def quick_start(readme: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Runs .ci/run on a tree of its own, in which `make` and `iverilog` do nothing."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/run").write_bytes((ROOT / ".ci/run").read_bytes())
    (tmp_path / "README.md").write_text(readme)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("make", "iverilog"):
        (tools / name).write_text('#!/bin/sh\necho "$(basename $0) $*"\n')
        (tools / name).chmod(0o755)
    return shell("bash", ".ci/run", cwd=tmp_path, PATH=f"{tools}:/usr/bin:/bin")


def test_ci_runs_the_quick_start_as_it_stands_and_the_tests_last(tmp_path: Path) -> None:
    block = "<!-- quick start -->\n\n```sh\necho quick\necho start\n```\n\n```sh\necho other\n```\n"
    done = quick_start("# bnnhw\n\n```\necho before\n```\n" + block, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == [
        "make lint", "quick", "start", "make bench-hw-quick",
        "make test", "make prove", "make test-slow", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("readme", "why"),
    [
        ("# bnnhw\n", "no fenced block"),
        ("<!-- quick start -->\n```sh\nfalse\necho on\n```\n", "+ false"),
    ],
    ids=["no quick start", "a command of it fails"],
)
def test_ci_fails_where(readme: str, why: str, tmp_path: Path) -> None:
    done = quick_start(readme, tmp_path)
    assert done.returncode == 1
    assert why in done.stderr
    assert "make test" not in done.stdout


def test_readme_has_a_quick_start() -> None:
    assert re.search(r"^<!-- quick start -->\n+```", (ROOT / "README.md").read_text(), re.MULTILINE)


PASSES = "def test_a(): pass\n"
SKIPS = "import pytest\n\ndef test_b(): pytest.skip('no tool')\n"
MARKED = "import pytest\n\n@pytest.mark.skip(reason='no tool')\ndef test_c(): pass\n"
MODULE = "import pytest\n\npytest.skip('no tool', allow_module_level=True)\n"
XFAILS = "import pytest\n\n@pytest.mark.xfail\ndef test_d(): assert False\n"


@pytest.mark.parametrize(
    ("files", "ci", "code"),
    [
        ([PASSES], "true", 0),
        ([PASSES, SKIPS], "", 0),
        ([PASSES, SKIPS], "true", 1),
        ([PASSES, MARKED], "true", 1),
        ([PASSES, MODULE], "true", 2),  # 2: pytest counts it an error of collection
        ([PASSES, XFAILS], "true", 0),
        ([XFAILS], "true", 0),
        ([SKIPS], "", 5),  # 5: pytest's code for no tests
        ([], "", 5),
    ],
    ids=lambda v: "+".join(re.findall(r"no_\w+|test_\w|module", " ".join(v))) or "none"
    if isinstance(v, list) else f"{v or 'no CI'}",
)  # fmt: skip
def test_exit_code_of_a_run_with(files: list[str], ci: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests/conftest.py").read_bytes())
    for i, text in enumerate(files):
        (tmp_path / f"test_{i}.py").write_text(text)
    done = shell(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", cwd=tmp_path, CI=ci)
    assert done.returncode == code, done.stdout
    if code == 1:
        assert "nothing may skip, but this did: " in done.stdout
        assert "no tool" in done.stdout
