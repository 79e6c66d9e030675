"""The software benchmark: every contender is timed, and nothing wrong is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bnnhw import cli
from bnnhw.errors import ToolError
from bnnhw.golden import evaluate
from bnnhw.record import read_records
from bnnhw.sw import suite
from bnnhw.sw.native import NativeNetwork, available
from bnnhw.sw.suite import Case, ceilings, measure, opponent, paper
from bnnhw.synthetic import random_layer, random_mlp
from bnnhw.vectors import random_vectors

SMALL = [
    Case(name="40^3", network=random_layer(40, 40), batch=40),
    Case(name="mlp", network=random_mlp((20, 16, 3), input_bits=8), batch=9),
]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "SHORTEST_S", 0.0)
    monkeypatch.setattr(suite, "COLD_BYTES", 1 << 10)


def test_every_contender_is_timed_warm_and_cold() -> None:
    rows = measure(SMALL, threads=1)
    ours = [*(f"C, {isa}" for isa in available()), "numpy, packed"]
    names = {case.name: [r.contender for r in rows if r.case is case] for case in SMALL}
    assert names["mlp"] == [*ours, "torch, float32"]
    assert names["40^3"] == [
        *ours, "torch, float32", "torch, float32 mm", "torch, float32 oneDNN",
        "torch, bfloat16 mm", "torch, int8 _int_mm",
    ]  # fmt: skip
    for row in rows:
        assert opponent(row.case) in names[row.case.name]
        for record, caches in ((row.time, "warm"), (row.cold, "cold")):
            assert (record.kind, record.unit) == ("measured", "s")
            assert 0 < float(record.value) < 10
            assert f"{caches} caches, 1 threads" in record.how


def test_nothing_wrong_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    run = NativeNetwork.run

    def wrong(self: NativeNetwork, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.integer]:
        result = run(self, x)
        result[-1, -1] ^= 1
        return result

    monkeypatch.setattr(NativeNetwork, "run", wrong)
    with pytest.raises(ToolError, match=r"^C, \w+ gives another result than golden$"):
        measure(SMALL, threads=1)


def test_prefixes_raise_the_ceiling() -> None:
    limits = ceilings()
    assert set(limits) >= {"avx2"} or "avx2" not in available()
    if "avx512" in limits:
        assert limits["avx512"] > limits["avx512, without prefixes"] > limits["avx2"] > 1e11


def test_the_papers_networks_are_random_and_decide_something() -> None:
    cases = paper(quick=True)
    assert len({(case.name, case.batch) for case in cases}) == len(cases)
    for case in cases:
        trace = evaluate(case.network, random_vectors(case.network, 100, 0))
        for bits in trace.bits:
            assert 0.4 < bits.mean() < 0.6


def test_the_command_writes_records_and_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cases(**_: Any) -> list[Case]:
        return SMALL

    monkeypatch.setattr(suite, "paper", cases)
    given = ["bench", "--threads", "1", "-o", str(tmp_path / "r.json")]
    assert cli.main([*given, "--json", "--only", "mlp"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["records"]) == len(available()) + 2
    assert len(read_records(tmp_path / "r.json")) == 2 * len(told["records"])
    assert cli.main(given) == 0
    shown = capsys.readouterr().out
    assert "times float32" in shown and "torch, int8 _int_mm" in shown
    for wrong in (["--threads", "0"], ["--only", "nothing"]):
        assert cli.main(["bench", *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1
