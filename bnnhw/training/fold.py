"""From real-valued norms and scales to the integers of a Network, exactly. In numpy."""

__all__ = ["BatchNormFold", "NormFold", "ShiftNormFold", "output_integers", "thresholds"]

import dataclasses
from abc import abstractmethod
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .power import ap2_array

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
INT16, INT32 = np.iinfo(np.int16), np.iinfo(np.int32)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NormFold:
    """A norm as it stands after training, one row of parameters a neuron.

    A subclass says what y(s) is, in float64 and from left to right, on parameters stored in
    float32, by operations that never turn back as s grows. The neuron fires iff y >= 0.

    Parameters
    ----------
    gamma, beta, mean, var : ndarray[float32], (M,)
        All finite, var >= 0.
    eps : float
        Above 0.
    """

    gamma: npt.NDArray[np.float32]
    beta: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]
    var: npt.NDArray[np.float32]
    eps: float

    def __post_init__(self) -> None:
        for name in ("gamma", "beta", "mean", "var"):
            _finite(name, getattr(self, name))
        if self.var.size and self.var.min() < 0:
            raise InputError(f"var must be at least 0, not {self.var.min()}")
        if not 0 < self.eps < np.inf:
            raise InputError(f"eps must be above 0, not {self.eps}")

    @abstractmethod
    def __call__(self, s: Integers) -> Floats:
        """y for one sum a neuron, (M,)."""

    def _doubles(self) -> tuple[Floats, ...]:
        given = (self.gamma, self.beta, self.mean, self.var)
        return tuple(p.astype(np.float64) for p in given)


class BatchNormFold(NormFold):
    """y(s) = gamma * (s - mean) / sqrt(var + eps) + beta."""

    def __call__(self, s: Integers) -> Floats:
        gamma, beta, mean, var = self._doubles()
        return gamma * (s - mean) / np.sqrt(var + self.eps) + beta


class ShiftNormFold(NormFold):
    """y(s) = AP2(gamma) * ((s - mean) * AP2(1 / sqrt(var + eps))) + beta."""

    def __call__(self, s: Integers) -> Floats:
        gamma, beta, mean, var = self._doubles()
        scaled = (s - mean) * ap2_array(1 / np.sqrt(var + self.eps))
        return ap2_array(gamma) * scaled + beta


def thresholds(
    norm: NormFold, inputs: int, input_bits: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """The integer thresholds that decide as the norm does, and the neurons to flip.

    Every step of y(s) is a correctly rounded operation of float64, and rounding is monotone: so y
    never turns back as s grows, and the least s that fires is found by bisection. That is exact,
    where solving y(s) = 0 for s is not. A negative gamma makes y fall: then the neuron's weights
    are to be negated, s' = -s (that is p' = K - p), and y(-s') rises. A gamma of 0 gives a
    constant, and with it the threshold that always or never fires.

    Parameters
    ----------
    norm : NormFold of M neurons
    inputs : int
        K.
    input_bits : int
        1: the threshold is on p = popcount, s = 2p - K; else on s itself.

    Returns
    -------
    threshold : ndarray[int32], (M,)
    flip : ndarray[bool], (M,)
        Neurons whose weights the caller negates.
    """
    flip = norm.gamma < 0
    direction = np.where(flip, -1, 1)
    if input_bits == 1:
        first, last = 0, inputs
        step, offset = 2, -inputs  # s = 2p - K
    else:
        last = ((1 << input_bits) - 1) * inputs
        first = -last
        step, offset = 1, 0

    def fires(v: Integers) -> npt.NDArray[np.bool_]:
        return norm(direction * (step * v + offset)) >= 0

    return _least(fires, first, last, len(flip)).astype(np.int32), flip


def _least(
    fires: Callable[[Integers], npt.NDArray[np.bool_]], first: int, last: int, neurons: int
) -> Integers:
    """For each neuron the least integer from `first` to `last` that fires, else last + 1."""
    low = np.full(neurons, first, np.int64)  # all below low do not fire
    high = np.full(neurons, last + 1, np.int64)  # high and all above do
    while (open_ := low < high).any():
        middle = (low + high) // 2
        # A closed neuron's middle may be last + 1, which no sum is: it is not used.
        fired = fires(np.minimum(middle, last))
        high = np.where(open_ & fired, middle, high)
        low = np.where(open_ & ~fired, middle + 1, low)
    return low


def output_integers(
    a: Floats, b: Floats, reach: int
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int32]]:
    """Real scales and biases of the classes as the integers of an Output.

    Where all a_j are one a > 0, the classes' order does not change when all is divided by a:
    scale 1, bias_j = rint(b_j / a). Else scale_j = rint(a_j 2^f) and bias_j = rint(b_j 2^f), with
    the largest f in -31 to 31 with which the scales fit int16, and the biases and every score
    that a sum |s| <= reach can give fit int32.

    Parameters
    ----------
    a, b : ndarray[float64], (M,)
        score_j = a_j * s_j + b_j.
    reach : int
        The largest |s|.

    Raises
    ------
    InputError
        A value that is not finite, or too large for any f.
    """
    _finite("scale", a)
    _finite("bias", b)
    if a[0] > 0 and (a == a[0]).all():
        scale, bias = np.ones_like(a), np.rint(b / a)
        if _fits(scale, bias, reach):
            return scale.astype(np.int16), bias.astype(np.int32)
        raise InputError(f"bias over scale must fit 32 bits, not reach {np.abs(b / a).max():g}")
    for f in range(31, -32, -1):
        scale, bias = np.rint(a * 2.0**f), np.rint(b * 2.0**f)
        if _fits(scale, bias, reach):
            return scale.astype(np.int16), bias.astype(np.int32)
    raise InputError(
        f"scales and biases must fit 16 and 32 bits, not reach {np.abs(a).max():g} "
        f"and {np.abs(b).max():g}"
    )


def _fits(scale: Floats, bias: Floats, reach: int) -> bool:
    """Whether scales fit int16, and biases and all scores int32 (exact: far below 2^53)."""
    if np.abs(bias).max() > INT32.max or scale.min() < INT16.min or scale.max() > INT16.max:
        return False
    far = np.abs(scale) * reach
    return bool((bias + far).max() <= INT32.max and (bias - far).min() >= INT32.min)


def _finite(name: str, values: npt.NDArray[np.floating]) -> None:
    if not np.isfinite(values).all():
        raise InputError(f"{name} must be finite; {(~np.isfinite(values)).sum()} values are not")
