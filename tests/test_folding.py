"""Folding: its arithmetic by hand and by search, its file, the smallest that is fast enough."""

import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import random_network

from bnnhw.errors import InputError
from bnnhw.folding import BAKED_DEPTH, Folding, LayerFolding, ceil_div, layer_cycles
from bnnhw.layers import Dense, Layer
from bnnhw.proposal import balanced, proposed


def layer(K: int, M: int, bits: int = 1) -> Layer:
    return Dense(
        name="fc1",
        weight=np.zeros((M, K), np.uint8),
        threshold=np.zeros(M, np.int32),
        input_bits=bits,
    )


def fold(rows: int = 1, cols: int = 1, lanes: int = 16, **more: Any) -> LayerFolding:
    return LayerFolding(name="fc1", rows=rows, cols=cols, lanes=lanes, **more)


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_ceil_div_is_the_least_integer_that_is_enough(a: int, b: int) -> None:
    q = ceil_div(a, b)
    assert q * b >= a > (q - 1) * b


@pytest.mark.parametrize(
    ("K", "bits", "folding", "wide_in", "bus"),
    [
        (784, 1, fold(64, 4), 1, 16),  # collected for a cell
        (784, 1, fold(64, 4), 16, 16),
        (784, 1, fold(64, 4), 32, 32),
        (784, 1, fold(64, 4), 64, 64),
        (784, 1, fold(64, 4), 256, 64),  # split for all cells
        (784, 1, fold(64, 6), 32, 32),
        (784, 1, fold(64, 5), 32, 80),
        (784, 1, fold(64, 4), 24, 32),  # no multiple will do
        (784, 8, fold(64, 4), 2, 16),  # 49 words of 8 planes, one by one, in 392 beats
        (784, 8, fold(64, 4), 3, 32),
        (784, 8, fold(64, 4, planes=2), 4, 16),
        (784, 8, fold(64, 4, planes=8), 16, 16),
        (9, 1, fold(4, 1), 1, 16),
    ],
)
def test_a_vector_comes_in_the_narrowest_words_of_whole_cells_that_keep_pace(
    K: int, bits: int, folding: LayerFolding, wide_in: int, bus: int
) -> None:
    assert folding.bus(layer(K, 64, bits), wide_in) == bus


@pytest.mark.parametrize(
    ("K", "M", "bits", "folding", "input_folds", "neuron_folds", "groups", "cycles"),
    [
        (1, 1, 1, fold(), 1, 1, 1, 1),
        (16, 1, 1, fold(), 1, 1, 1, 1),
        (17, 1, 1, fold(), 2, 1, 1, 2),
        (784, 256, 1, fold(64, 4), 13, 4, 1, 52),
        (784, 256, 8, fold(64, 4), 13, 4, 8, 416),
        (784, 256, 8, fold(64, 4, planes=2), 13, 4, 4, 208),
        (784, 256, 8, fold(64, 4, planes=8), 13, 4, 1, 52),
        (784, 256, 5, fold(64, 4, planes=2), 13, 4, 3, 156),
        (784, 256, 3, fold(64, 4, planes=4), 13, 4, 1, 52),
        (100, 10, 1, fold(3, 2, 7), 8, 4, 1, 32),
        (3, 2, 1, fold(100, 100, 100), 1, 1, 1, 1),
    ],
)
def test_cycles_by_hand(  # noqa: PLR0917
    K: int, M: int, bits: int, folding: LayerFolding, input_folds: int, neuron_folds: int,
    groups: int, cycles: int,
) -> None:  # fmt: skip
    one = layer(K, M, bits)
    assert folding.input_folds(one) == input_folds
    assert folding.neuron_folds(one) == neuron_folds
    assert folding.plane_groups(one) == groups
    assert folding.steps(one) == input_folds * groups
    assert folding.depth(one) == input_folds * neuron_folds
    assert layer_cycles(one, folding) == cycles


@pytest.mark.parametrize(
    ("weights", "depth", "store"),
    [
        ("auto", BAKED_DEPTH, "baked"),
        ("auto", BAKED_DEPTH + 1, "bram"),
        ("baked", BAKED_DEPTH + 1, "baked"),
        ("bram", 1, "baked"),
        ("bram", 2, "bram"),
    ],
)
def test_auto_bakes_shallow_roms(weights: str, depth: int, store: str) -> None:
    assert fold(1, 1, 4, weights=weights).stores(layer(4, depth)) == store


