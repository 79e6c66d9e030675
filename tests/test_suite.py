"""The software benchmark: every contender is timed, and nothing wrong is."""

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bnnhw import cli
from bnnhw.errors import ToolError
from bnnhw.golden import evaluate
from bnnhw.record import Record, read_records, write_records
from bnnhw.report import comparison
from bnnhw.report.comparison import compare
from bnnhw.sw import kept, on_cpu, suite
from bnnhw.sw.float32 import FloatNetwork
from bnnhw.sw.kept import kept_timings
from bnnhw.sw.native import NativeNetwork, available
from bnnhw.sw.on_cpu import CpuBench
from bnnhw.sw.suite import Case, Run, limits_of, measure, mlp_name, paper, planes, rows_of
from bnnhw.synthetic import random_layer, random_mlp
from bnnhw.vectors import random_vectors

SMALL = [
    Case(name="40^3", network=random_layer(40, 40), batch=40),
    Case(name="mlp", network=random_mlp((20, 16, 3), input_bits=8), batch=9),
]
FIRST = Case(name="20x16", network=random_layer(20, 16, input_bits=8), batch=9)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_cpu, "SLICE_S", 0.0)
    monkeypatch.setattr(on_cpu, "ROUNDS", 2)
    monkeypatch.setattr(on_cpu, "COLD_BYTES", 1 << 10)


def test_every_contender_is_timed_warm_and_cold() -> None:
    bench, cases = CpuBench(1), [*SMALL, FIRST]
    rows = rows_of(measure(cases, bench))
    ours = [*(f"C, {isa}" for isa in available()), "numpy, packed"]
    names = {case.name: [r.contender for r in rows if r.case == case.name] for case in cases}
    assert names["mlp"] == [*ours, "torch, float32"]
    assert names["20x16"] == [*ours[:-1], *(f"{n}, bit planes" for n in ours[:-1]), "numpy, packed"]
    assert names["40^3"] == [
        *ours, "torch, float32", "torch, float32 oneDNN", "torch, bfloat16",
        "torch, int8 _int_mm",
    ]  # fmt: skip
    assert set(bench.opponents) <= set(names["40^3"])
    for row in rows:
        assert row.batch == (40 if row.case == "40^3" else 9) and row.energy is None
        in_torch = row.contender.startswith("torch") and row.case == "mlp"
        assert (row.weights is not None) == (row.contender.startswith("C, ") or in_torch)
        if row.activations is not None:  # 16 bits in a word, or floats
            assert row.activations.value == (4 * 16 if in_torch else 4)
        assert (row.activations is not None) == (row.weights is not None and row.case == "mlp")
        for record, caches in ((row.time, "warm"), (row.time_cold, "cold")):
            assert (record.kind, record.unit) == ("measured", "s")
            assert 0 < float(record.value) < 10
            assert f"of 2 runs, {caches} caches, 1 thread, contenders in turn" in record.how


def test_what_was_measured_is_not_measured_again_and_no_time_is_no_case() -> None:
    bench = CpuBench(1)
    assert measure(SMALL, bench, minutes=-1) == []
    first = measure(SMALL[:1], bench)
    both = measure(SMALL, bench, known=first)
    assert both[: len(first)] == first and {row.case for row in rows_of(both)} == {"40^3", "mlp"}
    assert measure(SMALL, bench, known=both) == both


def test_nothing_wrong_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    run = NativeNetwork.run

    def wrong(self: NativeNetwork, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.integer]:
        result = run(self, x)
        result[-1, -1] ^= 1
        return result

    monkeypatch.setattr(NativeNetwork, "run", wrong)
    with pytest.raises(ToolError, match=r"^C, \w+ gives another result than golden$"):
        measure(SMALL, CpuBench(1))


@pytest.mark.parametrize("when", ["loaded", "run"])
def test_an_opponent_that_fails_is_told_of_and_left_out(
    when: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no memory\nfor it")

    monkeypatch.setattr(FloatNetwork, "load" if when == "loaded" else "run", fails)
    rows = rows_of(measure(SMALL[1:], CpuBench(1)))
    assert [row.contender for row in rows][-1] == "numpy, packed"
    assert "torch, float32 does not run mlp: no memory\n" in capsys.readouterr().err
    monkeypatch.setattr(NativeNetwork, "run", fails)
    with pytest.raises(RuntimeError, match="no memory"):
        measure(SMALL[1:], CpuBench(1))


def test_bit_planes_are_those_of_the_samples() -> None:
    x = random_vectors(FIRST.network, 5, 0)
    network, rows = planes(FIRST.network, x)
    (layer,), (alone,) = FIRST.network.weighted, network.weighted
    assert rows.shape == (40, 20) and np.array_equal(alone.weight, layer.weight)
    taken = rows.reshape(5, 8, 20).astype(np.int64)
    assert np.array_equal(np.tensordot(1 << np.arange(8), taken, axes=(0, 1)), x)


def test_a_product_comes_with_what_its_contenders_cannot_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[str] = []

    def second(_: CpuBench, runs: Mapping[str, Run], *, cold: bool) -> dict[str, list[float]]:
        for name, run in runs.items():
            run()
            ran.append(name)
        return {name: [1.0] for name in runs}

    monkeypatch.setattr(CpuBench, "times", second)
    monkeypatch.setattr(on_cpu, "LOOP", 1000)
    limits = limits_of(measure(SMALL, CpuBench(2)))
    # A thousand instructions a second on each of two threads; of a vector's bits two words at a
    # time, an operation each for XNOR and addition.
    each = 2 * 1000 * 2 * 2
    wanted = {
        "C, avx512": each * 512 / 5,
        "C, avx512, without prefixes": each * 512 / 6,
        "C, avx2": each * 256 / 12,
    }
    there = {name: one for name, one in wanted.items() if name.split(", ")[1] in available()}
    assert limits == pytest.approx(there)
    assert ("xor_256" in ran) == ("C, avx2" in there)


def test_contenders_are_timed_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_cpu, "ROUNDS", 3)
    order: list[str] = []
    runs = {name: functools.partial(order.append, name) for name in "abc"}
    times = CpuBench(1).times(runs, cold=False)
    assert order == [*"aabbcc", *"abcabc"]
    assert {name: len(each) for name, each in times.items()} == {"a": 3, "b": 3, "c": 3}


