"""Torch in eval mode and golden agree on every hidden bit, every score and every class."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from bnnhw.datasets import load
from bnnhw.errors import InputError
from bnnhw.golden import evaluate
from bnnhw.network import Network
from bnnhw.network_file import load as load_network
from bnnhw.training import Mlp, export
from bnnhw.training.mlp import BinaryLayer

DIGITS = load("digits")


def adversarial(
    sizes: tuple[int, ...], bits: int, *, class_scales: bool = False, seed: int = 0
) -> Mlp:
    """A model whose norms are as bad as they get; neuron j's kind goes by j."""
    g = torch.Generator().manual_seed(seed)
    model = Mlp(sizes, input_bits=bits, class_scales=class_scales, generator=g).eval()
    with torch.no_grad():
        for layer in model.hidden:
            assert isinstance(layer, BinaryLayer)
            n = layer.norm
            assert n.running_mean is not None and n.running_var is not None
            M = len(n.weight)
            reach = layer.linear.weight.shape[1] * (((1 << bits) - 1) if sizes[1] == M else 1)
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
            layer.linear.weight[6::8, ::3] = 0.0  # sign(0) = +1
        model.output.bias.copy_(torch.randn(sizes[-1], generator=g))
        if class_scales:
            model.output.scale.copy_(torch.randn(sizes[-1], generator=g))
    return model


def assert_equal(model: Mlp, network: Network, x: npt.NDArray[np.uint8]) -> None:
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
@pytest.mark.parametrize("class_scales", [False, True])
def test_torch_equals_golden_on_real_images(bits: int, class_scales: bool) -> None:
    form = DIGITS.input_format(bits)
    model = adversarial((64, 48, 33, 10), bits, class_scales=class_scales, seed=bits)
    network = export(model, form)
    x = form.quantize(DIGITS.x_test)
    assert_equal(model, network, x)
    edges = np.stack([np.zeros(64), np.full(64, form.top)]).astype(np.uint8)
    assert_equal(model, network, edges)


def test_the_adversarial_model_meets_sums_exactly_on_the_edge() -> None:
    form = DIGITS.input_format(4)
    model = adversarial((64, 48, 33, 10), 4)
    layer = model.hidden[0]
    assert isinstance(layer, BinaryLayer) and layer.norm.running_mean is not None
    x = torch.from_numpy(form.quantize(DIGITS.x_test))
    s = layer.linear(model.prepare(x))
    assert (s == layer.norm.running_mean)[:, 2::8].any()


@pytest.mark.parametrize("sizes", [(64, 1, 2), (64, 3, 2), (64, 65, 1, 10), (64, 8, 8, 8, 8, 3)])
def test_odd_shapes_agree(sizes: tuple[int, ...]) -> None:
    for bits in (1, 4):
        form = DIGITS.input_format(bits)
        model = adversarial(sizes, bits, seed=len(sizes))
        network = export(model, form)
        assert [layer.neurons for layer in network.dense] == list(sizes[1:])
        assert_equal(model, network, form.quantize(DIGITS.x_test[:100]))


def test_a_wrong_threshold_would_show() -> None:
    form = DIGITS.input_format(4)
    model = adversarial((64, 48, 33, 10), 4)
    network = export(model, form)
    with torch.no_grad():
        model.hidden[0].norm.bias[8] += 1.0  # type: ignore[index, union-attr, operator]
    with pytest.raises(AssertionError):
        assert_equal(model, network, form.quantize(DIGITS.x_test))


def test_an_exported_network_comes_back_from_its_file(tmp_path: Path) -> None:
    form = DIGITS.input_format(4)
    model = adversarial((64, 16, 10), 4)
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
        ("hidden.1.linear.weight", "fc2: weights must be finite; 1 are not"),
        ("output.linear.weight", "fc3: weights must be finite; 1 are not"),
        ("output.bias", "bias must be finite; 1 values are not"),
    ],
)
def test_parameters_that_are_not_finite_are_refused(name: str, message: str) -> None:
    model = adversarial((64, 4, 4, 10), 4)
    model.state_dict()[name].view(-1)[0] = math.nan
    with pytest.raises(InputError) as raised:
        export(model, DIGITS.input_format(4))
    assert str(raised.value) == message


def test_sums_too_large_for_float32_are_refused() -> None:
    with pytest.raises(InputError, match="must be below 16777216, not 17850000"):
        Mlp((70_000, 1, 2), input_bits=8, generator=torch.Generator())
