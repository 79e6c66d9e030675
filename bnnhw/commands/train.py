"""Train a binarized network: data in, one network file out.

Options that are left out take the values that suit the data set. The folder gets
model.safetensors, config.json, metrics.csv and a checkpoint, from which --resume goes on.
"""

import argparse
from pathlib import Path
from typing import Any

from ..errors import InputError
from . import data_dir_argument

HELP = "train a binarized network on data"


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in text.split(","))


_sizes.__name__ = "sizes"  # what argparse calls it in an error

OPTIONS: dict[str, tuple[Any, str, str]] = {
    "hidden": (_sizes, "M,M,...", "neurons of each hidden layer"),
    "input-bits": (int, "B", "bits of an input, 1 to 8"),
    "epochs": (int, "N", "passes over the training part"),
    "batch": (int, "N", "samples a step"),
    "rate": (float, "R", "learning rate of the weights after the warm-up"),
    "norm-rate": (float, "R", "learning rate of norms, scales and biases"),
    "warmup": (int, "N", "epochs in which the rate rises"),
    "loss": (str, "LOSS", "hinge or cross_entropy"),
    "window": (str, "W", "where the gradient passes a sign: box or triangle"),
    "shift": (int, "N", "pixels by which training images are moved at random"),
    "distill": (float, "SHARE", "share of the loss that a float teacher has, 0 to 1"),
    "temperature": (float, "T", "softens the teacher's scores"),
    "seed": (int, "N", "of weights and order"),
    "device": (str, "D", "cpu or cuda"),
    "threads": (int, "N", "of torch on the CPU"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="NAME|FILE.npz", help="digits, mnist or your own")
    data_dir_argument(parser)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder of this run"
    )
    for name, (kind, metavar, text) in OPTIONS.items():
        parser.add_argument(f"--{name}", type=kind, metavar=metavar, help=text)
    parser.add_argument(
        "--class-scales",
        action="store_true",
        default=None,
        help="learn a scale for each class (a multiplier each in hardware)",
    )
    parser.add_argument(
        "--float-twin", action="store_true", help="also train the float network of the same shape"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in DIR")
    parser.add_argument("--overwrite", action="store_true", help="replace the run in DIR")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from .. import console
    from ..training import TrainConfig, train
    from ..training.train import stored_config

    names = ["data", *(n.replace("-", "_") for n in OPTIONS), "class_scales"]
    given = {n: getattr(args, n) for n in names if getattr(args, n) is not None}
    if args.resume and args.overwrite:
        raise InputError("--resume and --overwrite exclude each other")
    if args.resume:
        stored = stored_config(args.output)
        config = TrainConfig.from_json(stored.to_json() | given)
    else:
        config = TrainConfig.for_data(given.pop("data", "digits"), **given)
    result = train(
        config,
        args.output,
        data_dir=args.data_dir,
        float_twin=args.float_twin,
        resume=args.resume,
        overwrite=args.overwrite,
    )
    if not args.json:
        rows = [("binarized, in integers", result.accuracy)]
        if result.float_accuracy:
            rows.append(("float twin", result.float_accuracy))
        shown = console.table(
            f"{config.data}: accuracy",
            ("network", "validation", "test"),
            ((name, f"{a['valid']:.2%}", f"{a['test']:.2%}") for name, a in rows),
        )
        console.out.print(shown)
        console.out.print(
            f"best epoch {result.best_epoch} of {config.epochs}, {result.seconds:.1f} s; "
            f"the network is {result.model}"
        )
    return result.to_json()
