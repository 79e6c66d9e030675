"""Data in, one network file out: a training from its options to an integer network."""

__all__ = ["TrainResult", "train"]

import dataclasses
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from .. import __version__, console
from ..classify import classify
from ..datasets import Dataset, load
from ..errors import InputError, ToolError
from ..files import sha256_of, write_bytes
from ..network import Network
from .agreement import check
from .config import TrainConfig
from .curves import curves
from .distributed import Processes
from .export import export
from .fit import Epoch, fit
from .float_net import FloatNet
from .layers import Binarization
from .net import BinaryNet
from .run_folder import CURVES, MODEL, TEACHER, open_run
from .tensors import Tensors, accuracy
from .topology import Topology


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TrainResult:
    """What a training gave.

    Parameters
    ----------
    model : Path
        The network's file.
    network : Network, or None where time ran out with the teacher
    history : list of Epoch
    epochs : int
        That were asked for; fewer are done where time ran out, and `resume` goes on.
    best_epoch : int
    accuracy : dict
        Of the integer network on "valid", and when all epochs are done on "test".
    checked : int
        Test samples for which every bit of every layer was seen to be the same in torch and in
        integers; 0 while epochs are left.
    float_accuracy : dict
        Of the float twin, where one was trained.
    seconds : float
        Of all epochs together, from the history (a resumed training counts in full).
    finished : bool
        Whether all epochs are done, and those of the float twin where one was asked for.
    """

    model: Path
    network: Network | None
    history: list[Epoch]
    epochs: int
    best_epoch: int
    accuracy: dict[str, float]
    checked: int
    float_accuracy: dict[str, float]
    seconds: float
    finished: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "model": str(self.model),
            "sha256": sha256_of(self.model) if self.network is not None else None,
            "epochs": len(self.history),
            "finished": self.finished,
            "best_epoch": self.best_epoch,
            "accuracy": self.accuracy,
            "checked": self.checked,
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
    minutes: float = math.inf,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> TrainResult:
    """Train a binarized network and write it to `output`/model.safetensors.

    The folder also gets config.json, metrics.csv (a row an epoch), curves.png and
    checkpoint.safetensors. The best epoch is chosen on the validation part; the test part is looked
    at once, at the end. The same configuration gives the same file on one machine.

    Parameters
    ----------
    config : TrainConfig
    output : Path
        Folder of this run.
    data_dir : Path
        Where data sets lie, see `bnnhw.datasets.load`.
    float_twin : bool
        Then train the float network of the same shape, with the same epochs, to compare with.
    resume : bool
        Go on with the run that lies in `output`, to the same end as if it had not stopped.
    overwrite : bool
        Replace a run that lies there.
    minutes : float
        After the first, begin no epoch that would end later than this; the best network so far is
        written, and `resume` goes on.
    on_epoch : function of an Epoch
        Called after each epoch of the binarized network.
    """
    until = time.monotonic() + 60 * minutes
    if not minutes > 0:
        raise InputError(f"minutes must be above 0, not {minutes}")
    if config.device == "cuda" and not torch.cuda.is_available():
        raise InputError("device cuda is not there; leave --device out, or install a CUDA torch")
    torch.set_num_threads(config.threads)
    torch.backends.cudnn.deterministic = True
    data = load(config.data, data_dir)
    Topology.parse(config.topology).shapes(data.shape)  # refused before anything is written
    for name in ("shift", "flip"):
        if getattr(config, name) and len(data.shape) != 3:
            raise InputError(f"{name} is for samples that are images, not of shape {data.shape}")
    folder = Path(output)
    with Processes(config.device) as processes:
        if processes.first:
            open_run(folder, config, resume=resume, overwrite=overwrite)
        processes.wait()
        return _train(
            config, folder, data, processes, float_twin=float_twin, until=until, on_epoch=on_epoch
        )


