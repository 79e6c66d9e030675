"""The CPU kernels equal golden to the bit, with every set of instructions there is."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import network_of_ends, random_conv_network, random_network

from bnnhw.errors import InputError, ToolError
from bnnhw.golden import evaluate
from bnnhw.network import Network
from bnnhw.sw import native
from bnnhw.sw.layout import packed_words
from bnnhw.sw.native import ISAS, NativeNetwork, available
from bnnhw.vectors import random_vectors

SIZES = (1, 31, 32, 33, 63, 64, 65, 100, 1000, 4097)
isas = pytest.mark.parametrize("isa", available())


def expected(network: Network, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.integer]:
    trace = evaluate(network, x)
    return trace.bits[-1] if trace.scores is None else trace.scores


def assert_equal(network: Network, isa: str, counts: tuple[int, ...] = (1, 3, 64)) -> None:
    runner = NativeNetwork(network, isa=isa)
    corners = np.array([[0], [network.input.top]], np.uint8).repeat(network.input.size, axis=1)
    for x in (corners, *(random_vectors(network, n, n) for n in counts)):
        found, wanted = runner.run(x), expected(network, x)
        assert found.dtype == wanted.dtype and np.array_equal(found, wanted)


def test_the_kernels_are_built_and_the_fastest_comes_first() -> None:
    assert available()[-1] == "portable"
    assert list(available()) == [isa for isa in ISAS if isa in available()]
    assert NativeNetwork(random_network((4, 2))).isa == available()[0]


@isas
@pytest.mark.parametrize("inputs", SIZES)
@pytest.mark.parametrize("bits", [1, 8])
def test_sizes_around_words_and_groups_equal_golden(isa: str, inputs: int, bits: int) -> None:
    for neurons in SIZES:
        gives = "scores" if neurons % 2 else "bits"
        network = random_network((inputs, neurons), bits=bits, gives=gives, seed=neurons)
        assert_equal(network, isa, (1, 3) if inputs * neurons > 1e5 else (1, 3, 17))


@isas
@pytest.mark.parametrize("bits", range(1, 9))
def test_deep_networks_equal_golden(isa: str, bits: int) -> None:
    assert_equal(random_network((100, 65, 33, 64, 10), bits=bits, seed=bits), isa, (1, 64, 1000))


@isas
def test_sums_at_their_ends_and_thresholds_at_theirs_equal_golden(isa: str) -> None:
    """All that a byte or 16 bits could overflow: 255 times 784 of one sign, 4,096 differences."""
    for inputs, bits in ((784, 8), (4096, 8), (4096, 1), (5000, 1)):
        assert_equal(network_of_ends(inputs, bits), isa)


CONVOLUTIONS = {
    "an image of few channels": ((9, 8, 3), [("conv", 17, 3, 1, 1), ("pool", 0, 2, 2, 0)]),
    "a word and a bit": ((6, 7, 33), [("conv", 40, 3, 2, 1), ("conv", 7, 2, 1, 0)]),
    "padding wider than a step": ((5, 5, 8), [("conv", 31, 4, 3, 3), ("conv", 32, 2, 1, 1)]),
    "overlapping pools": ((8, 8, 2), [("conv", 12, 2, 1, 0), ("pool", 0, 3, 1, 0)]),
    "one position": ((3, 3, 5), [("conv", 9, 3, 1, 0)]),
}


@isas
@pytest.mark.parametrize("bits", [1, 5, 8])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_equal_golden(isa: str, bits: int, name: str) -> None:
    shape, stages = CONVOLUTIONS[name]
    assert_equal(random_conv_network(shape, stages, bits=bits, seed=bits), isa, (1, 3, 20))


def test_bits_may_be_pooled_at_once() -> None:
    for isa in available():
        network = random_conv_network((8, 6, 40), [("pool", 0, 2, 2, 0), ("conv", 9, 2, 1, 0)])
        assert_equal(network, isa)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 150), min_size=2, max_size=5),
    st.integers(1, 8),
    st.integers(1, 40),
    st.integers(0, 999),
)
def test_any_network_equals_golden(sizes: list[int], bits: int, count: int, seed: int) -> None:
    network = random_network(sizes, bits=bits, seed=seed)
    for isa in available():
        assert_equal(network, isa, (count,))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_share_a_batch_and_change_nothing(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "WORTH", 1)
    network = random_network((100, 65, 10), bits=4)
    runner = NativeNetwork(network, threads=threads)
    whole, parts = runner._part, []

    def part(x: npt.NDArray[np.uint8], out: npt.NDArray[np.integer]) -> None:
        parts.append(len(x))
        whole(x, out)

    monkeypatch.setattr(runner, "_part", part)
    for count in (0, 1, 7, 8, 50, 1001):
        x = random_vectors(network, count, count)
        parts.clear()
        assert np.array_equal(runner.run(x), expected(network, x))
        assert sum(parts) == count and len(parts) == max(1, min(threads, count // 8))


def test_little_work_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_network((100, 65, 10), bits=4)
    runner = NativeNetwork(network, threads=2)
    monkeypatch.setattr(runner._pool, "submit", None)
    runner.run(random_vectors(network, 100, 0))


@pytest.mark.parametrize("inputs", [31, 64, 100])
def test_bits_may_come_packed_and_go_packed(inputs: int) -> None:
    network = random_network((inputs, 65, 40), gives="bits")
    x = random_vectors(network, 50, 0)
    for isa in available():
        found = NativeNetwork(network, isa=isa).run_packed(packed_words(x))
        assert np.array_equal(found, packed_words(expected(network, x).astype(np.uint8)))


def test_what_lies_apart_in_memory_is_read_rightly() -> None:
    network = random_network((100, 20, 10), bits=4)
    x = random_vectors(network, 60, 0)
    whole = expected(network, x)
    runner = NativeNetwork(network)
    assert np.array_equal(runner.run(x[::3]), whole[::3])
    assert np.array_equal(runner.run(np.asfortranarray(x)), whole)


def test_without_kernels_or_instructions_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InputError, match=r"isa must be .*portable on this processor, not 'mmx'"):
        NativeNetwork(random_network((4, 2)), isa="mmx")
    monkeypatch.setattr(native, "available", tuple)
    with pytest.raises(ToolError, match="install a C compiler") as raised:
        NativeNetwork(random_network((4, 2)))
    assert "\n" not in str(raised.value)
