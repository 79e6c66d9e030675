"""The options of a training, checked; and the defaults that suit each data set. No torch here."""

__all__ = ["TrainConfig"]

import dataclasses
import difflib
import math
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..toml_file import read_toml
from .topology import Topology

SIGNS = ("deterministic", "stochastic")
CHOICES = {
    "loss": ("hinge", "cross_entropy"),
    "window": ("box", "triangle"),
    "activations": SIGNS,
    "weights": SIGNS,
    "norm": ("batch", "shift"),
    "optimizer": ("adam", "shift_adamax"),
    "schedule": ("cosine", "linear", "exponential", "constant"),
    "init": ("uniform", "glorot"),
    "device": ("cpu", "cuda"),
    "precision": ("float32", "bfloat16"),
}
WHOLE = {
    "input_bits": (1, 8),
    "epochs": (1, 10**6),
    "batch": (2, 10**6),  # a norm of one sample is no norm
    "shift": (0, 8),
    "seed": (0, 2**31 - 1),
    "threads": (1, 1024),
}
# Options that came when networks were kept already. They are recorded only where they are not left
# at their default, so that the commands of those networks still give their bytes.
LATER = ("hidden_dropout", "teacher")
SHARES = ("distill", "smoothing", "input_dropout", "hidden_dropout", "average")