def test_the_papers_networks_are_random_and_decide_something() -> None:
    cases = [*paper(quick=True), *paper("cuda", quick=True)]
    cases = list({(case.name, case.batch): case for case in cases}.values())
    assert len({(case.name, case.batch) for case in cases}) == len(cases)
    for case in cases:
        trace = evaluate(case.network, random_vectors(case.network, 100, 0))
        for bits in trace.bits:
            assert 0.4 < bits.mean() < 0.6


def test_the_command_writes_records_chart_and_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cases(*_: Any, **__: Any) -> list[Case]:
        return SMALL

    monkeypatch.setattr(suite, "paper", cases)
    given = ["bench", "--threads", "1", "-o", str(tmp_path / "r.json")]
    assert cli.main([*given, "--json", "--only", "mlp"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = rows_of(read_records(tmp_path / "r.json"))
    assert [row.contender for row in rows] == [*(f"C, {isa}" for isa in available()),
                                               "numpy, packed", "torch, float32"]  # fmt: skip
    assert told["records"] == [record.to_json() for record in read_records(tmp_path / "r.json")]
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    assert cli.main(given) == 0
    shown = capsys.readouterr().out
    assert "times float32" in shown and "torch, int8 _int_mm" in shown
    again = rows_of(read_records(tmp_path / "r.json"))
    assert again[: len(rows)] == rows and len(again) > len(rows)
    for wrong in (["--threads", "0"], ["--only", "nothing"], ["--minutes", "-1"]):
        assert cli.main(["bench", *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_records_of_another_machine_are_not_mixed_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (record, *_) = measure(SMALL[1:], CpuBench(1))
    write_records(tmp_path / "r.json", [dataclasses.replace(record, on="another CPU")])
    assert cli.main(["bench", "-o", str(tmp_path / "r.json")]) == 2
    assert "r.json was measured on another CPU, not on " in capsys.readouterr().err


def test_what_was_kept_of_a_gpu_is_told_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = random_mlp((784, 256, 256, 256, 10), input_bits=8, seed=7)
    assert [mlp_name(one) for one in (network, SMALL[0].network, SMALL[1].network)] == [
        "784-256x3-10", None, None,
    ]  # fmt: skip
    assert mlp_name(random_mlp((784, 256, 256, 256, 10))) is None
    assert mlp_name(random_mlp((784, 256, 255, 256, 10), input_bits=8)) is None

    def taken(contender: str, batch: int, seconds: float, case: str = "784-256x3-10") -> Record:
        how = f"{case}, batch {batch}: {contender}; median of 5 runs"
        return Record(name="time", value=seconds, unit="s", kind="measured", how=how, on="A GPU")

    records = [
        taken("CUDA, one launch", 1, 4e-6),
        *(
            taken(f"CUDA, {name}", 4096, seconds)
            for name, seconds in (("mma", 3e-5), ("wgmma", 2e-5))
        ),
        *(taken("torch, bfloat16", batch, seconds) for batch, seconds in ((1, 9e-6), (4096, 8e-5))),
        taken("torch, float32", 4096, 1e-4),  # not alone
        taken("CUDA, wgmma", 4096, 1e-9, "784-1024x3-10"),
    ]
    records += [dataclasses.replace(one, name="time_cold") for one in records]
    cpu = [dataclasses.replace(one, how=one.how.replace("CUDA", "C")) for one in records]
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    assert kept_timings(network) == []
    write_records(tmp_path / "cpu.json", cpu)
    write_records(tmp_path / "gpu.json", records)
    found = kept_timings(network)
    assert [(one.runs, one.weight_bits, one.one.value, one.many.value) for one in found] == [
        ("CUDA, wgmma, kept", 1, 4e-6, 2e-5),
        ("torch, bfloat16, kept", 16, 9e-6, 8e-5),
    ]
    monkeypatch.setattr(comparison, "measure", lambda *_, **__: [])
    rows = {row.runs: row for row in compare(network, out=None).rows if row.device == "A GPU"}
    assert rows["CUDA, wgmma, kept"].value("measured_rate_4096") == pytest.approx(4096 / 2e-5)
    assert rows["torch, bfloat16, kept"].value("weights_less") == 2


def test_bits_take_a_thirtysecond_of_the_memory(tmp_path: Path) -> None:
    """784-4096x3-10 against its weights in float32; thresholds, four bytes each, are counted in."""
    network = random_mlp((784, 4096, 4096, 4096, 10), input_bits=8)
    network.save(tmp_path / "mlp.safetensors")
    floats = sum(4 * layer.weight.size for layer in network.dense)
    for taken in (
        (tmp_path / "mlp.safetensors").stat().st_size,
        NativeNetwork(network).weights_bytes,
    ):
        assert 31 < floats / taken < 32
    assert FloatNetwork(network).weights_bytes > floats
