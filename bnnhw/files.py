"""Files that are either whole or not there: written beside their place, then renamed into it."""

__all__ = ["new_folder", "sha256_of", "write_bytes", "write_text"]

import contextlib
import hashlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import InputError


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, or leave it as it was (disk full, Ctrl-C)."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name is ours before the file is there: an interrupt at any moment can take it away again.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as file:
            file.write(content)
        beside.replace(path)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # what the user named, and not the file beside it
            error.filename2 = None
        raise


def write_text(path: Path, content: str) -> None:
    """`write_bytes` of UTF-8 text with line feeds."""
    write_bytes(path, content.encode())


@contextlib.contextmanager
def new_folder(path: Path, *, marker: str) -> Iterator[Path]:
    """A fresh folder that takes the place of `path` when the block ends without an error.

    A folder that is there already is replaced only if it is empty or holds the file `marker`, by
    which we know it for our own; any other is the user's, and is left alone (InputError).
    """
    path = Path(path)
    if path.exists():
        if not path.is_dir():
            raise InputError(f"{path} is a file; a folder is written there")
        if any(path.iterdir()) and not (path / marker).is_file():
            raise InputError(
                f"{path} is not empty and holds no {marker}, so it is not ours to replace; "
                "name another folder"
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as beside:
        fresh = Path(beside) / "new"
        fresh.mkdir()
        yield fresh
        old = Path(beside) / "old"
        try:
            if path.exists():
                path.rename(old)
            fresh.rename(path)
        except BaseException:
            if old.exists() and not path.exists():
                old.rename(path)
            raise


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove(path: Path) -> None:
    """Delete a file or a whole folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
