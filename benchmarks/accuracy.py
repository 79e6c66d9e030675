"""The accuracies that README states: each network trained by its one command, with its seeds.

    python -m benchmarks.accuracy --data-dir DIR                    all that suit a CPU: hours
    python -m benchmarks.accuracy --only mnist-256x3                networks whose names begin so
    python -m benchmarks.accuracy --gpu --minutes 9 --copy DIR      the large ones on a GPU: a slice
    python -m benchmarks.accuracy --take DIR                        keep what such slices copied
    python -m benchmarks.accuracy --keep                            and keep what is done

Each run lies in its folder and goes on where it was stopped, so the same command does slice after
slice; with --keep a seed whose accuracies are kept already, with the same command, is done. With
--copy the best network so far of each run, packed, its metrics, and the accuracies of those that
are done go to another folder after every slice. Of the large ones all networks come before any
float twin. A GPU machine needs no more than torch, numpy, safetensors, scikit-learn, Pillow and
rich; where git does not tell the commit, BNNHW_COMMIT does.
"""

__all__ = ["TITLES", "Outcome", "shares", "spread", "summary", "table", "trained"]

import argparse
import dataclasses
import math
import shutil
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bnnhw import console
from bnnhw.errors import InputError, ToolError
from bnnhw.exits import DONE, FAILED, ended
from bnnhw.machine import processor
from bnnhw.record import Record, commit, read_records, write_records
from bnnhw.training import TrainConfig, TrainResult, train
from bnnhw.training.fit import METRICS
from bnnhw.training.run_folder import CONFIG, MODEL, stated

from .command import chosen, new_parser
from .markdown import markdown
from .runs import RUNS, Run
from .store import MODELS, keep, kept

TITLES = {
    "digits": "digits",
    "mnist": "MNIST",
    "cifar10": "CIFAR-10",
    "cifar10-jpeg": "CIFAR-10 (JPEG)",
    "cifar10-other": "CIFAR-10 (other pixels)",
}
DONE_RECORDS, NETWORK_RECORDS = "records.json", "network.json"  # with the float twin, and without


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
    """Train, or go on where it was stopped, until a time of `time.monotonic`; and then, if that is
    asked for, the float twin.

    What a finished training has reached lies in its folder, and is not measured again.

    Parameters
    ----------
    what : str
        Of the records, the command for example.
    """
    resume = (folder / CONFIG).exists()
    done = folder / (DONE_RECORDS if float_twin else NETWORK_RECORDS)
    if resume and done.exists():
        if stated(folder).config != config:
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
    epochs = len(result.history)
    about: dict[str, Any] = {
        "kind": "measured",
        "on": f"{result.network.training['data_name']}; trained on {_device(config)}",
        "tools": {"torch": str(result.network.training["torch"])},
        "seed": config.seed,
        "commit": commit(),
    }
    told = [("accuracy", result.accuracy), ("float_accuracy", result.float_accuracy)]
    found = [
        Record(
            name=f"{name}_{part}",
            value=share,
            unit="1",
            how=f"{'golden' if name == 'accuracy' else 'float twin'}, the epoch best on "
            f"validation of {epochs}; {what}",
            **about,
        )
        for name, shares in told
        for part, share in sorted(shares.items(), reverse=True)  # validation first
    ]
    how = f"{epochs} epochs, validation among them; {what}"
    return [*found, Record(name="training_time", value=result.seconds, unit="s", how=how, **about)]


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
    """The kept records as the docs' table: integer networks, float twins, and their commands."""
    heads = ("data", "network", "inputs", "validation", "test", "float twin, test", "seeds")
    rows = []
    for run, found in _stated():
        seeds = ", ".join(str(s) for s in sorted({r.seed for r in found if r.seed is not None}))
        rows.append((*_named(run, found), *_reached(found), seeds, f"`{run.command}`"))
    return markdown((*heads, "command"), rows)


def summary() -> str:
    """What README says of it."""
    heads = ("data", "network", "inputs", "test accuracy", "float twin")
    parts = ("accuracy_test", "float_accuracy_test")
    rows = [
        (*_named(run, found), *(spread(shares(found, part)) for part in parts))
        for run, found in _stated()
    ]
    return markdown(heads, rows)


def _stated() -> list[tuple[Run, list[Record]]]:
    """The networks of which there are records."""
    found = ((run, kept(f"accuracy-{run.name}")) for run in RUNS)
    return [(run, records) for run, records in found if records]


def _named(run: Run, records: Sequence[Record]) -> tuple[str, str, str]:
    config = run.config(run.seeds[0])
    inputs = "1 bit" if config.input_bits == 1 else f"{config.input_bits} bits"
    data = TITLES[records[0].on.partition(";")[0]]
    return data, config.topology, inputs


