"""The hardware benchmark: growth is seen, and fails."""

import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import docs, exactness, hardware, simulation, store, tables
from benchmarks.cases import CASES, Case, ModelCase
from bnnhw.folding import Folding
from bnnhw.network_file import load
from bnnhw.record import Record, write_records
from proofs.catalog import PROOFS


def record(name: str, value: float) -> Record:
    return Record(name=name, value=value, unit="1", kind="measured", how="counted", on="ecp5")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Fake(Case):
    luts: int

    def run(self, out: Path, *, route: bool, seeds: tuple[int, ...] = (1,)) -> Any:
        return SimpleNamespace(records=[record("lut_sites", self.luts), record("ffs", 7)])


def generate_manifest(case: ModelCase, build: Path) -> None:
    """As much of a build folder's manifest as the speed is told from."""
    manifest = {
        "model_sha256": load(store.MODELS / case.model).sha256,
        "input": {"pixels_per_beat": 56, "beats": 14, "bits": 1},
        "output": "class",
        "output_beats": 1,
    }
    (build / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A kept record of 100 LUT sites."""
    monkeypatch.setattr(store, "RECORDS", tmp_path)
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
    monkeypatch.setattr(store, "RECORDS", tmp_path / "new")
    assert hardware.main(["--keep"]) == 0
    assert store.figures(store.kept("fake")) == {"lut_sites": 5, "ffs": 7}


def test_designs_have_names_of_their_own_and_kept_records() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        value = store.figures(store.kept(case.name))
        assert "lut_sites" in value and ("clock_median" in value) == case.routed, case.name


@pytest.mark.parametrize("case", simulation.CASES, ids=lambda case: case.name)
def test_whole_networks_were_simulated_on_as_many_test_images_as_is_said(
    case: simulation.SimulationCase,
) -> None:
    """Nothing differs, and cycles are what the folding says; of the kept network, not another."""
    netlist = [(f"{case.name}-netlist", simulation.NETLIST_IMAGES)] if case.netlist else []
    for name, least in [(case.name, case.images or case.samples or 10_000), *netlist]:
        value = store.figures(store.kept(f"simulation-{name}"))
        assert value["mismatches"] == 0
        assert value["images"] >= least
        if case.model.endswith(".safetensors") and not case.stall:
            network = load(store.MODELS / case.model)
            assert value["interval_cycles"] == case.folded(network).interval(network)


@pytest.mark.parametrize("case", exactness.CASES, ids=lambda case: case.name)
def test_every_backend_gave_goldens_scores_on_the_whole_test_set(
    case: exactness.ExactnessCase,
) -> None:
    records = store.kept(f"exactness-{case.name}")
    ways = {re.sub(r".*; (\w+): (\w+).*", r"\1 \2", record.how) for record in records}
    assert ways >= {"cpu avx512", "cpu avx2", "cpu portable", "numpy 1", "torch float32"}
    for record in records:
        assert (record.name, record.value) == ("scores_differ", 0)
        assert record.how.startswith("of 100000 on MNIST's 10000 test images")


def test_every_proof_holds_in_the_kept_records() -> None:
    quick = {proof.name for proof in PROOFS if not proof.heavy}
    for kept, names in (("proofs", quick), ("proofs-all", {proof.name for proof in PROOFS})):
        records = [record for record in store.kept(kept) if record.name != "wall"]
        assert {record.name for record in records} == names
        for record in records:
            counts = re.findall(r"(\d+) of (\d+)", record.how)
            assert len(counts) == 2 and all(done == of != "0" for done, of in counts), record.name


@pytest.mark.parametrize(
    "case", [case for case in CASES if isinstance(case, ModelCase)], ids=lambda case: case.name
)
def test_a_models_folding_is_as_fast_as_its_slowest_layer(case: ModelCase) -> None:
    network = load(store.MODELS / case.model)
    folding = Folding.load(store.MODELS / case.folding)
    assert folding.interval(network) == folding.slowest(network)


def test_the_largest_core_states_its_speed_beside_what_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(case for case in CASES if case.name == "mnist-1bit-max-ecp5")
    assert isinstance(case, ModelCase)
    build = tmp_path / "core"
    counted = [
        Record(name=name, value=value, unit="cycles", kind="measured", how="counted", on="sim")
        for name, value in (("interval_cycles", 16), ("latency_cycles", 160), ("mismatches", 0))
    ]
    clock = dataclasses.replace(record("clock", 160e6), unit="Hz")
    (build / "synth-ecp5").mkdir(parents=True)
    (build / "simulation").mkdir()
    write_records(build / "simulation" / "records.json", counted)
    write_records(build / "synth-ecp5" / "records.json", [clock])
    generate_manifest(case, build)
    counts = {"lut_sites": 60_000, "packed_sites": 60_100, "ffs": 70_000, "block_rams": 0}
    path = dataclasses.replace(record("critical_path", 6e-9), how="layer_fc1.grid: a to b")
    records = [clock, path, *(record(name, value) for name, value in counts.items())]
    result: Any = SimpleNamespace(
        folder=build / "synth-ecp5", records=records, counts=SimpleNamespace(**counts)
    )
    given = {one.name: one for one in case.records(result)}
    assert given["throughput"].value == pytest.approx(10e6)
    assert given["latency"].value == pytest.approx(1e-6)
    assert given["operations_per_lut_site"].value == pytest.approx(668_672 * 10e6 / 60_000)

    monkeypatch.setattr(store, "RECORDS", tmp_path)
    write_records(tmp_path / f"{case.name}.json", case.records(result))
    told = f"| {case.name} | 60,000 | 70,000 | 0 | 160 MHz | 10.00 M | 1.00 us | 111.4 M |"
    assert told in tables.model_table()
    routed = "60,000 | 60,100 | 70,000 | 0 | **160** | 160 | `layer_fc1.grid` |"
    assert routed in tables.clock_table()
    assert store.figures(case.records(result))["clock_median"] == 160e6


@pytest.mark.parametrize("family", ["ecp5", "xilinx7"])
def test_no_kept_popcount_is_below_its_bound(family: str) -> None:
    kept = {n: tables.lut_sites(f"popcount-{n}-{family}") for n in tables.LANES}
    there = {n: sites for n, sites in kept.items() if sites is not None}
    assert 64 in there
    assert all(sites >= tables.bound(family, n) for n, sites in there.items())


def test_charts_are_of_the_kept_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for chart in docs.CHARTS.values():
        before = chart()
        assert before == chart() and before.startswith(b"\x89PNG")
        with monkeypatch.context() as without:
            without.setattr(store, "RECORDS", tmp_path)
            assert chart() != before


@pytest.mark.parametrize("page", docs.TABLES)
def test_docs_have_the_tables_of_the_kept_records(page: str) -> None:
    text = (docs.DOCS / page).read_text()
    for name, table in docs.TABLES[page].items():
        assert f"<!-- {name} table -->\n{table()}<!-- end -->" in text


@pytest.mark.parametrize("arguments", [["--only", "none"], ["--quick", "--keep"]])
def test_a_mistake_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert hardware.main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
