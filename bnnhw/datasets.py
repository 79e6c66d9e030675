"""Data sets: digits (embedded), MNIST (from files, or downloaded), and the user's own .npz file."""

__all__ = ["Dataset", "load"]

import dataclasses
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import mnist
from .errors import InputError
from .input_format import InputFormat

PARTS = ("train", "valid", "test")
SPLIT_SEED = 0  # of every split into parts; the seed of a training is another
MNIST_VALIDATION = 10_000


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
        `FILE.npz`: arrays x_train, y_train, x_test, y_test and perhaps x_valid, y_valid (else a
        sixth of the training part); nothing in it is unpickled.
    data_dir : Path

    Raises
    ------
    InputError
        An unknown name, or a file that is missing, damaged, or not what it should be.
    """
    if name_or_path == "digits":
        return _digits()
    if name_or_path == "mnist":
        return _mnist(Path(data_dir))
    if str(name_or_path).endswith(".npz"):
        return _own(Path(name_or_path))
    raise InputError(f"data must be digits, mnist or a .npz file, not {name_or_path!r}")


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
    x, x_test = (raw[part].reshape(-1, 28, 28, 1) for part in ("x_train", "x_test"))
    y, y_test = (raw[part].astype(np.int64) for part in ("y_train", "y_test"))
    # RandomState's streams are frozen: the split is the same under every version of numpy.
    order = np.random.RandomState(SPLIT_SEED).permutation(len(x))
    valid, train = np.sort(order[:MNIST_VALIDATION]), np.sort(order[MNIST_VALIDATION:])
    return Dataset(
        name="mnist",
        x_train=x[train],
        y_train=y[train],
        x_valid=x[valid],
        y_valid=y[valid],
        x_test=x_test,
        y_test=y_test,
        classes=10,
        lo=0,
        hi=255,
        threshold=128,
    )


def _own(path: Path) -> Dataset:
    """Parts from a .npz file; lo and hi are the ends of its training part, threshold the middle."""
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
    if "x_valid" not in arrays:
        order = np.random.RandomState(SPLIT_SEED).permutation(len(arrays["x_train"]))
        valid, train = np.split(order, [max(1, len(order) // 6)])
        for a in "xy":
            whole = arrays[f"{a}_train"]
            arrays[f"{a}_valid"], arrays[f"{a}_train"] = whole[valid], whole[train]
    x, y = arrays["x_train"], arrays["y_train"]
    if x.size == 0 or not np.isfinite(x).all() or not x.min() < x.max():
        raise InputError(f"{path}: x_train must hold finite numbers that are not all the same")
    lo, hi = float(x.min()), float(x.max())
    return Dataset(
        name=path.stem,
        **{n: arrays[n].astype(np.int64) if n[0] == "y" else arrays[n] for n in _NAMES},
        classes=max(2, int(y.max()) + 1),
        lo=lo,
        hi=hi,
        threshold=(lo + hi) / 2,
    )


_NAMES = tuple(f"{a}_{p}" for p in PARTS for a in "xy")
