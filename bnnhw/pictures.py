"""Pictures from files, as pixels: what is damaged, too large or not of 8 bits is one line."""

__all__ = ["Header", "header", "pixels"]

import dataclasses
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

MOST = 1 << 22  # pixels of one picture
GREY = ("1", "L", "LA")
COLOURED = ("P", "PA", "RGB", "RGBA")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What a picture says of itself.

    Parameters
    ----------
    high, wide : int
        Pixels.
    coloured : bool
    """

    high: int
    wide: int
    coloured: bool


def header(path: Path | str) -> Header:
    """A picture's size and kind; its pixels stay unread.

    Raises
    ------
    InputError
        A file that is missing, no picture, damaged, too large, or has pixels of more than 8 bits.
    """
    with _opened(path) as picture:
        return _header(path, picture)


def pixels(
    path: Path | str, *, coloured: bool, size: Header | None = None
) -> npt.NDArray[np.uint8]:
    """(height, width, 3) or, where not coloured, (height, width, 1), 0 to 255.

    Parameters
    ----------
    coloured : bool
        What is asked for; the picture is made so.
    size : Header
        Whose height and width it must have.

    Raises
    ------
    InputError
        As `header`, and for another size.
    """
    with _opened(path) as picture:
        found = _header(path, picture)
        # The header tells the size; a wrong one is refused before any pixel is unpacked.
        if size and (found.wide, found.high) != (size.wide, size.high):
            raise InputError(
                f"{path}: must be {size.wide} x {size.high} pixels, "
                f"not {found.wide} x {found.high}; resize it"
            )
        values = np.asarray(picture.convert("RGB" if coloured else "L"), np.uint8)
    return values.reshape(found.high, found.wide, -1)


def _header(path: Path | str, picture: "Image") -> Header:
    wide, high = picture.size
    if wide * high > MOST:
        raise InputError(f"{path}: must have at most {MOST:,} pixels, not {wide * high:,}")
    if picture.mode not in GREY + COLOURED:
        raise InputError(f"{path}: pixels must have 8 bits, not mode {picture.mode}")
    return Header(high=high, wide=wide, coloured=picture.mode in COLOURED)


@contextmanager
def _opened(path: Path | str) -> "Iterator[Image]":
    """The picture; whatever goes wrong with it, here or while it is open, is an InputError."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(path)
        with opened:
            yield opened
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except InputError:
        raise
    except Exception as error:  # Pillow's many readers raise nearly anything on a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a readable picture ({reason})") from None
