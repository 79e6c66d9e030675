"""AP2, the nearest power of two: what shift-based norm and optimizer multiply with.

Courbariaux et al. 2016, section 1.3: AP2(x) = sign(x) 2^round(log2 |x|), so that a product with it
is a shift. The logarithm's middle between two powers is sqrt(2), which no float is: on the bits of
a float, rounding is an addition that carries into the exponent when the mantissa is past it.
"""

__all__ = ["ap2", "ap2_array"]

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

# Of each format: its mantissa's bits, and the least mantissa above sqrt(2).
FLOAT32 = (23, 0x3504F4)
FLOAT64 = (52, 0x6A09E667F3BCD)


class _Ap2(torch.autograd.Function):
    """AP2 forward; backward the identity, for which AP2 stands."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        bits, middle = FLOAT32 if x.dtype == torch.float32 else FLOAT64
        integers = x.view(torch.int32 if x.dtype == torch.float32 else torch.int64)
        return (((integers + ((1 << bits) - middle)) >> bits) << bits).view(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


def ap2(x: Tensor) -> Tensor:
    """AP2 of each element of a float32 or float64 tensor.

    0 is 0; below the format's normal numbers it is 0 or the least of them. The gradient passes as
    it is.
    """
    result: Tensor = _Ap2.apply(x)
    return result


def ap2_array(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same in numpy, to the bit."""
    bits, middle = FLOAT64
    return (((x.view(np.int64) + ((1 << bits) - middle)) >> bits) << bits).view(np.float64)
