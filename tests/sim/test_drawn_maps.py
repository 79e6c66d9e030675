"""Networks drawn at random through cocotb, on both simulators; `make soak` draws many more."""

import tempfile
from pathlib import Path

import pytest
from drawn import drawing, drawn_foldings, drawn_networks, stalls
from hypothesis import given
from hypothesis import strategies as st
from sim_bench import SIMULATORS, need

from bnnhw.network import Network
from bnnhw.rtl.emit import generate
from bnnhw.sim import simulate


@pytest.mark.slow
@drawing(4, 30)
@given(network=drawn_networks(20_000), stall_in=stalls, stall_out=stalls, data=st.data())
def test_every_bit_of_any_network_is_goldens(
    network: Network, stall_in: float, stall_out: float, data: st.DataObject
) -> None:
    folding = data.draw(drawn_foldings(network, 2000, 2000))
    seed = data.draw(st.integers(0, 99))
    with tempfile.TemporaryDirectory() as folder:
        build = Path(folder) / "b"
        generate(network, build, folding=folding, vectors=12, seed=seed)
        for simulator in SIMULATORS:
            need(simulator)
            result = simulate(
                build, simulator=simulator, vectors=12, stall_in=stall_in, stall_out=stall_out,
                seed=seed,
            )  # fmt: skip
            assert result.failure == ""
