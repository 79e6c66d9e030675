"""Networks with convolutions: what cannot be built, and the file that holds them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import random_conv_network, random_network
from safetensors import deserialize
from safetensors.numpy import save

from bnnhw import cli
from bnnhw.errors import InputError
from bnnhw.layers import Conv
from bnnhw.maps import Flatten, Pool
from bnnhw.network import Network
from bnnhw.network_file import load
from bnnhw.window import Window

GOOD = random_conv_network((6, 7, 2), [("conv", 3, 3, 1, 1), ("pool", 0, 2, 2, 0)], bits=3)
WHOLE = GOOD.to_bytes()
DTYPES = {"U8": np.uint8, "I16": np.int16, "I32": np.int32}

Described = dict[str, Any]


def changed(change: Callable[[Described, dict[str, Any]], None]) -> bytes:
    """GOOD's file after `change(description, tensors)`."""
    length = int.from_bytes(WHOLE[:8], "little")
    described = json.loads(json.loads(WHOLE[8 : 8 + length])["__metadata__"]["bnnhw"])
    tensors = {
        name: np.frombuffer(entry["data"], DTYPES[entry["dtype"]]).reshape(entry["shape"]).copy()
        for name, entry in deserialize(WHOLE)
    }
    change(described, tensors)
    return bytes(save(tensors, {"bnnhw": json.dumps(described)}))


def alter(layer: int, **fields: Any) -> bytes:
    def change(described: Described, tensors: dict[str, Any]) -> None:
        described["layers"][layer] |= fields

    return changed(change)


def drop(layer: int, field: str) -> bytes:
    def change(described: Described, tensors: dict[str, Any]) -> None:
        del described["layers"][layer][field]

    return changed(change)


def tensor(name: str, value: Any) -> bytes:
    def change(described: Described, tensors: dict[str, Any]) -> None:
        tensors[name] = value

    return changed(change)


FOUR = r"\d+ integers of at least [01], not "
MALFORMED: dict[str, tuple[bytes, str]] = {
    "no kernel": (drop(0, "kernel"), "metadata: layer 0 lacks 'kernel'"),
    "a kernel of one number": (alter(0, kernel=[3]), f"layer 0: kernel must be {FOUR}.*"),
    "a kernel of floats": (alter(0, kernel=[3.0, 4.0]), f"layer 0: kernel must be {FOUR}.*"),
    "a stride of 0": (alter(0, stride=[0, 1]), f"layer 0: stride must be {FOUR}.*"),
    "a stride of true": (alter(1, stride=[True, 2]), f"layer 1: stride must be {FOUR}.*"),
    "a padding below 0": (alter(0, padding=[-1, 1]), f"layer 0: padding must be {FOUR}.*"),
    "a padding without end": (
        alter(0, padding=[3, 1]), "layer 0: padding must be below the kernel, 3, not 3",
    ),
    "a kernel over the map": (
        alter(1, kernel=[7, 2]),
        "layer 1: the kernel must fit the padded map, 6 positions, not be 7",
    ),
    "a map of no size": (alter(0, shape=[6, 0, 2]), f"layer 0: shape must be {FOUR}.*"),
    "a map without end": (
        alter(0, shape=[10**6, 10**6, 2]),
        r"layer 0: a padded map must have at most 16,777,216 values, not [\d,]+",
    ),
    "windows without end": (
        alter(0, shape=[2000, 2000, 2]),
        r"layer 0: all windows must see at most 16,777,216 values, not [\d,]+",
    ),
    "another kernel than the weights'": (
        alter(0, kernel=[2, 4]), r"layers\.0\.weight: shape must be \(3, 2\), not \(3, 3\)",
    ),
    "another map than the input": (
        alter(0, shape=[7, 7, 2]), "conv0: inputs must be 6 x 7 x 2, not 7 x 7 x 2",
    ),
    "another map than the one before gives": (
        alter(1, shape=[5, 6, 3]), r"pool1: inputs must be 6 x 6 x 3, not 5 x 6 x 3",
    ),
    "a map for a vector": (
        alter(2, shape=[2, 2, 3]), r"flat: inputs must be 3 x 2 x 3, not 2 x 2 x 3",
    ),
    "pooling with padding": (
        alter(1, padding=[1, 0]), r"pool1: pooling has no padding, not \(1, 0\)",
    ),
    "no pool_and": (
        changed(lambda _, tensors: tensors.pop("layers.1.pool_and")),
        r"lacks the tensor layers\.1\.pool_and",
    ),
    "pool_and of 2": (
        tensor("layers.1.pool_and", np.full(3, 2, np.uint8)),
        "pool1: pool_and must be 0 or 1, not 2",
    ),
    "pool_and of two channels": (
        tensor("layers.1.pool_and", np.zeros(2, np.uint8)),
        r"layers\.1\.pool_and: shape must be \(3,\), not \(2,\)",
    ),
    "a threshold out of reach": (
        tensor("layers.0.threshold", np.full(3, 170, np.int32)),
        "conv0: thresholds must be -168 to 169, not 170",
    ),
    "a flat shape": (
        alter(2, shape=[12]), r"layer 2: shape must be 3 integers, not \[12\]",
    ),
    "a flat shape of floats": (
        alter(2, shape=[2, 2, 3.5]), r"flat: shape must be 3 integers of at least 1, not .*",
    ),
    "two of one name": (alter(2, name="pool1"), "layer names must differ, but two are pool1"),
    "no flatten": (
        changed(lambda described, _: described["layers"].pop(2)),
        r"lacks the tensor layers\.2\.weight",
    ),
}  # fmt: skip


