"""The whole way on tiny cores: generate, compile, simulate on both simulators, compare, count."""

import json
from pathlib import Path

import numpy as np
import pytest
from sim_bench import SIMULATORS, make, need

from bnnhw.cli import main
from bnnhw.errors import InputError
from bnnhw.golden import evaluate
from bnnhw.layers import Dense
from bnnhw.record import read_records
from bnnhw.sim import predict, simulate
from bnnhw.sim.core import read_core
from bnnhw.sim.run import Stall
from bnnhw.vectors import random_vectors


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sim") / "build"
    return make(folder, (17, 7, 5, 4), (3, 2, 4, 2), (2, 1, 4), (4, 1, 5), bits=3)


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_every_bit_equals_golden_and_cycles_are_as_promised(build: Path, simulator: str) -> None:
    result = simulate(build, simulator=need(simulator), vectors=60)
    assert result.failure == ""
    assert (result.images, result.neurons) == (60, 7 + 5 + 4 + 1)
    core = read_core(build)
    assert result.interval_cycles == core.interval
    assert result.latency_cycles == core.latency
    records = {r.name: r.value for r in read_records(build / "simulation" / "records.json")}
    assert records["interval_cycles"] == core.interval
    assert (records["images"], records["mismatches"]) == (60, 0)


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize(
    ("stall_in", "stall_out"),
    [(0.5, 0.5), ("bursts", "bursts"), (0.0, 0.9)],
)
def test_stalls_change_nothing_but_the_cycles(
    build: Path, simulator: str, stall_in: Stall, stall_out: Stall
) -> None:
    result = simulate(
        build, simulator=need(simulator), vectors=60, seed=5, stall_in=stall_in, stall_out=stall_out
    )
    assert result.failure == ""
    assert result.images == 60
    assert result.cycles > 60 * read_core(build).interval
    assert result.interval_cycles is None and result.latency_cycles is None


def test_both_simulators_count_the_same_cycles_under_stalls(build: Path) -> None:
    runs = [
        simulate(build, simulator=need(s), vectors=40, seed=3, stall_in=0.5, stall_out=0.5)
        for s in SIMULATORS
    ]
    assert runs[0].cycles == runs[1].cycles


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_predict_runs_the_verilog_and_returns_all_it_gives(build: Path, simulator: str) -> None:
    core = read_core(build)
    x = random_vectors(core.network, 20, seed=9)
    got = predict(build, x, simulator=need(simulator), quantized=True)
    wanted = evaluate(core.network, x)
    assert wanted.scores is not None and wanted.classes is not None
    assert got.classes is not None and got.scores is not None
    assert np.array_equal(got.classes, wanted.classes)
    assert np.array_equal(got.scores, wanted.scores)
    for bits, golden_bits in zip(got.bits, wanted.bits, strict=True):
        assert np.array_equal(bits, golden_bits)
    assert core.latency is not None
    assert got.cycles[0] == core.latency and (got.cycles >= core.latency).all()


@pytest.mark.parametrize(("output", "gives"), [("scores", "scores"), (None, "bits")])
def test_scores_and_bits_come_out_right(tmp_path: Path, output: str | None, gives: str) -> None:
    make(tmp_path / "b", (9, 5, 11), (2, 1, 4), (3, 1, 2), gives=gives, output=output)
    result = simulate(tmp_path / "b", simulator=need("icarus"), vectors=50)
    assert result.failure == ""
    assert result.neurons == 5 + 11 + 11


def test_a_second_run_compiles_nothing(build: Path) -> None:
    simulate(build, simulator=need("icarus"), vectors=8)
    assert simulate(build, simulator="icarus", vectors=8).compile_s == 0


def broken_by_one_bit(folder: Path) -> Path:
    """A core one bit of whose Verilog is flipped: weight 0 of neuron 2, in row 0's second fold."""
    make(folder, (6, 4), (2, 1, 3), gives="bits", seed=4)
    verilog = folder / "bnnhw_core.v"
    text = verilog.read_text()
    word = "rom[2] = 3'h"
    place = text.index(word, text.index(r"module \bnnhw_core.layer_fc1.grid.cell_0_0 ")) + len(word)
    flipped = f"{int(text[place]) ^ 1}"
    verilog.write_text(text[:place] + flipped + text[place + 1 :])
    return folder


@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.slow)])
def test_a_flipped_bit_fails_by_name_and_keeps_the_waveform(
    tmp_path: Path, simulator: str, capsys: pytest.CaptureFixture[str]
) -> None:
    need(simulator)
    build = broken_by_one_bit(tmp_path / "b")
    assert main(["simulate", str(build), "--simulator", simulator]) == 2
    assert "changed since it was generated" in capsys.readouterr().err

    assert main(["simulate", str(build), "--simulator", simulator, "--skip-hashes"]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    result = simulate(build, simulator=simulator, check_files=False)
    found = result.mismatch
    assert found is not None and str(found) in said

    core = read_core(build, check=False)
    layer, x = core.network.dense[0], core.vectors()
    assert isinstance(layer, Dense)
    weight = layer.weight.copy()
    weight[2, 0] ^= 1
    right = evaluate(core.network, x).bits[0]
    wrong = np.count_nonzero(x[:, None, :] == weight, axis=2) >= layer.threshold
    image = int(np.flatnonzero((wrong != right).any(axis=1))[0])
    assert (found.image, found.layer, found.neuron) == (image, "fc1", 2)
    assert (found.expected, found.got) == (right[image, 2], 1 - right[image, 2])
    assert result.waves is not None and result.waves.stat().st_size > 1000
    assert "$enddefinitions" in result.waves.read_text(errors="replace")


def test_waves_are_recorded_on_request(tmp_path: Path) -> None:
    make(tmp_path / "b", (3, 2), (1, 1, 3))
    result = simulate(tmp_path / "b", simulator=need("icarus"), vectors=4, waves=True)
    assert result.failure == "" and result.waves is not None and result.waves.stat().st_size > 1000


def test_json_goes_to_standard_output_alone(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need("icarus")
    arguments = ["simulate", str(build), "--simulator", "icarus", "--vectors", "9", "--json"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["images"] == 9 and told["mismatch"] is None and told["failure"] == ""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"vectors": 0}, "vectors must be at least 1, not 0"),
        ({"samples": 3}, "samples are of --data, at least 1, not 3 of None"),
        ({"samples": 0, "data": "digits"}, "samples are of --data, at least 1, not 0 of digits"),
        ({"samples": 600, "data": "digits"}, "samples must be at most 599, as digits has, not 600"),
        ({"stall_in": 1.0}, "stall_in must be at least 0 and below 1, or bursts, not 1.0"),
        ({"stall_out": -0.1}, "stall_out must be at least 0 and below 1, or bursts, not -0.1"),
        ({"simulator": "questa"}, "simulator must be verilator or icarus, not 'questa'"),
    ],
)
def test_mistakes_are_refused(build: Path, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate(build, **wrong)  # type: ignore[arg-type]
    assert str(caught.value) == message
