"""Losses and schedules against their formulas."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
import torch

from bnnhw.training.losses import distillation, loss_of, rate_at


def test_the_square_hinge_is_the_formula() -> None:
    scores = torch.tensor([[0.5, -2.0, 3.0]])
    # targets +1 -1 -1: (1 - 0.5)^2, max(0, 1 - 2)^2 = 0, (1 + 3)^2
    assert loss_of(scores, torch.tensor([0]), "hinge").item() == pytest.approx((0.25 + 0 + 16) / 3)
    both = torch.cat([scores, torch.tensor([[0.0, 1.5, -0.5]])])  # of the second 1, 0 and 0.25
    found = loss_of(both, torch.tensor([0, 1]), "hinge")
    assert found.item() == pytest.approx((0.25 + 0 + 16 + 1 + 0 + 0.25) / 6)


def softmax(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    powers: npt.NDArray[np.float64] = np.exp(z)
    return powers / powers.sum(1, keepdims=True)


def test_distillation_is_the_divergence_from_the_softened_teacher() -> None:
    generator = torch.Generator().manual_seed(0)
    scores, wanted = (torch.randn(5, 10, generator=generator) for _ in range(2))
    p, q = (softmax(v.double().numpy() / 3) for v in (wanted, scores))
    divergence = np.mean(np.sum(p * np.log(p / q), 1))
    assert distillation(scores, wanted, 3.0).item() == pytest.approx(9 * divergence)
    assert distillation(scores, scores, 3.0).item() == pytest.approx(0, abs=1e-6)


def test_the_rate_warms_up_and_falls_to_zero() -> None:
    rates = [rate_at(step, 100, 10) for step in range(101)]
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[10] == 1 and rates[55] == pytest.approx(0.5) and rates[100] == pytest.approx(0)
    assert all(a > b for a, b in itertools.pairwise(rates[10:]))
    assert rate_at(0, 10, 0) == 1


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_is_the_formula(smoothing: float) -> None:
    scores = torch.tensor([[0.5, -2.0, 3.0], [1.0, 1.0, 0.0]])
    target = (1 - smoothing) * np.eye(3)[[0, 2]] + smoothing / 3
    wanted = -np.mean(np.sum(target * np.log(softmax(scores.double().numpy())), 1))
    found = loss_of(scores, torch.tensor([0, 2]), "cross_entropy", smoothing)
    assert found.item() == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize(
    ("schedule", "middle", "end"),
    [("linear", 0.5, 0.0), ("exponential", 1e-3**0.5, 1e-3), ("constant", 1.0, 1.0)],
)
def test_schedules_end_where_they_say(schedule: str, middle: float, end: float) -> None:
    assert rate_at(10, 110, 10, schedule) == 1
    assert rate_at(60, 110, 10, schedule) == pytest.approx(middle)
    assert rate_at(110, 110, 10, schedule) == pytest.approx(end, abs=1e-12)
