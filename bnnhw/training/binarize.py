"""Binarization, deterministic or stochastic, and the gradient that goes straight through it."""

__all__ = ["binarize"]

from typing import Any

import torch
from torch import Tensor


class _Binarize(torch.autograd.Function):
    """A sign in {-1, +1} forward; backward, the gradient inside a window."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, window: str, stochastic: bool) -> Tensor:
        if window != "open":
            ctx.save_for_backward(x)
        ctx.window = window
        if stochastic:
            above = torch.rand_like(x) < ((x + 1) / 2).clamp_(0, 1)
            return above.to(x.dtype).mul_(2).sub_(1)
        # torch's sign(0) is 0, of which the half makes +1; four times as fast as a comparison.
        return x.sign().add_(0.5).sign_()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (g,) = gradients
        if ctx.window == "open":
            return g, None, None
        (x,) = ctx.saved_tensors
        if ctx.window == "box":
            return g.masked_fill(x.abs() > 1, 0), None, None
        return g * (1 - x.abs()).clamp_(min=0), None, None


def binarize(x: Tensor, window: str = "box", *, stochastic: bool = False) -> Tensor:
    """x as -1 and +1, with the straight-through estimator as its gradient.

    Courbariaux et al. 2016 (arXiv:1602.02830), equations 1 to 4:

        deterministic   q = +1 if r >= 0 else -1
        stochastic      q = +1 with probability sigma(r), else -1
        hard sigmoid    sigma(r) = clip((r + 1) / 2, 0, 1)
        gradient        g_r = g_q * 1{|r| <= 1}             (window "box")
                        g_r = g_q * max(0, 1 - |r|)         (window "triangle")
                        g_r = g_q                           (window "open")

    The sign's true gradient is 0 almost everywhere; this one is that of the hard tanh
    Htanh(r) = clip(r, -1, 1), which is also what the stochastic sign is on average. Beyond the
    window the neuron is saturated and the gradient stops, without which training does much worse.
    The triangle falls off gently instead: it is the derivative of a smoother step, and trusts
    values near zero, whose sign can still turn, most. The open one is the box for numbers that are
    clipped to it, as real weights are, without the work of looking.

    Stochastic draws come from torch's own generator of the tensor's device.
    """
    result: Tensor = _Binarize.apply(x, window, stochastic)
    return result
