"""Compare a network on FPGA, CPU and GPU: throughput, latency, memory.

FPGA: routed clock and counted cycles of a build folder. CPU, and GPU where there is one: measured
here. Other GPUs: rooflines from published peaks, in columns of their own.
"""

import argparse
from pathlib import Path
from typing import Any

HELP = "compare FPGA, CPU and GPU: a table and a chart"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="network file (.safetensors)")
    parser.add_argument(
        "--build",
        type=Path,
        metavar="DIR",
        help="build folder of the network, simulated, synthesized and routed",
    )
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("compare"), metavar="DIR", help="default: compare/"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the inputs timed (default: 0)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from .. import console
    from ..report.comparison import compare

    result = compare(args.model, build=args.build, out=args.out, seed=args.seed)
    if not args.json:
        console.show(result.table())
    console.remark(f"wrote {args.out}/compare.md, compare.json and compare.png")
    return result.to_json()
