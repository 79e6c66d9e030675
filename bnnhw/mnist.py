"""MNIST's four IDX files: found, or downloaded; unpacked, and checked by what they hold."""

__all__ = ["FILES", "content"]

import dataclasses
import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .download import download
from .errors import InputError


@dataclasses.dataclass(frozen=True, slots=True)
class _IdxFile:
    """One of MNIST's files: bytes of its header, size and SHA-256 unpacked, MD5 of the download.

    The archive may be packed anew by whoever hands it on, so what counts is its content.
    """

    name: str
    header: int
    size: int
    sha256: str
    md5_gz: str


FILES = {
    "x_train": _IdxFile(
        "train-images-idx3-ubyte",
        16,
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    ),
    "y_train": _IdxFile(
        "train-labels-idx1-ubyte",
        8,
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "d53e105ee54ea40749a09fcbcd1e9432",
    ),
    "x_test": _IdxFile(
        "t10k-images-idx3-ubyte",
        16,
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "9fb629c4189551a2d022fa330f9573f3",
    ),
    "y_test": _IdxFile(
        "t10k-labels-idx1-ubyte",
        8,
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
}
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


def content(file: _IdxFile, folder: Path) -> npt.NDArray[np.uint8]:
    """What stands after an IDX file's header, the whole file checked by its SHA-256."""
    places = [f / (file.name + end) for f in (folder, folder / "mnist") for end in (".gz", "")]
    path = next((p for p in places if p.is_file()), None)
    if path is None:
        archive = f"{file.name}.gz"
        path = download(
            archive,
            [f"{mirror}{archive}" for mirror in MIRRORS],
            file.md5_gz,
            folder / "mnist",
            of="mnist",
            wanted="MNIST's four files",
        )
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened:
            raw = opened.read(file.size + 1)  # one more than it may have, and never a bomb
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error}); delete it and try again") from None
    found = hashlib.sha256(raw).hexdigest()
    if found != file.sha256:
        raise InputError(
            f"{path}: is not MNIST's file: the SHA-256 of its content must be {file.sha256}, "
            f"not {found}; delete it and try again"
        )
    return np.frombuffer(raw, np.uint8, offset=file.header)
