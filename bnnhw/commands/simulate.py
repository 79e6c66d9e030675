"""Run a build folder's Verilog in a simulator and compare it with golden, bit for bit.

Every output and every layer's bits are compared, and cycles are counted against the manifest. With
--netlist it is what Yosys made of the Verilog that runs: outputs and cycles are compared.

bnnhw simulate build
bnnhw simulate build --data mnist --samples 500
bnnhw simulate build --netlist --simulator icarus
bnnhw simulate build --simulator icarus --vectors 200 --stall-in 0.5 --stall-out bursts --waves
"""

import argparse
from pathlib import Path
from typing import Any

from ..errors import ToolError
from . import data_dir_argument

HELP = "run a build folder's Verilog in a simulator, compared with golden bit for bit"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("build", type=Path, help="folder that `bnnhw generate` wrote")
    parser.add_argument(
        "--netlist", type=Path, nargs="?", const=True, default=False, metavar="FOLDER",
        help="the netlist in a folder that `bnnhw synth` wrote "
        "(default: the one synth-<target> in the build folder)",
    )  # fmt: skip
    parser.add_argument(
        "--simulator", choices=("verilator", "icarus"), default="verilator",
        help="(default: verilator)",
    )  # fmt: skip
    parser.add_argument(
        "--vectors", type=_count, metavar="N",
        help="how many: the build folder's first, then the data's or random ones "
        "(default: all, of the folder and of the data)",
    )  # fmt: skip
    parser.add_argument(
        "--data", metavar="NAME|FILE.npz|FOLDER", help="its test part follows the folder's vectors"
    )
    parser.add_argument(
        "--samples", type=int, metavar="N", help="of the test part only the first N"
    )
    data_dir_argument(parser)
    parser.add_argument(
        "--seed", type=int, default=0, help="of stalls and random vectors (default: 0)"
    )
    for side, bus in (("in", "s_axis"), ("out", "m_axis")):
        parser.add_argument(
            f"--stall-{side}", type=_stall, default=0.0, metavar="P",
            help=f"chance of a stall of {bus} in each cycle, or `bursts` (default: 0)",
        )  # fmt: skip
    parser.add_argument(
        "--waves", action="store_true",
        help="record all of it (default: from the first failure, if there is one)",
    )  # fmt: skip
    parser.add_argument(
        "--skip-hashes", action="store_true",
        help="take files that are not those the manifest lists (to try a broken core)",
    )  # fmt: skip


def _count(text: str) -> int | None:
    if text == "all":
        return None
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number or all, not {text!r}") from None


def _stall(text: str) -> float | str:
    if text == "bursts":
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number or bursts, not {text!r}") from None


def run(args: argparse.Namespace) -> dict[str, Any]:
    from .. import console
    from ..sim import simulate

    result = simulate(
        args.build,
        netlist=args.netlist,
        simulator=args.simulator,
        vectors=args.vectors,
        data=args.data,
        samples=args.samples,
        data_dir=args.data_dir,
        seed=args.seed,
        stall_in=args.stall_in,
        stall_out=args.stall_out,
        waves=args.waves,
        check_files=not args.skip_hashes,
    )
    if result.failure:
        kept = f"; the waveform is {result.waves}" if result.waves else ""
        raise ToolError(f"{result.failure}{kept}")
    if not args.json:
        console.out.print(result.table())
    return result.to_json()
