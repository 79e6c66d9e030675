"""Thresholds by bisection, and scores in integers, against the formulas tried on every sum."""

import functools
import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from bnnhw.errors import InputError
from bnnhw.training.fold import (
    BatchNormFold,
    NormFold,
    ShiftNormFold,
    output_integers,
    thresholds,
)

EPS = 1e-5


def norm(
    gamma: list[float],
    beta: list[float],
    mean: list[float],
    var: list[float],
    eps: float = EPS,
    *,
    kind: type[NormFold] = BatchNormFold,
) -> NormFold:
    parameters = [np.array(p, np.float32) for p in (gamma, beta, mean, var)]
    return kind(
        gamma=parameters[0], beta=parameters[1], mean=parameters[2], var=parameters[3], eps=eps
    )


def fires(n: NormFold, j: int, s: int) -> bool:
    """The formula in Python's own floats, from left to right."""
    gamma, beta, mean, var = (float(p[j]) for p in (n.gamma, n.beta, n.mean, n.var))
    root = math.sqrt(var + n.eps)
    if isinstance(n, ShiftNormFold):
        return power(gamma) * ((s - mean) * power(1 / root)) + beta >= 0
    return gamma * (s - mean) / root + beta >= 0


@functools.cache
def power(x: float) -> float:
    """AP2: of the powers of two around x that which is nearer by the logarithm."""
    share, exponent = math.frexp(abs(x))  # a half to one
    below = 2 * Fraction(share) ** 2 < 1
    return math.copysign(math.ldexp(share != 0, exponent - below), x)


def assert_exact(n: NormFold, inputs: int, bits: int) -> None:
    """The threshold decides as the formula does, for every sum that a layer can have."""
    threshold, flip = thresholds(n, inputs, bits)
    reach = inputs * ((1 << bits) - 1)
    for j in range(len(flip)):
        low, high = (0, inputs + 1) if bits == 1 else (-reach, reach + 1)
        assert low <= threshold[j] <= high
        for v in range(low, high):
            s = 2 * v - inputs if bits == 1 else v
            if flip[j]:
                v = inputs - v if bits == 1 else -v  # noqa: PLW2901
            assert (v >= threshold[j]) == fires(n, j, s), (j, s)


KINDS = [BatchNormFold, ShiftNormFold]
SIZES = [(1, 1), (2, 1), (3, 1), (17, 1), (64, 1), (100, 1), (1, 2), (5, 4), (3, 8)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("inputs", "bits"), SIZES)
def test_thresholds_decide_as_the_norm_does_for_every_sum(
    inputs: int, bits: int, kind: type[NormFold]
) -> None:
    rng = np.random.default_rng(inputs * 10 + bits)
    reach = inputs * ((1 << bits) - 1)
    M = 40
    gamma, beta, var = rng.normal(size=M), rng.normal(size=M), rng.uniform(0, reach**2, M)
    mean = rng.normal(0, reach, M)
    assert_exact(norm([*gamma], [*beta], [*mean], [*var], kind=kind), inputs, bits)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("inputs", "bits"), SIZES)
