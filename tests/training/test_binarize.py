"""The sign and its straight-through gradient against the equations."""

import pytest
import torch

from bnnhw.training.binarize import binarize

VALUES = [-1e30, -2.0, -1.0000001, -1.0, -0.75, -1e-45, -0.0, 0.0, 0.25, 1.0, 1.0000001, 2.0]


def test_the_sign_is_never_zero() -> None:
    assert binarize(torch.tensor(VALUES)).tolist() == [-1.0] * 6 + [1.0] * 6


@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("window", ["box", "triangle", "open"])
def test_the_gradient_is_passed_inside_the_window(window: str, stochastic: bool) -> None:
    x = torch.tensor(VALUES, requires_grad=True)
    g = torch.arange(1.0, 13.0)
    (binarize(x, window, stochastic=stochastic) * g).sum().backward()
    assert x.grad is not None
    magnitude = x.detach().abs()
    factors = {
        "box": (magnitude <= 1).float(),
        "triangle": (1 - magnitude).clamp(min=0),
        "open": torch.ones(12),
    }
    assert torch.equal(x.grad, g * factors[window])


def test_the_box_reaches_one_and_the_triangle_ends_there() -> None:
    for window, expected in (("box", [0.0, 1.0, 1.0, 1.0, 0.0]), ("triangle", [0, 0, 1, 0, 0])):
        x = torch.tensor([-1.5, -1.0, 0.0, 1.0, 1.5], requires_grad=True)
        binarize(x, window).sum().backward()
        assert x.grad is not None
        assert x.grad.tolist() == expected
