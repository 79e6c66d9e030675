"""AP2 against the paper's definition, and torch against numpy to the bit."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from bnnhw.training.power import ap2, ap2_array


def plain(x: float) -> float:
    """sign(x) 2^round(log2 |x|), the logarithm's middle decided in whole numbers: x^2 > 2 * 4^e."""
    if x == 0:
        return 0.0
    e = math.frexp(abs(x))[1] - 1  # 2^e <= |x| < 2^(e + 1)
    up = Fraction(x) ** 2 > 2 * Fraction(4) ** e
    return math.copysign(2.0 ** (e + up), x)


ROOT32 = np.nextafter(np.float32(math.sqrt(2)), np.array([0, 2], np.float32))
VALUES = [0.0, 1.0, -1.0, 1.4142135, 1.4142137, -1.4142137, 3.0, 1e-30, -6e20, 2.0**-126, 0.75]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ap2_is_what_the_paper_says(dtype: torch.dtype) -> None:
    random = torch.randn(2000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    root = math.sqrt(2)
    roots = [root, math.nextafter(root, 0), math.nextafter(root, 2), *map(float, ROOT32)]
    x = torch.cat([random * torch.exp(random * 20), torch.tensor(VALUES + roots)]).to(dtype)
    assert ap2(x).dtype == dtype
    assert ap2(x).tolist() == [plain(value) for value in x.tolist()]


def test_numpy_and_torch_agree_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=5000) * np.exp(rng.normal(size=5000) * 50)
    np.testing.assert_array_equal(ap2_array(x), ap2(torch.from_numpy(x)).numpy())
    tiny = np.array([1e-45, -1e-45, 0.0, -0.0, 3.4e38], np.float32).astype(np.float64)
    np.testing.assert_array_equal(ap2_array(tiny), [plain(v) for v in tiny.tolist()])


def test_the_gradient_passes_as_it_is() -> None:
    x = torch.tensor([0.3, -5.0, 0.0], requires_grad=True)
    (ap2(x) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [1.0, 2.0, 3.0]
