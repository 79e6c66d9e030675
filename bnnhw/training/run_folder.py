"""The folder of a run: begun, replaced, or gone on with."""

__all__ = ["CONFIG", "CURVES", "MODEL", "TEACHER", "TWIN", "Stated", "open_run", "stated"]

import dataclasses
import json
from pathlib import Path

from ..errors import InputError
from ..files import remove, write_text
from .config import TrainConfig
from .fit import CHECKPOINT, METRICS

CONFIG, MODEL, CURVES = "config.json", "model.safetensors", "curves.png"
TWIN, TEACHER = "float", "teacher"  # folders; the teacher's where it is no twin


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Stated:
    """What a run's config.json says.

    Parameters
    ----------
    config : TrainConfig
    float_twin : bool
        Whether a float twin was asked for.
    """

    config: TrainConfig
    float_twin: bool

    def save(self, folder: Path) -> None:
        text = {"schema": 1, "float_twin": self.float_twin, "config": self.config.to_json()}
        write_text(folder / CONFIG, json.dumps(text, indent=2) + "\n")


def open_run(folder: Path, wanted: Stated, *, resume: bool, overwrite: bool) -> None:
    """The run's folder: fresh, or the one to go on with."""
    if resume:
        config, found = wanted.config, stated(folder)
        if found.config != config:
            name = next(
                f.name
                for f in dataclasses.fields(config)
                if getattr(found.config, f.name) != getattr(config, f.name)
            )
            raise InputError(
                f"{folder}: {name} is {getattr(found.config, name)} in this run, "
                f"not {getattr(config, name)}; leave it out to resume"
            )
        if wanted != found:
            wanted.save(folder)
        return
    if folder.exists():
        if not folder.is_dir():
            raise InputError(f"{folder} is a file; a folder is written there")
        there = (folder / CONFIG).exists()
        if not there and any(folder.iterdir()):
            raise InputError(f"{folder} is not empty and holds no training; name another folder")
        if there:
            stated(folder)  # that it is a training's, and not anybody's config.json
            if not overwrite:
                raise InputError(
                    f"{folder} holds a training already; --resume goes on with it, "
                    "--overwrite replaces it"
                )
        for name in (MODEL, CHECKPOINT, METRICS, CURVES, TWIN, TEACHER):
            remove(folder / name)
    wanted.save(folder)


def stated(folder: Path) -> Stated:
    """Of the run that lies in a folder; InputError where none does."""
    path = folder / CONFIG
    try:
        told = json.loads(path.read_text())
        config = TrainConfig.from_json(told["config"])
        return Stated(config=config, float_twin=bool(told.get("float_twin")))
    except FileNotFoundError:
        raise InputError(f"{folder} holds no training to resume") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: not the options of a training ({error})") from None
