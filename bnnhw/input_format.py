"""How raw values become a network's inputs, integers of 1 to 8 bits."""

__all__ = ["InputFormat"]

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class InputFormat:
    """How a raw value v becomes an input x of B bits.

    `x = clip(rint((v - lo) / (hi - lo) * (2^B - 1)), 0, 2^B - 1)` in float64, or for B = 1
    `x = (v >= threshold)`.

    Parameters
    ----------
    shape : tuple of int
        Of one sample: (K,) or (height, width, channels).
    bits : int
        B, 1 to 8. One bit means bipolar: 0 is -1.
    lo, hi : float
        The raw values that become 0 and 2^B - 1 (B > 1).
    threshold : float
        The smallest raw value that becomes 1 (B = 1).
    """

    shape: tuple[int, ...]
    bits: int
    lo: float | None = None
    hi: float | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        if len(self.shape) not in (1, 3) or any(n < 1 for n in self.shape):
            raise InputError(
                f"input shape must be (K,) or (H, W, C) of sizes >= 1, not {self.shape}"
            )
        if not 1 <= self.bits <= 8:
            raise InputError(f"input bits must be 1 to 8, not {self.bits}")
        given = {n for n in ("lo", "hi", "threshold") if getattr(self, n) is not None}
        wanted = {"threshold"} if self.bits == 1 else {"lo", "hi"}
        if given != wanted:
            raise InputError(
                f"an input of {self.bits} bits has {' and '.join(sorted(wanted))}, "
                f"not {' and '.join(sorted(given)) or 'none'}"
            )
        for name in wanted:
            object.__setattr__(self, name, float(getattr(self, name)))
            if not math.isfinite(getattr(self, name)):
                raise InputError(f"input {name} must be finite, not {getattr(self, name)}")
        if self.lo is not None and self.hi is not None and not 0 < self.hi - self.lo < math.inf:
            raise InputError(
                f"input lo must be below hi, by a finite step, not {self.lo} and {self.hi}"
            )

    @property
    def size(self) -> int:
        """K, the number of inputs of one sample."""
        return math.prod(self.shape)

    @property
    def top(self) -> int:
        """The largest input, 2^B - 1."""
        return (1 << self.bits) - 1

    def quantize(self, values: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Raw samples to inputs.

        Parameters
        ----------
        values : array of numbers, (N, *shape) or (N, K)

        Returns
        -------
        ndarray[uint8], (N, K), each 0 to 2^B - 1.

        Raises
        ------
        InputError
            A shape that does not fit, or a value that is not a number.
        """
        # Bytes that are the inputs already: float64 would take eight times as much.
        bytes_are_inputs = (self.lo, self.hi, self.top) == (0, 255, 255)
        as_is = bytes_are_inputs and getattr(values, "dtype", None) == np.uint8
        try:
            v: npt.NDArray[Any] = np.asarray(values, dtype=np.uint8 if as_is else np.float64)
        except (TypeError, ValueError):
            raise InputError("samples must be an array of numbers of one shape") from None
        if v.ndim < 2 or (v.shape[1:] != self.shape and v.shape[1:] != (self.size,)):
            raise InputError(
                f"samples must have shape (N, {', '.join(map(str, self.shape))}), not {v.shape}"
            )
        v = v.reshape(len(v), self.size)
        if as_is:
            return v.astype(np.uint8)
        if np.isnan(v).any():
            raise InputError("samples must be numbers; at least one is NaN")
        if self.threshold is not None:
            return (v >= self.threshold).astype(np.uint8)
        assert self.lo is not None and self.hi is not None
        with np.errstate(over="ignore"):  # infinity is clipped like any other large value
            x = np.rint((v - self.lo) / (self.hi - self.lo) * self.top)
        return np.clip(x, 0, self.top).astype(np.uint8)

    def to_json(self) -> dict[str, Any]:
        fields = {n: getattr(self, n) for n in ("bits", "lo", "hi", "threshold")}
        return {n: v for n, v in fields.items() if v is not None} | {"shape": list(self.shape)}
