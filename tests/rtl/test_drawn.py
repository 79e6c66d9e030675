# amaranth: UnusedElaboratable=no
"""Networks drawn at random in the Amaranth simulator: `make soak` draws ten times as many."""

import numpy as np
import pytest
from drawn import drawing, drawn_foldings, drawn_networks, stalls
from hypothesis import given
from hypothesis import strategies as st
from rtl_bench import Stalls, beats_of, expected, run_core

from bnnhw.network import Network
from bnnhw.vectors import random_vectors


@pytest.mark.slow
@drawing(20, 200)
@given(network=drawn_networks(1500), stall_in=stalls, stall_out=stalls, data=st.data())
def test_any_network_equals_golden(
    network: Network, stall_in: float, stall_out: float, data: st.DataObject
) -> None:
    folding = data.draw(drawn_foldings(network, 300, 200))
    output = "bits" if network.output is None else data.draw(st.sampled_from(["class", "scores"]))
    images = 3 if stall_in or stall_out else 6
    x = random_vectors(network, images, seed=data.draw(st.integers(0, 99)))
    wanted = expected(network, folding, x, output)
    beats = [beat for image in x for beat in beats_of(network, folding, image)]
    run = run_core(
        network, folding, beats, output, results=len(wanted),
        stall_in=Stalls(stall_in, seed=1), stall_out=Stalls(stall_out, burst=30, seed=2),
    )  # fmt: skip
    assert run.beats == wanted and not run.frame_error
    if not (stall_in or stall_out):
        each = len(wanted) // images
        ends = run.taken[each - 1 :: each]
        assert np.diff(ends)[-2:].tolist() == [folding.interval(network, output)] * 2
