"""The folder of a run: begun, replaced, or gone on with."""

__all__ = ["CONFIG", "CURVES", "MODEL", "TEACHER", "open_run", "stored_config"]

import dataclasses
import json
from pathlib import Path

from ..errors import InputError
from ..files import remove, write_text
from .config import TrainConfig
from .fit import CHECKPOINT, METRICS

CONFIG, MODEL, CURVES, TEACHER = "config.json", "model.safetensors", "curves.png", "float"


def open_run(folder: Path, config: TrainConfig, *, resume: bool, overwrite: bool) -> None:
    """The run's folder: fresh, or the one to go on with."""
    stated = folder / CONFIG
    if resume:
        if (found := stored_config(folder)) != config:
            name = next(
                f.name
                for f in dataclasses.fields(config)
                if getattr(found, f.name) != getattr(config, f.name)
            )
            raise InputError(
                f"{folder}: {name} is {getattr(found, name)} in this run, "
                f"not {getattr(config, name)}; leave it out to resume"
            )
        return
    if folder.exists():
        if not folder.is_dir():
            raise InputError(f"{folder} is a file; a folder is written there")
        if stated.exists() and not overwrite:
            raise InputError(
                f"{folder} holds a training already; --resume goes on with it, "
                "--overwrite replaces it"
            )
        if not stated.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} is not empty and holds no training; name another folder")
        for name in (MODEL, CHECKPOINT, METRICS, CURVES, TEACHER):
            remove(folder / name)
    write_text(stated, json.dumps({"schema": 1, "config": config.to_json()}, indent=2) + "\n")


def stored_config(folder: Path) -> TrainConfig:
    """The options of the run that lies in a folder."""
    path = folder / CONFIG
    try:
        return TrainConfig.from_json(json.loads(path.read_text())["config"])
    except FileNotFoundError:
        raise InputError(f"{folder} holds no training to resume") from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{path}: not the options of a training ({error})") from None
