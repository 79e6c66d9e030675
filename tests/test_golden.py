"""Golden against a second reading of the definition: plain Python integers, one loop a line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import input_format, random_conv_network, random_network

from bnnhw.errors import InputError
from bnnhw.golden import evaluate, layer_sums
from bnnhw.input_format import InputFormat
from bnnhw.layers import Conv, Dense, Layer, Output
from bnnhw.maps import Pool
from bnnhw.network import Network
from bnnhw.vectors import edge_vectors, random_vectors
from bnnhw.window import Window


def plain(network: Network, sample: list[int]) -> tuple[list[list[int]], list[int], int]:
    """What the network computes for one sample, word by word as the definition says it."""
    values = sample
    all_bits: list[list[int]] = []
    for layer in network.layers:
        if isinstance(layer, Pool):
            values = [
                (min if layer.pool_and[c] else max)(values[k] for k in seen if k % C == c)
                for C in (layer.window.shape[2],)
                for seen in windows(layer.window)
                for c in range(C)
            ]
        elif isinstance(layer, Conv):
            padded = [*values, 0]  # -1 points there
            values = [
                bit
                for seen in windows(layer.window)
                for bit in fired(layer, [padded[k] for k in seen])
            ]
        elif isinstance(layer, Output):
            scores = [
                scale * s + bias
                for scale, s, bias in zip(
                    layer.scale.tolist(), sums(layer, values), layer.bias.tolist(), strict=True
                )
            ]
            return all_bits, scores, scores.index(max(scores))
        elif isinstance(layer, Dense):
            values = fired(layer, values)
        all_bits.append(values)
    return all_bits, [], -1


def sums(layer: Layer, values: list[int]) -> list[int]:
    rows = [[2 * bit - 1 for bit in row] for row in layer.weight.tolist()]
    if layer.input_bits == 1:
        values = [2 * a - 1 for a in values]  # bit 0 is -1
    return [sum(x * w for x, w in zip(values, row, strict=True)) for row in rows]


def fired(layer: Dense, values: list[int]) -> list[int]:
    found = sums(layer, values)
    if layer.input_bits == 1:
        found = [(layer.inputs + s) // 2 for s in found]  # p = (K + s) / 2
    return [int(s >= t) for s, t in zip(found, layer.threshold.tolist(), strict=True)]


def windows(window: Window) -> list[list[int]]:
    """For each window the indices of what it sees, row by row, channels last; -1 is padding."""
    (H, W, C), (kh, kw) = window.shape, window.kernel
    (sy, sx), (py, px) = window.stride, window.padding
    return [
        [
            (y * W + x) * C + c if 0 <= y < H and 0 <= x < W else -1
            for y in range(top, top + kh)
            for x in range(left, left + kw)
            for c in range(C)
        ]
        for top in range(-py, H + py - kh + 1, sy)
        for left in range(-px, W + px - kw + 1, sx)
    ]


def check(network: Network, x: np.ndarray) -> None:
    trace = evaluate(network, x)
    for n, sample in enumerate(x.tolist()):
        bits, scores, best = plain(network, sample)
        assert [layer[n].ravel().tolist() for layer in trace.bits] == bits
        if network.output is not None:
            assert trace.scores is not None and trace.classes is not None
            assert trace.scores[n].tolist() == scores
            assert trace.classes[n] == best


@pytest.mark.parametrize("gives", ["scores", "bits"])
@pytest.mark.parametrize("sizes", [(1, 1), (2, 3, 2), (17, 9, 5, 4), (70, 65, 10)], ids=str)
@pytest.mark.parametrize("bits", range(1, 9))
def test_golden_is_what_the_definition_says(bits: int, sizes: tuple[int, ...], gives: str) -> None:
    network = random_network(sizes, bits=bits, gives=gives, seed=bits)
    check(network, np.concatenate([edge_vectors(network, 0), random_vectors(network, 20, seed=1)]))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_golden_is_what_the_definition_says_of_any_network(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 12), min_size=2, max_size=4))
    bits, seed = data.draw(st.integers(1, 8)), data.draw(st.integers(0, 1 << 32))
    network = random_network(
        sizes, bits=bits, gives=data.draw(st.sampled_from(["scores", "bits"])), seed=seed
    )
    check(network, random_vectors(network, 8, seed=seed))


CONVOLUTIONS: dict[str, tuple[tuple[int, int, int], list[tuple[str, int, int, int, int]]]] = {
    "one position": ((1, 1, 1), [("conv", 2, 1, 1, 0)]),
    "padding": ((4, 5, 2), [("conv", 3, 3, 1, 1), ("conv", 2, 2, 1, 1)]),
    "stride": ((7, 6, 1), [("conv", 4, 2, 2, 0), ("conv", 3, 2, 3, 1)]),
    "pooling": ((9, 8, 3), [("conv", 5, 3, 1, 1), ("pool", 0, 2, 2, 0), ("conv", 2, 2, 1, 0)]),
    "windows that do not fit": ((6, 8, 2), [("conv", 6, 2, 1, 0), ("pool", 0, 3, 2, 0)]),
    "over a word": ((3, 4, 9), [("conv", 65, 3, 1, 1), ("pool", 0, 2, 1, 0)]),
}


@pytest.mark.parametrize("bits", [1, 2, 8])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_golden_is_what_the_definition_says_of_convolutions(name: str, bits: int) -> None:
    shape, stages = CONVOLUTIONS[name]
    network = random_conv_network(shape, stages, bits=bits, seed=bits)
    size = network.input.size
    corners = np.stack([np.zeros(size), np.full(size, network.input.top)]).astype(np.uint8)
    check(network, np.concatenate([corners, random_vectors(network, 6, seed=1)]))


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_golden_is_what_the_definition_says_of_any_convolution(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(3, 8), st.integers(3, 8), st.integers(1, 3)))
    stages = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(["conv", "pool"]),
                st.integers(1, 5),
                st.integers(1, 3),
                st.integers(1, 2),
                st.just(0),
            ),
            min_size=1,
            max_size=2,
        )
    )
    if stages[0][0] == "pool":
        stages[0] = ("conv", *stages[0][1:4], data.draw(st.integers(0, stages[0][2] - 1)))
    seed = data.draw(st.integers(0, 1 << 32))
    try:
        network = random_conv_network(shape, stages, bits=data.draw(st.integers(1, 8)), seed=seed)
    except InputError as error:
        assert "must fit the padded map" in str(error)
        return
    check(network, random_vectors(network, 3, seed=seed))


def neuron(weight: list[int], threshold: int, bits: int = 1) -> Network:
    layer = Dense(
        name="fc1",
        weight=np.array([weight], np.uint8),
        threshold=np.array([threshold], np.int32),
        input_bits=bits,
    )
    return Network(input=input_format(bits, len(weight)), layers=(layer,))


@pytest.mark.parametrize(
    ("threshold", "fires"),
    [
        (0, [1, 1, 1, 1, 1]),
        (1, [0, 1, 1, 1, 1]),
        (2, [0, 0, 1, 1, 1]),
        (4, [0, 0, 0, 0, 1]),
        (5, [0, 0, 0, 0, 0]),  # K + 1
    ],
)
def test_a_neuron_on_bits_fires_at_its_threshold_and_not_below(
    threshold: int, fires: list[int]
) -> None:
    weight = [1, 0, 1, 0]
    # As many lanes match as the sample's number says: p = 0, 1, 2, 3, 4.
    x = np.array([[w if k < p else 1 - w for k, w in enumerate(weight)] for p in range(5)], "u1")
    network = neuron(weight, threshold)
    assert layer_sums(network.dense[0], x)[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert evaluate(network, x).bits[0][:, 0].tolist() == fires


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("where", ["always", "least", "middle", "most", "never"])
def test_a_neuron_on_numbers_fires_at_its_threshold_and_not_below(bits: int, where: str) -> None:
    top = (1 << bits) - 1
    x = np.array([[a, b, c] for a in (0, 1, top) for b in (0, top) for c in (0, 2, top)], np.uint8)
    sums = [int(a) - int(b) + int(c) for a, b, c in x]
    threshold = {
        "always": -3 * top, "least": min(sums), "middle": 1, "most": max(sums), "never": 3 * top + 1
    }[where]  # fmt: skip
    network = neuron([1, 0, 1], threshold, bits)
    assert layer_sums(network.dense[0], x)[:, 0].tolist() == sums
    assert evaluate(network, x).bits[0][:, 0].tolist() == [int(s >= threshold) for s in sums]


@pytest.mark.parametrize(
    ("bias", "best"),
    [([0, 0, 0], 0), ([1, 1, 0], 0), ([0, 1, 1], 1), ([0, 0, 1], 2), ([-5, -5, -9], 0)],
    ids=str,
)
def test_the_lowest_index_wins_a_tie(bias: list[int], best: int) -> None:
    layer = Output(
        name="out",
        weight=np.ones((3, 4), np.uint8),
        scale=np.ones(3, np.int16),
        bias=np.array(bias, np.int32),
    )
    network = Network(input=input_format(1, 4), layers=(layer,))
    for x in (np.zeros((1, 4), np.uint8), np.ones((1, 4), np.uint8)):
        classes = evaluate(network, x).classes
        assert classes is not None
        assert classes.tolist() == [best]
        assert classes.dtype == np.uint16


@pytest.mark.parametrize(
    ("scale", "bias", "fits"),
    [
        (32767, 2**31 - 1 - 4 * 32767, True),
        (32767, 2**31 - 4 * 32767, False),
        (-32768, -(2**31) + 4 * 32768, True),
        (-32768, -(2**31) + 4 * 32768 - 1, False),
    ],
)
def test_scores_fill_32_bits_to_the_brim_and_no_further(scale: int, bias: int, fits: bool) -> None:
    def build() -> Network:
        layer = Output(
            name="out",
            weight=np.array([[1, 0, 1, 0]], np.uint8),
            scale=np.array([scale], np.int16),
            bias=np.array([bias], np.int32),
        )
        return Network(input=input_format(1, 4), layers=(layer,))

    if fits:
        check(build(), np.array([[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 1, 1]], np.uint8))
    else:
        with pytest.raises(InputError, match=r"^out: scores must fit 32 bits, but reach -?\d+ to"):
            build()


def test_no_samples_give_no_results() -> None:
    network = random_network((5, 4, 3))
    trace = evaluate(network, np.zeros((0, 5), np.uint8))
    assert trace.scores is not None and trace.classes is not None
    assert [b.shape for b in trace.bits] == [(0, 4)]
    assert trace.scores.shape == (0, 3)
    assert trace.classes.shape == (0,)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(5, np.uint8), r"inputs must have shape \(N, 5\), not \(5,\)"),
        (np.zeros((1, 4), np.uint8), r"inputs must have shape \(N, 5\), not \(1, 4\)"),
        (np.full((1, 5), 8, np.uint8), "inputs must be uint8, at most 7"),
        (np.zeros((1, 5), np.float32), "inputs must be uint8, at most 7"),
    ],
    ids=["one sample", "too short", "too large", "floats"],
)
def test_inputs_must_be_the_networks(x: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        evaluate(random_network((5, 2), bits=3), x)


@pytest.mark.parametrize(
    ("form", "values", "expected"),
    [
        # rint rounds halves to even: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2
        (InputFormat(shape=(5,), bits=4, lo=0, hi=15), [0, 0.5, 1.5, 2.5, 15], [0, 0, 2, 2, 15]),
        (InputFormat(shape=(4,), bits=4, lo=0, hi=15), [-1, -np.inf, np.inf, 16], [0, 0, 15, 15]),
        (InputFormat(shape=(3,), bits=8, lo=0, hi=255), [0, 127, 255], [0, 127, 255]),
        (InputFormat(shape=(3,), bits=2, lo=-1, hi=1), [-1, 0, 1], [0, 2, 3]),  # 1.5 -> 2
        (InputFormat(shape=(3,), bits=1, threshold=128), [127.999, 128, 129], [0, 1, 1]),
        (InputFormat(shape=(2,), bits=1, threshold=0), [-0.0, -1e-300], [1, 0]),
        (InputFormat(shape=(2,), bits=8, lo=-1e308, hi=7e307), [-1e308, 1.7e308], [0, 255]),
    ],
    ids=["halves", "clipped", "bytes", "signed", "one bit", "minus zero", "huge"],
)  # fmt: skip
def test_quantize(form: InputFormat, values: list[float], expected: list[int]) -> None:
    x = form.quantize([values])
    assert x.dtype == np.uint8
    assert x.tolist() == [expected]


@settings(deadline=None)
@given(st.integers(2, 8), st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.data())
def test_quantize_keeps_the_order_and_the_range(
    bits: int, lo: float, span: float, data: st.DataObject
) -> None:
    form = InputFormat(shape=(10,), bits=bits, lo=lo, hi=lo + span)
    values = sorted(data.draw(st.lists(st.floats(-3e6, 3e6), min_size=10, max_size=10)))
    x = form.quantize([values])[0].tolist()
    assert x == sorted(x)
    assert form.quantize([[lo] * 5 + [lo + span] * 5]).tolist() == [[0] * 5 + [form.top] * 5]


@pytest.mark.parametrize(("lo", "hi"), [(0.0, 255.0), (0.0, 254.0), (1.0, 255.0)])
@pytest.mark.parametrize("bits", [7, 8])
def test_quantize_gives_the_same_for_bytes_and_for_numbers(bits: int, lo: float, hi: float) -> None:
    form = InputFormat(shape=(256,), bits=bits, lo=lo, hi=hi)
    values = np.arange(256, dtype=np.uint8)[None]
    x = form.quantize(values)
    assert x.dtype == np.uint8 and np.array_equal(x, form.quantize(values.astype(float)))
    x[0, 0] = 7
    assert values[0, 0] == 0


@pytest.mark.parametrize("shape", [(2, 12), (2, 2, 3, 2)], ids=["flat", "pictures"])
def test_quantize_takes_pictures_flat_or_not(shape: tuple[int, ...]) -> None:
    form = input_format(4, 2, 3, 2)
    values = np.arange(24) % 16
    assert form.quantize(values.reshape(shape)).tolist() == values.reshape(2, 12).tolist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0.0, np.nan]], "samples must be numbers; at least one is NaN"),
        ([[1, 2, 3]], r"samples must have shape \(N, 2\), not \(1, 3\)"),
        ([1, 2], r"samples must have shape \(N, 2\), not \(2,\)"),
        ([["a", "b"]], "samples must be an array of numbers of one shape"),
        ([[1], [1, 2]], "samples must be an array of numbers of one shape"),
        (None, r"samples must have shape \(N, 2\), not \(\)"),
    ],
)
def test_quantize_refuses(values: object, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        input_format(4, 2).quantize(values)  # type: ignore[arg-type]
