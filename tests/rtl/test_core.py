# amaranth: UnusedElaboratable=no
"""The core in the Amaranth simulator: exact, and in exactly the cycles that are promised."""

import dataclasses

import numpy as np
import pytest
from networks import random_network
from rtl_bench import Stalls, beats_of, expected, run_core

from bnnhw.errors import InputError
from bnnhw.folding import Folding, LayerFolding, ceil_div
from bnnhw.layers import Output
from bnnhw.network import Network
from bnnhw.rtl.core import Core, reset_cycles
from bnnhw.rtl.edge import control_layout
from bnnhw.rtl.plan import LayerPlan
from bnnhw.synthetic import random_layer
from bnnhw.technology import TECHNOLOGIES, Technology
from bnnhw.timing import network_latency

GRIDS = [(1, 1), (1, 4), (4, 1), (8, 8), (16, 16)]


def inputs(network: Network, count: int, seed: int = 0) -> np.ndarray:
    """Random inputs, the first all zeros and the second all ones."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, network.input.top + 1, (count, network.input.size)).astype(np.uint8)
    x[0], x[1] = 0, network.input.top
    return x


def check(
    network: Network,
    folding: Folding,
    output: str,
    images: int,
    *,
    stall_in: Stalls | None = None,
    stall_out: Stalls | None = None,
) -> None:
    """Every beat is golden's."""
    x = inputs(network, images)
    wanted = expected(network, folding, x, output)
    beats = [beat for image in x for beat in beats_of(network, folding, image)]
    run = run_core(
        network, folding, beats, output, results=len(wanted), stall_in=stall_in, stall_out=stall_out
    )
    assert run.beats == wanted
    assert not run.frame_error


def fold(network: Network, *grids: tuple[int, ...], pixels: int | None = None) -> Folding:
    """A folding out of (rows, cols, lanes[, planes]) for each layer."""
    layers = [
        LayerFolding(name=layer.name, rows=g[0], cols=g[1], lanes=g[2],
                     planes=g[3] if len(g) > 3 else 1)
        for layer, g in zip(network.dense, grids, strict=True)
    ]  # fmt: skip
    return Folding(layers=tuple(layers), pixels_per_beat=pixels)