def three(**more: Any) -> Folding:
    """For a network 100-30-20-10: 32, 25 and 1 cycles at 4-bit inputs."""
    return Folding(
        layers=(
            LayerFolding(name="fc1", rows=8, cols=2, lanes=16, planes=2),
            LayerFolding(name="fc2", rows=4, cols=1, lanes=7),
            LayerFolding(name="out", rows=10, cols=1, lanes=20),
        ),
        **more,
    )


NETWORK = random_network((100, 30, 20, 10), bits=4)


@pytest.mark.parametrize(
    ("pixels", "output", "beats", "interval"),
    [
        (None, "class", 25, 32),  # 4 pixels a beat do not bind
        (4, "class", 25, 32),
        (3, "class", 34, 34),  # the input bus binds
        (100, "class", 1, 32),
        (65536, "class", 1, 32),
        (1, "scores", 100, 100),
    ],
)
def test_the_interval_is_the_slowest_part(
    pixels: int | None, output: str, beats: int, interval: int
) -> None:
    folding = three(pixels_per_beat=pixels)
    assert folding.input_beats(NETWORK) == beats
    assert folding.interval(NETWORK, output) == interval


def test_output_beats_can_bind() -> None:
    fast = Folding(
        layers=tuple(
            LayerFolding(name=n, rows=64, cols=10, planes=4 if n == "fc1" else 1)
            for n in ("fc1", "fc2", "out")
        )
    )
    assert fast.interval(NETWORK) == 1
    assert fast.interval(NETWORK, "scores") == 10
    bits = random_network((16, 64), gives="bits")
    assert Folding(layers=(fold(8),)).output_beats(bits, "class") == 8


@settings(deadline=None, max_examples=50)
@given(
    st.integers(1, 8),
    st.integers(1, 900),
    st.integers(1, 9),
    st.integers(1, 60),
    st.integers(1, 40),
)
def test_the_default_bus_never_binds(bits: int, K: int, rows: int, cols: int, lanes: int) -> None:
    network = random_network((K, 9), bits=bits)
    folding = Folding(layers=(LayerFolding(name="out", rows=rows, cols=cols, lanes=lanes),))
    slowest = layer_cycles(network.dense[0], folding.layers[0])
    pixels = folding.bus_pixels(network)
    assert folding.input_beats(network) <= slowest
    assert folding.interval(network) == slowest
    if bits == 1:
        assert pixels % 8 == 0  # every bit of its bytes is used


@pytest.mark.parametrize(
    ("K", "bits", "rows", "cols", "lanes", "pixels"),
    [
        (784, 8, 4, 4, 16, 1),  # 64 SIMD, 832 cycles: one pixel a beat is enough, and divides 64
        (784, 8, 64, 4, 16, 8),  # 104 cycles: 8 pixels
        (784, 8, 64, 12, 16, 24),  # 40 cycles: 20 pixels, and 24 is the next that divides 192
        (784, 1, 64, 4, 16, 64),  # 13 cycles: 61 pixels, so 64
        (784, 1, 4, 4, 16, 8),
        (33, 1, 9, 1, 3, 8),  # no whole bytes near enough fit 3: the fewest
    ],
)  # fmt: skip
def test_the_default_bus_fits_the_first_grid(  # noqa: PLR0917
    K: int, bits: int, rows: int, cols: int, lanes: int, pixels: int
) -> None:
    network = random_network((K, 64, 9), bits=bits)
    first = LayerFolding(name="fc1", rows=rows, cols=cols, lanes=lanes)
    folding = Folding(layers=(first, LayerFolding(name="out", rows=9, cols=4)))
    assert folding.bus_pixels(network) == pixels


