"""Data sets: digits (embedded), MNIST, CIFAR-10, SVHN (files, or downloaded), the user's own."""

__all__ = ["Dataset", "load"]

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import cifar10, mnist, svhn
from .errors import InputError
from .input_format import InputFormat
from .own_data import PARTS, from_folder, from_npz

SPLIT_SEED = 0  # of every split into parts; the seed of a training is another
MNIST_VALIDATION = 10_000
CIFAR10_VALIDATION = 5_000
SVHN_VALIDATION = 7_257


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Dataset:
    """Labelled samples in three parts: to train on, to choose by, and to report on.

    Parameters
    ----------
    name : str
    x_train, x_valid, x_test : ndarray, (N, *shape)
        Raw values, as the source has them; `input_format(bits).quantize` makes inputs of them.
    y_train, y_valid, y_test : ndarray[int64], (N,)
        Labels, 0 to classes - 1.
    classes : int
    class_names : tuple of str
        In the labels' order; empty where nobody has named them.
    lo, hi, threshold : float
        Of the input format, see `InputFormat`.
    """

    name: str
    x_train: npt.NDArray[Any]
    y_train: npt.NDArray[np.int64]
    x_valid: npt.NDArray[Any]
    y_valid: npt.NDArray[np.int64]
    x_test: npt.NDArray[Any]
    y_test: npt.NDArray[np.int64]
    classes: int
    lo: float
    hi: float
    threshold: float
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for part in PARTS:
            x, y = self.part(part)
            if len(x) == 0 or x.shape[1:] != self.shape or y.shape != (len(x),):
                raise InputError(
                    f"{self.name}: x_{part} must have shape (N, {', '.join(map(str, self.shape))})"
                    f" and y_{part} (N,), N >= 1, not {x.shape} and {y.shape}"
                )
            if y.min() < 0 or y.max() >= self.classes:
                raise InputError(
                    f"{self.name}: labels in y_{part} must be 0 to {self.classes - 1}, "
                    f"not {y.min()} to {y.max()}"
                )

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample: (K,) or (height, width, channels)."""
        return self.x_train.shape[1:]

    def part(self, name: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        """Samples and labels of "train", "valid" or "test"."""
        return getattr(self, f"x_{name}"), getattr(self, f"y_{name}")

    def input_format(self, bits: int) -> InputFormat:
        """How these samples become inputs of `bits` bits, 1 to 8."""
        if bits == 1:
            return InputFormat(shape=self.shape, bits=1, threshold=self.threshold)
        return InputFormat(shape=self.shape, bits=bits, lo=self.lo, hi=self.hi)


def load(name_or_path: str, data_dir: Path | str = "data") -> Dataset:
    """A data set by its name, or from a file.

    Parameters
    ----------
    name_or_path : str
        `digits`: 1,797 real digits of 8 x 8, embedded in scikit-learn.
        `mnist`: 70,000 digits of 28 x 28, from the four IDX files (.gz or plain) in `data_dir` or
        `data_dir`/mnist, where a missing one is downloaded to.
        `cifar10`: 60,000 images of 32 x 32 x 3, from the binary files in `data_dir` or its
        cifar-10-batches-bin, or from its cifar10-jpeg.npz, or downloaded there.
        `svhn`: 99,289 images of 32 x 32 x 3, from train_32x32.mat and test_32x32.mat in `data_dir`
        or `data_dir`/svhn, or downloaded there.
        `FILE.npz`: arrays x_train, y_train, x_test, y_test and perhaps x_valid, y_valid (else a
        sixth of the training part); samples (N, K), (N, H, W) or (N, H, W, C); nothing in it is
        unpickled.
        `FOLDER`: pictures of one size, in FOLDER/CLASS/ or FOLDER/train/CLASS/ and so on.
    data_dir : Path

    Raises
    ------
    InputError
        An unknown name, or a file that is missing, damaged, or not what it should be.
    """
    if name_or_path == "digits":
        return _digits()
    named = {"mnist": _mnist, "cifar10": _cifar10, "svhn": _svhn}
    if name_or_path in named:
        return named[name_or_path](Path(data_dir))
    if str(name_or_path).endswith(".npz") or Path(name_or_path).is_dir():
        return _own(Path(name_or_path))
    raise InputError(
        f"data must be digits, {', '.join(named)}, a .npz file or a folder of pictures, "
        f"not {name_or_path!r}"
    )


def _digits() -> Dataset:
    """A third is the test part, a sixth of the rest validation, both stratified: 998, 200, 599."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    x, y = x.reshape(-1, 8, 8, 1), y.astype(np.int64)
    x_rest, x_test, y_rest, y_test = train_test_split(
        x, y, test_size=1 / 3, stratify=y, random_state=SPLIT_SEED
    )
    x_train, x_valid, y_train, y_valid = train_test_split(
        x_rest, y_rest, test_size=1 / 6, stratify=y_rest, random_state=SPLIT_SEED
    )
    return Dataset(
        name="digits",
        x_train=x_train,
        y_train=y_train,
        x_valid=x_valid,
        y_valid=y_valid,
        x_test=x_test,
        y_test=y_test,
        classes=10,
        lo=0,
        hi=15,  # values reach 16: with 4 bits x is the value itself, 16 clipped to 15
        threshold=8,
    )


