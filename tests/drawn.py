"""Networks of maps and their foldings, drawn at random, for the long tests."""

import contextlib
import dataclasses
import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from networks import random_conv_network

from bnnhw.dataflow import at_once, least_cycles
from bnnhw.errors import InputError
from bnnhw.folding import Folding, LayerFolding
from bnnhw.layers import Conv, Layer
from bnnhw.network import Network
from bnnhw.proposal import balanced

__all__ = ["drawing", "drawn_foldings", "drawn_networks", "stalls"]

MOST = 40  # of any size
stalls = st.sampled_from([0.0, 0.0, 0.1, 0.5, 0.9])


def drawing(usual: int, soak: int) -> settings:
    """How many are drawn, more for `make soak`, and however long each takes."""
    count = soak if os.environ.get("BNNHW_SOAK") else usual
    return settings(
        deadline=None, max_examples=count, suppress_health_check=list(HealthCheck), print_blob=True
    )


@st.composite
def drawn_networks(draw: st.DrawFn, values: int) -> Network:
    """Up to four convolutions and poolings, of at most so many values a map, then a vector and
    scores; or the map itself is the result."""
    sizes = st.integers(1, MOST)
    high, wide, channels = draw(sizes), draw(sizes), draw(sizes)
    while high * wide * channels > values:
        high, wide, channels = (high + 1) // 2, (wide + 1) // 2, (channels + 1) // 2
    shape = high, wide, channels
    stages: list[tuple[str, int, int, int, int]] = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["conv", "conv", "pool"]))
        kernel, stride = draw(st.integers(1, 6)), draw(st.integers(1, 4))
        padding = draw(st.integers(0, kernel - 1)) if kind == "conv" else 0
        stages.append((kind, draw(sizes), kernel, stride, padding))
    bits, seed = draw(st.integers(1, 8)), draw(st.integers(0, 99))
    if not any(kind == "conv" for kind, *_ in stages):
        bits = 1  # poolings take bits
    for upto in range(len(stages), 0, -1):
        try:
            network = random_conv_network(
                shape, stages[:upto], bits=bits if stages[0][0] == "conv" else 1,
                classes=draw(st.integers(1, 12)), seed=seed,
            )  # fmt: skip
        except InputError:  # a window that does not fit
            continue
        if draw(st.booleans()) and isinstance(network.layers[-3], Conv):
            return dataclasses.replace(network, layers=network.layers[:-2])
        return network
    return random_conv_network((5, 4, 2), [("conv", 3, 2, 1, 0)], bits=bits, seed=seed)


@st.composite
def drawn_foldings(draw: st.DrawFn, network: Network, cycles: int, lanes: int) -> Folding:
    """Of any sizes, if it takes at most so many cycles a sample and lanes in all; else what is
    proposed for as many cycles, or as few more as will do."""
    layers = [draw(_layer_foldings(network, layer)) for layer in network.weighted]
    folding = Folding(layers=tuple(layers), pixels_per_beat=draw(st.none() | st.integers(1, MOST)))
    if _lanes(network, folding) <= lanes and folding.interval(network) <= cycles:
        return folding
    each, interval = draw(st.integers(1, MOST)), max(least_cycles(network), cycles)
    while True:
        with contextlib.suppress(InputError):
            folding = balanced(network, interval, lanes=each)
            if _lanes(network, folding) <= lanes or interval > 64 * cycles:
                return folding
        interval += interval // 4


@st.composite
def _layer_foldings(draw: st.DrawFn, network: Network, layer: Layer) -> LayerFolding:
    planes = [p for p in (1, 2, 4, 8) if p == 1 or p < 2 * layer.input_bits]
    last = layer is network.layers[-1]
    counts = at_once(layer.window, even=last) if isinstance(layer, Conv) else [1]
    return LayerFolding(
        name=layer.name,
        rows=draw(st.integers(1, min(MOST, layer.neurons + 2))),
        cols=draw(st.integers(1, 6)),
        lanes=draw(st.integers(1, MOST)),
        planes=draw(st.sampled_from(planes)),
        positions=draw(st.sampled_from(counts)),
        band=draw(st.integers(1, 4)),
    )


def _lanes(network: Network, folding: Folding) -> int:
    return sum(f.positions * f.rows * f.simd * f.planes for _, f in folding.pairs(network))