@pytest.mark.parametrize("gamma", [1.0, -1.0, 3e38, -3e38, 1e-45, -1e-45])
def test_a_sum_that_lies_exactly_on_the_edge_fires(
    inputs: int, bits: int, gamma: float, kind: type[NormFold]
) -> None:
    # y = 0 exactly where s is the mean; halves lie between two sums.
    reach = inputs * ((1 << bits) - 1)
    means = [m / 2 for m in range(-2 * reach - 2, 2 * reach + 3, max(1, reach // 8))]
    n = norm([gamma] * len(means), [0.0] * len(means), means, [1.0] * len(means), kind=kind)
    assert_exact(n, inputs, bits)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("var", [0.0, 1e-45, 1e-38, 1e-5, 1e10, 3e38])
@pytest.mark.parametrize("eps", [1e-300, 1e-5, 1.0])
def test_tiny_and_huge_variances_fold_exactly(var: float, eps: float, kind: type[NormFold]) -> None:
    gamma = [1.0, -1.0, 0.3, -0.3, 1e-30, 1e30]
    for beta in (-1.0, -1e-7, 0.0, 1e-30, 0.7):
        n = norm(gamma, [beta] * 6, [0.1] * 6, [var] * 6, eps, kind=kind)
        assert_exact(n, 33, 1)
        assert_exact(n, 5, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gamma", [0.0, -0.0])
@pytest.mark.parametrize(("inputs", "bits", "always", "never"), [(9, 1, 0, 10), (9, 2, -27, 28)])
def test_a_gamma_of_zero_always_or_never_fires(
    gamma: float, inputs: int, bits: int, always: int, never: int, *, kind: type[NormFold]
) -> None:
    n = norm([gamma] * 4, [1.0, 0.0, -0.0, -1e-45], [3.0] * 4, [1.0] * 4, kind=kind)
    threshold, flip = thresholds(n, inputs, bits)
    assert threshold.tolist() == [always, always, always, never]
    assert not flip.any()


@pytest.mark.parametrize("name", ["gamma", "beta", "mean", "var"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_parameters_that_are_not_finite_are_refused(name: str, value: float) -> None:
    parameters = {n: [1.0, 1.0] for n in ("gamma", "beta", "mean", "var")}
    parameters[name][1] = value
    with pytest.raises(InputError) as raised:
        norm(parameters["gamma"], parameters["beta"], parameters["mean"], parameters["var"])
    assert str(raised.value) == f"{name} must be finite; 1 values are not"


def test_a_negative_variance_and_an_eps_of_zero_are_refused() -> None:
    with pytest.raises(InputError, match=r"^var must be at least 0, not -1\.0$"):
        norm([1.0], [1.0], [1.0], [-1.0])
    with pytest.raises(InputError, match=r"^eps must be above 0, not 0\.0$"):
        norm([1.0], [1.0], [1.0], [1.0], eps=0.0)


def integers(
    a: list[float], b: list[float], reach: int = 100
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int32]]:
    return output_integers(np.array(a), np.array(b), reach)


def test_one_scale_for_all_classes_becomes_1() -> None:
    scale, bias = integers([0.25] * 4, [1.0, -1.0, 0.125, 0.375])
    assert scale.tolist() == [1, 1, 1, 1]
    assert bias.tolist() == [4, -4, 0, 2]  # 0.5 and 1.5 go to the even neighbour
    assert scale.dtype == np.int16 and bias.dtype == np.int32


CASES = [
    # a, b, reach -> f: int16 binds, then int32's bias, then int32's scores
    ([1.0, 0.5], [0.0, 0.0], 10, 14),
    ([-1.0, 0.5], [0.0, 0.0], 10, 15),
    ([1.0, 0.5], [1e6, 0.0], 10, 11),
    ([1.0, 0.5], [0.0, 0.0], 1 << 20, 10),
    ([-1.0, -1.0], [0.0, 0.0], 1, 15),
    ([0.0, 0.0], [0.5, 0.25], 10, 31),
    ([1e9, 2e9], [0.0, 0.0], 10, -16),
]


@pytest.mark.parametrize(("a", "b", "reach", "f"), CASES)
def test_scales_of_classes_take_the_largest_shift_that_fits(
    a: list[float], b: list[float], reach: int, f: int
) -> None:
    scale, bias = integers(a, b, reach)
    assert scale.tolist() == [round(v * 2.0**f) for v in a]
    assert bias.tolist() == [round(v * 2.0**f) for v in b]


def test_scores_that_fit_no_shift_are_refused() -> None:
    with pytest.raises(InputError, match=r"^scales and biases must fit 16 and 32 bits"):
        integers([1e30, 1.0], [0.0, 0.0])
    with pytest.raises(InputError, match=r"^bias over scale must fit 32 bits"):
        integers([1e-9, 1e-9], [3.0, 0.0])
    with pytest.raises(InputError, match=r"^scale must be finite; 1 values are not"):
        integers([math.nan, 1.0], [0.0, 0.0])
    with pytest.raises(InputError, match=r"^bias must be finite; 1 values are not"):
        integers([1.0, 1.0], [0.0, math.inf])
