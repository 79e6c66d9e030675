"""Networks: what cannot be built, and how bits are packed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import input_format, random_network

from bnnhw.bits import pack_bits, unpack_bits
from bnnhw.errors import InputError
from bnnhw.layers import Dense, Output
from bnnhw.network import Network


@pytest.mark.parametrize("count", [1, 7, 8, 9, 16, 17])
def test_bit_k_lies_in_byte_k_over_8_at_k_mod_8(count: int) -> None:
    for k in range(count):
        bits = np.zeros((2, count), np.uint8)
        bits[1, k] = 1
        packed = pack_bits(bits)
        expected = [0] * -(-count // 8)
        assert packed[0].tolist() == expected
        expected[k // 8] = 1 << k % 8
        assert packed[1].tolist() == expected
        assert np.array_equal(unpack_bits(packed, count), bits)


def test_layers_cannot_be_changed_after_they_were_checked() -> None:
    weight = np.zeros((2, 3), np.uint8)
    layer = Dense(name="fc1", weight=weight, threshold=np.zeros(2, np.int32))
    weight[:] = 7
    assert layer.weight.max() == 0
    with pytest.raises(ValueError, match="read-only"):
        layer.weight[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        layer.threshold[0] = 1


def dense(**changes: Any) -> Dense:
    given = {"name": "fc1", "weight": np.zeros((2, 3), "u1"), "threshold": np.zeros(2, "i4")}
    return Dense(**(given | changes))


def output(**changes: Any) -> Output:
    given = {
        "name": "out",
        "weight": np.zeros((2, 3), "u1"),
        "scale": np.ones(2, "i2"),
        "bias": np.zeros(2, "i4"),
    }
    return Output(**(given | changes))


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no name": (lambda: dense(name=""), "layer name must be an identifier, not ''"),
    "a name not ascii": (lambda: dense(name="é"), "layer name must be an identifier, not 'é'"),
    "weights of 2": (
        lambda: dense(weight=np.full((2, 3), 2)), "fc1: weights must be 0 or 1, not 2"
    ),
    "weights of -1": (
        lambda: dense(weight=np.full((2, 3), -1)), "fc1: weights must be 0 to 255, not -1 to -1"
    ),
    "weights of 0.5": (
        lambda: dense(weight=np.full((2, 3), 0.5)), "fc1: weights must be integers, not float64"
    ),
    "weights in a row": (
        lambda: dense(weight=np.zeros(3, "u1")),
        r"fc1: weights must have shape \(M, K\), not \(3,\)",
    ),
    "no weights": (
        lambda: dense(weight=np.zeros((2, 0), "u1")),
        r"fc1: weights must have shape \(M, K\), not \(2, 0\)",
    ),
    "no neurons": (
        lambda: dense(weight=np.zeros((0, 3), "u1"), threshold=np.zeros(0, "i4")),
        r"fc1: weights must have shape \(M, K\), not \(0, 3\)",
    ),
    "9 bits": (lambda: dense(input_bits=9), "fc1: input bits must be 1 to 8, not 9"),
    "thresholds of floats": (
        lambda: dense(threshold=np.zeros(2)), "fc1: thresholds must be integers, not float64"
    ),
    "a threshold of K + 2": (
        lambda: dense(threshold=np.array([0, 5])), "fc1: thresholds must be 0 to 4, not 5"
    ),
    "a threshold of -1": (
        lambda: dense(threshold=np.array([-1, 9])), "fc1: thresholds must be 0 to 4, not -1"
    ),
    "a threshold of 2^31": (
        lambda: dense(threshold=np.array([0, 2**31])),
        "fc1: thresholds must be -2147483648 to 2147483647, not 0 to 2147483648",
    ),
    "three thresholds": (
        lambda: dense(threshold=np.zeros(3, "i4")),
        r"fc1: thresholds must have shape \(2,\), not \(3,\)",
    ),
    "a scale of 2^15": (
        lambda: output(scale=np.array([1, 2**15])),
        "out: scales must be -32768 to 32767, not 1 to 32768",
    ),
    "scores not last": (
        lambda: Network(
            input=input_format(1, 3),
            layers=(output(), dense(weight=np.zeros((2, 2), "u1"))),
        ),
        "out: only the last layer can give scores",
    ),
    "layers that do not fit": (
        lambda: Network(input=input_format(1, 3), layers=(dense(), output())),
        "out: inputs must be 2, not 3",
    ),
    "bits that do not fit": (
        lambda: Network(input=input_format(4, 3), layers=(dense(),)),
        "fc1: input bits must be 4, not 1",
    ),
    "bits in the middle": (
        lambda: Network(
            input=input_format(1, 3),
            layers=(dense(), output(weight=np.zeros((2, 2), "u1"), input_bits=2)),
        ),
        "out: input bits must be 1, not 2",
    ),
    "65537 classes": (
        lambda: Network(
            input=input_format(1, 1),
            layers=(
                output(
                    weight=np.zeros((65537, 1), "u1"),
                    scale=np.ones(65537, "i2"),
                    bias=np.zeros(65537, "i4"),
                ),
            ),
        ),
        "classes must be at most 65536, not 65537",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("build", "message"), REFUSED.values(), ids=REFUSED)
def test_a_network_cannot_be_built_with(build: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        build()


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), np.int64(1), {1, 2}, b"bytes"], ids=str
)
def test_what_json_cannot_hold_is_refused_before_a_file_is_touched(
    value: object, tmp_path: Path
) -> None:
    good = random_network((11, 9, 4), bits=3, seed=1)
    network = Network(input=good.input, layers=good.layers, training={"loss": value})
    with pytest.raises(InputError, match=r"^the training record must be plain JSON \(.+\)$"):
        network.save(tmp_path / "n.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bits", range(1, 9))
def test_thresholds_reach_from_always_to_never(bits: int) -> None:
    reach = 3 * ((1 << bits) - 1)
    low, high = (0, 4) if bits == 1 else (-reach, reach + 1)
    layer = dense(input_bits=bits, threshold=np.array([low, high]))
    assert layer.threshold_limits == (low, high)
    for beyond in (low - 1, high + 1):
        with pytest.raises(InputError, match=f"^fc1: thresholds must be {low} to {high}, not"):
            dense(input_bits=bits, threshold=np.array([0, beyond]))