def _mnist(folder: Path) -> Dataset:
    """Of the 60,000 training images, 10,000 chosen with a fixed seed are validation."""
    raw = {part: mnist.content(file, folder) for part, file in mnist.FILES.items()}
    x = {part: raw[f"x_{part}"].reshape(-1, 28, 28, 1) for part in ("train", "test")}
    y = {part: raw[f"y_{part}"].astype(np.int64) for part in ("train", "test")}
    return _images("mnist", x, y, MNIST_VALIDATION)


def _cifar10(folder: Path) -> Dataset:
    """Of the 50,000 training images, 5,000 chosen with a fixed seed are validation."""
    found = cifar10.content(folder)
    return _images(found.name, found.x, found.y, CIFAR10_VALIDATION, cifar10.CLASSES)


def _svhn(folder: Path) -> Dataset:
    """Of the 73,257 training images, 7,257 chosen with a fixed seed are validation."""
    (x, y), (x_test, y_test) = (svhn.content(folder, part) for part in ("train", "test"))
    return _images(
        "svhn", {"train": x, "test": x_test}, {"train": y, "test": y_test}, SVHN_VALIDATION
    )


def _images(
    name: str,
    x: Mapping[str, npt.NDArray[np.uint8]],
    y: Mapping[str, npt.NDArray[np.int64]],
    validation: int,
    class_names: tuple[str, ...] = (),
) -> Dataset:
    """Images of ten classes, so many of the training part drawn for validation."""
    # RandomState's streams are frozen: the split is the same under every version of numpy.
    order = np.random.RandomState(SPLIT_SEED).permutation(len(x["train"]))
    valid, train = np.sort(order[:validation]), np.sort(order[validation:])
    return Dataset(
        name=name,
        x_train=x["train"][train],
        y_train=y["train"][train],
        x_valid=x["train"][valid],
        y_valid=y["train"][valid],
        x_test=x["test"],
        y_test=y["test"],
        classes=10,
        class_names=class_names,
        lo=0,
        hi=255,
        threshold=128,
    )


def _own(path: Path) -> Dataset:
    """lo and hi are the ends of the training part, threshold the middle; of pictures, 0 and 255."""
    names: tuple[str, ...] = ()
    if path.is_dir():
        arrays, names = from_folder(path, SPLIT_SEED)
    else:
        arrays = from_npz(path)
    classes = len(names) or max(2, int(arrays["y_train"].max()) + 1)
    if "x_valid" not in arrays:
        order = np.random.RandomState(SPLIT_SEED).permutation(len(arrays["x_train"]))
        valid, train = np.split(order, [max(1, len(order) // 6)])
        for a in "xy":
            whole = arrays[f"{a}_train"]
            arrays[f"{a}_valid"], arrays[f"{a}_train"] = whole[valid], whole[train]
    x = arrays["x_train"]
    lo, hi = (0.0, 255.0) if names else (float(x.min()), float(x.max()))
    if not 0 < hi - lo < math.inf:
        raise InputError(
            f"{path}: values of the training samples must differ, and by a finite step; "
            f"they are {lo} to {hi}"
        )
    parts = {n: a.astype(np.int64) if n[0] == "y" else a for n, a in arrays.items()}
    return Dataset(
        name=path.stem,
        **parts,
        classes=classes,
        class_names=names,
        lo=lo,
        hi=hi,
        threshold=lo / 2 + hi / 2,
    )
