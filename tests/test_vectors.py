"""Edge vectors sit where they say, and any one flipped bit shows in them."""

import dataclasses

import numpy as np
import pytest

from bnnhw.golden import evaluate, layer_sums
from bnnhw.input_format import InputFormat
from bnnhw.layers import Dense, Output
from bnnhw.network import Network
from bnnhw.vectors import edge_vectors, random_vectors

SIZES = [(1, 1), (2, 3), (17, 5), (64, 8), (100, 17)]


def form(K: int, bits: int) -> InputFormat:
    if bits == 1:
        return InputFormat(shape=(K,), bits=1, threshold=1)
    return InputFormat(shape=(K,), bits=bits, lo=0, hi=(1 << bits) - 1)


def single(K: int, M: int, bits: int, seed: int) -> Network:
    """One hidden layer with thresholds all over the range, both ends included."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(0, 2, (M, K), np.uint8)
    reach = ((1 << bits) - 1) * K
    low = 0 if bits == 1 else -reach
    threshold = rng.integers(low, reach + 1, M, np.int32, endpoint=True)
    layer = Dense(name="fc1", weight=weight, input_bits=bits, threshold=threshold)
    return Network(input=form(K, bits), layers=(layer,))


@pytest.mark.parametrize("bits", [1, 2, 8])
@pytest.mark.parametrize(("K", "M"), SIZES)
def test_every_reachable_threshold_is_met_once_exactly_and_once_by_one_less(
    K: int, M: int, bits: int
) -> None:
    network = single(K, M, bits, seed=K + bits)
    layer = network.dense[0]
    assert isinstance(layer, Dense)
    x = edge_vectors(network, 0)
    assert not x[0].any() and (x[1] == network.input.top).all()
    low, high = layer.sum_limits
    if bits == 1:
        low, high = np.zeros(M, np.int64), np.full(M, K)
    met = [j for j in range(M) if low[j] < layer.threshold[j] <= high[j]]
    assert x.shape == (2 + 2 * len(met), K)
    sums = layer_sums(layer, x)
    for i, j in enumerate(met):
        a, b = 2 + 2 * i, 3 + 2 * i
        assert sums[a, j] == layer.threshold[j]
        assert sums[b, j] == layer.threshold[j] - 1
        assert np.count_nonzero(x[a] != x[b]) == 1


@pytest.mark.parametrize(("K", "M"), SIZES)
def test_any_flipped_weight_of_a_bit_layer_shows(K: int, M: int) -> None:
    network = single(K, M, 1, seed=M)
    layer = network.dense[0]
    assert isinstance(layer, Dense)
    x = edge_vectors(network, 1)
    expected = evaluate(network, x).bits[0]
    for j, t in enumerate(layer.threshold):
        for k in range(K):
            weight = layer.weight.copy()
            weight[j, k] ^= 1
            faulty = dataclasses.replace(layer, weight=weight)
            got = evaluate(dataclasses.replace(network, layers=(faulty,)), x).bits[0]
            assert np.array_equal(got, expected) == (not 0 < t <= K)


def test_any_other_threshold_shows() -> None:
    network = single(17, 5, 1, seed=2)
    layer = network.dense[0]
    assert isinstance(layer, Dense)
    x = edge_vectors(network, 1)
    sums = layer_sums(layer, x)
    for j, t in enumerate(layer.threshold.tolist()):
        if 0 < t <= 17:
            for other in set(range(-64, 64)) - {t}:
                assert ((sums[:, j] >= other) != (sums[:, j] >= t)).any()


def test_ties_between_classes_are_found_where_there_are_any() -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 2, (4, 9), np.uint8)
    layer = Output(name="fc1", weight=weight, scale=np.ones(4, int), bias=np.zeros(4, int))
    network = Network(input=form(9, 1), layers=(layer,))
    scores = evaluate(network, edge_vectors(network, 0)[2:]).scores
    assert scores is not None and len(scores) == 16
    assert all((row == row.max()).sum() > 1 for row in scores)


def test_vectors_depend_on_the_seed_and_on_nothing_else() -> None:
    network = single(17, 5, 8, seed=2)
    assert np.array_equal(edge_vectors(network, 3), edge_vectors(network, 3))
    assert not np.array_equal(edge_vectors(network, 3), edge_vectors(network, 4))
    x = random_vectors(network, 50, 3)
    assert x.shape == (50, 17) and x.dtype == np.uint8 and x.max() > 200
