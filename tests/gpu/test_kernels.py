"""The CUDA kernels' own source, emulated: every index, barrier and wait, with golden's results."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from emulation import Emulated
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import network_of_ends, random_conv_network, random_network

from bnnhw.golden import evaluate
from bnnhw.layers import Dense
from bnnhw.network import Network
from bnnhw.sw.cuda.network import FEW, CudaNetwork
from bnnhw.sw.cuda.opponents import PaperNetwork, TorchNetwork, torch_product
from bnnhw.sw.layout import packed_words
from bnnhw.vectors import random_vectors

SIZES = (1, 31, 32, 33, 63, 64, 65, 100, 1000, 4097)
EARLY: dict[str, tuple[str, ...]] = {
    "all late": (),
    "copies early": ("copies",),
    "multiplications early": ("multiplications",),
    "all early": ("copies", "multiplications"),
}
products = pytest.mark.parametrize("product", ["mma", "wgmma"])
Make = Callable[..., Emulated]


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Make:
    folder = tmp_path_factory.mktemp("emulation")
    return lambda **options: Emulated(folder, **options)


def is_golden(network: Network, machine: Emulated, count: int) -> bool:
    x = random_vectors(network, count, count)
    trace = evaluate(network, x)
    wanted = trace.bits[-1] if trace.scores is None else trace.scores
    return np.array_equal(CudaNetwork(network, machine=machine).run(x), wanted)


@products
@pytest.mark.parametrize("bits", [1, 8])
@pytest.mark.parametrize(
    "inputs", [*SIZES[:-2], *(pytest.param(n, marks=pytest.mark.slow) for n in SIZES[-2:])]
)
def test_sizes_around_words_and_tiles_equal_golden(
    emulated: Make, product: str, bits: int, inputs: int
) -> None:
    for neurons in SIZES:
        network = random_network((inputs, neurons), bits=bits, gives="bits", seed=neurons)
        machine = emulated(product=product)
        assert is_golden(network, machine, 3), neurons
        assert machine.launched[-1] == f"{product}_{'bits' if bits == 1 else 'bytes'}"


@products
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("early", EARLY.values(), ids=EARLY)
def test_tiles_one_after_the_other_equal_golden_whatever_is_early(
    emulated: Make, product: str, early: tuple[str, ...], backwards: bool
) -> None:
    """Three stages of the sum and four tiles, with fewer blocks than tiles and with more."""
    for bits, inputs, blocks in ((1, 2100, 1), (8, 300, 3), (1, 100, 8)):
        network = random_network((inputs, 300, 10), bits=bits)
        machine = emulated(product=product, early=early, backwards=backwards, blocks=blocks)
        assert is_golden(network, machine, 140)


@pytest.mark.parametrize("stages", [2, 3])
def test_fewer_stages_equal_golden(emulated: Make, stages: int) -> None:
    for early in ((), ("copies",)):
        machine = emulated(product="mma", stages=stages, early=early)
        assert is_golden(random_network((2100, 200, 10)), machine, 20)


@products
def test_sums_and_thresholds_at_their_ends_equal_golden(emulated: Make, product: str) -> None:
    for inputs, bits in ((784, 8), (4096, 1)):
        edges = network_of_ends(inputs, bits)
        corners = np.array([[0], [edges.input.top]], np.uint8).repeat(inputs, axis=1)
        wanted = evaluate(edges, corners).bits[-1]
        found = CudaNetwork(edges, machine=emulated(product=product)).run(corners)
        assert np.array_equal(found, wanted)
        assert is_golden(edges, emulated(product=product), 20)


CONVOLUTIONS = {
    "an image of few channels": ((9, 8, 3), [("conv", 17, 3, 1, 1), ("pool", 0, 2, 2, 0)]),
    "a word and a bit": ((6, 7, 33), [("conv", 40, 3, 2, 1), ("conv", 7, 2, 1, 0)]),
    "more than a group": ((4, 4, 130), [("conv", 140, 2, 1, 1), ("pool", 0, 2, 1, 0)]),
    "padding wider than a step": ((5, 5, 8), [("conv", 31, 4, 3, 3), ("conv", 32, 2, 1, 1)]),
    "one position": ((3, 3, 5), [("conv", 9, 3, 1, 0)]),
    "a pooling first": ((8, 6, 40), [("pool", 0, 2, 2, 0), ("conv", 9, 2, 1, 0)]),
}


@products
@pytest.mark.parametrize("bits", [1, 8])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_equal_golden(emulated: Make, product: str, bits: int, name: str) -> None:
    shape, stages = CONVOLUTIONS[name]
    if bits > 1 and stages[0][0] == "pool":
        return  # pools are of bits
    network = random_conv_network(shape, stages, bits=bits, seed=bits)
    for count in (1, 20):
        assert is_golden(network, emulated(product=product), count)


@pytest.mark.parametrize("count", [1, 3, FEW])
@pytest.mark.parametrize("bits", [1, 8])
def test_a_few_samples_go_through_in_one_launch(emulated: Make, bits: int, count: int) -> None:
    """Several blocks meet between layers; the second run finds their counter where it was left."""
    network = random_network((784, 300, 140, 1000, 40), bits=bits)
    machine = emulated(blocks=5)
    runner = CudaNetwork(network, machine=machine)
    for seed in (0, 1):
        x = random_vectors(network, count, seed)
        wanted = evaluate(network, x).scores
        assert wanted is not None and np.array_equal(runner.run(x), wanted)
    kernel = "few_1" if count == 1 else "few_8"
    assert machine.launched == 2 * [*(["pack_bits"] if bits == 1 else []), kernel]


@settings(deadline=None, max_examples=25)
@given(
    sizes=st.lists(st.integers(1, 300), min_size=2, max_size=5),
    bits=st.integers(1, 8),
    count=st.integers(1, 140),
    machine=st.fixed_dictionaries(
        {"product": st.sampled_from(["mma", "wgmma"]), "early": st.sampled_from([*EARLY.values()])}
    ),
)
def test_any_network_equals_golden(
    emulated: Make, sizes: list[int], bits: int, count: int, machine: dict[str, Any]
) -> None:
    assert is_golden(random_network(sizes, bits=bits), emulated(**machine), count)


# A fault in the kernels, and what shows it: "mma", "wgmma" or a few samples.
FAULTS = {
    "mma reads a stage too soon": ("copies_wait<STAGES - 2>()", "copies_wait<STAGES - 1>()", "mma"),
    "mma writes over a stage": ("turn + STAGES - 1) % STAGES", "turn) % STAGES", "mma"),
    "mma has no barrier": ("__syncthreads();\n            copy_stage", "copy_stage", "mma"),
    "mma takes the other half": ("2 * k + lane / 8 % 2", "2 * k + lane / 16", "mma"),
    "wgmma reads a stage too soon": (
        "copies_wait<STAGES - 3>()", "copies_wait<STAGES - 2>()", "wgmma",
    ),
    "wgmma writes over a stage": ("group_wait<1>()", "group_wait<2>()", "wgmma"),
    "wgmma has no barrier": ("__syncthreads();\n            const u32 rows", "const u32 rows",
                             "wgmma"),
    "wgmma gives sums too soon": ("group_done(c);", "", "wgmma"),
    "wgmma multiplies one group's rows": ("warp / 4 * 64 * LINE", "0", "wgmma"),
    "wgmma adds to the last tile": ("step || k", "true", "wgmma"),
    "rows lie in other places": ("chunk ^ (row % 8)", "chunk ^ (row % 4)", "wgmma"),
    "a limit is one off": ("two.x + half", "two.x + half + 1", "mma"),
    "ones are not counted": ("ones[half] = ones_of", "ones[half] = 0 * ones_of", "wgmma"),
    "a row's end is not zeros": ("there = at < l.chunks", "there = true", "mma"),
    "blocks do not meet": ("all_blocks(arrived);", "", "few"),
    "a few neurons swap": ("word % 4 * 2 + bit % 2", "word % 4 * 2 + 1 - bit % 2", "few"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_kernels_shows(emulated: Make, name: str) -> None:
    old, new, product = FAULTS[name]
    network = random_network((2100, 300, 10))
    few = product == "few"
    given: dict[str, Any] = {"product": "mma" if few else product, "blocks": 2 if few else 1}

    def shows(early: tuple[str, ...], backwards: bool, **options: Any) -> bool:
        machine = emulated(early=early, backwards=backwards, **given, **options)
        return not is_golden(network, machine, 2 if few else 130)

    runs = [(early, backwards) for early in EARLY.values() for backwards in (False, True)]
    assert any(shows(*run, changed=(old, new)) for run in runs)


@pytest.mark.parametrize(("rows", "inputs", "cols"), [(1, 1, 1), (17, 33, 40), (33, 100, 16)])
def test_the_papers_kernels_multiply(emulated: Make, rows: int, inputs: int, cols: int) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2, shape, np.uint8) for shape in ((rows, inputs), (cols, inputs)))
    signs = [torch.from_numpy(v * np.float32(2) - 1) for v in (a, b)]
    wanted = signs[0] @ signs[1].T
    machine = emulated()
    blocks = (-(-cols // 16), -(-rows // 16))
    found = torch.full((rows, cols), torch.nan)
    right = signs[1].T.contiguous()
    machine.launch("float_product", blocks, (16, 16), [signs[0], right, found, rows, inputs, cols])
    assert torch.equal(found, wanted)
    words = [torch.from_numpy(packed_words(v).view(np.int32)) for v in (a, b)]
    sizes = (rows, words[0].shape[1], cols, inputs)
    found, right = torch.full((rows, cols), torch.nan), words[1].T.contiguous()
    machine.launch("xnor_product", blocks, (16, 16), [words[0], right, found, *sizes])
    assert torch.equal(found, wanted)


@pytest.mark.parametrize(("rows", "inputs"), [(1, 1), (130, 1000), (64, 352), (3, 128)])
def test_popcounts_on_prefixes_equal_golden(emulated: Make, rows: int, inputs: int) -> None:
    network = random_network((inputs, 256), gives="bits")
    layer = network.layers[0]
    assert isinstance(layer, Dense)
    x = random_vectors(network, rows, 0)

    def prefixed(bits: npt.NDArray[np.uint8]) -> torch.Tensor:
        words = packed_words(np.pad(bits, ((0, 0), (0, -inputs % 128))))
        values = torch.from_numpy(words.view(np.int32))
        machine.launch("prefixes", (-(-len(bits) // 64), 1), (64, 1), [values, *words.shape])
        return values

    machine = emulated()
    a, w = prefixed(x), prefixed(layer.weight)
    most = torch.from_numpy((inputs - layer.threshold).astype(np.int32))
    out = torch.zeros((rows, 32), dtype=torch.uint8)
    sizes = (rows, a.shape[1], 256)
    machine.launch("popc_bits", (2, -(-rows // 128)), (256, 1), [a, w, most, out, *sizes])
    found = np.unpackbits(out.numpy(), axis=1, bitorder="little")
    assert np.array_equal(found, evaluate(network, x).bits[-1])


@pytest.mark.parametrize("xnor", [False, True])
@pytest.mark.parametrize("bits", [1, 8])
def test_the_papers_networks_give_goldens_scores(emulated: Make, bits: int, xnor: bool) -> None:
    network = random_network((50, 33, 64, 10), bits=bits)
    x = random_vectors(network, 20, 0)
    paper = PaperNetwork(network, emulated(), xnor=xnor)
    assert np.array_equal(paper.run(paper.load(x)).numpy(), evaluate(network, x).scores)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["float32", "int8"])
@pytest.mark.parametrize("bits", [1, 8])
def test_torch_in_exact_formats_gives_goldens_scores(kind: str, bits: int) -> None:
    network = random_network((64, 32, 64, 16), bits=bits)
    x = random_vectors(network, 32, 0)
    opponent = TorchNetwork(network, kind, "cpu")
    found = opponent._run(opponent.load(x))
    assert np.array_equal(found.numpy(), evaluate(network, x).scores)  # type: ignore[arg-type]
    product = torch_product(kind, x % 2, network.dense[0].weight, "cpu")()
    assert torch.equal(
        product.long(),
        torch.from_numpy(x % 2 * 2.0 - 1).long()
        @ torch.from_numpy(network.dense[0].weight * 2.0 - 1).long().T,
    )


def test_torch_in_bfloat16_gives_nearly_goldens_scores() -> None:
    network = random_network((64, 32, 16))
    x = random_vectors(network, 100, 0)
    opponent = TorchNetwork(network, "bfloat16", "cpu")
    found = opponent._run(opponent.load(x)).argmax(dim=1).numpy()
    assert np.mean(found == evaluate(network, x).classes) > 0.9
