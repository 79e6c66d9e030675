"""Single-bit faults: the simulation fails exactly where golden with the same fault differs."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from networks import random_conv_network, random_network
from sim_bench import fold, make, need

from bnnhw.errors import InputError
from bnnhw.folding import Folding, LayerFolding
from bnnhw.golden import evaluate
from bnnhw.layers import Dense
from bnnhw.network import Network
from bnnhw.network_file import load
from bnnhw.rtl.emit import generate
from bnnhw.sim.faults import Campaign, Fault, campaign, draw_faults, evaluate_faulty
from bnnhw.synthetic import random_layer
from bnnhw.technology import Technology
from bnnhw.vectors import random_vectors


def shown(result: Campaign) -> str:
    return "; ".join(f"{r.fault}: {r.expected} / {r.found}" for r in result.disagreements)


def parts(build: Path) -> tuple[Network, Folding]:
    return load(build / "model.safetensors"), Folding.load(build / "folding.toml")


@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.slow)])
def test_every_fault_in_a_single_layer_shows_where_golden_says(
    tmp_path: Path, simulator: str
) -> None:
    need(simulator)
    network = random_layer(12, 6, seed=1)
    folding = fold(network, (2, 1, 4))
    generate(network, tmp_path / "b", folding=folding, vectors=0)
    result = campaign(
        tmp_path / "b", draw_faults(network, folding, 24, seed=2), simulator=simulator
    )
    assert result.disagreements == [], shown(result)
    assert result.detected == len(result.runs) == 24


def test_faults_of_a_network_show_exactly_where_golden_says(tmp_path: Path) -> None:
    need("icarus")
    build = make(tmp_path / "b", (9, 6, 5, 4), (2, 1, 4, 2), (2, 1, 3), (2, 1, 3), bits=3, seed=3)
    faults = draw_faults(*parts(build), 40, seed=4)
    result = campaign(build, faults, simulator="icarus")
    assert result.disagreements == [], shown(result)
    assert {r.fault.kind for r in result.runs} == {"weight", "threshold"}
    assert {r.fault.layer for r in result.runs} == {0, 1, 2}


@pytest.mark.parametrize("positions", [1, 4])
def test_faults_of_convolutions_show_exactly_where_golden_says(
    tmp_path: Path, positions: int
) -> None:
    need("icarus")
    # Of five windows a row, the second group of four lacks three.
    stages = [("conv", 6, 3, 1, 0), ("pool", 0, 2, 2, 0), ("conv", 5, 2, 1, 1)]
    network = random_conv_network((6, 8, 2), stages, bits=3, seed=1)
    names = (layer.name for layer in network.weighted)
    layers = [LayerFolding(name=name, rows=2, cols=2, lanes=4) for name in names]
    layers[0] = dataclasses.replace(layers[0], positions=positions, planes=2)
    folding = Folding(layers=tuple(layers))
    generate(network, tmp_path / "b", folding=folding, vectors=0)
    faults = draw_faults(network, folding, 24, seed=4)
    assert {fault.position for fault in faults} == set(range(positions))
    result = campaign(tmp_path / "b", faults, simulator="icarus", vectors=8)
    assert result.disagreements == [], shown(result)
    found = [run.fault for run in result.runs if run.found]
    assert len(found) > 12 and {fault.layer for fault in found} == {0, 1, 2}


def test_weights_in_luts_are_refused_and_thresholds_are_not(tmp_path: Path) -> None:
    need("icarus")
    network = random_layer(12, 6, seed=1)
    folding = fold(network, (2, 1, 4))
    build = tmp_path / "b"
    generate(network, build, folding=folding, technology=Technology(family="ecp5"), vectors=0)
    faults = draw_faults(network, folding, 12, seed=2)
    with pytest.raises(InputError, match="weights of a core for ecp5 are in its LUTs"):
        campaign(build, faults)
    result = campaign(build, [fault for fault in faults if fault.kind == "threshold"])
    assert result.disagreements == [], shown(result)


def test_a_campaign_notices_a_golden_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("icarus")
    network = random_layer(8, 4, seed=1)
    folding = fold(network, (2, 1, 4))
    generate(network, tmp_path / "b", folding=folding, vectors=0)

    def without_the_fault(network: Network, _: Folding, __: Fault, x: np.ndarray) -> object:
        return evaluate(network, x)

    monkeypatch.setattr("bnnhw.sim.faults.evaluate_faulty", without_the_fault)
    faults = draw_faults(network, folding, 6, seed=2)
    result = campaign(tmp_path / "b", faults, simulator="icarus")
    assert len(result.disagreements) == 6


@pytest.mark.parametrize("bits", [1, 3])
def test_a_weight_fault_in_golden_is_that_bit_of_each_plane(bits: int) -> None:
    network = random_network((7, 3), bits=bits, gives="bits", seed=5)
    folding = fold(network, (1, 1, 4, min(bits, 2)))
    x = random_vectors(network, 30, seed=1)
    layer = network.dense[0]
    assert isinstance(layer, Dense)
    planes = bits if bits == 1 else 4  # two at a time: the fourth plane is all zeros
    for j in range(3):
        for k in range(7):
            got = evaluate_faulty(network, folding, Fault(
                layer=0, neuron=j, kind="weight", index=k
            ), x).bits[0][:, j]  # fmt: skip
            weight = layer.weight[j].copy()
            lift = 0 if bits == 1 else ((1 << planes) - 1) * int((weight == 0).sum())
            weight[k] ^= 1
            counted = sum(
                ((x >> b & 1) == weight).sum(axis=1).astype(int) << b for b in range(planes)
            )
            assert np.array_equal(got, counted >= layer.threshold[j] + lift)


def test_drawn_faults_are_never_in_padding_and_never_in_undecided_thresholds() -> None:
    network = random_network((5, 6, 3), seed=6)
    folding = fold(network, (2, 1, 4), (2, 1, 4))
    faults = draw_faults(network, folding, 60, seed=1)
    assert len(set(faults)) == 60
    assert faults == draw_faults(network, folding, 60, seed=1)
    for fault in faults:
        layer = network.dense[fault.layer]
        if fault.kind == "weight":
            assert fault.index < layer.inputs
        else:
            assert fault.layer == 0 and fault.neuron >= 2  # the first two always, never fire
    with pytest.raises(InputError, match="faults must be at most"):
        draw_faults(network, folding, 1000, seed=1)
