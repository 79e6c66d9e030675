"""The networks whose accuracy is stated, each with the command that trains it."""

__all__ = ["RUNS", "Run"]

import dataclasses
import shlex
from typing import Any

from bnnhw.training import TrainConfig


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A network whose accuracy is stated.

    Parameters
    ----------
    name : str
        Of its records.
    data : str
    options : dict
        Of `TrainConfig`, in which it differs from the data's defaults.
    seeds : tuple of int
        Fixed beforehand.
    gpu : bool
        Too large for a CPU.
    zoo : bool
        The first seed's network is kept in `models`.
    """

    name: str
    data: str
    options: dict[str, Any]
    seeds: tuple[int, ...] = (1, 2, 3)
    gpu: bool = False
    zoo: bool = False

    def config(self, seed: int, device: str = "") -> TrainConfig:
        """Its options, on that device, or else on a GPU where it needs one."""
        options = self.on_gpu | self.options | ({"device": device} if device else {})
        return TrainConfig.for_data(self.data, **options, seed=seed)

    @property
    def on_gpu(self) -> dict[str, Any]:
        """The options that a GPU wants."""
        return {"device": "cuda", "precision": "bfloat16"} if self.gpu else {}

    @property
    def command(self) -> str:
        """That trains it with its first seed, for people."""
        given = {"data": self.data} | self.on_gpu | self.options | {"seed": self.seeds[0]}
        words = []
        for name, value in given.items():
            flag = name.replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{'' if value else 'no-'}{flag}")
            else:
                words += [f"--{flag}", shlex.quote(str(value))]
        return " ".join(["bnnhw train", *words, f"-o runs/{self.name}"])


# Without augmentation, as in the paper; inputs are dropped, as there. On validation, 60 epochs with
# seed 0: nothing dropped 97.89 %, a fifth 98.26 %, three tenths 98.21 %; with a float teacher, or
# cross entropy for hinge, less.
MLP: dict[str, Any] = {"shift": 0, "input_dropout": 0.2, "calibrate": True, "epochs": 200}
# Wider: on validation, 1-bit inputs, 40 epochs with seed 0, a fifth dropped 98.49 %, three tenths
# 98.62 %, two fifths 98.64 %; a fifth and a moving average of the weights 98.57 %.
WIDE = MLP | {"topology": "3x1024", "input_dropout": 0.3, "precision": "bfloat16"}
# With 8-bit inputs, 60 epochs with seed 0, mean of the last ten: three tenths dropped 98.69 %, a
# fifth and a fifth of hidden activations 98.72 %, cross entropy smoothed by 0.1 for hinge 98.79 %.
# But after 200 epochs with seed 1 both at once gave 98.89 %, three tenths and hinge 98.87 %.
RUNS = (
    Run(name="digits", data="digits", options={}, seeds=(0, 1, 2, 3, 4), zoo=True),
    Run(name="mnist-256x3-8bit", data="mnist", options=MLP, zoo=True),
    Run(name="mnist-256x3-1bit", data="mnist", options=MLP | {"input_bits": 1}, zoo=True),
    Run(
        name="mnist-lenet",
        data="mnist",
        options=MLP | {"topology": "lenet", "epochs": 60},
        zoo=True,
    ),
    Run(name="mnist-1024x3-8bit", data="mnist", options=WIDE, seeds=(1,)),
    Run(name="mnist-1024x3-1bit", data="mnist", options=WIDE | {"input_bits": 1}, seeds=(1,)),
    # As far as a CPU takes it in an hour.
    Run(
        name="cifar10-cnv-short",
        data="cifar10",
        options={"topology": "cnv", "epochs": 10, "precision": "bfloat16"},
        seeds=(1,),
        zoo=True,
    ),
    Run(
        name="cifar10-cnv",
        data="cifar10",
        options={"topology": "cnv", "epochs": 200, "calibrate": True},
        seeds=(1,),
        gpu=True,
        zoo=True,
    ),
    Run(
        name="cifar10-convnet",
        data="cifar10",
        options={"topology": "convnet", "epochs": 100, "batch": 250, "calibrate": True},
        seeds=(1,),
        gpu=True,
    ),
    Run(
        name="mnist-4096x3-8bit",
        data="mnist",
        options=MLP | {"topology": "3x4096", "input_dropout": 0.3, "hidden_dropout": 0.3},
        seeds=(1,),
        gpu=True,
    ),
)
