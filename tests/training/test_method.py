"""Each part of the paper's method in the loop, against its equation."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from bnnhw.datasets import load
from bnnhw.training import BinaryNet, Topology, TrainConfig
from bnnhw.training.binarize import binarize
from bnnhw.training.distributed import Processes
from bnnhw.training.fit import Fit
from bnnhw.training.float_net import FloatNet
from bnnhw.training.layers import Binarization
from bnnhw.training.losses import distillation, loss_of
from bnnhw.training.tensors import Tensors

DATA = load("digits")
SMALL = TrainConfig(topology="12-6", epochs=4, batch=200, warmup=0)


def net(init: str = "uniform", how: Binarization | None = None) -> BinaryNet:
    return BinaryNet(
        Topology.parse("12-6"), DATA.shape, 10, input_bits=4, how=how or Binarization(), init=init,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip


def begun(model: BinaryNet | None = None, **changes: Any) -> Fit:
    config = dataclasses.replace(SMALL, **changes)
    return Fit(model or net(), Tensors.of(DATA, config), config, Processes("cpu"))


@pytest.mark.parametrize("x", [-2.0, -1.0, -0.5, 0.0, 0.3, 1.0, 3.0])
def test_stochastic_signs_are_plus_one_as_often_as_the_hard_sigmoid_says(x: float) -> None:
    torch.manual_seed(0)
    signs = binarize(torch.full((40_000,), x), stochastic=True)
    assert set(signs.tolist()) <= {-1.0, 1.0}
    share = float((signs > 0).float().mean())
    assert share == pytest.approx(min(1, max(0, (x + 1) / 2)), abs=0.01)
    assert share not in (0, 1) or abs(x) >= 1


@pytest.mark.parametrize(
    "how", [Binarization(stochastic_activations=True), Binarization(stochastic_weights=True)]
)
def test_stochastic_signs_are_drawn_in_training_only(how: Binarization) -> None:
    model = net(how=how)
    x = torch.from_numpy(DATA.input_format(4).quantize(DATA.x_valid))
    first, second = (model.train()(x) for _ in range(2))
    assert not torch.equal(first, second)
    first, second = (model.eval()(x) for _ in range(2))
    assert torch.equal(first, second)


def test_glorots_range_and_rates_are_those_of_the_fans() -> None:
    model = net("glorot")
    for layer, (inputs, neurons) in zip(
        model.binarized(), [(64, 12), (12, 6), (6, 10)], strict=True
    ):
        limit = (6 / (inputs + neurons)) ** 0.5
        assert 0.9 * limit < float(layer.weight.detach().abs().max()) <= limit
        # The paper's code multiplies a layer's rate with 1 / sqrt(1.5 / (inputs + neurons)).
        assert layer.rate_scale == pytest.approx(((inputs + neurons) / 1.5) ** 0.5)
    rates = [group["rate"] for group in begun(model, glorot_rates=True).optimizer.param_groups]
    assert rates[:3] == pytest.approx([0.1 * layer.rate_scale for layer in model.binarized()])
    assert rates[3] == 0.003


def test_glorots_fans_of_a_convolution_are_its_kernel_times_channels_and_neurons() -> None:
    model = BinaryNet(
        Topology.parse("20C3-30C2x4"), (9, 9, 5), 10, input_bits=4, how=Binarization(),
        init="glorot", generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    fans = [(9 * 5, 9 * 20), (8 * 20, 8 * 30), (6 * 4 * 30, 10)]
    for layer, (inputs, outputs) in zip(model.binarized(), fans, strict=True):
        limit = (6 / (inputs + outputs)) ** 0.5
        assert 0.99 * limit < float(layer.weight.detach().abs().max()) <= limit
        assert layer.rate_scale == pytest.approx(((inputs + outputs) / 1.5) ** 0.5)


def at_full_rate(run: Fit) -> Fit:
    for group in run.optimizer.param_groups:
        group["lr"] = group["rate"]
    return run


def test_after_a_step_real_weights_are_what_adam_would_make_of_them_clipped() -> None:
    run = at_full_rate(begun(rate=0.5))
    weights = [layer.weight for layer in run.model.binarized()]
    wanted = [torch.nn.Parameter(weight.detach().clone()) for weight in weights]
    adam = torch.optim.Adam(wanted, lr=0.5, fused=True)
    beyond = 0
    for step in range(5):
        run.step(torch.arange(50 * step, 50 * step + 50), torch.Generator())
        for r, weight in zip(wanted, weights, strict=True):
            assert weight.grad is not None
            r.grad = weight.grad.clone()
        adam.step()
        for r, weight in zip(wanted, weights, strict=True):
            beyond += int((r.detach().abs() > 1).sum())
            r.data = r.data.clip(-1, 1)
            assert torch.equal(weight, r)
    assert beyond > 100


def test_adams_steps_are_those_of_the_algorithm() -> None:
    run = at_full_rate(begun(norm_rate=0.02))
    named = dict(run.model.named_parameters())
    signs = {id(layer.weight) for layer in run.model.binarized()}
    theta = {name: p.detach().double().numpy().copy() for name, p in named.items()}
    m = {name: np.zeros_like(values) for name, values in theta.items()}
    v = {name: np.zeros_like(values) for name, values in theta.items()}
    generator = torch.Generator().manual_seed(0)
    for t in range(1, 8):
        for name, p in named.items():
            p.grad = torch.randn(p.shape, generator=generator) * 10.0 ** (t % 5 - 2)
            g = p.grad.double().numpy()
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g**2
            rate = 0.1 if id(p) in signs else 0.02
            step = m[name] / (1 - 0.9**t) / (np.sqrt(v[name] / (1 - 0.999**t)) + 1e-8)
            theta[name] -= rate * step
        run.optimizer.step()
        for name, p in named.items():
            np.testing.assert_allclose(p.detach().numpy(), theta[name], rtol=1e-5, atol=1e-6)


def test_the_teachers_share_of_the_loss_is_what_is_asked_for() -> None:
    teacher = FloatNet(
        Topology.parse("12-6"), DATA.shape, 10, input_bits=4,
        generator=torch.Generator().manual_seed(1),
    ).eval()  # fmt: skip
    config = dataclasses.replace(SMALL, distill=0.3, temperature=2.0)
    run = Fit(net(), Tensors.of(DATA, config), config, Processes("cpu"), teacher)
    x, y = run.data.x_train[:50], run.data.y_train[:50]
    run.model.train()
    scores = run.model(x)
    parts = loss_of(scores, y, "hinge"), distillation(scores, teacher(x), 2.0)
    assert run.loss(x, y).item() == pytest.approx(0.7 * parts[0].item() + 0.3 * parts[1].item())
    assert abs(parts[0].item() - parts[1].item()) > 0.1


def test_dropped_inputs_are_zero_and_the_others_larger() -> None:
    run = begun(input_dropout=0.25)
    seen = []
    run.model.scores = lambda a: seen.append(a) or BinaryNet.scores(run.model, a)  # type: ignore
    x = run.data.x_train[:500]
    run.model.train()
    run.loss(x, run.data.y_train[:500])
    lit = x > 0
    dropped = (seen[0] == 0) & lit
    assert float(dropped.sum() / lit.sum()) == pytest.approx(0.25, abs=0.02)
    assert torch.allclose(seen[0][lit & ~dropped], x[lit & ~dropped] / 0.75)


def test_dropped_activations_are_zero_and_the_others_larger() -> None:
    run = begun(net(how=Binarization(dropout=0.25)))
    seen = []
    layers = run.model.binarized()[1:]
    for layer in layers:
        layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    x = run.data.x_train[:500]
    run.model.train()
    run.loss(x, run.data.y_train[:500])
    assert len(seen) == len(layers) == 2
    for a in seen:
        assert a.unique().tolist() == pytest.approx([-1 / 0.75, 0, 1 / 0.75])
        assert float((a == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    seen.clear()
    run.model.eval()
    run.model(x)
    assert all(a.unique().tolist() == [-1, 1] for a in seen)


def test_the_float_twin_drops_as_many_activations() -> None:
    twin = FloatNet(
        Topology.parse("4C3-MP2-8"), (8, 8, 1), 10, input_bits=4, dropout=0.25,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    rates = [module.p for module in twin.modules() if isinstance(module, torch.nn.Dropout)]
    assert rates == [0.25, 0.25]


def test_weights_are_real_in_the_first_stage_and_evaluated_as_signs() -> None:
    run = begun(real_epochs=1)
    run.epoch()
    assert all(layer.real for layer in run.model.binarized())
    layer = run.model.binarized()[0]
    run.model.train()
    assert torch.equal(layer.signs(), layer.weight)
    run.model.eval()
    assert set(layer.signs().unique().tolist()) == {-1.0, 1.0}
    run.epoch()
    run.model.train()
    assert set(layer.signs().unique().tolist()) == {-1.0, 1.0}


def test_the_average_follows_every_parameter_and_is_what_is_validated() -> None:
    run = begun(average=0.75)
    assert run.averaged is not None and run.validated is not run.model
    generator = torch.Generator().manual_seed(0)
    expected: dict[str, torch.Tensor] = {}
    for step in range(4):
        run.step(torch.arange(50 * step, 50 * step + 50), generator)
        now = {name: value.clone() for name, value in run.model.state_dict().items()}
        expected = {
            name: 0.75 * expected[name] + 0.25 * value if expected else value
            for name, value in now.items()
        }
    found = run.validated.state_dict()
    assert {"hidden.0.affine.weight", "hidden.0.norm.running_mean", "output.bias"} <= set(found)
    torch.testing.assert_close(dict(found), expected)
