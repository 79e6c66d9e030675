"""Networks of maps in the simulators: every bit of every layer, the interval, stalls."""

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import random_conv_network
from sim_bench import SIMULATORS, need

from bnnhw.folding import Folding, LayerFolding, layer_cycles
from bnnhw.golden import evaluate
from bnnhw.maps import Flatten, Pool
from bnnhw.network import Network
from bnnhw.network_file import load
from bnnhw.proposal import balanced
from bnnhw.queues import Queue, queues
from bnnhw.rtl.emit import generate
from bnnhw.sim import predict, simulate
from bnnhw.sim.core import read_core

LENET = Path(__file__).parents[2] / "models" / "mnist-lenet.safetensors"
Stages = list[tuple[str, int, int, int, int]]
# Rows that divide nothing, a kernel that reads words twice, lines that no window reads: their bits
# may come later than the result.
STAGES: Stages = [("conv", 6, 3, 1, 1), ("pool", 0, 3, 3, 0), ("conv", 5, 2, 1, 0)]


def folded(network: Network, *rows: int, positions: int = 1) -> Folding:
    """`positions` of the first layer."""
    layers = [
        LayerFolding(name=layer.name, rows=count, cols=2, lanes=4, positions=1 if i else positions)
        for i, (layer, count) in enumerate(zip(network.weighted, rows, strict=True))
    ]
    return Folding(layers=tuple(layers))


@pytest.mark.parametrize("positions", [1, 4])
@pytest.mark.parametrize("output", ["class", "scores"])
def test_every_bit_is_goldens_and_the_interval_is_kept(
    tmp_path: Path, output: str, positions: int
) -> None:
    need("icarus")
    # Of five windows a row, the second group of four lacks three.
    stages = [("conv", 6, 3, 1, 0), *STAGES[1:]] if positions > 1 else STAGES
    network = random_conv_network((8, 8, 2), stages, bits=3, seed=1)
    folding = folded(network, 4, 2, 2, positions=positions)
    generate(network, tmp_path / "b", folding=folding, output=output, vectors=6)
    for stall in (0.0, 0.5):
        result = simulate(
            tmp_path / "b", simulator="icarus", stall_in=stall, stall_out=stall, seed=2
        )
        assert result.failure == "" and result.images > 8
        seen = (layer for layer in network.layers if not isinstance(layer, Flatten))
        values = sum(math.prod(layer.shape_out) for layer in seen)
        assert result.neurons == values + (1 if output == "class" else 3)
        assert stall or result.interval_cycles == result.interval
        predicted = {
            layer.name: layer_cycles(layer, fold) / result.interval
            for layer, fold in folding.pairs(network)
        }
        assert result.utilisation == ({} if stall else predicted)
        assert result.latency is None


@pytest.mark.parametrize("positions", [1, 4])
def test_a_map_may_be_the_result(tmp_path: Path, positions: int) -> None:
    need("icarus")
    stages: Stages = [("conv", 6, 2, 1, 1)] if positions > 1 else STAGES
    network = random_conv_network((8, 8, 2), stages, bits=3, seed=1)
    network = dataclasses.replace(network, layers=network.layers[: 1 if positions > 1 else 3])
    folding = folded(network, *([4] if positions > 1 else [4, 3]), positions=positions)
    generate(network, tmp_path / "b", folding=folding, vectors=5)
    for stall in (0.0, 0.5):
        result = simulate(tmp_path / "b", simulator="icarus", stall_in=stall, stall_out=stall)
        assert result.failure == ""


def test_predictions_have_the_layers_bits(tmp_path: Path) -> None:
    need("icarus")
    network = random_conv_network((8, 8, 2), STAGES, bits=1, seed=3)
    generate(network, tmp_path / "b", folding=folded(network, 3, 5, 3), vectors=0)
    x = read_core(tmp_path / "b").vectors()[:4]
    got, wanted = predict(tmp_path / "b", x, simulator="icarus"), evaluate(network, x)
    assert got.scores is not None and wanted.scores is not None
    assert np.array_equal(got.scores, wanted.scores)
    for bits, right in zip(got.bits, wanted.bits[:3], strict=True):
        assert np.array_equal(bits, right.reshape(len(x), -1))


