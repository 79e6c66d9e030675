"""Hands the shim one image after the other."""

__all__ = ["Driver"]

from typing import Any

import numpy as np
import numpy.typing as npt
from cocotb.types import LogicArray, Range


class Driver:
    """Puts images on the shim's `image` port, each as soon as the one before was taken.

    Parameters
    ----------
    shim : the top's handle
    images : ndarray[uint8], (N, bytes)
        As `packet.drive` makes them.
    """

    def __init__(self, shim: Any, images: npt.NDArray[np.uint8]) -> None:
        self._shim = shim
        self._images = images
        self._width = len(shim.image)

    async def run(self) -> None:
        shim, put = self._shim, int(self._shim.image_put.value)
        span = Range(self._width - 1, "downto", 0)
        for image in self._images:
            number = int.from_bytes(image.tobytes(), "little")
            shim.image.value = LogicArray(f"{number:0{self._width}b}", span)
            put ^= 1
            shim.image_put.value = put
            await shim.image_got.value_change