def _train(
    config: TrainConfig,
    folder: Path,
    data: Dataset,
    processes: Processes,
    *,
    float_twin: bool,
    until: float,
    on_epoch: Callable[[Epoch], None] | None,
) -> TrainResult:
    topology = Topology.parse(config.topology)
    tensors = Tensors.of(data, config)
    form = data.input_format(config.input_bits)

    def trained_twin() -> FloatNet | None:
        """The float network; None where time ran out."""
        twin = FloatNet(
            topology, form.shape, data.classes, input_bits=form.bits, generator=_generator(config)
        )
        _place(twin, config)
        done = fit(
            twin, tensors, config, folder / TEACHER, what="float network", processes=processes,
            until=until,
        )  # fmt: skip
        return twin if len(done) == config.epochs else None

    twin = trained_twin() if config.distill else None
    if config.distill and twin is None:
        return _nothing_yet(config, folder)
    model = BinaryNet(
        topology,
        form.shape,
        data.classes,
        input_bits=form.bits,
        how=Binarization(
            window=config.window,
            stochastic_activations=config.activations == "stochastic",
            stochastic_weights=config.weights == "stochastic",
        ),
        norm=config.norm,
        init=config.init,
        class_scales=config.class_scales,
        generator=_generator(config),
    )
    _place(model, config)
    history = fit(
        model,
        tensors,
        config,
        folder,
        what=f"binarized network {config.topology}",
        processes=processes,
        teacher=twin,
        on_epoch=on_epoch,
        until=until,
    )
    top = max(row.valid for row in history)
    best_epoch = max(row.epoch for row in history if row.valid == top)
    network = export(model, form, training=_record(config, best_epoch, data))
    finished = len(history) == config.epochs
    reached = measure(network, data, ("valid", "test") if finished else ("valid",))
    if reached["valid"] != top:
        raise ToolError(
            f"this is a bug: validation accuracy is {top} in torch, {reached['valid']} in integers"
        )
    network = dataclasses.replace(network, accuracy=reached)
    checked = check(model, network, data.x_test) if finished else 0
    if processes.first:
        network.save(folder / MODEL)
        _draw(folder / CURVES, f"{data.name}, {config.topology}", history)
    processes.wait()
    if finished and float_twin and twin is None:
        twin = trained_twin()
    return TrainResult(
        model=folder / MODEL,
        network=network,
        history=history,
        epochs=config.epochs,
        best_epoch=best_epoch,
        accuracy=reached,
        checked=checked,
        float_accuracy=_measure_twin(twin, data, config) if finished and twin is not None else {},
        finished=finished and (twin is not None or not float_twin),
        seconds=round(sum(row.seconds for row in history), 3),
    )


def _place(model: nn.Module, config: TrainConfig) -> None:
    """Onto the device; kernels as samples lie, channels last, which is faster by a fifth."""
    model.to(device=config.device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def _nothing_yet(config: TrainConfig, folder: Path) -> TrainResult:
    """Time ran out before there was a network to write."""
    return TrainResult(
        model=folder / MODEL,
        network=None,
        history=[],
        epochs=config.epochs,
        best_epoch=0,
        accuracy={},
        checked=0,
        float_accuracy={},
        seconds=0.0,
        finished=False,
    )


def _draw(path: Path, title: str, history: list[Epoch]) -> None:
    """The run's curves, where matplotlib is there."""
    try:
        write_bytes(path, curves(title, history))
    except ModuleNotFoundError as error:
        console.remark(f"no {path.name}: {error.name} is not installed")


def measure(network: Network, data: Dataset, parts: Iterable[str]) -> dict[str, float]:
    """Accuracy of an integer network, by golden, on parts that it was not trained on."""
    result = {}
    for part in parts:
        x, y = data.part(part)
        _, classes = classify(network, x)
        result[part] = float(np.mean(classes == y))
    return result


def _measure_twin(twin: FloatNet, data: Dataset, config: TrainConfig) -> dict[str, float]:
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


def _record(config: TrainConfig, best_epoch: int, data: Dataset) -> dict[str, Any]:
    """What the file says of its training; nothing in it differs between two equal runs."""
    told: dict[str, Any] = {
        "data_name": data.name,
        "best_epoch": best_epoch,
        "bnnhw": __version__,
        "torch": torch.__version__,
    }
    if data.class_names:
        told["class_names"] = list(data.class_names)
    return config.to_json() | told
