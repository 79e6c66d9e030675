"""The accuracies that README states: each network trained by its one command, with its seeds.

    python -m benchmarks.accuracy --data-dir DIR                    all that suit a CPU: hours
    python -m benchmarks.accuracy --only mnist-256x3                networks whose names begin so
    python -m benchmarks.accuracy --gpu --minutes 9 --copy DIR      the large ones on a GPU: a slice
    python -m benchmarks.accuracy --keep                            and keep what is done

Each run lies in its folder and goes on where it was stopped, so the same command does slice after
slice. With --copy the best network so far of each run, packed, and its metrics go to another folder
after every slice. A GPU machine needs no more than torch, numpy, safetensors, scikit-learn, Pillow
and rich.
"""

__all__ = ["RUNS", "Outcome", "Run", "shares", "spread", "table", "trained"]

import argparse
import dataclasses
import math
import shlex
import shutil
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bnnhw import console
from bnnhw.errors import InputError
from bnnhw.exits import DONE, ended
from bnnhw.machine import processor
from bnnhw.record import Record, commit, read_records, write_records
from bnnhw.training import TrainConfig, TrainResult, train
from bnnhw.training.run_folder import CONFIG, stored_config

from .command import chosen, new_parser
from .store import keep, kept

DONE_RECORDS = "records.json"
COPIED = ("model.safetensors", "metrics.csv", "config.json", "curves.png", DONE_RECORDS)


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
    """

    name: str
    data: str
    options: dict[str, Any]
    seeds: tuple[int, ...] = (1, 2, 3)
    gpu: bool = False

    def config(self, seed: int, device: str = "") -> TrainConfig:
        """Its options, on that device, or else on a GPU where it needs one."""
        device = device or ("cuda" if self.gpu else "cpu")
        precision = {"precision": "bfloat16"} if self.gpu else {}
        options = {"device": device} | precision | self.options
        return TrainConfig.for_data(self.data, **options, seed=seed)

    @property
    def command(self) -> str:
        """That trains it with its first seed, for people."""
        given = {"data": self.data} | self.options | {"seed": self.seeds[0]}
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
RUNS = (
    Run(name="mnist-256x3-8bit", data="mnist", options=MLP),
    Run(name="mnist-256x3-1bit", data="mnist", options=MLP | {"input_bits": 1}),
    Run(name="mnist-1024x3-8bit", data="mnist", options=MLP | {"topology": "3x1024"}, seeds=(1,)),
    Run(
        name="mnist-1024x3-1bit",
        data="mnist",
        options=MLP | {"topology": "3x1024", "input_bits": 1},
        seeds=(1,),
    ),
    Run(
        name="mnist-4096x3-8bit",
        data="mnist",
        options=MLP | {"topology": "3x4096"},
        seeds=(1,),
        gpu=True,
    ),
    Run(
        name="cifar10-cnv",
        data="cifar10",
        options={"topology": "cnv", "epochs": 250, "batch": 125, "distill": 0.5},
        seeds=(1,),
        gpu=True,
    ),
    Run(
        name="cifar10-convnet",
        data="cifar10",
        options={"topology": "convnet", "epochs": 150, "batch": 125, "distill": 0.5},
        seeds=(1,),
        gpu=True,
    ),
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How far a training is, and what it has reached.

    Parameters
    ----------
    epochs : int
        Done.
    finished : bool
    records : list of Record
        Accuracies so far, of the integer network and of its float twin.
    """

    epochs: int
    finished: bool
    records: list[Record]


def trained(
    config: TrainConfig,
    folder: Path,
    data_dir: Path,
    what: str,
    *,
    float_twin: bool = False,
    until: float = math.inf,
) -> Outcome:
    """Train, or go on where it was stopped, until a time of `time.monotonic`.

    What a finished training has reached lies in its folder, and is not measured again.
    """
    resume = (folder / CONFIG).exists()
    done = folder / DONE_RECORDS
    if resume and done.exists():
        if stored_config(folder) != config:
            raise InputError(f"{folder} holds a training with other options; remove it")
        return Outcome(epochs=config.epochs, finished=True, records=read_records(done))
    minutes = max(1e-6, (until - time.monotonic()) / 60)
    result = train(
        config, folder, data_dir=data_dir, float_twin=float_twin, resume=resume, minutes=minutes
    )
    records = _accuracies(result, config, what)
    if result.finished:
        write_records(done, records)
    return Outcome(epochs=len(result.history), finished=result.finished, records=records)


