"""The comparison of torch with golden meets what it is there for, and sees what differs."""

import dataclasses

import numpy as np
import pytest
import torch

from benchmarks.agreement import CASES, compared, hard_network
from bnnhw.datasets import load
from bnnhw.layers import Dense
from bnnhw.maps import Pool
from bnnhw.training import BinaryNet, export
from bnnhw.training.layers import Block
from bnnhw.training.norm import NORMS

DIGITS = load("digits")
TOPOLOGY = "24C3p1-MP2-32C2-BP2-40"


def hard(bits: int, norm: str) -> BinaryNet:
    form = DIGITS.input_format(bits)
    return hard_network(TOPOLOGY, form, torch.from_numpy(form.quantize(DIGITS.x_train)), norm=norm)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("bits", [1, 4])
def test_most_neurons_go_either_way_and_every_layer_meets_its_thresholds(
    bits: int, norm: str
) -> None:
    model, form = hard(bits, norm), DIGITS.input_format(bits)
    for layer in model.hidden:
        if isinstance(layer, Block):
            gamma = layer.norm.weight
            assert (gamma < 0).any() and (gamma == 0).any() and (gamma > 0).any()
    network = export(model, form)
    pools = [layer for layer in network.layers if isinstance(layer, Pool)]
    assert set(pools[0].pool_and.tolist()) == {0, 1}
    found = compared(model, network, form.quantize(DIGITS.x_test[:200]))
    assert found.differ == 0 and found.images == 200
    assert found.values == 200 * (8 * 8 * 24 + 4 * 4 * 24 + 3 * 3 * 32 + 32 + 32 + 40 + 10)
    assert min(found.ties) > 0 and min(found.lively) > 0.5


def test_one_threshold_that_is_one_off_is_seen() -> None:
    model, form = hard(4, "batch"), DIGITS.input_format(4)
    network = export(model, form)
    conv = network.layers[2]
    assert isinstance(conv, Dense)
    threshold = conv.threshold.copy()
    threshold[2] += 1  # of a neuron with sums exactly on its threshold
    layers = list(network.layers)
    layers[2] = dataclasses.replace(conv, threshold=threshold)
    wrong = dataclasses.replace(network, layers=tuple(layers))
    assert compared(model, wrong, form.quantize(DIGITS.x_test[:100])).differ > 0


def test_every_known_topology_is_compared_on_as_many_images_as_is_said() -> None:
    counts = {(case.topology, case.bits): case.images for case in CASES}
    for bits in (1, 8):
        for topology in ("256-256-256", "lenet", "cnv"):
            assert counts[topology, bits] == 1000
        assert counts["convnet", bits] == 50
    assert np.unique([case.name for case in CASES]).size == len(CASES)