DIGITS = "digits"
WARMUP = 2
MNIST = {"topology": "256-256-256", "input_bits": 8, "epochs": 40, "batch": 250, "shift": 1}
COLOURED = {"topology": "cnv", "input_bits": 8, "epochs": 100, "batch": 100, "shift": 4}
DEFAULTS: dict[str, dict[str, Any]] = {
    # On validation, mean of seeds 100 to 111: 98.5 %, without these three 97.6 %.
    DIGITS: {"input_dropout": 0.1, "calibrate": True, "epochs": 200},
    "mnist": MNIST,
    "cifar10": COLOURED | {"flip": True},
    "svhn": COLOURED,
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """What to train and how; the same configuration gives the same network on one machine.

    The paper is Courbariaux et al. 2016; docs/training.md says what each option is good for.

    Parameters
    ----------
    data : str
        See `bnnhw.datasets.load`.
    topology : str
        The hidden layers, see `Topology.parse`; or the name of a known one.
    input_bits : int
        B, 1 to 8; 1 makes even the pixels bipolar.
    shift : int
        Pixels by which a training image is moved at random, each way; 0: not at all.
    flip : bool
        Mirror half of the training images, left to right.
    input_dropout : float
        Share of a training sample's inputs that are 0.
    hidden_dropout : float
        Share of a hidden layer's activations that are 0 in training, neither -1 nor +1.

    window : "box" or "triangle"
        Where the gradient passes an activation's sign, see `binarize`.
    activations, weights : "deterministic" or "stochastic"
        Binarization in training; afterwards it is always deterministic.
    norm : "batch" or "shift"
        The paper's algorithm 2 or 3.
    init : "uniform" or "glorot"
        First weights: from -1 to 1, or in Glorot and Bengio's range.
    class_scales : bool
        Learn a scale for each class; else one for all, which needs no multiplier in hardware.

    loss : "hinge" (square hinge) or "cross_entropy"
    smoothing : float
        Share of the target that is spread over all classes.
    distill : float
        Share of the loss that asks for the scores of a float network, trained first; 0: no such
        teacher.
    teacher : str
        Its topology; empty: the network's own.
    temperature : float
        Softens the teacher's scores.

    optimizer : "adam" or "shift_adamax" (the paper's algorithm 4)
    epochs, batch : int
        Samples a step: about `batch`, of all processes together; an epoch is cut evenly.
    rate : float
        Of the weights after the warm-up.
    norm_rate : float
        Of norms, scales and biases. At the weights' high rate a norm's beta soon grows beyond
        what the sum can outweigh, and the neuron is constant: two fifths of them were.
    glorot_rates : bool
        Scale each layer's steps by one over Glorot and Bengio's coefficient, as the paper does.
    schedule : "cosine", "linear", "exponential" or "constant"
        The rate after the warm-up; the exponential one ends at a thousandth, the first two at 0.
    warmup : int
        Epochs in which the rate rises from 0, at most `epochs`.
    real_epochs : int
        Epochs, of all, in which weights are still real numbers and only activations are signs.
    average : float
        Decay a step of a moving average of all parameters, which is what is validated and kept;
        0: none.

    calibrate : bool
        Before each validation take the norms' statistics over training samples as they are
        evaluated, see `calibrate`.

    seed : int
        Of the first weights, of the order of the samples, and of whatever is drawn in training.
    device : "cpu" or "cuda"
    precision : "float32" or "bfloat16"
        Of a training step's sums and activations; what is validated and kept is exact in any case.
    threads : int
        Of torch on the CPU: part of what makes a run repeatable, for sums are split among them. A
        small network is fastest on one.
    """

    data: str = DIGITS
    topology: str = "128-128"
    input_bits: int = 4
    shift: int = 0
    flip: bool = False
    input_dropout: float = 0.0
    hidden_dropout: float = 0.0

    window: str = "triangle"
    activations: str = "deterministic"
    weights: str = "deterministic"
    norm: str = "batch"
    init: str = "uniform"
    class_scales: bool = False

    loss: str = "hinge"
    smoothing: float = 0.0
    distill: float = 0.0
    teacher: str = ""
    temperature: float = 3.0

    optimizer: str = "adam"
    epochs: int = 100
    batch: int = 32
    rate: float = 0.1
    norm_rate: float = 0.003
    glorot_rates: bool = False
    schedule: str = "cosine"
    warmup: int = WARMUP
    real_epochs: int = 0
    average: float = 0.0
    calibrate: bool = False

    seed: int = 0
    device: str = "cpu"
    precision: str = "float32"
    threads: int = 1

    def __post_init__(self) -> None:
        for topology in (self.topology, self.teacher or self.topology):
            Topology.parse(topology)
        limits = WHOLE | {"warmup": (0, self.epochs), "real_epochs": (0, self.epochs - 1)}
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not _whole(value, low) or value > high:
                raise InputError(f"{name} must be {low} to {high}, not {value}")
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"{name} must be {' or '.join(allowed)}, not {getattr(self, name)!r}"
                )
        for name in ("rate", "norm_rate", "temperature"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} must be above 0, not {value}")
        for name in SHARES:
            value = getattr(self, name)
            if not 0 <= value <= (1 if name == "distill" else math.nextafter(1, 0)):
                most = "0 to 1" if name == "distill" else "at least 0 and below 1"
                raise InputError(f"{name} must be {most}, not {value}")
        if self.teacher and not self.distill:
            raise InputError("a teacher teaches nothing without a share of the loss, distill")
        if self.smoothing and self.loss != "cross_entropy":
            raise InputError(f"smoothing goes with the loss cross_entropy, not {self.loss}")

    @classmethod
    def for_data(cls, data: str = DIGITS, **options: Any) -> "TrainConfig":
        """The defaults that suit the data set, but for the options given.

        A training shorter than the usual warm-up has none longer than itself.
        """
        chosen: dict[str, Any] = {"data": data, "warmup": WARMUP} | DEFAULTS.get(data, {}) | options
        if "warmup" not in options and _whole(chosen.get("epochs", WARMUP), 0):
            chosen["warmup"] = min(chosen["warmup"], chosen.get("epochs", WARMUP))
        return cls(**chosen)

    @classmethod
    def load(cls, path: Path | str, **options: Any) -> "TrainConfig":
        """Options from a TOML file, those given here first; the rest suit the data.

        A key is an option's name, with - or _ in it: `input-bits = 1`. The topology may be a list
        of its parts.
        """
        found = {key.replace("-", "_"): value for key, value in read_toml(path).items()}
        parts = found.get("topology")
        if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
            found["topology"] = "-".join(parts)
        try:
            _check_kinds(found)
            return cls.for_data(**(found | options))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "TrainConfig":
        """The inverse of `to_json`."""
        _check_kinds(record)
        return cls(**record)

    def to_json(self) -> dict[str, Any]:
        """The options by their names, but for those of `LATER` that are at their default."""
        later = {f.name: f.default for f in dataclasses.fields(self) if f.name in LATER}
        told = dataclasses.asdict(self)
        return {n: v for n, v in told.items() if n not in later or v != later[n]}


def _check_kinds(record: dict[str, Any]) -> None:
    """Refuse what is no option, and values of another kind than the option's."""
    if not isinstance(record, dict):
        raise InputError("not the options of a training")
    kinds = {f.name: type(f.default) for f in dataclasses.fields(TrainConfig)}
    for name, value in record.items():
        if name not in kinds:
            near = difflib.get_close_matches(name, kinds, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InputError(f"{name} is no option of a training{hint}")
        kind = kinds[name]
        whole = kind is float and type(value) is int and abs(value) <= 1 << 53
        if type(value) is not kind and not whole:
            raise InputError(f"{name} must be of type {kind.__name__}, not {value!r}")


def _whole(value: object, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low
