"""SVHN, cropped digits: the two .mat files; found or downloaded, and checked."""

__all__ = ["content"]

from pathlib import Path

import numpy as np
import numpy.typing as npt

from .download import download
from .errors import InputError

FILES = {  # name, MD5, images
    "train": ("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373", 73_257),
    "test": ("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3", 26_032),
}
URL = "http://ufldl.stanford.edu/housenumbers/"
CLASSES = 10


def content(folder: Path, part: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (N, 32, 32, 3) and labels (N,), 0 to 9, of "train" or "test"."""
    name, md5, count = FILES[part]
    path = next((f / name for f in (folder, folder / "svhn") if (f / name).is_file()), None)
    if path is None:
        wanted = "train_32x32.mat and test_32x32.mat"
        path = download(name, [URL + name], md5, folder / "svhn", of="svhn", wanted=wanted)
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        arrays = loadmat(path, variable_names=("X", "y"))
        x, y = np.asarray(arrays["X"]), np.asarray(arrays["y"])
    except KeyError as error:
        raise InputError(f"{path}: lacks the array {error.args[0]}") from None
    except (OSError, ValueError, TypeError, EOFError, NotImplementedError, MatReadError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: not a readable .mat file ({reason})") from None
    if x.dtype != np.uint8 or x.shape != (32, 32, 3, count) or y.size != count:
        raise InputError(
            f"{path}: X must be bytes (32, 32, 3, {count}) and y have {count} labels, "
            f"not {x.dtype} {x.shape} and {y.size}"
        )
    y = y.reshape(-1).astype(np.int64)
    if y.min() < 1 or y.max() > CLASSES:
        raise InputError(f"{path}: labels must be 1 to {CLASSES}, not {y.min()} to {y.max()}")
    return np.ascontiguousarray(x.transpose(3, 0, 1, 2)), y % CLASSES  # 10 stands for the digit 0
