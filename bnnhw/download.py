"""Fetches a data set's file, checked by its hash, or says in one line why it cannot be had."""

__all__ = ["download"]

import contextlib
from collections.abc import Sequence
from pathlib import Path

from .errors import InputError


def download(
    name: str, urls: Sequence[str], md5: str, folder: Path, *, of: str, wanted: str
) -> Path:
    """A file, from the first address that gives it, in `folder`; whole or not at all.

    Parameters
    ----------
    name : str
        The file's, there and here.
    urls : sequence of str
        Where it may be had.
    md5 : str
        That its content must have.
    of : str
        The data set, for the error.
    wanted : str
        What the user can put there instead: "MNIST's four files".

    Raises
    ------
    InputError
        It cannot be had.
    """
    import pooch
    import requests

    from . import console

    pooch.get_logger().setLevel("ERROR")
    why: Exception | None = None
    with console.progress(f"downloading {name}"):
        for url in urls:
            try:
                return Path(
                    pooch.retrieve(url=url, known_hash=f"md5:{md5}", fname=name, path=folder)
                )
            except (OSError, ValueError) as error:  # no network, or not the file it should be
                why = error
        with contextlib.suppress(OSError):
            folder.rmdir()  # pooch makes it before it knows; where it holds something it stays
    if isinstance(why, requests.ConnectionError):
        reason = "no connection"  # requests' own words fill a screen
    else:
        reason = str(why).splitlines()[0]
    raise InputError(
        f"{of}: {name} is not in {folder.parent} and cannot be downloaded ({reason}); "
        f"put {wanted} there, or name their folder with --data-dir"
    )
