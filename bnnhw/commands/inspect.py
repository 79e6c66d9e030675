"""Show a network's layers: shape, bits, operations, and cycles under a folding."""

import argparse
from pathlib import Path
from typing import Any

from ..technology import GENERIC, TECHNOLOGIES, Technology

HELP = "show a network's layers, folding and cycles"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="network file (.safetensors)")
    fold = parser.add_mutually_exclusive_group()
    fold.add_argument("--folding", type=Path, metavar="FILE", help="folding file (.toml)")
    fold.add_argument(
        "--target-fps",
        type=float,
        metavar="F",
        help="propose the smallest folding that reaches F images/s",
    )
    fold.add_argument(
        "--budget",
        metavar="LUTS[,RAMS]",
        help="propose the fastest folding of about so many of the target's LUT sites, block RAMs",
    )
    parser.add_argument(
        "--target", choices=TECHNOLOGIES, default=GENERIC,
        help="a family, whose LUT sites are estimated (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--clock-mhz", type=float, default=150, metavar="C", help="the clock (default: 150)"
    )
    parser.add_argument(
        "--write-folding", type=Path, metavar="FILE", help="write the folding there, to start from"
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    from .. import console
    from ..inspection import inspect
    from ..proposal import Budget

    result = inspect(
        args.model,
        folding=args.folding,
        target_fps=args.target_fps,
        clock_hz=args.clock_mhz * 1e6,
        budget=Budget.parse(args.budget) if args.budget is not None else None,
        technology=Technology(family=args.target),
    )
    if args.write_folding is not None:
        result.folding.save(args.write_folding)
        console.remark(f"wrote {args.write_folding}")
    if not args.json:
        console.show(result.table())
    return result.to_json()
