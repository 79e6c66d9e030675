"""TOML files that people write."""

__all__ = ["read_toml"]

import tomllib
from pathlib import Path
from typing import Any

from .errors import InputError


def read_toml(path: Path | str) -> dict[str, Any]:
    """A file's keys and tables; InputError where it cannot be read or is no TOML."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: not a readable TOML file ({reason})") from None
