"""Binarization, deterministic or stochastic, and the gradient that goes straight through it."""

__all__ = ["WINDOWS", "binarize"]

from typing import Any

import torch
from torch import Tensor

WINDOWS = ("box", "triangle")


class _Binarize(torch.autograd.Function):
    """A sign in {-1, +1} forward; backward, the gradient inside a window."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, window: str, stochastic: bool) -> Tensor:
        ctx.save_for_backward(x)
        ctx.window = window
        # Never torch.sign, for which sign(0) is 0.
        above = torch.rand_like(x) < ((x + 1) / 2).clamp_(0, 1) if stochastic else x >= 0
        return above.to(x.dtype).mul_(2).sub_(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        (g,) = gradients
        if ctx.window == "box":
            return g * (x.abs() <= 1), None, None
        return g * (1 - x.abs()).clamp_(min=0), None, None


def binarize(x: Tensor, window: str = "box", *, stochastic: bool = False) -> Tensor:
    """x as -1 and +1, with the straight-through estimator as its gradient.

    Courbariaux et al. 2016 (arXiv:1602.02830), equations 1 to 4:

        deterministic   q = +1 if r >= 0 else -1
        stochastic      q = +1 with probability sigma(r), else -1
        hard sigmoid    sigma(r) = clip((r + 1) / 2, 0, 1)
        gradient        g_r = g_q * 1{|r| <= 1}             (window "box")
                        g_r = g_q * max(0, 1 - |r|)         (window "triangle")

    The sign's true gradient is 0 almost everywhere; this one is that of the hard tanh
    Htanh(r) = clip(r, -1, 1), which is also what the stochastic sign is on average. Beyond the
    window the neuron is saturated and the gradient stops, without which training does much worse.
    The triangle falls off gently instead: it is the derivative of a smoother step, and trusts
    values near zero, whose sign can still turn, most.

    Stochastic draws come from torch's own generator of the tensor's device.
    """
    result: Tensor = _Binarize.apply(x, window, stochastic)
    return result
