"""Norms in training against the paper's formulas, and over several processes."""

import math

import pytest
import torch
from torch.nn import functional

from bnnhw.training.norm import EPS, MOMENTUM, NORMS, BatchNorm, Norm, ShiftNorm
from bnnhw.training.power import ap2

SHAPES = [(50, 7), (6, 7, 4, 5)]


def drawn(norm: Norm, shape: tuple[int, ...]) -> torch.Tensor:
    g = torch.Generator().manual_seed(0)
    with torch.no_grad():
        norm.weight.copy_(torch.randn(7, generator=g))
        norm.bias.copy_(torch.randn(7, generator=g))
    return torch.randn(shape, generator=g) * 9 + 3


@pytest.mark.parametrize("fused", [(), ("cpu",)], ids=["ours", "fused"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_batch_norm_is_torchs_own_with_its_gradients_and_statistics(
    shape: tuple[int, ...], fused: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bnnhw.training.norm.FUSED", fused)
    norm = BatchNorm(7)
    s = drawn(norm, shape).requires_grad_()
    up = torch.linspace(-1, 1, s.numel()).view(shape)
    given = [s, norm.weight, norm.bias]
    ours = norm(s)
    mean, var = torch.zeros(7), torch.ones(7)
    theirs = functional.batch_norm(s, mean, var, norm.weight, norm.bias, training=True, eps=EPS)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, var)
    norm.eval()
    stored = (mean, var, norm.weight, norm.bias)
    torch.testing.assert_close(norm(s), functional.batch_norm(s, *stored, training=False, eps=EPS))
    norm.train()
    gradients = [torch.autograd.grad((y * up).sum(), given) for y in (ours, theirs)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shift_norm_is_algorithm_3(shape: tuple[int, ...]) -> None:
    norm = ShiftNorm(7)
    s = drawn(norm, shape)
    y = norm(s).detach()
    for j in range(7):
        values = s[:, j].flatten().double().tolist()
        mean = sum(values) / len(values)
        c = [value - mean for value in values]
        var = sum(v * _power(v) for v in c) / len(c)
        scale = _power(1 / math.sqrt(var + EPS))
        gamma, beta = norm.weight[j].item(), norm.bias[j].item()
        wanted = [_power(gamma) * (v * scale) + beta for v in c]
        torch.testing.assert_close(y[:, j].flatten(), torch.tensor(wanted), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(float(norm.running_mean[j]), MOMENTUM * mean, rtol=1e-4, atol=0)
        kept = (1 - MOMENTUM) + MOMENTUM * var
        torch.testing.assert_close(float(norm.running_var[j]), kept, rtol=1e-4, atol=0)


def _power(x: float) -> float:
    return math.copysign(2.0 ** round(math.log2(abs(x))), x) if x else 0.0


def test_shift_norms_gradient_is_that_of_the_norm_with_powers_for_constants() -> None:
    """With AP2's gradient taken for 1: of the sum of y, and through mean and variance."""
    norm = ShiftNorm(7)
    s = drawn(norm, (50, 7)).requires_grad_()
    up = torch.randn(50, 7, generator=torch.Generator().manual_seed(1))
    (norm(s) * up).sum().backward()
    with torch.no_grad():
        c = s - s.mean(0)
        var = (c * ap2(c)).mean(0)
        root = (var + EPS).rsqrt()
        hat = c * ap2(root)
        g = up * ap2(norm.weight)
        g_root = (g * c).sum(0)
        g_var = g_root * -0.5 * root**3
        g_c = g * ap2(root) + g_var * (ap2(c) + c) / 50
        wanted = g_c - g_c.mean(0)
    assert s.grad is not None and norm.weight.grad is not None and norm.bias.grad is not None
    torch.testing.assert_close(s.grad, wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm.weight.grad, (up * hat).sum(0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm.bias.grad, up.sum(0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", NORMS)
def test_in_eval_mode_a_sum_that_is_the_mean_fires_where_beta_is_zero(kind: str) -> None:
    norm = NORMS[kind](3)
    with torch.no_grad():
        norm.running_mean.copy_(torch.tensor([5.0, 5.0, -2.0]))
        norm.weight.copy_(torch.tensor([0.3, -0.3, 0.0]))
        norm.bias.copy_(torch.tensor([0.0, 0.0, -1e-9]))
    s = torch.tensor([[4.0, 4.0, 4.0], [5.0, 5.0, 5.0], [6.0, 6.0, 6.0]])
    assert norm.decide(s).tolist() == [[-1, 1, -1], [1, 1, -1], [1, -1, -1]]


def test_a_sum_that_is_the_batchs_mean_is_exactly_on_the_edge() -> None:
    """A mean summed in float32 would miss it: beyond 2^24 that holds even numbers only."""
    s = torch.tensor([[3.0], [8_000_001.0], [7.0], [8_000_013.0], [4_000_006.0]])
    assert BatchNorm(1)(s)[-1].item() == 0.0