@pytest.mark.parametrize(
    ("folding", "message"),
    [
        (
            Folding(layers=three().layers[::-1]),
            "the folding must name the layers fc1, fc2, out, in this order, not out, fc2, fc1",
        ),
        (
            Folding(layers=()),
            "the folding must name the layers fc1, fc2, out, in this order, not none",
        ),
        (
            Folding(layers=(LayerFolding(name="fc1", planes=8), *three().layers[1:])),
            "fc1: planes must be below twice its input bits, 4, not 8",
        ),
        (
            Folding(
                layers=(*three().layers[:2], LayerFolding(name="out", planes=2)),
            ),
            "out: planes must be below twice its input bits, 1, not 2",
        ),
    ],
    ids=["order", "none", "planes of the first", "planes of the last"],
)
def test_a_folding_of_another_network_is_refused(folding: Folding, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        folding.interval(NETWORK)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": 0}, "fc1: rows must be 1 to 65536, not 0"),
        ({"cols": -1}, "fc1: cols must be 1 to 65536, not -1"),
        ({"lanes": 65537}, "fc1: lanes must be 1 to 65536, not 65537"),
        ({"planes": 3}, "fc1: planes must be 1, 2, 4 or 8, not 3"),
        ({"weights": "flash"}, "fc1: weights must be auto, baked, bram, not 'flash'"),
        ({"name": "a b"}, "layer name must be an identifier, not 'a b'"),
        ({"name": "a\nb"}, r"layer name must be an identifier, not 'a\\nb'"),
    ],
    ids=str,
)
def test_a_layers_folding_is_checked(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        LayerFolding(**({"name": "fc1"} | change))


@pytest.mark.parametrize("pixels", [0, -1, 65537])
def test_pixels_per_beat_are_checked(pixels: int) -> None:
    message = f"^pixels_per_beat must be 1 to 65536, not {pixels}$"
    with pytest.raises(InputError, match=message):
        three(pixels_per_beat=pixels)


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
SIZES = st.integers(1, 1 << 16)


@given(
    st.lists(
        st.builds(
            LayerFolding,
            name=NAMES,
            rows=SIZES,
            cols=SIZES,
            lanes=SIZES,
            planes=st.sampled_from([1, 2, 4, 8]),
            weights=st.sampled_from(["auto", "baked", "bram"]),
        ),
        max_size=4,
    ),
    st.none() | SIZES,
)
def test_a_folding_comes_back_from_its_file(
    tmp_path_factory: pytest.TempPathFactory, layers: list[LayerFolding], pixels: int | None
) -> None:
    path = tmp_path_factory.getbasetemp() / "folding.toml"
    folding = Folding(layers=tuple(layers), pixels_per_beat=pixels)
    folding.save(path)
    assert Folding.load(path) == folding
    assert path.read_text().count("[[layer]]\n") == len(layers)


def test_what_a_file_leaves_out_has_its_default(tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_text('[[layer]]\nname = "fc1"\nrows = 3\n')
    assert Folding.load(tmp_path / "f.toml") == Folding(layers=(fold(3),))


ONE = '[[layer]]\nname = "fc1"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rows = ", r"not a readable TOML file \(.+\)"),
        ("[[layer]", r"not a readable TOML file \(.+\)"),
        ("a = 1\na = 2", r"not a readable TOML file \(.+\)"),
        ("a = " + "[" * 100_000, r"not a readable TOML file \(.+\)"),
        (ONE + "rows = " + "9" * 10_000, r"not a readable TOML file \(.+\)"),
        ("speed = 1\n" + ONE, "has an unknown key, 'speed'"),
        ("layer = 3", r"must hold \[\[layer\]\] tables"),
        ("layer = [1]", r"must hold \[\[layer\]\] tables"),
        ("[layer]\nname = 'fc1'", r"must hold \[\[layer\]\] tables"),
        ("pixels_per_beat = 1.0\n" + ONE, "pixels_per_beat must be an integer, not 1.0"),
        ("pixels_per_beat = true\n" + ONE, "pixels_per_beat must be an integer, not True"),
        ("pixels_per_beat = 0\n" + ONE, "pixels_per_beat must be 1 to 65536, not 0"),
        (ONE + "row = 2", "layer 0 has an unknown key, 'row'"),
        (ONE + "[[layer]]\nrows = 2", "layer 1 lacks a name"),
        (ONE + "rows = '2'", "layer 0: rows must be of type int, not '2'"),
        (ONE + "rows = 2.0", "layer 0: rows must be of type int, not 2.0"),
        (ONE + "rows = true", "layer 0: rows must be of type int, not True"),
        ("[[layer]]\nname = 1", "layer 0: name must be of type str, not 1"),
        (ONE + "weights = 1", "layer 0: weights must be of type str, not 1"),
        (ONE + "rows = 0", "fc1: rows must be 1 to 65536, not 0"),
        (ONE + "rows = nan", "layer 0: rows must be of type int, not nan"),
    ],
    ids=lambda text: text[-25:],
)
def test_one_line_says_what_is_wrong_with(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "f.toml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        Folding.load(path)
    assert re.fullmatch(f"{re.escape(str(path))}: {message}", str(raised.value)), raised.value


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "No such file or directory"),
        ("folder", "Is a directory"),
        ("bytes", "'utf-8' codec can't decode .+"),
    ],
)
def test_what_is_no_text_file_is_one_line(kind: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "f.toml"
    if kind == "folder":
        path.mkdir()
    elif kind == "bytes":
        path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError) as raised:
        Folding.load(path)
    expected = rf"{re.escape(str(path))}: not a readable TOML file \({reason}\)"
    assert re.fullmatch(expected, str(raised.value)), raised.value


