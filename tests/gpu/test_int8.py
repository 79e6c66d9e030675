"""The network in int8, for GPUs that multiply no bits: golden's results, and said to be that."""

import functools
from typing import Any

import numpy as np
import pytest
import torch
from networks import network_of_ends, random_conv_network, random_network

from bnnhw.errors import ToolError
from bnnhw.golden import evaluate
from bnnhw.network import Network
from bnnhw.sw import Runner
from bnnhw.sw.cuda import int8
from bnnhw.sw.cuda.int8 import Int8Network
from bnnhw.vectors import edge_vectors, random_vectors


def assert_equal(network: Network, count: int = 40) -> None:
    x = np.concatenate([edge_vectors(network, 0), random_vectors(network, count, 1)])
    trace = evaluate(network, x)
    wanted = trace.bits[-1] if trace.scores is None else trace.scores
    runner = Int8Network(network, "cpu")
    for part in (slice(None), slice(1), slice(0)):
        found = runner.run(x[part])
        assert found.dtype == wanted.dtype and np.array_equal(found, wanted[part])
    runner._step = 7
    assert np.array_equal(runner.run(x), wanted)


@pytest.mark.parametrize("bits", [1, 3, 7, 8])
@pytest.mark.parametrize("sizes", [(1, 1), (33, 17, 5), (200, 130, 64, 10)], ids=str)
def test_dense_networks_equal_golden(bits: int, sizes: tuple[int, ...]) -> None:
    for gives in ("scores", "bits"):
        assert_equal(random_network(sizes, bits=bits, gives=gives, seed=bits))


@pytest.mark.parametrize(("K", "bits"), [(784, 8), (4096, 8), (5000, 1)])
def test_sums_and_thresholds_at_their_ends_equal_golden(K: int, bits: int) -> None:
    assert_equal(network_of_ends(K, bits))


@pytest.mark.parametrize("bits", [1, 5, 8])
def test_convolutions_equal_golden(bits: int) -> None:
    stages = [("conv", 17, 3, 1, 1), ("pool", 0, 2, 1, 0), ("conv", 8, 2, 2, 1)]
    assert_equal(random_conv_network((7, 6, 3), stages, bits=bits))


def test_a_gpu_without_products_of_bits_takes_int8_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def capability(*_: Any) -> tuple[int, int]:
        return 12, 0

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A GPU")
    monkeypatch.setattr(int8, "Int8Network", functools.partial(Int8Network, device="cpu"))
    network = random_network((20, 16, 4), bits=8)
    runner = Runner(network, "cuda")
    assert (runner.how, runner.device) == ("int8 in torch, A GPU", "A GPU")
    assert capsys.readouterr().err == (
        "tensor cores of compute capability 12.0 (A GPU) multiply no bits: "
        "int8 in torch takes their place\n"
    )
    x = random_vectors(network, 50, 0)
    wanted = evaluate(network, x).scores
    assert wanted is not None and np.array_equal(runner.run_quantized(x).scores, wanted)


def test_memory_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("much")

    runner = Int8Network(random_network((20, 4)), "cpu")
    monkeypatch.setattr(torch, "_int_mm", full)
    with pytest.raises(ToolError, match="the GPU has no memory for it; run fewer samples"):
        runner.run(np.zeros((2, 20), np.uint8))
