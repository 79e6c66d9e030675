"""Synthesize a core with Yosys; with --route place and route it with nextpnr.

Counts LUT sites, flip-flops and memory; with --route (all but xilinx7) also the clock, the critical
path and what nextpnr makes of the core behind a harness of three pins. See docs/synthesis.md.
"""

import argparse
from pathlib import Path
from typing import Any

HELP = "synthesize a core, with --route also place and route it"

FAMILIES = ("ecp5", "ice40", "gowin", "nexus", "xilinx7")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("build", type=Path, nargs="?", help="folder that `bnnhw generate` wrote")
    parser.add_argument(
        "--popcount", type=int, metavar="N", help="instead of a build: one N-lane XNOR-popcount"
    )
    parser.add_argument(
        "--plain", action="store_true", help="with --popcount: the plain tree, for comparison"
    )
    parser.add_argument(
        "--baked", action="store_true", help="with --popcount: constant weights, from seed 0"
    )
    parser.add_argument(
        "--every", type=int, default=0, metavar="N",
        help="with --popcount: registers after every N operations (default: 0, none inside)",
    )  # fmt: skip
    parser.add_argument(
        "--line", type=int, default=0, metavar="N",
        help="with --popcount: slots of the longest carry line (default: 0, no limit)",
    )  # fmt: skip
    parser.add_argument(
        "--check", action="store_true",
        help="with --popcount: simulate the netlist on corners and 10,000 random vectors",
    )  # fmt: skip
    parser.add_argument(
        "--target", choices=FAMILIES, help="default: what it was generated for, or ecp5"
    )
    parser.add_argument("--device", default="", help="for example 25k (ecp5), up5k (ice40)")
    parser.add_argument("--speed", default="", help="speed grade (ecp5: 6, 7 or 8)")
    parser.add_argument("--package", default="", help="for example CABGA381")
    parser.add_argument("--route", action="store_true", help="place and route (all but xilinx7)")
    parser.add_argument("--freq", type=float, metavar="MHZ", help="what nextpnr shall try to reach")
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=int, default=1, help="nextpnr's seed (default: 1)")
    seeds.add_argument("--seeds", metavar="1,2,3", help="several: median and spread of the clock")
    parser.add_argument("-o", type=Path, dest="out", metavar="DIR", help="folder to write")
    parser.add_argument(
        "--allow-edited", action="store_true", help="take Verilog that is not what was generated"
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    from .. import console
    from ..boards import made_for, synth, synth_popcount, target
    from ..errors import InputError, ToolError
    from ..technology import Technology

    if (args.build is None) == (args.popcount is None):
        raise InputError("synth takes a build folder or --popcount N, one of the two")
    if args.check and args.popcount is None:
        raise InputError("--check goes with --popcount; `bnnhw simulate --netlist` checks a core")
    family = args.target or ("ecp5" if args.build is None else made_for(args.build))
    device = target(family, device=args.device, speed=args.speed, package=args.package)
    seeds = _seeds(args.seeds) if args.seeds else [args.seed]
    if args.popcount is not None:
        family = "generic" if args.plain else family
        result = synth_popcount(
            args.popcount,
            technology=Technology(family=family, every=args.every, line=args.line),
            baked=args.baked,
            check=args.check,
            target=device,
            route=args.route,
            freq_mhz=args.freq,
            seeds=seeds,
            out=args.out,
        )
    else:
        result = synth(
            args.build,
            target=device,
            route=args.route,
            freq_mhz=args.freq,
            seeds=seeds,
            out=args.out,
            allow_edited=args.allow_edited,
        )
    if not args.json:
        console.show(result.table())
        console.out.print(f"written to {result.folder}", markup=False)
    if result.checked is not None and result.checked.failure:
        raise ToolError(f"{result.checked.failure}; all of it is in {result.folder / 'check'}")
    return result.to_json()


def _seeds(text: str) -> list[int]:
    from ..errors import InputError

    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"seeds must be numbers like 1,2,3, not {text!r}") from None
