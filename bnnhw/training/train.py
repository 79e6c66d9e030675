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

from .. import __version__, console
from ..classify import classify
from ..datasets import Dataset, load
from ..errors import InputError, ToolError
from ..files import sha256_of, write_bytes
from ..network import Network
from ..network_file import load as load_network
from .agreement import check
from .config import TrainConfig
from .curves import curves
from .distributed import Processes
from .export import export
from .fit import Epoch, fit
from .float_net import FloatNet
from .layers import Binarization
from .net import BinaryNet, Classifier
from .run_folder import CURVES, MODEL, TEACHER, TWIN, Stated, open_run, stated
from .tensors import Tensors, accuracy
from .topology import Topology

CHECKED = "checked_samples"  # in the file's training record


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
        Go on with the run that lies in `output`, to the same end as if it had not stopped; with
        its float twin too, where one was asked for.
    overwrite : bool
        Replace a run that lies there.
    minutes : float
        After the first, begin no epoch that would end later than this; then the best network so
        far is written, and `resume` goes on. When all epochs are done accuracies are measured,
        however long that takes.
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
    folder = Path(output)
    if resume:
        float_twin |= stated(folder).float_twin
    with Processes(config.device) as processes:
        # Whatever does not fit is refused here, before anything is written.
        run = _Run(config, load(config.data, data_dir), folder, processes, until)
        model = run.binary_net()
        wanted = Stated(config=config, float_twin=float_twin)
        processes.first_does(lambda: open_run(folder, wanted, resume=resume, overwrite=overwrite))
        try:
            return run.train(model, float_twin=float_twin, on_epoch=on_epoch)
        except torch.cuda.OutOfMemoryError:
            raise ToolError(
                f"the GPU has no room for a batch of {config.batch} of {config.topology}; "
                "lower --batch"
            ) from None


class _Run:
    """A training's data and where it goes; InputError for data that it does not suit.

    Parameters
    ----------
    config : TrainConfig
    data : Dataset
    folder : Path
    processes : Processes
    until : float
        Of `time.monotonic`.
    """

    def __init__(
        self, config: TrainConfig, data: Dataset, folder: Path, processes: Processes, until: float
    ) -> None:
        for name in ("shift", "flip"):
            if getattr(config, name) and len(data.shape) != 3:
                raise InputError(
                    f"{name} is for samples that are images, not of shape {data.shape}"
                )
        if config.batch < 2 * processes.count:
            raise InputError(
                f"batch must be at least 2 for each of {processes.count} processes, "
                f"not {config.batch}"
            )
        self.config, self.data, self.folder = config, data, folder
        self.processes, self.until = processes, until
        self.form = data.input_format(config.input_bits)
        self.tensors = Tensors.of(data, config)

    def train(
        self, model: BinaryNet, *, float_twin: bool, on_epoch: Callable[[Epoch], None] | None
    ) -> TrainResult:
        """As `train` says it."""
        config, folder = self.config, self.folder
        teacher = twin = None
        if config.distill:
            if config.teacher in ("", config.topology):
                teacher = twin = self.trained_twin()
            else:
                teacher = self.trained_float(config.teacher, TEACHER)
            if teacher is None:
                return _nothing_yet(config, folder)
        what = f"binarized network {config.topology}"
        history = self.fit(model, folder, what, teacher, on_epoch)
        top = max(row.valid for row in history)
        best_epoch = max(row.epoch for row in history if row.valid == top)
        network = export(model, self.form, training=_record(config, best_epoch, self.data))
        finished = len(history) == config.epochs
        if finished:
            network, checked = self.measured(model, network, top)
        else:
            network, checked = dataclasses.replace(network, accuracy={"valid": top}), 0
        if self.processes.first:
            network.save(folder / MODEL)
            _draw(folder / CURVES, f"{self.data.name}, {config.topology}", history)
        self.processes.wait()
        if finished and float_twin and twin is None:
            twin = self.trained_twin()
        return TrainResult(
            model=folder / MODEL,
            network=network,
            history=history,
            epochs=config.epochs,
            best_epoch=best_epoch,
            accuracy=network.accuracy,
            checked=checked,
            float_accuracy=self.twins_accuracy(twin) if finished and twin is not None else {},
            seconds=round(sum(row.seconds for row in history), 3),
            finished=finished and (twin is not None or not float_twin),
        )

    def binary_net(self) -> BinaryNet:
        """The network to be trained, as it begins."""
        config = self.config
        model = BinaryNet(
            Topology.parse(config.topology),
            self.form.shape,
            self.data.classes,
            input_bits=self.form.bits,
            how=Binarization(
                window=config.window,
                stochastic_activations=config.activations == "stochastic",
                stochastic_weights=config.weights == "stochastic",
                dropout=config.hidden_dropout,
            ),
            norm=config.norm,
            init=config.init,
            class_scales=config.class_scales,
            generator=torch.Generator().manual_seed(config.seed),
        )
        return model

    def trained_twin(self) -> FloatNet | None:
        """The float network of the same shape; None where time ran out."""
        return self.trained_float(self.config.topology, TWIN)

    def trained_float(self, topology: str, name: str) -> FloatNet | None:
        """A float network, in a folder of that name; None where time ran out."""
        config = self.config
        net = FloatNet(
            Topology.parse(topology),
            self.form.shape,
            self.data.classes,
            input_bits=self.form.bits,
            dropout=config.hidden_dropout,
            generator=torch.Generator().manual_seed(config.seed),
        )
        done = self.fit(net, self.folder / name, f"float network {topology}", None, None)
        return net if len(done) == config.epochs else None

    def fit(
        self,
        model: Classifier,
        folder: Path,
        what: str,
        teacher: FloatNet | None,
        on_epoch: Callable[[Epoch], None] | None,
    ) -> list[Epoch]:
        """Train one of them; its epochs."""
        # Kernels as samples lie, channels last, which is faster by a fifth.
        place: Any = {"device": self.config.device, "memory_format": torch.channels_last}
        model.to(**place)
        return fit(
            model,
            self.tensors,
            self.config,
            folder,
            what=what,
            processes=self.processes,
            teacher=teacher,
            on_epoch=on_epoch,
            until=self.until,
        )

    def measured(self, model: BinaryNet, network: Network, top: float) -> tuple[Network, int]:
        """The network with its accuracy by golden, and the samples whose every bit was compared.

        Where the folder holds it already, both as they were found then.
        """
        stored = _stored(self.folder / MODEL)
        if stored is not None and CHECKED in stored.training:
            training = network.training | {CHECKED: stored.training[CHECKED]}
            same = dataclasses.replace(network, accuracy=stored.accuracy, training=training)
            if same.sha256 == stored.sha256:
                return stored, int(training[CHECKED])
        reached = measure(network, self.data, ("valid", "test"))
        if reached["valid"] != top:
            raise ToolError(
                f"this is a bug: validation accuracy is {top} in torch, "
                f"{reached['valid']} in integers"
            )
        checked = check(model, network, self.data.x_test)
        training = network.training | {CHECKED: checked}
        return dataclasses.replace(network, accuracy=reached, training=training), checked

    def twins_accuracy(self, twin: FloatNet) -> dict[str, float]:
        """Of the float network, on validation and test."""
        result = {}
        for part in ("valid", "test"):
            x, y = self.data.part(part)
            values = torch.from_numpy(self.form.quantize(x)).to(self.config.device)
            result[part] = accuracy(twin, values, torch.from_numpy(y).to(self.config.device))
        return result


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


def _stored(path: Path) -> Network | None:
    """The network that lies there already, if one does."""
    try:
        return load_network(path)
    except InputError:
        return None


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
