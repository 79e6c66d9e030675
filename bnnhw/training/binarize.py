"""Deterministic binarization, and the gradient that is passed straight through it."""

__all__ = ["binarize"]

from typing import Any

import torch
from torch import Tensor


class _Sign(torch.autograd.Function):
    """sign(x) forward, with sign(0) = +1; backward, the gradient inside a window."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, window: str) -> Tensor:
        ctx.save_for_backward(x)
        ctx.window = window
        return torch.where(x >= 0, 1.0, -1.0)  # never torch.sign, for which sign(0) is 0

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        (g,) = gradients
        if ctx.window == "box":
            return g * (x.abs() <= 1), None
        return g * (1 - x.abs()).clamp_(min=0), None


def binarize(x: Tensor, window: str = "box") -> Tensor:
    """sign(x) in {-1, +1}, with the straight-through estimator as its gradient.

    Courbariaux et al. 2016 (arXiv:1602.02830), equations 1 and 4: with q = sign(r) and the
    gradient g_q of the loss with respect to q,

        q   = +1 if r >= 0 else -1
        g_r = g_q * 1{|r| <= 1}             (window "box")
        g_r = g_q * max(0, 1 - |r|)         (window "triangle")

    The sign's true gradient is 0 almost everywhere; this one is that of the hard tanh
    Htanh(r) = clip(r, -1, 1). Beyond the window the neuron is saturated and the gradient stops,
    without which training does much worse. The triangle falls off gently instead: it is the
    derivative of a smoother step, and trusts values near zero, whose sign can still turn, most.
    """
    result: Tensor = _Sign.apply(x, window)
    return result