def main(arguments: Sequence[str] | None = None) -> int:
    parser = new_parser("accuracy", __doc__, data=True)
    parser.add_argument("--gpu", action="store_true", help="the networks that want a GPU")
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="", help="cpu to rehearse what wants a GPU"
    )
    parser.add_argument("--minutes", type=float, default=math.inf, metavar="M", help="of a slice")
    parser.add_argument("--copy", type=Path, metavar="DIR", help="networks and metrics go there")
    parser.add_argument(
        "--take", type=Path, metavar="DIR", help="train nothing; keep what --copy left there"
    )
    args = parser.parse_args(arguments)
    work = _work if args.take is None else _take
    return ended("benchmarks.accuracy", lambda: work(args), debug=args.debug)


def _work(args: argparse.Namespace) -> int:
    until = time.monotonic() + 60 * args.minutes
    runs = chosen([run for run in RUNS if run.gpu == args.gpu], args.only)
    todo = [(run, seed, args.out / f"{run.name}-{seed}") for run in runs for seed in run.seeds]
    known = {f: _kept(run, seed) for run, seed, f in todo} if args.keep else {}
    reached: dict[Path, Outcome] = {}
    failed: list[str] = []
    going = True
    # Where time is short all networks come before any float twin.
    for twin in (False, True) if args.gpu else (True,):
        for run, seed, folder in todo:
            if not going or known.get(folder) or folder.name in failed:
                continue
            config = run.config(seed, args.device)
            try:
                reached[folder] = trained(
                    config, folder, args.data_dir, run.command, float_twin=twin, until=until
                )
            except ToolError as error:  # the others are not to wait for it
                console.remark(f"{folder.name}: {error}")
                failed.append(folder.name)
                continue
            finally:
                if args.copy:
                    _copy(folder, args.copy)
            going = reached[folder].finished
            if args.keep and twin and going:
                _keep(run, reached[folder].records, folder / MODEL)
    rows, records = [], []
    for run, seed, folder in todo:
        if found := known.get(folder):
            rows.append((folder.name, "kept", *_reached(found)))
        elif outcome := reached.get(folder):
            epochs = run.config(seed, args.device).epochs
            done = f"{outcome.epochs} of {epochs}{'' if outcome.finished else ', goes on'}"
            rows.append((folder.name, done, *_reached(outcome.records)))
            found = outcome.records if outcome.epochs == epochs else []
        records += found or []
    if args.copy:
        write_records(args.copy / DONE_RECORDS, records)
    heads = ("network", "epochs", "validation", "test", "float twin, test")
    console.show(console.table("accuracy of the integer networks", heads, rows))
    return FAILED if failed else DONE


def _take(args: argparse.Namespace) -> int:
    """Keep what was copied on another machine."""
    copied = read_records(args.take / DONE_RECORDS)
    rows = []
    for run in chosen(RUNS, args.only):
        for seed in run.seeds:
            found = [r for r in copied if r.seed == seed and _is_of(r, run)]
            if found:
                name = f"{run.name}-{seed}"
                _keep(run, found, args.take / f"{name}.safetensors")
                rows.append((name, *_reached(found)))
    heads = ("network", "validation", "test", "float twin, test")
    console.show(console.table(f"taken from {args.take}", heads, rows))
    return DONE


def _keep(run: Run, records: list[Record], model: Path) -> None:
    """The records of a seed, with those of the run's others, and the first one's network."""
    (seed,) = {record.seed for record in records}
    by_seed = {one: _kept(run, one) for one in run.seeds} | {seed: records}
    keep(f"accuracy-{run.name}", [record for found in by_seed.values() for record in found])
    if run.zoo and seed == run.seeds[0]:
        shutil.copyfile(model, MODELS / f"{run.name}.safetensors")


def _kept(run: Run, seed: int) -> list[Record]:
    """What is kept of a seed that was trained by the same command."""
    return [
        record
        for record in kept(f"accuracy-{run.name}")
        if record.seed == seed and _is_of(record, run)
    ]


def _is_of(record: Record, run: Run) -> bool:
    return record.how.endswith(f"; {run.command}")


def _reached(records: Sequence[Record]) -> Iterator[str]:
    """Accuracies of the integer network on validation and test, and of its float twin on test."""
    for name in ("accuracy_valid", "accuracy_test", "float_accuracy_test"):
        yield spread(shares(records, name))


def _copy(run: Path, to: Path) -> None:
    """A run's best network and metrics, under its name, each if it is there."""
    to.mkdir(parents=True, exist_ok=True)
    for name in (MODEL, METRICS):
        if (run / name).exists():
            shutil.copyfile(run / name, to / f"{run.name}{Path(name).suffix}")


if __name__ == "__main__":
    sys.exit(main())