@pytest.mark.parametrize("lanes", [1, 7, 16, 32])
@pytest.mark.parametrize("grid", GRIDS, ids=lambda g: f"{g[0]}x{g[1]}")
def test_grid_equals_golden(grid: tuple[int, int], lanes: int) -> None:
    rows, cols = grid
    network = random_layer(2 * cols * lanes - (cols * lanes) // 3, 2 * rows - rows // 3, seed=lanes)
    check(network, fold(network, (rows, cols, lanes)), "bits", 6)


@pytest.mark.parametrize("bits, planes", [(b, p) for b in (2, 3, 5, 8) for p in (1, 2, 4, 8)
                                          if p < 2 * b])  # fmt: skip
@pytest.mark.parametrize("output", ["bits", "scores"])
def test_planes_of_a_first_layer_equal_golden(bits: int, planes: int, output: str) -> None:
    network = random_network([11, 5], bits=bits, gives=output, seed=bits)
    check(network, fold(network, (2, 2, 3, planes)), output, 8)


@pytest.mark.parametrize("seed", range(6))
def test_networks_of_any_size_equal_golden_under_stalls(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 24, 4).tolist()
    network = random_network(sizes, bits=int(rng.choice([1, 1, 2, 8])), seed=seed)
    grids = [(int(rng.integers(1, 9)), int(rng.integers(1, 4)), int(rng.integers(1, 9)))
             for _ in network.dense]  # fmt: skip
    folding = fold(network, *grids, pixels=int(rng.integers(1, 9)))
    output, burst = ("class", 1) if seed % 2 else ("scores", 60)
    check(network, folding, output, 8, stall_in=Stalls(0.5, burst=burst, seed=seed),
          stall_out=Stalls(0.5, burst=burst, seed=seed + 1))  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Interval:
    """A network folded so that a part of it binds."""

    sizes: list[int]
    bits: int
    grids: list[tuple[int, ...]]
    pixels: int | None = None
    output: str = "class"


INTERVALS = {
    "first layer": Interval([40, 12, 10], 4, [(2, 1, 8), (4, 1, 4)]),
    "hidden layer": Interval([16, 30, 24, 5], 1, [(10, 1, 16), (2, 1, 10), (5, 2, 6)]),
    "input bus": Interval([60, 6, 5], 8, [(6, 2, 16, 8), (5, 1, 6)], pixels=1),
    "output bus": Interval([8, 9, 20], 1, [(9, 1, 8), (20, 1, 9)], output="scores"),
    "nothing, one cycle": Interval([12, 9, 7], 1, [(9, 1, 12), (7, 3, 3)]),
    "unlike widths": Interval([30, 21, 7], 2, [(4, 1, 7), (7, 1, 5)], pixels=4),
    "short tail": Interval([17, 8, 4], 8, [(8, 1, 16), (4, 1, 8)], pixels=2),
}


@pytest.mark.parametrize("case", INTERVALS, ids=lambda c: c.replace(" ", "-"))
def test_interval_and_latency_are_those_promised(case: str) -> None:
    chosen = INTERVALS[case]
    output = chosen.output
    network = random_network(chosen.sizes, bits=chosen.bits, seed=3)
    folding = fold(network, *chosen.grids, pixels=chosen.pixels)
    x = inputs(network, 24)
    wanted = expected(network, folding, x, output)
    beats = [beat for image in x for beat in beats_of(network, folding, image)]
    run = run_core(network, folding, beats, output, results=len(wanted))
    assert run.beats == wanted
    a_result = folding.output_beats(network, output)
    ends = run.taken[a_result - 1 :: a_result]
    assert set(np.diff(ends)[8:].tolist()) == {folding.interval(network, output)}
    assert ends[0] - run.first_given == network_latency(network, folding, output).total


# Words of a weight: a constant, shared columns, one LUT with its XNOR, a table, a wider table.
@pytest.mark.parametrize(
    "depth, open_tables", [*((d, False) for d in (1, 3, 7, 16, 40, 130)), (3, True), (40, True)]
)
@pytest.mark.parametrize("family", TECHNOLOGIES[1:])
def test_a_familys_core_is_exact_in_the_cycles_promised(
    family: str, depth: int, open_tables: bool
) -> None:
    technology = Technology(family=family, every=1 + depth % 2, open_tables=open_tables)
    network = random_network([4 * depth, 2, 3], bits=1 + depth % 3, seed=depth)
    folding = fold(network, (2, 2, 2), (3, 1, 4))
    x = inputs(network, 6)
    wanted = expected(network, folding, x, "scores")
    beats = [beat for image in x for beat in beats_of(network, folding, image)]
    run = run_core(network, folding, beats, "scores", results=len(wanted), technology=technology)
    assert run.beats == wanted
    assert (
        run.taken[2::3][0] - run.first_given
        == network_latency(network, folding, "scores", technology).total
    )
    assert set(np.diff(run.taken[2::3])[3:].tolist()) == {folding.interval(network, "scores")}


# A band of all rows, bands that divide them, a last band of fewer; what is kept with its XNOR,
# shared columns, a table, block RAM.
@pytest.mark.parametrize("depth, weights", [(7, "auto"), (3, "auto"), (12, "auto"), (12, "bram")])
@pytest.mark.parametrize("rows, band", [(4, 4), (4, 2), (5, 2), (2, 3)])
@pytest.mark.parametrize("family", ["generic", "ecp5"])
def test_bands_of_rows_are_exact_in_the_cycles_promised(
    family: str, rows: int, band: int, depth: int, weights: str
) -> None:
    technology = Technology(family=family)
    network = random_network([6 * depth, rows, 3], bits=1 + depth % 2, seed=depth)
    first = LayerFolding(
        name=network.dense[0].name, rows=rows, cols=2, lanes=3, weights=weights, band=band
    )
    last = LayerFolding(name=network.dense[1].name, rows=3, lanes=4, band=2)
    folding = Folding(layers=(first, last))
    x = inputs(network, 6)
    wanted = expected(network, folding, x, "scores")
    beats = [beat for image in x for beat in beats_of(network, folding, image)]
    run = run_core(network, folding, beats, "scores", results=len(wanted), technology=technology)
    assert run.beats == wanted
    latency = network_latency(network, folding, "scores", technology).total
    assert run.taken[2] - run.first_given == latency


# Two cells to a RAM, two RAMs to a cell, a RAM to each, and more words than a RAM has.
@pytest.mark.parametrize("lanes, depth", [(3, 20), (20, 20), (2, 600), (1, 1030)])
@pytest.mark.parametrize("family", TECHNOLOGIES[1:])
def test_weights_in_a_familys_block_ram_are_exact(family: str, lanes: int, depth: int) -> None:
    technology = Technology(family=family)
    network = random_network([2 * lanes * depth, 3, 3], bits=1, seed=depth)
    folding = fold(network, (3, 2, lanes), (3, 1, 3))
    deep = dataclasses.replace(folding.layers[0], weights="bram")
    folding = dataclasses.replace(folding, layers=(deep, folding.layers[1]))
    x = inputs(network, 3)
    wanted = expected(network, folding, x, "scores")
    beats = [beat for image in x for beat in beats_of(network, folding, image)]
    run = run_core(network, folding, beats, "scores", results=len(wanted), technology=technology)
    assert run.beats == wanted
    latency = network_latency(network, folding, "scores", technology).total
    assert run.taken[2] - run.first_given == latency


@pytest.mark.parametrize("store", ["baked", "bram"])
def test_where_weights_are_kept_changes_nothing(store: str) -> None:
    network = random_network([20, 9, 4], bits=2, seed=5)
    folding = fold(network, (3, 2, 4), (2, 1, 4))
    layers = tuple(dataclasses.replace(f, weights=store) for f in folding.layers)
    check(network, Folding(layers=layers), "class", 8)


@pytest.mark.parametrize("bits", [1, 3])
@pytest.mark.parametrize("scale", [1, 8])
def test_scores_of_one_power_of_two_equal_golden(scale: int, bits: int) -> None:
    random = random_network([9, 7], bits=bits, seed=scale)
    layer = random.layers[0]
    assert isinstance(layer, Output)
    layer = dataclasses.replace(layer, scale=np.full(7, scale, np.int16))
    network = Network(input=random.input, layers=(layer,))
    for rows in (1, 4):
        check(network, fold(network, (rows, 2, 2)), "scores", 6)


@pytest.mark.parametrize("gives", ["bits", "scores"])
@pytest.mark.parametrize("neurons", [16, 17, 45])
def test_long_tables_of_neuron_folds_equal_golden(neurons: int, gives: str) -> None:
    network = random_network([6, neurons], seed=neurons, gives=gives)
    for lanes in (3, 6):
        check(network, fold(network, (1, 1, lanes)), gives, 5)


def test_a_tie_goes_to_the_lowest_class_also_across_folds() -> None:
    # All classes have the same weights, so the biases decide: 3 and 4 tie, in two folds of rows.
    form = random_network([6, 7], seed=0).input
    layer = Output(name="out", weight=np.ones((7, 6), np.uint8), scale=np.ones(7, np.int16),
                   bias=np.array([0, -1, -5, 2, 2, 1, 2], np.int32))  # fmt: skip
    network = Network(input=form, layers=(layer,))
    for rows in (1, 2, 4, 7, 9):
        folding = fold(network, (rows, 1, 6))
        x = inputs(network, 4)
        beats = [beat for image in x for beat in beats_of(network, folding, image)]
        assert run_core(network, folding, beats, "class", results=4).beats == [(3, 1)] * 4


def test_bad_frames_give_no_result_and_disturb_no_other() -> None:
    network = random_network([21, 6, 5], bits=2, seed=8)
    for pixels in (4, 5, 21):
        folding = fold(network, (3, 1, 8), (5, 1, 3), pixels=pixels)
        x = inputs(network, 8, seed=pixels)
        frames = [beats_of(network, folding, image) for image in x]
        count = ceil_div(21, pixels)
        short, long = [(0x55, 0)] * (count - 2) + [(0x55, 1)], [(0x55, 0)] * (count + 3) + [(0, 1)]
        bad = [long] if count < 2 else [short, long, short]
        sent = [[*bad, frame] if i in (0, 3, 4) else [frame] for i, frame in enumerate(frames)]
        beats = [beat for group in sent for frame in group for beat in frame]
        wanted = expected(network, folding, x, "class")
        for stall in (0.0, 0.5):
            run = run_core(
                network, folding, beats, "class", results=8,
                stall_in=Stalls(stall, seed=1), stall_out=Stalls(stall, seed=2),
            )  # fmt: skip
            assert run.beats == wanted
            assert run.frame_error


@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("output", ["class", "scores"])
def test_a_reset_in_mid_stream_begins_anew(length: int, output: str) -> None:
    network = random_network([13, 6, 5], bits=2, seed=4)
    folding = fold(network, (3, 1, 4), (2, 1, 3))
    x = inputs(network, 8)
    wanted = expected(network, folding, x, output)
    beats = [beat for image in x for beat in beats_of(network, folding, image)]
    for cycle in (1, 30, 57, 64, 71, 80, 83, 90):
        run = run_core(
            network, folding, beats, output, results=len(wanted), reset=(cycle, length),
            stall_out=Stalls(0.5, seed=cycle),
        )  # fmt: skip
        assert run.beats == wanted


def test_after_a_reset_the_core_takes_nothing_until_its_grids_are_empty() -> None:
    network = random_network([13, 6, 5], bits=2, seed=4)
    folding = fold(network, (3, 1, 4), (2, 1, 3))
    beats = beats_of(network, folding, inputs(network, 8)[0])
    run = run_core(network, folding, beats, "class", results=1)
    # The bench counts from the second cycle after the reset.
    assert run.first_given == reset_cycles(Core(network, folding, "class").plans) - 1


def test_layers_may_have_the_names_of_our_own_parts() -> None:
    weight = np.ones((5, 8), np.uint8)
    first = random_layer(17, 8, input_bits=8)
    names = ("fc1", "fc1_slack", "output")
    layers = (
        dataclasses.replace(first.layers[0], name=names[0]),
        dataclasses.replace(random_layer(8, 8).layers[0], name=names[1]),
        Output(name=names[2], weight=weight, scale=np.ones(5, int), bias=np.zeros(5, int)),
    )
    network = Network(input=first.input, layers=layers)
    check(network, fold(network, (8, 1, 16), (4, 1, 4), (5, 1, 2), pixels=2), "scores", 4)


@pytest.mark.parametrize(
    ("gives", "output", "message"),
    [
        ("scores", "bits", "the last layer, out, gives class or scores, so the output is not bits"),
        ("bits", "class", "the last layer, fc1, gives bits, so the output is not class"),
        ("bits", "all", "output must be class, scores, bits, not 'all'"),
    ],
)
def test_an_output_that_the_network_lacks_is_refused(gives: str, output: str, message: str) -> None:
    network = random_network([4, 3], gives=gives)
    with pytest.raises(InputError, match=f"^{message}$"):
        Core(network, fold(network, (1, 1, 4)), output)


@pytest.mark.parametrize(
    ("bits", "planes", "rows", "fields"),
    [
        (1, 1, 6, {"first": 1, "shift": 0, "last": 1, "nf": 0}),
        (1, 1, 2, {"first": 1, "shift": 0, "last": 1, "nf": 2}),
        (4, 4, 3, {"first": 1, "shift": 0, "last": 1, "nf": 1}),
        (4, 2, 6, {"first": 1, "shift": 1, "last": 1, "nf": 0}),
    ],
)
def test_no_constant_travels_with_control(
    bits: int, planes: int, rows: int, fields: dict[str, int]
) -> None:
    """It takes Yosys a pass over the whole design for each row to be rid of one."""
    layer = random_layer(8, 6, input_bits=bits).dense[0]
    plan = LayerPlan(layer, LayerFolding(name=layer.name, rows=rows, planes=planes))
    assert {name: field.width for name, field in control_layout(plan)} == fields