def test_one_wrong_weight_of_a_convolution_is_told_by_place(tmp_path: Path) -> None:
    need("icarus")
    network = random_conv_network((8, 8, 2), STAGES, bits=3, seed=1)
    first = network.weighted[0]
    weight = first.weight.copy()
    weight[4] ^= 1
    wrong = dataclasses.replace(network, layers=(
        dataclasses.replace(first, weight=weight), *network.layers[1:]))  # fmt: skip
    generate(wrong, tmp_path / "b", folding=folded(network, 4, 2, 2), vectors=4)
    network.save(tmp_path / "b" / "model.safetensors")
    result = simulate(tmp_path / "b", simulator="icarus", check_files=False)
    assert result.mismatch is not None and result.mismatch.layer == first.name
    assert result.mismatch.neuron % 6 == 4


@pytest.mark.parametrize("interval", [40, 400])
def test_one_wrong_channel_of_a_pooling_is_told_by_place(tmp_path: Path, interval: int) -> None:
    need("icarus")
    network = random_conv_network((8, 9, 2), [("conv", 6, 1, 1, 0), ("pool", 0, 2, 2, 0)], seed=1)
    pool = network.layers[1]
    assert isinstance(pool, Pool)
    channels = pool.pool_and.copy()
    channels[3] ^= 1
    wrong = dataclasses.replace(
        network,
        layers=(
            network.layers[0],
            dataclasses.replace(pool, pool_and=channels),
            *network.layers[2:],
        ),
    )
    folding = balanced(network, interval)
    whole = [one.columns is not None for one in folding.map_words(network)]
    assert whole[1] == (interval == 40)
    generate(wrong, tmp_path / "b", folding=folding, vectors=4)
    network.save(tmp_path / "b" / "model.safetensors")
    result = simulate(tmp_path / "b", simulator="icarus", check_files=False)
    assert result.mismatch is not None and result.mismatch.layer == pool.name
    assert result.mismatch.neuron % 6 == 3


# Foldings of LeNet under which these queues' layers have no cycle to spare.
BUSY = {
    "slow": [(16, 1, 9, 1), (4, 1, 16, 1), (1, 1, 5, 1), (1, 1, 1, 1)],
    "pool": [(16, 2, 13, 4), (1, 25, 16, 1), (2, 1, 16, 1), (1, 1, 2, 1)],
}
QUEUES = [
    ("slow", ""),
    ("slow", "layer_conv1.exit"),
    ("slow", "layer_conv2.exit"),
    ("slow", "layer_fc1.exit"),
    ("pool", ""),
    ("pool", "layer_conv2.exit"),
    ("pool", "pool_pool2.position"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("busy", "shorter"), QUEUES)
def test_a_queue_a_word_shorter_holds_up_the_lenet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy: str, shorter: str
) -> None:
    need("verilator")
    network = load(LENET)
    layers = [
        LayerFolding(name=layer.name, rows=rows, cols=cols, lanes=lanes, planes=planes)
        for layer, (rows, cols, lanes, planes) in zip(network.weighted, BUSY[busy], strict=True)
    ]

    def made(*sizes: Any) -> Iterator[Queue]:
        for queue in queues(*sizes):
            assert queue.name != shorter or queue.depth > 2
            less = int(queue.name == shorter)
            yield dataclasses.replace(queue, depth=queue.depth - less)

    monkeypatch.setattr("bnnhw.rtl.core.queues", made)
    generate(network, tmp_path / "b", folding=Folding(layers=tuple(layers)), vectors=0)
    result = simulate(tmp_path / "b", simulator="verilator", vectors=20)
    assert result.mismatch is None and not result.violation
    assert all(held <= depth for held, depth in result.queues.values())
    assert result.interval_cycles is not None
    if shorter:
        assert result.interval_cycles > result.interval
    else:
        assert result.interval_cycles == result.interval


@pytest.mark.slow
@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_the_kept_lenet_is_exact(tmp_path: Path, simulator: str, stall: float) -> None:
    need(simulator)
    generate(LENET, tmp_path / "b", vectors=0)
    images = 8 if simulator == "icarus" else 200
    result = simulate(
        tmp_path / "b", simulator=simulator, vectors=images if stall == 0 else images // 4,
        stall_in=stall, stall_out=stall,
    )  # fmt: skip
    assert result.failure == ""
