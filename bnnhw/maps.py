"""The layers of a binarized network that only arrange bits: pooling and flattening."""

__all__ = ["Flatten", "Pool"]

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .layers import check_name, frozen
from .window import MOST_VALUES, Window


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pool:
    """Max pooling of bits: a window's OR in each channel, or its AND.

    The maximum of signs is their OR. Where the maximum of sums was taken before a norm with a
    negative gamma, the norm's sign turns it into a minimum: AND.

    Parameters
    ----------
    name : str
    window : Window
        Without padding.
    pool_and : ndarray[uint8], (C,)
        Of each channel: 0 OR, 1 AND.
    """

    name: str
    window: Window
    pool_and: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.window.padding != (0, 0):
            raise InputError(f"{self.name}: pooling has no padding, not {self.window.padding}")
        pool_and = frozen(self.pool_and, np.uint8, f"{self.name}: pool_and")
        channels = self.window.shape[2]
        if pool_and.shape != (channels,):
            raise InputError(
                f"{self.name}: pool_and must have shape ({channels},), not {pool_and.shape}"
            )
        if pool_and.max() > 1:
            raise InputError(f"{self.name}: pool_and must be 0 or 1, not {pool_and.max()}")
        object.__setattr__(self, "pool_and", pool_and)

    @property
    def input_bits(self) -> int:
        """1: it takes bits."""
        return 1

    @property
    def shape_in(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return self.window.shape

    @property
    def shape_out(self) -> tuple[int, int, int]:
        """(OH, OW, C)."""
        return self.window.rows, self.window.cols, self.window.shape[2]

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """What the network's file holds of it."""
        return {"pool_and": self.pool_and}

    def to_json(self) -> dict[str, Any]:
        return {"kind": "pool", "name": self.name} | self.window.to_json()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Flatten:
    """A map (H, W, C) as a vector: `k = (y * W + x) * C + c`.

    Parameters
    ----------
    name : str
    shape : (H, W, C)
    """

    name: str
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.shape) != 3 or any(type(n) is not int or n < 1 for n in self.shape):
            raise InputError(
                f"{self.name}: shape must be 3 integers of at least 1, not {list(self.shape)}"
            )
        if math.prod(self.shape) > MOST_VALUES:
            raise InputError(
                f"{self.name}: a map must have at most {MOST_VALUES:,} values, "
                f"not {math.prod(self.shape):,}"
            )

    @property
    def shape_in(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return self.shape

    @property
    def shape_out(self) -> tuple[int]:
        """(H * W * C,)."""
        return (math.prod(self.shape),)

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """None: it has no parameters."""
        return {}

    def to_json(self) -> dict[str, Any]:
        return {"kind": "flatten", "name": self.name, "shape": list(self.shape)}
