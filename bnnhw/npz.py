"""Arrays from an .npz file."""

__all__ = ["read_npz"]

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError


def read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    """All arrays of the file, by name. Nothing in it is unpickled.

    Raises
    ------
    InputError
        A file that is missing, damaged, holds anything but arrays, or more than memory does.
    """
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("a single array")
        with file:
            return {name: np.asarray(file[name]) for name in file.files}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except MemoryError:
        raise InputError(f"{path}: holds more than there is memory for") from None
    except Exception as error:  # zip, zlib and numpy raise nearly anything on a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: not a readable .npz file ({reason})") from None
