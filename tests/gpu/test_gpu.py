"""The kernels on the GPU itself: `pytest -m gpu`."""

import functools

import numpy as np
import numpy.typing as npt
import pytest
import torch
from networks import random_conv_network, random_network

from bnnhw.errors import ToolError
from bnnhw.golden import evaluate
from bnnhw.network import Network
from bnnhw.sw.cuda.gpu import Gpu
from bnnhw.sw.cuda.network import CudaNetwork
from bnnhw.sw.layout import Tiled, in_tiles
from bnnhw.sw.native import NativeNetwork
from bnnhw.synthetic import random_mlp
from bnnhw.vectors import random_vectors

pytestmark = pytest.mark.gpu
SIZES = (1, 31, 32, 33, 63, 64, 65, 100, 1000, 4097)
BATCHES = (1, 3, 64, 1000)


@pytest.fixture(scope="module", params=["wgmma", "mma"])
def product(request: pytest.FixtureRequest) -> str:
    if request.param == "wgmma" and Gpu().architecture.product != "wgmma":
        pytest.skip("this GPU has no wgmma")
    return str(request.param)


Case = tuple[Network, dict[int, npt.NDArray[np.integer]]]


def is_golden(network: Network, product: str, count: int) -> bool:
    x = random_vectors(network, count, count)
    return np.array_equal(CudaNetwork(network, product=product).run(x), expected(network, x))


def expected(network: Network, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.integer]:
    trace = evaluate(network, x)
    return trace.bits[-1] if trace.scores is None else trace.scores


@functools.cache  # golden takes longer than both products together
def layer_and_results(inputs: int, neurons: int, bits: int, gives: str) -> Case:
    network = random_network((inputs, neurons), bits=bits, gives=gives, seed=neurons)
    return network, {n: expected(network, random_vectors(network, n, n)) for n in BATCHES}


@pytest.mark.parametrize("bits", [1, 8])
@pytest.mark.parametrize("inputs", SIZES)
def test_sizes_around_words_and_tiles_equal_golden(product: str, bits: int, inputs: int) -> None:
    for neurons in SIZES:
        for gives in ("bits", "scores"):
            network, wanted = layer_and_results(inputs, neurons, bits, gives)
            runner = CudaNetwork(network, product=product)
            for count, results in wanted.items():
                assert np.array_equal(runner.run(random_vectors(network, count, count)), results)


@pytest.mark.parametrize("width", [256, 1024, 4096])
@pytest.mark.parametrize("bits", [1, 8])
def test_the_papers_mlps_equal_golden_and_the_cpu(product: str, bits: int, width: int) -> None:
    network = random_mlp((784, width, width, width, 10), input_bits=bits)
    assert is_golden(network, product, 300)
    x = random_vectors(network, 10_000, 0)
    assert np.array_equal(
        CudaNetwork(network, product=product).run(x), NativeNetwork(network).run(x)
    )


def test_convolutions_equal_golden(product: str) -> None:
    stages = [("conv", 70, 3, 1, 1), ("pool", 0, 2, 2, 0), ("conv", 140, 3, 1, 0)]
    for shape, bits in (((28, 28, 1), 8), ((32, 32, 3), 8), ((12, 9, 40), 1)):
        assert is_golden(random_conv_network(shape, stages, bits=bits), product, 50)


@pytest.mark.parametrize("count", [1, 300])
def test_a_cuda_graph_replays_the_network(count: int) -> None:
    network = random_mlp((784, 256, 256, 10), input_bits=8)
    runner = CudaNetwork(network)
    x = random_vectors(network, count, 0)
    given = runner.load(x)
    runner.forward(given)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        scores = runner.forward(given)
    for seed in (1, 2):
        x = random_vectors(network, count, seed)
        given.values.copy_(torch.from_numpy(x))
        graph.replay()
        wanted = evaluate(network, x).scores
        assert wanted is not None and np.array_equal(scores.cpu().numpy(), wanted)


def test_torch_takes_a_layer_as_an_operator() -> None:
    from bnnhw.sw.cuda import op  # noqa: F401 - registers it

    network = random_network((300, 256, 140), gives="bits")
    x = random_vectors(network, 50, 0)
    runner = CudaNetwork(network)
    maps = runner.load(x)
    values, ones = maps.values.view(50, -1), maps.ones.view(50, -1)

    def layers(values: torch.Tensor, ones: torch.Tensor) -> torch.Tensor:
        for weights, limit in held:
            values, ones = torch.ops.bnnhw.binary_dense(values, ones, weights, limit)
        return values

    held = [
        tuple(torch.from_numpy(v.view(np.int32)).cuda() for v in (one.weights, one.limit))
        for one in in_tiles(network)
        if isinstance(one, Tiled)
    ]
    wanted = runner.forward(maps)
    assert torch.equal(layers(values, ones), wanted)
    assert torch.equal(torch.compile(layers, fullgraph=True)(values, ones), wanted)


def test_a_full_device_is_one_line() -> None:
    runner = CudaNetwork(random_network((784, 256, 10), bits=8))
    free, _ = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction(0.01)
    try:
        with pytest.raises(ToolError, match="the GPU has no memory for it; run fewer samples"):
            runner.load(np.zeros((free // 784 // 20, 784), np.uint8))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
