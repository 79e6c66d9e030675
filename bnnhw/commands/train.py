"""Train a binarized network: data in, one network file out.

Options that are left out take the values that suit the data set. The folder gets
model.safetensors, config.json, metrics.csv and a checkpoint, from which --resume goes on.
"""

import argparse
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..exits import MISTAKE
from . import data_dir_argument

if TYPE_CHECKING:
    from ..network import Network
    from ..training import TrainConfig, TrainResult

HELP = "train a binarized network on data"


Option = tuple[Any, str, str]

GROUPS: dict[str, dict[str, Option]] = {
    "the network": {
        "topology": (str, "T", "hidden layers: 256-256, 2x64C3-MP2-512, or convnet, cnv, lenet"),
        "input-bits": (int, "B", "bits of an input, 1 to 8"),
        "norm": (str, "NORM", "batch, or the paper's shift"),
        "class-scales": (bool, "", "learn a scale for each class (a multiplier each in hardware)"),
        "init": (str, "INIT", "first weights: uniform or glorot"),
        "seed": (int, "N", "of weights, order and all that is drawn"),
    },
    "signs": {
        "activations": (str, "HOW", "in training deterministic or stochastic"),
        "weights": (str, "HOW", "in training deterministic or stochastic"),
        "window": (str, "W", "where the gradient passes an activation's sign: box or triangle"),
        "real-epochs": (int, "N", "first epochs in which weights are still real numbers"),
    },
    "training data": {
        "shift": (int, "N", "pixels by which images are moved at random"),
        "flip": (bool, "", "mirror half of the images"),
        "input-dropout": (float, "SHARE", "share of a sample's inputs that are 0"),
        "hidden-dropout": (float, "SHARE", "share of hidden activations that are 0 in training"),
    },
    "loss": {
        "loss": (str, "LOSS", "hinge or cross_entropy"),
        "smoothing": (float, "SHARE", "share of cross entropy's target that all classes have"),
        "distill": (float, "SHARE", "share of the loss that a float teacher has, 0 to 1"),
        "teacher": (str, "T", "its topology (default: the network's own)"),
        "temperature": (float, "T", "softens the teacher's scores"),
    },
    "steps": {
        "epochs": (int, "N", "passes over the training part"),
        "batch": (int, "N", "samples a step"),
        "optimizer": (str, "OPT", "adam, or the paper's shift_adamax"),
        "rate": (float, "R", "learning rate of the weights after the warm-up"),
        "norm-rate": (float, "R", "learning rate of norms, scales and biases"),
        "glorot-rates": (bool, "", "scale each layer's steps as the paper does"),
        "schedule": (str, "S", "of the rate: cosine, linear, exponential or constant"),
        "warmup": (int, "N", "epochs in which the rate rises"),
        "average": (float, "DECAY", "keep a moving average of the weights: its decay a step"),
        "calibrate": (bool, "", "take the norms' statistics anew before each validation"),
    },
    "machine": {
        "device": (str, "D", "cpu or cuda"),
        "precision": (str, "P", "of a training step: float32 or bfloat16"),
        "threads": (int, "N", "of torch on the CPU"),
    },
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="NAME|FILE.npz|FOLDER",
        help="digits, mnist, cifar10, svhn, or your own (default: digits)")  # fmt: skip
    data_dir_argument(parser)
    parser.add_argument("--config", type=Path, metavar="FILE.toml",
        help="options from a file, by their names here; those given here come first")  # fmt: skip
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder of this run"
    )
    parser.add_argument(
        "--float-twin", action="store_true", help="then train the float network of the same shape"
    )
    parser.add_argument(
        "--minutes", type=float, default=math.inf, metavar="M",
        help="begin no epoch that would end later; --resume goes on",
    )  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on with the run in DIR")
    parser.add_argument("--overwrite", action="store_true", help="replace the run in DIR")
    for title, options in GROUPS.items():
        group = parser.add_argument_group(title)
        for name, (kind, metavar, text) in options.items():
            if kind is bool:
                yes_or_no = argparse.BooleanOptionalAction
                group.add_argument(f"--{name}", action=yes_or_no, default=None, help=text)
            else:
                group.add_argument(f"--{name}", type=kind, metavar=metavar, help=text)


def run(args: argparse.Namespace) -> dict[str, Any]:
    from .. import console
    from ..training import train

    speaks = os.environ.get("RANK", "0") == "0"  # of torchrun's processes only the first
    if not speaks:
        console.silence()
        args.json = False
    try:
        result = train(
            _config(args),
            args.output,
            data_dir=args.data_dir,
            float_twin=args.float_twin,
            resume=args.resume,
            overwrite=args.overwrite,
            minutes=args.minutes,
        )
    except InputError:
        if speaks:
            raise
        raise SystemExit(MISTAKE) from None  # the first process says it
    if not speaks:
        return {}
    if not result.finished:
        done = f"{len(result.history)} of {result.epochs} epochs"
        if len(result.history) == result.epochs:
            done = "the binarized network, in the float twin"
        console.remark(f"time is up after {done}; --resume goes on")
    if not args.json and result.network is not None:
        _show(result, result.network)
    return result.to_json()


def _config(args: argparse.Namespace) -> "TrainConfig":
    from ..training import TrainConfig
    from ..training.run_folder import stated

    names = ["data", *(n.replace("-", "_") for group in GROUPS.values() for n in group)]
    given = {n: getattr(args, n) for n in names if getattr(args, n) is not None}
    if args.resume and args.overwrite:
        raise InputError("--resume and --overwrite exclude each other")
    if args.resume and args.config:
        raise InputError("--resume takes the options of the run, so --config has no place there")
    if args.resume:
        return TrainConfig.from_json(stated(args.output).config.to_json() | given)
    if args.config:
        return TrainConfig.load(args.config, **given)
    return TrainConfig.for_data(**given)


def _show(result: "TrainResult", network: "Network") -> None:
    from .. import console

    rows = [("binarized, in integers", result.accuracy)]
    if result.float_accuracy:
        rows.append(("float twin", result.float_accuracy))
    shown = console.table(
        f"{network.training['data']}: accuracy",
        ("network", "validation", "test"),
        ((name, *(f"{a[p]:.2%}" if p in a else "" for p in ("valid", "test"))) for name, a in rows),
    )
    console.out.print(shown)
    console.out.print(
        f"best epoch {result.best_epoch} of {result.epochs}, {result.seconds:.1f} s; "
        f"the network is {result.model}"
    )
    if result.checked:
        console.out.print(
            f"every bit of every layer is torch's, seen on {result.checked:,} test samples"
        )
