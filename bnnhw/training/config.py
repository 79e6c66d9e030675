"""The options of a training, checked; and the defaults that suit each data set. No torch here."""

__all__ = ["TrainConfig"]

import dataclasses
import math
from typing import Any

from ..errors import InputError

CHOICES = {
    "loss": ("hinge", "cross_entropy"),
    "window": ("box", "triangle"),
    "device": ("cpu", "cuda"),
}

WARMUP = 2
DEFAULTS: dict[str, dict[str, Any]] = {
    "digits": {},
    "mnist": {
        "hidden": (256, 256, 256),
        "input_bits": 8,
        "epochs": 40,
        "batch": 250,
        "shift": 1,
    },
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """What to train and how; the same configuration gives the same network on one machine.

    Parameters
    ----------
    data : str
        digits, mnist or a .npz file, see `bnnhw.datasets.load`.
    hidden : tuple of int
        Neurons of each hidden layer.
    input_bits : int
        B, 1 to 8; 1 makes even the pixels bipolar.
    epochs : int
    batch : int
        Samples a step.
    rate : float
        Adam's learning rate of the weights after the warm-up; a cosine brings it to zero.
    norm_rate : float
        The same for norms, scales and biases. At the weights' high rate a norm's beta soon grows
        beyond what the sum can outweigh, and the neuron is constant: two fifths of them were.
    warmup : int
        Epochs in which the rate rises from 0, at most `epochs`.
    loss : "hinge" (square hinge) or "cross_entropy"
    window : "box" or "triangle"
        Where the gradient passes a sign, see `binarize`.
    shift : int
        Pixels by which a training image is moved at random, each way; 0: not at all.
    distill : float
        Share of the loss, 0 to 1, that asks for the scores of a float network of the same shape,
        trained first; 0: no such teacher.
    temperature : float
        Softens the teacher's scores.
    class_scales : bool
        Learn a scale for each class; else one for all, which needs no multiplier in hardware.
    seed : int
        Of the first weights and of the order of the samples.
    device : "cpu" or "cuda"
    threads : int
        Of torch on the CPU: part of what makes a run repeatable, for sums are split among them. A
        small network is fastest on one.
    """

    data: str = "digits"
    hidden: tuple[int, ...] = (128, 128)
    input_bits: int = 4
    epochs: int = 100
    batch: int = 32
    rate: float = 0.1
    norm_rate: float = 0.003
    warmup: int = WARMUP
    loss: str = "hinge"
    window: str = "triangle"
    shift: int = 0
    distill: float = 0.0
    temperature: float = 3.0
    class_scales: bool = False
    seed: int = 0
    device: str = "cpu"
    threads: int = 1

    def __post_init__(self) -> None:
        if not self.hidden or any(not _whole(m, 1) for m in self.hidden):
            raise InputError(f"hidden must be sizes of at least 1, not {list(self.hidden)}")
        limits = {
            "input_bits": (1, 8),
            "epochs": (1, 10**6),
            "batch": (2, 10**6),  # a batch norm of one sample is no norm
            "warmup": (0, self.epochs),
            "shift": (0, 8),
            "seed": (0, 2**31 - 1),
            "threads": (1, 1024),
        }
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
        if not 0 <= self.distill <= 1:
            raise InputError(f"distill must be 0 to 1, not {self.distill}")

    @classmethod
    def for_data(cls, data: str, **options: Any) -> "TrainConfig":
        """The defaults that suit the data set, but for the options given.

        A training shorter than the usual warm-up has none longer than itself.
        """
        chosen: dict[str, Any] = {"data": data, "warmup": WARMUP} | DEFAULTS.get(data, {}) | options
        if "warmup" not in options and _whole(chosen.get("epochs", WARMUP), 0):
            chosen["warmup"] = min(chosen["warmup"], chosen.get("epochs", WARMUP))
        return cls(**chosen)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "TrainConfig":
        """The inverse of `to_json`."""
        try:
            return cls(**(record | {"hidden": tuple(record["hidden"])}))
        except (KeyError, TypeError) as error:
            raise InputError(f"not a training's options ({error})") from None

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"hidden": list(self.hidden)}


def _whole(value: object, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low
