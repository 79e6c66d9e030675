"""Torch in eval mode and golden agree on every hidden bit, every score and every class."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from bnnhw.datasets import load
from bnnhw.errors import InputError, ToolError
from bnnhw.golden import evaluate
from bnnhw.input_format import InputFormat
from bnnhw.layers import Output
from bnnhw.maps import Pool
from bnnhw.network import Network
from bnnhw.network_file import load as load_network
from bnnhw.training import BinaryNet, Topology, export
from bnnhw.training.agreement import check
from bnnhw.training.layers import Binarization, Block
from bnnhw.training.norm import NORMS

DIGITS = load("digits")


def adversarial(
    topology: str,
    shape: tuple[int, ...],
    bits: int,
    *,
    norm: str = "batch",
    class_scales: bool = False,
    seed: int = 0,
) -> BinaryNet:
    """A model whose norms are as bad as they get; neuron j's kind goes by j."""
    g = torch.Generator().manual_seed(seed)
    model = BinaryNet(
        Topology.parse(topology), shape, 10, input_bits=bits, how=Binarization(), norm=norm,
        class_scales=class_scales, generator=g,
    ).eval()  # fmt: skip
    top = (1 << bits) - 1
    with torch.no_grad():
        for block in model.hidden:
            if not isinstance(block, Block):
                continue
            n, M = block.norm, len(block.norm.weight)
            reach, top = block.affine.inputs * top, 1
            n.weight.copy_(torch.randn(M, generator=g))
            n.bias.copy_(torch.randn(M, generator=g))
            n.running_mean.copy_(torch.randn(M, generator=g) * math.sqrt(reach))
            n.running_var.copy_(torch.rand(M, generator=g) * reach)
            n.weight[1::8] = 0.0
            n.running_mean[2::8] = n.running_mean[2::8].round()  # sums that are the mean,
            n.bias[2::8] = 0.0  # where y is exactly 0
            n.weight[2::16] *= -1
            n.running_var[3::8] = 0.0
            n.running_var[4::8] = 3e38
            n.weight[5::8] = 1e-40
            block.affine.weight[6::8, ::3] = 0.0  # sign(0) = +1
        model.output.bias.copy_(torch.randn(10, generator=g))
        if class_scales:
            model.output.scale.copy_(torch.randn(10, generator=g))
    return model


def assert_equal(model: BinaryNet, network: Network, x: npt.NDArray[np.uint8]) -> None:
    bits, scores = model.trace(torch.from_numpy(x))
    classes = model.classes(torch.from_numpy(x))
    golden = evaluate(network, x)
    assert golden.scores is not None and golden.classes is not None
    assert len(bits) == len(golden.bits)
    for ours, theirs in zip(bits, golden.bits, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs)
    np.testing.assert_array_equal(scores.numpy(), golden.scores)
    np.testing.assert_array_equal(classes.numpy(), golden.classes)


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("class_scales", [False, True])
def test_torch_equals_golden_on_real_images(bits: int, norm: str, class_scales: bool) -> None:
    form = DIGITS.input_format(bits)
    model = adversarial("48-33", form.shape, bits, norm=norm, class_scales=class_scales, seed=bits)
    network = export(model, form)
    x = form.quantize(DIGITS.x_test)
    assert_equal(model, network, x)
    edges = np.stack([np.zeros(64), np.full(64, form.top)]).astype(np.uint8)
    assert_equal(model, network, edges)


def test_the_adversarial_model_meets_sums_exactly_on_the_edge() -> None:
    form = DIGITS.input_format(4)
    model = adversarial("48-33", form.shape, 4)
    layer = model.hidden[0]
    assert isinstance(layer, Block)
    x = torch.from_numpy(form.quantize(DIGITS.x_test))
    s = layer.affine(model.prepare(x))
    assert (s == layer.norm.running_mean)[:, 2::8].any()


@pytest.mark.parametrize("topology", ["1", "3", "65-1", "8-8-8-8"])
def test_odd_shapes_agree(topology: str) -> None:
    for bits in (1, 4):
        form = DIGITS.input_format(bits)
        model = adversarial(topology, form.shape, bits, seed=len(topology))
        network = export(model, form)
        assert [layer.neurons for layer in network.dense] == [*map(int, topology.split("-")), 10]
        assert_equal(model, network, form.quantize(DIGITS.x_test[:100]))


