"""Data in, one network file out: a training from its options to an integer network."""

__all__ = ["TrainResult", "train"]

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import __version__
from ..datasets import Dataset, load
from ..errors import InputError, ToolError
from ..files import remove, sha256_of, write_text
from ..golden import evaluate
from ..network import Network
from .config import TrainConfig
from .export import export
from .fit import Epoch, Tensors, accuracy, fit
from .mlp import FloatMlp, Mlp

CONFIG, MODEL, TEACHER = "config.json", "model.safetensors", "float"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TrainResult:
    """What a training gave.

    Parameters
    ----------
    model : Path
        The network's file.
    network : Network
    history : list of Epoch
    best_epoch : int
    accuracy : dict
        Of the integer network on "valid" and "test".
    float_accuracy : dict
        Of the float twin, where one was trained.
    seconds : float
        Of all epochs together, from the history (a resumed training counts in full).
    """

    model: Path
    network: Network
    history: list[Epoch]
    best_epoch: int
    accuracy: dict[str, float]
    float_accuracy: dict[str, float]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return {
            "model": str(self.model),
            "sha256": sha256_of(self.model),
            "epochs": len(self.history),
            "best_epoch": self.best_epoch,
            "accuracy": self.accuracy,
            "float_accuracy": self.float_accuracy,
            "seconds": self.seconds,
        }


def train(
    config: TrainConfig,
    output: Path | str,
    *,
    data_dir: Path | str = "data",
    float_twin: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> TrainResult:
    """Train a binarized network and write it to `output`/model.safetensors.

    The folder also gets config.json, metrics.csv (a row an epoch) and checkpoint.safetensors. The
    best epoch is chosen on the validation part; the test part is looked at once, at the end.
    The same configuration gives the same file on one machine.

    Parameters
    ----------
    config : TrainConfig
    output : Path
        Folder of this run.
    data_dir : Path
        Where data sets lie, see `bnnhw.datasets.load`.
    float_twin : bool
        Also train the float network of the same shape, with the same epochs, to compare with.
    resume : bool
        Go on with the run that lies in `output`, to the same end as if it had not stopped.
    overwrite : bool
        Replace a run that lies there.
    on_epoch : function of an Epoch
        Called after each epoch of the binarized network.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise InputError("device cuda is not there; leave --device out, or install a CUDA torch")
    torch.set_num_threads(config.threads)
    data = load(config.data, data_dir)
    if config.shift and len(data.shape) != 3:
        raise InputError(f"shift must be 0 for samples that are not images, not {config.shift}")
    folder = Path(output)
    _open_run(folder, config, resume=resume, overwrite=overwrite)
    tensors = Tensors.of(data, config)
    form = data.input_format(config.input_bits)
    sizes = (form.size, *config.hidden, data.classes)

    twin = None
    if float_twin or config.distill:
        twin = FloatMlp(sizes, input_bits=form.bits, generator=_generator(config))
        twin.to(config.device)
        fit(
            twin,
            tensors,
            config,
            folder / TEACHER,
            what="float network",
        )
    model = Mlp(
        sizes,
        input_bits=form.bits,
        window=config.window,
        class_scales=config.class_scales,
        generator=_generator(config),
    )
    model.to(config.device)
    history = fit(
        model,
        tensors,
        config,
        folder,
        what=f"binarized network {'-'.join(map(str, sizes))}",
        teacher=twin if config.distill else None,
        on_epoch=on_epoch,
    )
    top = max(row.valid for row in history)
    best_epoch = max(row.epoch for row in history if row.valid == top)
    network = export(model, form, training=_record(config, best_epoch))
    reached = measure(network, data)
    if reached["valid"] != top:
        raise ToolError(
            f"this is a bug: validation accuracy is {top} in torch, {reached['valid']} in integers"
        )
    network = dataclasses.replace(network, accuracy=reached)
    network.save(folder / MODEL)
    return TrainResult(
        model=folder / MODEL,
        network=network,
        history=history,
        best_epoch=best_epoch,
        accuracy=reached,
        float_accuracy=_measure_twin(twin, data, config) if twin is not None else {},
        seconds=round(sum(row.seconds for row in history), 3),
    )


def measure(network: Network, data: Dataset) -> dict[str, float]:
    """Accuracy of an integer network, by golden, on the parts that it was not trained on."""
    result = {}
    for part in ("valid", "test"):
        x, y = data.part(part)
        classes = evaluate(network, network.input.quantize(x)).classes
        assert classes is not None
        result[part] = float(np.mean(classes == y))
    return result


def _measure_twin(twin: FloatMlp, data: Dataset, config: TrainConfig) -> dict[str, float]:
    form = data.input_format(config.input_bits)
    result = {}
    for part in ("valid", "test"):
        x, y = (torch.from_numpy(v).to(config.device) for v in _quantized(form, data, part))
        result[part] = accuracy(twin, x, y)
    return result


def _quantized(form: Any, data: Dataset, part: str) -> tuple[Any, Any]:
    x, y = data.part(part)
    return form.quantize(x), y


def _generator(config: TrainConfig) -> torch.Generator:
    return torch.Generator().manual_seed(config.seed)


def _record(config: TrainConfig, best_epoch: int) -> dict[str, Any]:
    """What the file says of its training; nothing in it differs between two equal runs."""
    return config.to_json() | {
        "best_epoch": best_epoch,
        "bnnhw": __version__,
        "torch": torch.__version__,
    }


def _open_run(folder: Path, config: TrainConfig, *, resume: bool, overwrite: bool) -> None:
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
        for name in (MODEL, "checkpoint.safetensors", "metrics.csv", TEACHER):
            remove(folder / name)
    write_text(stated, json.dumps({"schema": 1, "config": config.to_json()}, indent=2) + "\n")


def stored_config(folder: Path) -> TrainConfig:
    """The options of the run that lies in a folder."""
    path = folder / CONFIG
    try:
        return TrainConfig.from_json(json.loads(path.read_text())["config"])
    except FileNotFoundError:
        raise InputError(f"{folder} holds no training to resume") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not the options of a training ({error})") from None