def cost(one: Layer, folding: LayerFolding) -> int:
    return folding.rows * folding.cols * folding.lanes * folding.planes


@pytest.mark.parametrize("bits", [1, 3, 8])
@pytest.mark.parametrize(("K", "M"), [(1, 1), (17, 5), (40, 12), (100, 3)])
def test_balanced_finds_the_fewest_lanes_that_are_fast_enough(K: int, M: int, bits: int) -> None:
    network = random_network((K, M), bits=bits)
    one, lanes = network.dense[0], min(16, K)
    widest = ceil_div(K, lanes)
    every = [
        LayerFolding(name="out", rows=r, cols=c, lanes=lanes, planes=p)
        for r, c, p in itertools.product(range(1, M + 1), range(1, widest + 1), (1, 2, 4, 8))
        if p == 1 or p < 2 * bits
    ]
    for interval in range(1, layer_cycles(one, every[0]) + 2):
        found = balanced(network, interval)
        fast = [f for f in every if layer_cycles(one, f) <= interval]
        assert found.interval(network) <= interval
        assert cost(one, found.layers[0]) == min(cost(one, f) for f in fast)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_balanced_reaches_any_interval_or_says_the_best(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 300), min_size=2, max_size=4))
    output = data.draw(st.sampled_from(["class", "scores"]))
    gives = data.draw(st.sampled_from(["scores", "bits"]))
    network = random_network(sizes, bits=data.draw(st.integers(1, 8)), gives=gives)
    interval = data.draw(st.integers(1, 2000))
    try:
        found = balanced(network, interval, output=output)
    except InputError as error:
        stated = re.fullmatch(
            rf"an interval of {interval} cycles is out of reach; the best is (\d+)", str(error)
        )
        assert stated is not None, error
        best = int(stated[1])
        assert best > interval
        assert balanced(network, best, output=output).interval(network, output) == best
    else:
        assert found.interval(network, output) <= interval


def test_balanced_refuses_an_interval_of_nothing() -> None:
    with pytest.raises(InputError, match=r"^the interval must be at least 1 cycle, not 0$"):
        balanced(NETWORK, 0)


@pytest.mark.parametrize("output", ["class", "scores"])
@pytest.mark.parametrize("fps", [1, 1e5, 1e6, 9.9e6, 1e7, 1.5e7, 1.6e7, 1.5e8, 1.6e8, 1e12])
def test_a_proposed_folding_reaches_its_target_or_says_the_best(fps: float, output: str) -> None:
    best = 150e6 / (10 if output == "scores" else 1)  # ten scores take ten beats
    if fps <= best:
        found = proposed(NETWORK, target_fps=fps, output=output)
        assert 150e6 / found.interval(NETWORK, output) >= fps
    else:
        with pytest.raises(InputError) as raised:
            proposed(NETWORK, target_fps=fps, output=output)
        assert f"{fps:,.0f} images/s is out of reach at 150 MHz" in str(raised.value)
        assert f"the best is {best:,.0f}" in str(raised.value)


def test_a_grid_is_used_in_full_when_sizes_divide() -> None:
    network = random_network((64, 32), gives="bits")
    folding = fold(8, 2, 16)
    used = 64 * 32 / (layer_cycles(network.dense[0], folding) * folding.rows * folding.simd)
    assert math.isclose(used, 1)