def _accuracies(result: TrainResult, config: TrainConfig, what: str) -> list[Record]:
    if result.network is None:
        return []
    told = [("accuracy", result.accuracy), ("float_accuracy", result.float_accuracy)]
    return [
        Record(
            name=f"{name}_{part}",
            value=share,
            unit="1",
            kind="measured",
            how=f"{'golden' if name == 'accuracy' else 'float twin'}, the epoch best on "
            f"validation of {len(result.history)}; {what}",
            on=f"{result.network.training['data_name']}; trained on {_device(config)}",
            tools={"torch": str(result.network.training["torch"])},
            seed=config.seed,
            commit=commit(),
        )
        for name, shares in told
        for part, share in shares.items()
    ]


def _device(config: TrainConfig) -> str:
    if config.device == "cuda":
        import torch

        return str(torch.cuda.get_device_name())
    return processor()


def shares(records: Iterable[Record], name: str) -> list[float]:
    """The accuracies of a name, "accuracy_test" say, a seed each."""
    return [float(record.value) for record in records if record.name == name]


def spread(values: Sequence[float]) -> str:
    """`97.52 % (97.41 to 97.60)`: the mean, and where there are several the lowest and highest."""
    if not values:
        return ""
    mean = f"{100 * statistics.mean(values):.2f} %"
    ends = f" ({100 * min(values):.2f} to {100 * max(values):.2f})" if len(values) > 1 else ""
    return mean + ends


def table() -> str:
    """The kept records as the docs' table: the integer networks, and their float twins."""
    lines = [
        "| data | network | inputs | validation | test | float twin, test | seeds | command |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in RUNS:
        found = kept(f"accuracy-{run.name}")
        if not found:
            continue
        config = run.config(run.seeds[0])
        names = ("accuracy_valid", "accuracy_test", "float_accuracy_test")
        seeds = sorted({record.seed for record in found if record.seed is not None})
        cells = [
            str(found[0].on.partition(";")[0]),
            config.topology,
            "1 bit" if config.input_bits == 1 else f"{config.input_bits} bits",
            *(spread(shares(found, name)) for name in names),
            ", ".join(map(str, seeds)),
            f"`{run.command}`",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = new_parser("accuracy", __doc__, data=True)
    parser.add_argument("--gpu", action="store_true", help="the networks that want a GPU")
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="", help="cpu to rehearse what wants a GPU"
    )
    parser.add_argument("--minutes", type=float, default=math.inf, metavar="M", help="of a slice")
    parser.add_argument("--copy", type=Path, metavar="DIR", help="networks and metrics go there")
    args = parser.parse_args(arguments)
    return ended("benchmarks.accuracy", lambda: _work(args), debug=args.debug)


def _work(args: argparse.Namespace) -> int:
    until = time.monotonic() + 60 * args.minutes
    rows, worked = [], False
    for run in chosen([run for run in RUNS if run.gpu == args.gpu], args.only):
        found: list[Record] = []
        for seed in run.seeds:
            folder = args.out / f"{run.name}-{seed}"
            ready = (folder / DONE_RECORDS).exists()
            if worked and not ready and time.monotonic() > until:
                break
            worked |= not ready
            config = run.config(seed, args.device)
            outcome = trained(
                config, folder, args.data_dir, run.command, float_twin=True, until=until
            )
            if args.copy:
                _copy(folder, args.copy / folder.name)
            reached = (
                spread(shares(outcome.records, name))
                for name in ("accuracy_valid", "accuracy_test", "float_accuracy_test")
            )
            rows.append((folder.name, f"{outcome.epochs} of {config.epochs}", *reached))
            if outcome.finished:
                found += outcome.records
        if args.keep and found:
            keep(f"accuracy-{run.name}", found)
    heads = ("network", "epochs", "validation", "test", "float twin, test")
    console.show(console.table("accuracy of the integer networks", heads, rows))
    return DONE


def _copy(run: Path, to: Path) -> None:
    """A run's best network and metrics, each if it is there."""
    to.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        if (run / name).exists():
            shutil.copyfile(run / name, to / name)


if __name__ == "__main__":
    sys.exit(main())
