"""The network in software: packed bits and float32 equal golden, and what is timed is checked."""

import dataclasses
import re

import numpy as np
import numpy.typing as npt
import pytest
from networks import network_of_ends, random_conv_network, random_network

from bnnhw.errors import ToolError
from bnnhw.golden import evaluate
from bnnhw.layers import Output
from bnnhw.network import Network
from bnnhw.sw import bench
from bnnhw.sw.float32 import FloatNetwork
from bnnhw.sw.native import available
from bnnhw.sw.packed import PackedNetwork
from bnnhw.vectors import edge_vectors, random_vectors


def inputs(network: Network, count: int) -> npt.NDArray[np.uint8]:
    return np.concatenate([edge_vectors(network, 0), random_vectors(network, count, 1)])


def expected(network: Network, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.integer]:
    trace = evaluate(network, x)
    return trace.bits[-1] if trace.scores is None else trace.scores


@pytest.mark.parametrize("gives", ["scores", "bits"])
@pytest.mark.parametrize("sizes", [(1, 1), (64, 3), (65, 9, 4), (200, 130, 64, 5)], ids=str)
@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_packed_bits_equal_golden(bits: int, sizes: tuple[int, ...], gives: str) -> None:
    network = random_network(sizes, bits=bits, gives=gives, seed=bits)
    # 3,000 samples go block by block, one and none all at once.
    for x in (inputs(network, 3000), random_vectors(network, 1, 2), random_vectors(network, 0, 3)):
        found = PackedNetwork(network).run(x)
        assert np.array_equal(found, expected(network, x))
        assert found.dtype == expected(network, x).dtype


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_hidden_bits_in_float32_equal_golden(bits: int) -> None:
    network = random_network((200, 130, 64), bits=bits, gives="bits", seed=bits)
    x = inputs(network, 500)
    floats = FloatNetwork(network)
    signs = np.asarray(floats.run(floats.load(x)))
    assert set(np.unique(signs)) <= {-1.0, 1.0}
    assert np.array_equal(signs > 0, expected(network, x) == 1)


@pytest.mark.parametrize("bits", [1, 8])
@pytest.mark.parametrize("sizes", [(50, 30, 10), (3000, 2000, 10)], ids=str)
def test_scores_in_torch_equal_golden_even_where_float32_cannot_hold_them(
    bits: int, sizes: tuple[int, ...]
) -> None:
    network = random_network(sizes, bits=bits, seed=bits)
    last = network.layers[-1]
    assert isinstance(last, Output)
    last = dataclasses.replace(last, bias=last.bias + (1 << 30) + 1)
    network = dataclasses.replace(network, layers=(*network.layers[:-1], last))
    x = inputs(network, 50)
    floats = FloatNetwork(network)
    assert np.array_equal(np.asarray(floats.run(floats.load(x))), expected(network, x))


@pytest.mark.parametrize(("K", "bits"), [(784, 8), (4096, 8), (1, 1), (64, 1), (5000, 1)])
def test_sums_at_their_ends_and_thresholds_at_theirs_equal_golden(K: int, bits: int) -> None:
    network = network_of_ends(K, bits)
    x, floats = inputs(network, 64), FloatNetwork(network)
    wanted = expected(network, x)
    assert np.array_equal(PackedNetwork(network).run(x), wanted)
    assert np.array_equal(np.asarray(floats.run(floats.load(x))) > 0, wanted == 1)


MAPS = [("conv", 17, 3, 1, 1), ("pool", 0, 2, 1, 0), ("conv", 8, 2, 2, 0)]


@pytest.mark.parametrize("bits", [1, 8])
def test_convolutions_equal_golden(bits: int) -> None:
    network = random_conv_network((7, 6, 3), MAPS, bits=bits)
    x = random_vectors(network, 40, 0)
    floats = FloatNetwork(network)
    packed = PackedNetwork(network)
    packed._step = 7
    for found in (np.asarray(floats.run(floats.load(x))), packed.run(x), packed.run(x[:0])):
        assert np.array_equal(found, expected(network, x[: len(found)]))


def test_measure_times_every_way_at_both_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SHORTEST_S", 0.0)
    timings = [t for t in bench.measure(random_network((20, 8, 3))) if t.one.on == bench.cpu_name()]
    assert [(t.runs, t.weight_bits) for t in timings] == [
        (f"bits, C ({available()[0]})", 1),
        ("bits, numpy", 1),
        ("float32, torch", 32),
    ]
    for timing in timings:
        for record, batch in ((timing.one, 1), (timing.many, 4096)):
            assert (record.kind, record.unit) == ("measured", "s")
            assert record.how.startswith(f"batch {batch}: median of 30 runs after a warm-up")
            assert 0 < float(record.value) < 10
        assert float(timing.many.value) > float(timing.one.value)


@pytest.mark.parametrize("gives", ["scores", "bits"])
def test_nothing_wrong_is_timed(gives: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_network((20, 8, 3), gives=gives)
    run = PackedNetwork.run

    def wrong(self: PackedNetwork, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.integer]:
        result = run(self, x)
        result[0, 0] ^= 1
        return result

    monkeypatch.setattr(PackedNetwork, "run", wrong)
    with pytest.raises(ToolError, match=r"^bits, numpy on .+ gives another result than golden$"):
        bench.measure(network)


@pytest.mark.parametrize(
    ("tick_s", "counted", "warm"), [(0.125, 30, bench.WARM_UP), (4.0, 3, 2), (64.0, 3, 0)]
)
def test_the_median_is_of_at_least_30_runs_but_of_few_that_are_long(
    monkeypatch: pytest.MonkeyPatch, tick_s: float, counted: int, warm: int
) -> None:
    clock = iter(range(1_000_000))
    monkeypatch.setattr("time.perf_counter", lambda: tick_s * next(clock))
    calls: list[None] = []
    seconds, runs = bench._median_s(lambda: calls.append(None))
    assert (seconds, runs) == (tick_s, counted)
    assert len(calls) == counted + warm


def test_networks_are_not_changed_by_running_them() -> None:
    network = random_network((20, 8, 3), bits=4)
    before = dataclasses.replace(network).to_bytes()
    PackedNetwork(network).run(inputs(network, 10))
    assert network.to_bytes() == before


@pytest.mark.gpu
def test_float32_on_a_gpu_equals_golden() -> None:
    network = random_network((200, 130, 64), bits=8, gives="bits")
    x = inputs(network, 500)
    floats = FloatNetwork(network, "cuda")
    assert np.array_equal(floats.run(floats.load(x)).cpu().numpy() > 0, expected(network, x) == 1)
    timings = bench.measure(network)
    runs = [re.sub(r" \(.*", "", timing.runs) for timing in timings]
    assert runs == ["bits, C", "bits, numpy", "float32, torch", "bits, CUDA", "float32, torch"]
    assert timings[4].one.on == timings[3].one.on != timings[2].one.on
