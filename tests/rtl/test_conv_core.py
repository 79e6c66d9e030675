# amaranth: UnusedElaboratable=no
"""Convolutions, poolings and flattenings in the Amaranth simulator: golden's beats, in time."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import random_conv_network
from rtl_bench import Stalls, beats_of, expected, run_core

from bnnhw.dataflow import at_once
from bnnhw.errors import InputError
from bnnhw.folding import Folding, LayerFolding
from bnnhw.layers import Conv, Output
from bnnhw.maps import Flatten, Pool
from bnnhw.network import Network
from bnnhw.rtl.core import Core
from bnnhw.synthetic import bits_input
from bnnhw.vectors import random_vectors
from bnnhw.window import Window

Stages = list[tuple[str, int, int, int, int]]


def folded(network: Network, seed: int, pixels: int | None = None) -> Folding:
    """Grids of any size, for as many positions as may be."""
    rng = np.random.default_rng(seed)
    layers = []
    for layer in network.weighted:
        planes = [p for p in (1, 2, 4, 8) if p == 1 or p < 2 * layer.input_bits]
        rows, cols, lanes = (int(rng.integers(1, most)) for most in (layer.neurons + 2, 4, 9))
        last = layer is network.layers[-1]
        counts = at_once(layer.window, even=last) if isinstance(layer, Conv) else [1]
        layers.append(
            LayerFolding(name=layer.name, rows=rows, cols=cols, lanes=lanes,
                         planes=int(rng.choice(planes)), positions=int(rng.choice(counts)))
        )  # fmt: skip
    return Folding(layers=tuple(layers), pixels_per_beat=pixels)


def check(
    network: Network, folding: Folding, output: str, images: int, stall: float = 0.0
) -> list[int]:
    """Every beat is golden's; the cycles in which they were taken."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, network.input.top + 1, (images, network.input.size)).astype(np.uint8)
    x[0] = network.input.top
    wanted = expected(network, folding, x, output)
    beats = [beat for image in x for beat in beats_of(network, folding, image)]
    run = run_core(
        network, folding, beats, output, results=len(wanted), stall_in=Stalls(stall, seed=1),
        stall_out=Stalls(stall, burst=30, seed=2),
    )  # fmt: skip
    assert run.beats == wanted and not run.frame_error
    return run.taken


NETWORKS: dict[str, tuple[tuple[int, int, int], Stages]] = {
    "one channel": ((8, 7, 1), [("conv", 6, 3, 1, 1), ("pool", 0, 2, 2, 0), ("conv", 5, 2, 1, 0)]),
    "strides": ((9, 9, 3), [("conv", 4, 3, 2, 0), ("conv", 7, 2, 2, 1)]),
    "pools that overlap": ((7, 8, 2), [("conv", 6, 2, 1, 0), ("pool", 0, 3, 1, 0)]),
    "pools that leave lines over": ((8, 8, 4), [("conv", 9, 3, 1, 1), ("pool", 0, 3, 3, 0)]),
    "one position": ((3, 3, 5), [("conv", 9, 3, 1, 0)]),
    "padding wider than a step": ((5, 5, 4), [("conv", 6, 4, 3, 3)]),
}


@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("bits", [1, 4])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_equal_golden(name: str, bits: int, stall: float) -> None:
    shape, stages = NETWORKS[name]
    network = random_conv_network(shape, stages, bits=bits, seed=bits)
    seed = int(bits > 1) ^ int(stall > 0)
    check(network, folded(network, seed), "scores" if seed else "class", 3, stall)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_image_comes_when_the_slowest_stage_is_done_with_it(name: str) -> None:
    shape, stages = NETWORKS[name]
    network = random_conv_network(shape, stages, bits=4, seed=5)
    for seed in range(2):
        folding = folded(network, seed)
        taken = check(network, folding, "class", 6)
        assert np.diff(taken)[-3:].tolist() == [folding.interval(network)] * 3


