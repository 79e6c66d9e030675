"""SVHN, cropped digits: the two .mat files; found or downloaded, and checked."""

__all__ = ["content"]

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .download import download
from .errors import InputError

FILES = {  # name and MD5
    "train": ("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
    "test": ("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
}
URL = "http://ufldl.stanford.edu/housenumbers/"


def content(folder: Path, part: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (N, 32, 32, 3) and labels (N,), 0 to 9, of "train" or "test"."""
    name, md5 = FILES[part]
    path = next((f / name for f in (folder, folder / "svhn") if (f / name).is_file()), None)
    if path is None:
        wanted = "train_32x32.mat and test_32x32.mat"
        path = download(name, [URL + name], md5, folder / "svhn", of="svhn", wanted=wanted)
    # Ahead of any parsing: scipy's reader does not survive every damaged file.
    if (found := hashlib.md5(path.read_bytes()).hexdigest()) != md5:
        raise InputError(f"{path}: is not SVHN's file, whose MD5 is {md5}, not {found}")
    from scipy.io import loadmat

    arrays = loadmat(path, variable_names=("X", "y"))
    x = np.ascontiguousarray(arrays["X"].transpose(3, 0, 1, 2))
    return x, arrays["y"].reshape(-1).astype(np.int64) % 10  # 10 stands for the digit 0