CONVOLUTIONS = [
    "9C3",
    "9C3p1-MP2-17C2-BP2",
    "16C5x3p2s2-BP2s1-8C1-7",
    "17C2-MP3s2-12",
    "9C3p1s2-9C3p2-MP2-9C2-20-11",
]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("topology", CONVOLUTIONS)
def test_convolutions_agree_on_every_hidden_bit(topology: str, bits: int, norm: str) -> None:
    """Both poolings, both paddings, gammas of both signs and zero, sums on the threshold."""
    form = DIGITS.input_format(bits)
    model = adversarial(topology, form.shape, bits, norm=norm, seed=bits)
    network = export(model, form)
    assert_equal(model, network, form.quantize(DIGITS.x_test[:60]))
    edges = np.stack([np.zeros(64), np.full(64, form.top)]).astype(np.uint8)
    assert_equal(model, network, edges)
    pools = [layer for layer in network.layers if isinstance(layer, Pool)]
    if "MP" in topology:
        assert {0, 1} == {int(bit) for pool in pools for bit in pool.pool_and}


# A few of each: `benchmarks.agreement` takes 1,000 real ones.
IMAGES = {"cnv": ((32, 32, 3), 8, 50), "lenet": ((28, 28, 1), 1, 50),
          "convnet": ((32, 32, 3), 8, 5), "256-256-256": ((28, 28, 1), 8, 50)}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("topology", IMAGES)
def test_known_topologies_agree_on_every_hidden_bit(topology: str) -> None:
    shape, bits, count = IMAGES[topology]
    form = InputFormat(shape=shape, bits=bits, **_range(bits))
    model = adversarial(topology, shape, bits, seed=1)
    network = export(model, form)
    rng = np.random.default_rng(0)
    # Smooth pictures, as real ones are: neighbouring pixels and channels go together.
    x = rng.integers(0, form.top, (count, *shape), endpoint=True).astype(np.float64)
    x = np.clip((x + np.roll(x, 1, 1) + np.roll(x, 1, 2)) / 3 + 0.5, 0, form.top)
    assert_equal(model, network, x.astype(np.uint8).reshape(count, -1))


def _range(bits: int) -> dict[str, float]:
    return {"threshold": 0.5} if bits == 1 else {"lo": 0.0, "hi": 255.0}


@pytest.mark.parametrize("where", ["hidden", "score"])
def test_a_training_ends_where_one_value_differs_from_torch(where: str) -> None:
    form = DIGITS.input_format(4)
    model = adversarial("48-33", form.shape, 4)
    network = export(model, form)
    assert check(model, network, DIGITS.x_test) == 599
    first, second, output = network.dense
    assert isinstance(output, Output)
    if where == "hidden":
        weight = second.weight.copy()
        weight[8] ^= 1
        second = dataclasses.replace(second, weight=weight)
    else:
        bias = output.bias.copy()
        bias[7] += 1
        output = dataclasses.replace(output, bias=bias)
    damaged = dataclasses.replace(network, layers=(first, second, output))
    told = {"hidden": r"fc2 of sample \d+ .* at \[8\]", "score": r"fc3 of sample 0 .* at \[7\]"}
    with pytest.raises(ToolError, match=told[where]):
        check(model, damaged, DIGITS.x_test)


def test_a_wrong_threshold_would_show() -> None:
    form = DIGITS.input_format(4)
    model = adversarial("48-33", form.shape, 4)
    network = export(model, form)
    with torch.no_grad():
        model.hidden[0].norm.bias[8] += 1.0  # type: ignore[index, union-attr, operator]
    with pytest.raises(AssertionError):
        assert_equal(model, network, form.quantize(DIGITS.x_test))


def test_an_exported_network_comes_back_from_its_file(tmp_path: Path) -> None:
    form = DIGITS.input_format(4)
    model = adversarial("16", form.shape, 4)
    network = export(model, form, training={"seed": 3}, accuracy={"test": 0.5})
    network.save(tmp_path / "n.safetensors")
    found = load_network(tmp_path / "n.safetensors")
    assert (found.training, found.accuracy) == ({"seed": 3}, {"test": 0.5})
    assert [layer.name for layer in found.layers] == ["fc1", "fc2"]
    assert_equal(model, found, form.quantize(DIGITS.x_test))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hidden.0.norm.weight", "fc1: gamma must be finite; 1 values are not"),
        ("hidden.1.norm.running_var", "fc2: var must be finite; 1 values are not"),
        ("hidden.1.affine.weight", "fc2: weights must be finite; 1 are not"),
        ("output.linear.weight", "fc3: weights must be finite; 1 are not"),
        ("output.bias", "bias must be finite; 1 values are not"),
    ],
)
def test_parameters_that_are_not_finite_are_refused(name: str, message: str) -> None:
    model = adversarial("4-4", DIGITS.shape, 4)
    model.state_dict()[name].view(-1)[0] = math.nan
    with pytest.raises(InputError) as raised:
        export(model, DIGITS.input_format(4))
    assert str(raised.value) == message


def test_sums_too_large_for_float32_are_refused() -> None:
    with pytest.raises(InputError, match="must be below 16777216, not 17850000"):
        adversarial("1", (70_000,), 8)
