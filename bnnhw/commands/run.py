"""Classify a data set or pictures with a network, in integers: by the golden model, or faster.

Every backend gives the golden model's scores to the bit.
"""

import argparse
from pathlib import Path
from typing import Any

from . import data_dir_argument

HELP = "classify data or pictures with a network"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="network file (.safetensors)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--data", metavar="NAME|FILE.npz|FOLDER", help="digits, mnist, cifar10, svhn, or your own"
    )
    what.add_argument(
        "--images", type=Path, nargs="+", metavar="FILE", help="pictures of the network's size"
    )
    data_dir_argument(parser)
    parser.add_argument(
        "--part",
        choices=("train", "valid", "test"),
        default="test",
        help="part of the data set (default: test)",
    )
    parser.add_argument(
        "--backend",
        choices=("golden", "auto", "cuda", "cpu", "numpy", "torch"),
        default="golden",
        help="what computes: the golden model (default), kernels for an NVIDIA GPU, C kernels, "
        "packed bits in numpy, float32 matrices in torch, or the first of these four that runs "
        "here",
    )
    parser.add_argument(
        "--threads", type=int, metavar="N", help="of cpu and torch (default: one a core)"
    )
    parser.add_argument(
        "--isa",
        choices=("avx512", "avx2", "portable"),
        help="instructions of the backend cpu (default: the fastest that this processor has)",
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    from .. import console
    from ..classify import run as classify

    result = classify(
        args.model,
        data=args.data,
        data_dir=args.data_dir,
        part=args.part,
        images=args.images or (),
        backend=args.backend,
        threads=args.threads,
        isa=args.isa,
    )
    if not args.json and result.accuracy is not None:
        console.out.print(
            f"{args.data} {args.part}: {result.accuracy:.2%}, "
            f"{result.correct} of {len(result.classes)} right"
        )
        rate = len(result.classes) / result.seconds
        console.remark(f"{rate:,.0f} images/s ({result.how})")
    elif not args.json:
        for path, number in zip(result.images, result.classes, strict=True):
            console.out.print(f"{path}: {result.name(number)}", markup=False)
    return result.to_json()
