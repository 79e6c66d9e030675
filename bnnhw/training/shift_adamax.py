"""Shift-based AdaMax: an optimizer whose every product is with a power of two."""

__all__ = ["ShiftAdaMax"]

from collections.abc import Callable, Iterable
from typing import Any

import torch

from .power import ap2

TINY = 2.0**-26  # of v at least: a gradient that is nothing but rounding makes no whole step


class ShiftAdaMax(torch.optim.Optimizer):
    """Courbariaux et al. 2016, algorithm 4, after AdaMax (Kingma and Ba 2014, algorithm 2):

        m_t     = beta1 m_(t-1) + (1 - beta1) g_t
        v_t     = max(beta2 v_(t-1), |g_t|)
        theta_t = theta_(t-1) - AP2(rate / (1 - beta1^t)) * m_t * AP2(1 / v_t)

    with 1 - beta1 = 2^-3 and 1 - beta2 = 2^-10, so that the products of the first two lines are
    shifts as well; the paper's rate is 2^-10. v_t is taken for 2^-26 at least, as the paper does
    not say what becomes of a gradient that is 0.

    Parameters
    ----------
    params : parameters, or groups of them with a rate `lr` each
    lr : float
    """

    def __init__(self, params: Iterable[Any], lr: float = 2.0**-10) -> None:
        super().__init__(params, {"lr": lr, "betas": (1 - 2.0**-3, 1 - 2.0**-10)})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of all parameters that have a gradient."""
        assert closure is None
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["step"] = torch.zeros((), dtype=torch.float32)
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_inf"] = torch.zeros_like(p)
                state["step"] += 1
                m, v = state["exp_avg"], state["exp_inf"]
                m.lerp_(p.grad, 1 - beta1)
                torch.maximum(v.mul_(beta2), p.grad.abs(), out=v)
                rate = group["lr"] / (1 - beta1 ** float(state["step"]))
                power = float(ap2(torch.tensor(rate, dtype=torch.float64)))
                p.sub_(m * ap2(1 / v.clamp(min=TINY)) * power)