def test_stages_that_are_all_busy_do_not_hold_each_other_up() -> None:
    """Convolution, pooling and dense layer without a cycle to spare; a pooling gives in bursts."""
    rng = np.random.default_rng(0)

    def bits(*shape: int) -> np.ndarray:
        return rng.integers(0, 2, shape).astype(np.uint8)

    seen, pooled = (
        Window(shape=(6, 6, 2), kernel=(3, 3)),
        Window(shape=(4, 4, 8), kernel=(2, 2), stride=(2, 2)),
    )
    threshold = rng.integers(7, 12, 8).astype(np.int32)
    layers = (
        Conv(name="conv", weight=bits(8, 18), input_bits=1, threshold=threshold, window=seen),
        Pool(name="pool", window=pooled, pool_and=bits(8)),
        Flatten(name="flat", shape=(2, 2, 8)),
        Output(name="out", weight=bits(2, 32), input_bits=1, scale=np.ones(2, np.int16),
               bias=np.zeros(2, np.int32)),
    )  # fmt: skip
    network = Network(input=bits_input((6, 6, 2), 1), layers=layers)
    folding = Folding(
        layers=(
            LayerFolding(name="conv", rows=2, cols=2, lanes=9),
            LayerFolding(name="out", rows=1, cols=1, lanes=1),
        )
    )
    assert [one.words for one in folding.map_words(network)] == [36, 64, 32]
    assert [one.columns is not None for one in folding.map_words(network)] == [True, False, False]
    taken = check(network, folding, "class", 8)
    assert np.diff(taken)[-4:].tolist() == [64] * 4 == [folding.interval(network)] * 4


@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("name", NETWORKS)
def test_windows_that_come_whole_equal_golden(name: str, stall: float) -> None:
    shape, stages = NETWORKS[name]
    network = random_conv_network(shape, stages, bits=3, seed=7)
    layers = [
        LayerFolding(name=layer.name, rows=layer.neurons, cols=2, lanes=-(-layer.inputs // 2),
                     planes=4 if layer.input_bits > 1 else 1)
        for layer in network.weighted
    ]  # fmt: skip
    folding = Folding(layers=tuple(layers), pixels_per_beat=8)
    words = folding.map_words(network)
    assert any(one.columns for one in words) or name == "one position"
    taken = check(network, folding, "class", 6, stall)
    if not stall:
        assert np.diff(taken)[-3:].tolist() == [folding.interval(network)] * 3


@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_a_network_may_end_in_a_map(stall: float) -> None:
    whole = random_conv_network((6, 5, 3), [("conv", 7, 2, 2, 1), ("conv", 5, 2, 1, 0)], bits=2)
    for layers in (whole.layers[:1], whole.layers[:2]):
        network = dataclasses.replace(whole, layers=layers)
        check(network, folded(network, 3), "bits", 3, stall)
    network = dataclasses.replace(whole, layers=whole.layers[:3])
    with pytest.raises(InputError, match="the last layer, flat, has no weights"):
        Core(network, folded(network, 0), "bits")


@pytest.mark.parametrize("name", NETWORKS)
def test_frames_of_another_length_give_nothing_and_harm_no_other(name: str) -> None:
    shape, stages = NETWORKS[name]
    network = random_conv_network(shape, stages, bits=4, seed=6)
    folding = folded(network, 1)
    x = random_vectors(network, 5, 0)
    frames = [beats_of(network, folding, image) for image in x]
    whole = len(frames[0])
    noise = [(beat * 7 % 16, 0) for beat in range(whole + 9)]
    short, long = [*noise[: whole // 2], (3, 1)], [*noise, (5, 1)]
    bad = [long, short, [(1, 1)]]
    given = [*bad[0], *frames[0], *bad[1], *bad[2], *frames[1], *frames[2], *bad[1], *bad[0],
             *bad[0], *bad[1], *bad[1], *bad[1], *frames[3], *frames[4], *bad[2]]  # fmt: skip
    wanted = expected(network, folding, x, "scores")
    for stall in (0.0, 0.5):
        run = run_core(
            network, folding, given, "scores", results=len(wanted), stall_in=Stalls(stall, seed=1),
            stall_out=Stalls(stall, burst=30, seed=2), idle=folding.interval(network) + 300,
        )  # fmt: skip
        assert run.beats == wanted and run.frame_error


@st.composite
def networks(draw: st.DrawFn) -> Network:
    shape = draw(st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(1, 5)))
    stages: Stages = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["conv", "conv", "pool"] if stages else ["conv"]))
        kernel, stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        padding = draw(st.integers(0, kernel - 1)) if kind == "conv" else 0
        stages.append((kind, draw(st.integers(1, 9)), kernel, stride, padding))
    bits = draw(st.integers(1, 8))
    for count in range(len(stages), 0, -1):
        try:
            return random_conv_network(shape, stages[:count], bits=bits, seed=count)
        except InputError:  # a window that does not fit
            continue
    return random_conv_network((3, 3, 2), [("conv", 2, 2, 1, 0)], bits=bits)


@settings(deadline=None, max_examples=10)
@given(network=networks(), seed=st.integers(0, 9), stall=st.sampled_from([0.0, 0.5]))
def test_any_network_equals_golden(network: Network, seed: int, stall: float) -> None:
    assert any(isinstance(layer, Conv) for layer in network.layers)
    check(network, folded(network, seed, pixels=seed + 1), "scores", 2, stall)
