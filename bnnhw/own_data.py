"""The user's own data: arrays in an .npz file, or pictures in a folder for each class."""

__all__ = ["from_folder", "from_npz"]

import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError

PARTS = ("train", "valid", "test")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
MOST_PIXELS = 1 << 22  # of one picture
MIN_CLASS = 3  # pictures: one for each part

Arrays = dict[str, npt.NDArray[Any]]


def from_npz(path: Path) -> Arrays:
    """The arrays x_train, y_train, x_test, y_test and perhaps x_valid, y_valid, checked.

    Nothing in the file is unpickled.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {n: np.asarray(file[n]) for n in file.files}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: not a readable .npz file ({error})") from None
    wanted = [f"{a}_{p}" for p in PARTS for a in "xy" if p != "valid" or "x_valid" in arrays]
    for name in wanted:
        if name not in arrays:
            raise InputError(f"{path}: lacks the array {name}")
        if arrays[name].dtype.kind not in ("iuf" if name[0] == "x" else "iu"):
            raise InputError(f"{path}: {name} must be numbers, not {arrays[name].dtype}")
        if arrays[name].size == 0:
            raise InputError(f"{path}: {name} is empty")
    if any(len(arrays[f"x_{n[2:]}"]) != arrays[n].size for n in wanted if n[0] == "y"):
        raise InputError(f"{path}: each sample must have one label")
    x = arrays["x_train"]
    if not np.isfinite(x).all() or not x.min() < x.max():
        raise InputError(f"{path}: x_train must hold finite numbers that are not all the same")
    return {name: arrays[name] for name in wanted}


def from_folder(path: Path, seed: int) -> tuple[Arrays, tuple[str, ...]]:
    """Pictures of one size, in path/PART/CLASS/ for each part, or in path/CLASS/; class names too.

    Without parts two thirds of each class, drawn by `seed`, are to train on, a sixth is
    validation and a sixth test. Grey pictures give (N, H, W, 1), others (N, H, W, 3). Classes are
    numbered in the order of their names.
    """
    parts = [part for part in PARTS if (path / part).is_dir()]
    if parts and not {"train", "test"} <= set(parts):
        raise InputError(f"{path}: must have the folders train and test, not only {parts[0]}")
    roots = [path / part for part in parts] or [path]
    classes = tuple(sorted({f.name for root in roots for f in root.iterdir() if f.is_dir()}))
    if len(classes) < 2:
        raise InputError(f"{path}: must have a folder for each of at least 2 classes")
    files: dict[str, list[tuple[Path, int]]] = {part: [] for part in parts or PARTS}
    for label, name in enumerate(classes):
        for part in parts:
            files[part] += [(file, label) for file in _listed(path / part / name)]
        if not parts:
            listed = _listed(path / name)
            if len(listed) < MIN_CLASS:
                raise InputError(
                    f"{path / name}: must hold at least {MIN_CLASS} pictures "
                    f"({', '.join(SUFFIXES)}), not {len(listed)}"
                )
            # RandomState's streams are frozen: the split is the same under every version of numpy.
            order = np.random.RandomState(seed).permutation(len(listed))
            cut = max(1, len(listed) // 6)
            for part, chosen in zip(
                ("valid", "test", "train"), np.split(order, [cut, 2 * cut]), strict=True
            ):
                files[part] += [(listed[i], label) for i in sorted(chosen)]
    for part, found in files.items():
        if not found:
            raise InputError(f"{path / part}: holds no pictures ({', '.join(SUFFIXES)})")
    return _pictures(files), classes


def _listed(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES)


def _pictures(files: dict[str, list[tuple[Path, int]]]) -> Arrays:
    from . import console

    arrays: Arrays = {}
    total = sum(map(len, files.values()))
    first = files["train"][0][0]
    with console.progress("reading pictures", total=total) as bar:
        size, colour = None, any(_header(f)[1] for part in files.values() for f, _ in part)
        for part, listed in files.items():
            images = []
            for file, _ in listed:
                pixels = _pixels(file, "RGB" if colour else "L")
                size = size or pixels.shape
                if pixels.shape != size:
                    raise InputError(
                        f"{file}: must be {size[1]} x {size[0]} pixels as {first} is, "
                        f"not {pixels.shape[1]} x {pixels.shape[0]}"
                    )
                images.append(pixels)
                bar.advance()
            arrays[f"x_{part}"] = np.stack(images)
            arrays[f"y_{part}"] = np.array([label for _, label in listed], np.int64)
    return arrays


def _header(path: Path) -> tuple[tuple[int, int], bool]:
    """A picture's size, and whether it has colours; its pixels stay unread."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                return opened.size, opened.mode not in ("1", "L", "LA")
    except Exception as error:  # Pillow's many readers raise nearly anything on a damaged file
        raise InputError(f"{path}: not a readable picture ({_first_line(error)})") from None


def _pixels(path: Path, mode: str) -> npt.NDArray[np.uint8]:
    from PIL import Image

    (wide, high), _ = _header(path)
    if wide * high > MOST_PIXELS:
        raise InputError(f"{path}: must have at most {MOST_PIXELS:,} pixels, not {wide * high:,}")
    try:
        with Image.open(path) as opened:
            pixels = np.asarray(opened.convert(mode), np.uint8)
    except Exception as error:
        raise InputError(f"{path}: not a readable picture ({_first_line(error)})") from None
    return pixels.reshape(high, wide, -1)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
