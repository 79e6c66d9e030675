"""CIFAR-10: its binary files, or an archive of JPEGs; found or downloaded, and checked."""

__all__ = ["CLASSES", "Cifar10", "content"]

import dataclasses
import io
import tarfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .download import download
from .errors import InputError
from .files import new_folder
from .npz import read_npz

FOLDER = "cifar-10-batches-bin"
BATCHES = {
    "train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    "test": ("test_batch.bin",),
}
BATCH = 10_000  # records in each: a byte of label, then 1,024 each of red, green and blue
RECORD = 1 + 3 * 32 * 32
JPEGS = "cifar10-jpeg.npz"
ARCHIVE = "cifar-10-binary.tar.gz"
ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
URLS = (f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}",)
# Label and first bytes of the first image in a file: whether pixels are the original ones.
ORIGINAL = {
    "data_batch_1.bin": bytes([6, 59, 43, 50, 68, 98, 119, 139, 145, 149]),
    "test_batch.bin": bytes([3, 158, 159, 165]),
}
CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cifar10:
    """CIFAR-10's two parts.

    Parameters
    ----------
    name : "cifar10", "cifar10-jpeg" or "cifar10-other"
        Of the second images went through JPEG, of the third pixels are not the original ones,
        either: results on them are not results on CIFAR-10.
    x : dict of ndarray[uint8], (N, 32, 32, 3), by "train" and "test"
    y : dict of ndarray[int64], (N,)
    """

    name: str
    x: dict[str, npt.NDArray[np.uint8]]
    y: dict[str, npt.NDArray[np.int64]]


def content(folder: Path) -> Cifar10:
    """From `folder`, in its `cifar-10-batches-bin` or with that folder's files in it; else from
    its `cifar10-jpeg.npz`; else downloaded there."""
    for place in (folder, folder / FOLDER):
        if any((place / name).exists() for names in BATCHES.values() for name in names):
            return _batches(place)
    if (folder / JPEGS).exists():
        return _jpegs(folder / JPEGS)
    archive = download(
        ARCHIVE, URLS, ARCHIVE_MD5, folder / "cifar10", of="cifar10", wanted="CIFAR-10's files"
    )
    _unpack(archive, folder / FOLDER)
    return _batches(folder / FOLDER)


def _batches(place: Path) -> Cifar10:
    x, y = {}, {}
    for part, names in BATCHES.items():
        records = np.concatenate([_records(place / name) for name in names])
        planes = records[:, 1:].reshape(-1, 3, 32, 32)
        x[part] = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        y[part] = records[:, 0].astype(np.int64)
        _check_classes(y[part], f"{place}: {names[0]}" + (" to 5" if len(names) > 1 else ""))
    original = all(
        (place / name).open("rb").read(len(head)) == head for name, head in ORIGINAL.items()
    )
    return Cifar10(name="cifar10" if original else "cifar10-other", x=x, y=y)


def _records(path: Path) -> npt.NDArray[np.uint8]:
    """One file's, its size and its labels checked."""
    try:
        raw = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    if raw.size != BATCH * RECORD:
        raise InputError(
            f"{path}: must have {BATCH * RECORD:,} bytes, {BATCH:,} records, not {raw.size:,}"
        )
    records = raw.reshape(BATCH, RECORD)
    if (top := int(records[:, 0].max())) >= len(CLASSES):
        raise InputError(f"{path}: labels must be 0 to {len(CLASSES) - 1}, not {top}")
    return records


def _check_classes(y: npt.NDArray[np.int64], where: str) -> None:
    """Every class has its tenth: a file that stands twice, or for another, shows here."""
    counts = np.bincount(y, minlength=len(CLASSES))
    share = len(y) // len(CLASSES)
    if (counts != share).any():
        wrong = int(np.argmax(counts != share))
        raise InputError(
            f"{where}: each class must have {share:,} images, "
            f"and class {wrong} has {counts[wrong]:,}"
        )


def _jpegs(path: Path) -> Cifar10:
    x, y = {}, {}
    arrays = read_npz(path)
    for part, names in BATCHES.items():
        for name in (f"{part}_{key}" for key in ("jpeg", "offsets", "labels")):
            if name not in arrays:
                raise InputError(f"{path}: lacks the array {name}")
        offsets, labels = arrays[f"{part}_offsets"], arrays[f"{part}_labels"]
        count = len(names) * BATCH
        if labels.shape != (count,) or offsets.shape != (count + 1,):
            raise InputError(f"{path}: {part} must have {count:,} images")
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= len(CLASSES):
            raise InputError(f"{path}: {part}_labels must be integers, 0 to {len(CLASSES) - 1}")
        x[part] = _decoded(arrays[f"{part}_jpeg"].tobytes(), offsets, path)
        y[part] = labels.astype(np.int64)
        _check_classes(y[part], f"{path}: {part}")
    return Cifar10(name="cifar10-jpeg", x=x, y=y)


def _decoded(blob: bytes, offsets: npt.NDArray[np.integer], path: Path) -> npt.NDArray[np.uint8]:
    from PIL import Image

    from . import console

    images = np.empty((len(offsets) - 1, 32, 32, 3), np.uint8)
    with console.progress(f"unpacking {path.name}", total=len(images)) as bar:
        for i in range(len(images)):
            try:
                picture = Image.open(io.BytesIO(blob[int(offsets[i]) : int(offsets[i + 1])]))
                if picture.size != (32, 32):
                    raise ValueError(f"{picture.width} x {picture.height} pixels")
                images[i] = np.asarray(picture.convert("RGB"))
            except Exception as error:  # Pillow raises nearly anything on a damaged picture
                raise InputError(f"{path}: image {i} is damaged ({error})") from None
            if i % 1000 == 999:
                bar.advance(1000)
    return images


def _unpack(archive: Path, place: Path) -> None:
    """The binary files of the archive, and nothing else of it; whole or not at all."""
    wanted = {f"{FOLDER}/{name}": name for names in BATCHES.values() for name in names}
    with tarfile.open(archive) as packed, new_folder(place, marker="test_batch.bin") as fresh:
        for member in packed:
            if member.name in wanted and member.isfile():
                opened = packed.extractfile(member)
                assert opened is not None
                (fresh / wanted[member.name]).write_bytes(opened.read(BATCH * RECORD + 1))
