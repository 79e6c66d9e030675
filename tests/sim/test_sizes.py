"""Sizes that divide nothing, the interval that binds, and a hundred faults: slow, on real cores."""

from pathlib import Path

import pytest
from networks import random_network
from sim_bench import SIMULATORS, fold, need

from bnnhw.folding import Folding
from bnnhw.rtl.emit import generate
from bnnhw.sim import simulate
from bnnhw.sim.core import read_core
from bnnhw.sim.faults import campaign, draw_faults
from bnnhw.synthetic import random_layer
from bnnhw.technology import TECHNOLOGIES, Technology

pytestmark = pytest.mark.slow

# K, M, (rows, cols, lanes)
PAIRS = [
    (1, 1, (1, 1, 1)),
    (1, 100, (7, 1, 1)),
    (2, 17, (4, 2, 1)),
    (3, 2, (2, 1, 7)),
    (17, 3, (3, 2, 7)),
    (17, 64, (8, 1, 16)),
    (64, 1, (1, 4, 16)),
    (64, 100, (16, 2, 16)),
    (100, 17, (4, 3, 16)),
    (100, 100, (8, 4, 32)),
    (3, 3, (2, 1, 2)),
]


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize(("K", "M", "sizes"), PAIRS)
def test_any_pair_of_sizes_is_exact_with_and_without_stalls(
    tmp_path: Path, simulator: str, K: int, M: int, sizes: tuple[int, ...]
) -> None:
    need(simulator)
    network = random_layer(K, M, seed=K * 1000 + M)
    generate(network, tmp_path / "b", folding=fold(network, sizes))
    for stall in (0.0, 0.5):
        result = simulate(
            tmp_path / "b", simulator=simulator, stall_in=stall, stall_out=stall, seed=M
        )
        assert result.failure == ""
        assert result.images == len(read_core(tmp_path / "b").vectors())


# Words of a weight: a constant, shared columns, one LUT with its XNOR, a table.
@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("family", TECHNOLOGIES[1:])
def test_a_familys_verilog_is_exact_with_twins_of_its_cells(
    tmp_path: Path, simulator: str, family: str
) -> None:
    need(simulator)
    network = random_network((24, 12, 8, 3), bits=2, seed=9)
    folding = fold(network, (4, 2, 3), (12, 2, 3), (3, 1, 8))
    technology = Technology(family=family, every=2)
    generate(network, tmp_path / "b", folding=folding, technology=technology)
    for stall in (0.0, 0.5):
        result = simulate(
            tmp_path / "b", simulator=simulator, stall_in=stall, stall_out=stall, seed=1
        )
        assert result.failure == ""


# What binds, pixels a beat, output, grids of the three layers 32 - 16 - 8 - 6, interval.
INTERVALS = {
    "first layer, 4 planes one by one": (None, "class", ((4, 1, 8), (4, 1, 8), (3, 1, 8)), 64),
    "second layer": (4, "class", ((8, 1, 16, 4), (1, 1, 4), (6, 1, 8)), 32),
    "input beats": (1, "class", ((8, 2, 8, 4), (4, 1, 16), (6, 1, 8)), 32),
    "output beats": (32, "scores", ((16, 2, 8, 4), (8, 1, 16), (6, 1, 8)), 6),
}


@pytest.mark.parametrize("binds", INTERVALS)
def test_the_interval_is_what_the_slowest_part_takes(tmp_path: Path, binds: str) -> None:
    pixels, output, grids, interval = INTERVALS[binds]
    network = random_network((32, 16, 8, 6), bits=4, seed=7)
    folding = fold(network, *grids, pixels=pixels)
    generate(network, tmp_path / "b", folding=folding, output=output)
    assert slowest(folding, network, output) == (binds.split(",", maxsplit=1)[0], interval)
    result = simulate(tmp_path / "b", simulator=need("verilator"), vectors=200)
    assert result.failure == ""
    assert result.interval_cycles == interval  # counted over the last 100 of 200 images


def slowest(folding: Folding, network: object, output: str) -> tuple[str, int]:
    """The term of the interval that is the largest, and its cycles; it has to be the only one."""
    from bnnhw.folding import layer_cycles
    from bnnhw.network import Network

    assert isinstance(network, Network)
    names = ("first layer", "second layer", "third layer")
    cycles = [layer_cycles(layer, fold) for layer, fold in folding.pairs(network)]
    terms = dict(zip(names, cycles, strict=True))
    terms["input beats"] = folding.input_beats(network)
    terms["output beats"] = folding.output_beats(network, output)
    largest = max(terms.values())
    (name,) = [n for n, c in terms.items() if c == largest]
    return name, largest


CAMPAIGNS = {
    "one layer on bits": (random_layer(40, 20, seed=11), ((4, 1, 8),), 100),
    "one layer on 8 bits": (random_layer(24, 12, input_bits=8, seed=12), ((3, 1, 8),), None),
    "one layer on 3 bits, 2 planes": (
        random_layer(20, 10, input_bits=3, seed=13), ((2, 1, 5, 2),), None,
    ),
    "three layers": (
        random_network((30, 16, 12, 10), seed=14), ((4, 1, 8), (4, 1, 8), (5, 1, 4)), None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("case", CAMPAIGNS)
def test_a_hundred_faults_fail_exactly_where_golden_says(
    tmp_path: Path, simulator: str, case: str
) -> None:
    need(simulator)
    network, grids, detected = CAMPAIGNS[case]
    folding = fold(network, *grids)
    generate(network, tmp_path / "b", folding=folding)
    result = campaign(
        tmp_path / "b", draw_faults(network, folding, 100, seed=2026), simulator=simulator
    )
    assert len(result.runs) == 100
    assert [str(r.fault) for r in result.disagreements] == []
    assert detected in (None, result.detected)
