"""The optimizer against a plain reading of the paper's algorithm 4."""

import math

import pytest
import torch

from bnnhw.training.shift_adamax import ShiftAdaMax


def power(x: float) -> float:
    return math.copysign(2.0 ** round(math.log2(abs(x))), x)


def test_steps_are_those_of_the_algorithm() -> None:
    generator = torch.Generator().manual_seed(0)
    p = torch.nn.Parameter(torch.randn(20, generator=generator))
    theta = [float(v) for v in p.detach()]
    m, v = [0.0] * 20, [0.0] * 20
    optimizer = ShiftAdaMax([p], lr=0.02)
    for t in range(1, 40):
        g = torch.randn(20, generator=generator) * 10.0 ** (t % 5 - 2)
        g[3] = 0.0
        p.grad = g.clone()
        optimizer.step()
        for i, gi in enumerate(g.tolist()):
            m[i] = (1 - 2**-3) * m[i] + 2**-3 * gi
            v[i] = max((1 - 2**-10) * v[i], abs(gi))
            if v[i]:
                rate = power(0.02 / (1 - (1 - 2**-3) ** t))
                theta[i] -= rate * m[i] * power(1 / v[i])
    assert p.detach().tolist() == pytest.approx(theta, rel=1e-4, abs=1e-5)
    assert p.detach()[3].item() == pytest.approx(theta[3])


def test_a_parameter_without_a_gradient_stays() -> None:
    p, q = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    p.grad = torch.ones(2)
    ShiftAdaMax([p, q], lr=0.5).step()
    assert q.tolist() == [1, 1] and p.tolist() != [1, 1]
