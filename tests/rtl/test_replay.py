# amaranth: UnusedElaboratable=no
"""The replay buffer, as a core has it: words are parts of SIMD, each column writes its own."""

import dataclasses
import itertools

import numpy as np
import numpy.typing as npt
import pytest
from networks import random_network
from rtl_bench import Beat, Stalls, beats_of, expected, run_core

from bnnhw.folding import Folding, LayerFolding
from bnnhw.network import Network
from bnnhw.rtl.core import Core
from bnnhw.timing import network_latency


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer of K inputs before one of 3 neurons: its grid, and in how many parts SIMD comes."""

    K: int
    bits: int
    pixels: int
    cols: int
    lanes: int
    parts: int
    planes: int = 1
    rows: int = 2

    def made(self) -> tuple[Network, Folding]:
        network = random_network([self.K, 5, 3], bits=self.bits, seed=self.K)
        first = LayerFolding(
            name="fc1", rows=self.rows, cols=self.cols, lanes=self.lanes, planes=self.planes
        )
        layers = (first, LayerFolding(name="out", lanes=5))
        return network, Folding(layers=layers, pixels_per_beat=self.pixels)


CASES = {
    "a word is a column": Case(37, 1, 8, 4, 8, 4),
    "a word is collected for a column": Case(37, 3, 1, 4, 4, 4),
    "a word is two columns": Case(85, 1, 16, 6, 8, 3, rows=5),
    "a word is all columns": Case(37, 1, 32, 4, 8, 1, rows=5),
    "a vector is one word": Case(5, 1, 8, 3, 8, 3, rows=5),
    "groups of planes, a word a column": Case(23, 3, 1, 4, 3, 4, planes=2),
    "groups of planes, a word two columns": Case(48, 8, 2, 8, 8, 4),
    "groups of planes, vector in one fold": Case(13, 3, 1, 5, 3, 5, planes=2),
    "widths that do not divide": Case(50, 2, 3, 4, 4, 4, planes=2),
}


def frames(network: Network, folding: Folding) -> tuple[npt.NDArray[np.uint8], list[list[Beat]]]:
    """Images, the first two all ones and the third all zeros, and the beats of each."""
    top, K = network.input.top, network.input.size
    x = np.random.default_rng(K).integers(0, top + 1, (7, K)).astype(np.uint8)
    x[:2], x[2] = top, 0
    return x, [beats_of(network, folding, image) for image in x]


@pytest.mark.parametrize("name", CASES, ids=lambda name: name.replace(" ", "-"))
def test_a_vector_is_read_as_it_came_in_the_cycles_promised(name: str) -> None:
    network, folding = CASES[name].made()
    assert Core(network, folding, "scores").plans[0].parts == CASES[name].parts
    x, beats = frames(network, folding)
    wanted = expected(network, folding, x, "scores")
    given = list(itertools.chain(*beats))
    run = run_core(network, folding, given, "scores", results=len(wanted))
    assert run.beats == wanted
    ends = run.taken[2::3]
    assert ends[0] - run.first_given == network_latency(network, folding, "scores").total
    assert set(np.diff(ends)[3:].tolist()) == {folding.interval(network, "scores")}


@pytest.mark.parametrize("name", CASES, ids=lambda name: name.replace(" ", "-"))
def test_columns_that_a_vector_does_not_reach_hold_zeros_after_any_other(name: str) -> None:
    network, folding = CASES[name].made()
    x, beats = frames(network, folding)
    wanted = expected(network, folding, x, "scores")
    ones = beats[0]
    half = len(ones) // 2
    short = [*ones[: half - 1], (ones[half - 1][0], 1)] if half else []
    given = [beat for frame in beats for beat in [*short, *frame]]
    # With short frames among them; and with a reset in mid-vector, while others are read.
    for reset in (None, (4 * len(ones) + half, 1)):
        run = run_core(
            network, folding, given, "scores", results=len(wanted), reset=reset,
            stall_in=Stalls(0.2, seed=1), stall_out=Stalls(0.5, burst=20, seed=2),
        )  # fmt: skip
        assert run.beats == wanted