def test_the_file_that_the_malformed_ones_are_made_from_is_good(tmp_path: Path) -> None:
    (tmp_path / "good.safetensors").write_bytes(changed(lambda *_: None))
    assert load(tmp_path / "good.safetensors").to_bytes() == WHOLE
    assert [layer.to_json()["kind"] for layer in GOOD.layers] == [
        "conv",
        "pool",
        "flatten",
        "dense",
    ]


@pytest.mark.parametrize(("content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_one_line_says_what_is_wrong_with(
    content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    assert cli.main(["inspect", str(path)]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(f"bnnhw: {re.escape(str(path))}: {message}\n", said), said


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1])
def test_a_network_comes_back_from_its_file(padding: int, stride: int, tmp_path: Path) -> None:
    stages = [("conv", 5, 2, stride, padding), ("pool", 0, 1, 1, 0), ("conv", 4, 1, 1, 0)]
    network = random_conv_network((5, 6, 3), stages, bits=8, seed=stride)
    network.save(tmp_path / "n.safetensors")
    again = load(tmp_path / "n.safetensors")
    for one, other in zip(network.layers, again.layers, strict=True):
        assert type(one) is type(other) and one.to_json() == other.to_json()
        assert getattr(one, "input_bits", 1) == getattr(other, "input_bits", 1)
        for name, value in one.tensors().items():
            np.testing.assert_array_equal(value, other.tensors()[name])
    assert again.to_bytes() == network.to_bytes()


def test_what_is_for_dense_layers_only_says_so() -> None:
    with pytest.raises(InputError, match=r"^conv0: is of kind conv; so far this takes networks of"):
        _ = GOOD.dense
    plain = random_network((5, 4, 3))
    assert plain.dense == plain.layers == plain.weighted
    assert [layer.name for layer in GOOD.weighted] == ["conv0", "out"]


def test_a_convolutions_operations_are_those_of_all_its_windows() -> None:
    conv, flat = GOOD.layers[0], GOOD.layers[2]
    assert isinstance(conv, Conv) and isinstance(flat, Flatten)
    assert conv.operations == 2 * (3 * 4 * 2) * 3 * (6 * 6)
    assert GOOD.operations == conv.operations + 2 * 18 * 3


def test_pooling_takes_bits_and_a_vector_needs_a_flatten() -> None:
    window = Window(shape=(2, 2, 1), kernel=(2, 2), stride=(2, 2))
    pool = Pool(name="pool", window=window, pool_and=np.zeros(1, np.uint8))
    form = random_conv_network((2, 2, 1), [], bits=4).input
    with pytest.raises(InputError, match=r"^pool: input bits must be 4, not 1$"):
        Network(input=form, layers=(pool,))
    conv, _, _, out = GOOD.layers
    with pytest.raises(InputError, match=r"^out: inputs must be 6 x 6 x 3, not 18$"):
        Network(input=GOOD.input, layers=(conv, out))
