"""`python -m proofs`: what there is, a cheap proof with its broken copies, and what goes wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# A proof of what is false, and a "broken" copy that is not: the slack's own, exchanged.
EXCHANGED = """
import sys
from proofs import __main__, gearbox
from proofs.proof import Broken, Case, Proof

good, bad = gearbox.PROOFS[0].cases[0], gearbox.PROOFS[0].broken[0]
exchanged = Proof(
    name="exchanged",
    says="",
    bounds="",
    bounded=True,
    cases=(Case(name="bad", design=bad.design, depth=bad.depth),),
    broken=(Broken(name="good", design=good.design, depth=6),),
)
__main__.PROOFS = (exchanged,)
sys.exit(__main__.main([]))
"""


def run(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_list_names_every_proof(tmp_path: Path) -> None:
    done = run("-m", "proofs", "--list", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = json.loads(run("-m", "proofs", "--list", "--json", cwd=tmp_path).stdout)["proofs"]
    assert len(set(listed)) == len(listed) > 15
    assert all(name in done.stdout for name in listed)
    page = (ROOT / "docs/proofs.md").read_text()
    families = {name: re.sub(r"^(popcount|cell)-.*", r"\1-FAMILY", name) for name in listed}
    assert [name for name, shown in families.items() if f"`{shown}`" not in page] == []


def test_a_proof_holds_and_its_broken_copies_are_caught(tmp_path: Path) -> None:
    done = run("-m", "proofs", "slack", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (slack,) = json.loads(done.stdout)["proofs"]
    assert len(slack["proved"]) == len(slack["caught"]) == 2


def test_what_is_false_and_what_is_not_broken_are_reported(tmp_path: Path) -> None:
    done = run("-c", EXCHANGED, cwd=tmp_path)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("proofs: exchanged")]
    trace = "build/proofs/exchanged/bad/proof/engine_0/trace.vcd"
    assert sorted(said) == [
        f"proofs: exchanged, bad: is false; see {trace}",
        "proofs: exchanged: the broken copy (good) was not caught",
    ]
    assert (tmp_path / trace).is_file()


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    done = run("-m", "proofs", "slack", "slick", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("proofs: no proof is called slick; there are counter, slack, ")
    done = run("-m", "proofs", "slack", cwd=tmp_path, SBY="no-such-sby")
    assert done.returncode == 2
    assert done.stderr == "proofs: SBY=no-such-sby: no such program; correct it or unset it\n"
