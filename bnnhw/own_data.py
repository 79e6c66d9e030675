"""The user's own data: arrays in an .npz file, or pictures in a folder for each class."""

__all__ = ["from_folder", "from_npz"]

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .network import MOST_CLASSES
from .npz import read_npz
from .pictures import header, pixels

PARTS = ("train", "valid", "test")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
MIN_CLASS = 3  # pictures: one for each part

Arrays = dict[str, npt.NDArray[Any]]


def from_npz(path: Path) -> Arrays:
    """The arrays x_train, y_train, x_test, y_test and perhaps x_valid, y_valid, checked.

    Samples (N, H, W) are given as (N, H, W, 1). Nothing in the file is unpickled.
    """
    arrays = read_npz(path)
    valid = "x_valid" in arrays or "y_valid" in arrays
    wanted = [f"{a}_{p}" for p in PARTS for a in "xy" if p != "valid" or valid]
    for name in wanted:
        if name not in arrays:
            raise InputError(f"{path}: lacks the array {name}")
        if arrays[name].dtype.kind not in ("iuf" if name[0] == "x" else "iu"):
            raise InputError(f"{path}: {name} must be numbers, not {arrays[name].dtype}")
        if arrays[name].size == 0 or arrays[name].ndim == 0:
            raise InputError(f"{path}: {name} is empty or no list")
        if not np.isfinite(arrays[name]).all():
            raise InputError(f"{path}: {name} must hold finite numbers")
    for part in PARTS:
        if f"x_{part}" in wanted:
            _check_part(path, arrays, part)
    if (count := len(arrays["x_train"])) < 2:
        raise InputError(f"{path}: x_train must have at least 2 samples, not {count}")
    return {
        name: arrays[name][..., None] if name[0] == "x" and arrays[name].ndim == 3 else arrays[name]
        for name in wanted
    }


def _check_part(path: Path, arrays: Arrays, part: str) -> None:
    """That samples are of the training part's shape, and labels a list of its classes."""
    x, y, first = arrays[f"x_{part}"], arrays[f"y_{part}"], arrays["x_train"]
    if not 2 <= x.ndim <= 4:
        raise InputError(
            f"{path}: x_{part} must have shape (N, K), (N, H, W) or (N, H, W, C), not {x.shape}"
        )
    if x.shape[1:] != first.shape[1:]:
        raise InputError(
            f"{path}: x_{part} must have shape (N, {', '.join(map(str, first.shape[1:]))}) "
            f"as x_train has, not {x.shape}"
        )
    if y.shape != (len(x),):
        raise InputError(
            f"{path}: y_{part} must have one label a sample, shape ({len(x)},), not {y.shape}"
        )
    top = MOST_CLASSES - 1 if part == "train" else max(1, int(arrays["y_train"].max()))
    if y.min() < 0 or y.max() > top:
        limit = f"{top:,}" if part == "train" else f"{top} as in y_train"
        raise InputError(
            f"{path}: labels in y_{part} must be 0 to {limit}, not {y.min()} to {y.max()}"
        )


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
    if "valid" not in files and len(files["train"]) < 2:
        raise InputError(f"{path / 'train'}: must hold at least 2 pictures, one for validation")
    return _pictures(files), classes


def _listed(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES)


def _pictures(files: dict[str, list[tuple[Path, int]]]) -> Arrays:
    from . import console

    arrays: Arrays = {}
    heads = {file: header(file) for listed in files.values() for file, _ in listed}
    example = files["train"][0][0]
    first = heads[example]
    for file, head in heads.items():
        if (head.wide, head.high) != (first.wide, first.high):
            raise InputError(
                f"{file}: must be {first.wide} x {first.high} pixels as {example} is, "
                f"not {head.wide} x {head.high}"
            )
    coloured = any(head.coloured for head in heads.values())
    with console.progress("reading pictures", total=len(heads)) as bar:
        for part, listed in files.items():
            images = []
            for file, _ in listed:
                images.append(pixels(file, coloured=coloured))
                bar.advance()
            arrays[f"x_{part}"] = np.stack(images)
            arrays[f"y_{part}"] = np.array([label for _, label in listed], np.int64)
    return arrays
