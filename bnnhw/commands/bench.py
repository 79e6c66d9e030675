"""Time the network in software against what else there is on this machine, in one run.

The suite `paper` is a matrix product of 4096^3 and three MLPs of Courbariaux et al. 2016, with
random weights, at batches of 1 to 4096; `quick` is the same in small, in seconds. What is timed
gives the golden model's results, which is checked first.
"""

import argparse
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..machine import cores

HELP = "time the kernels against torch and numpy"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--suite", choices=("paper", "quick"), default="quick")
    parser.add_argument(
        "--threads", type=int, default=cores(), metavar="N", help="of all (default: one a core)"
    )
    parser.add_argument("--only", default="", metavar="NAME", help="cases whose name begins so")
    parser.add_argument("-o", dest="out", type=Path, metavar="FILE", help="write the records there")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from .. import console
    from ..record import write_records
    from ..sw.suite import ceilings, measure, opponent, paper

    if args.threads < 1:
        raise InputError(f"threads must be at least 1, not {args.threads}")
    cases = paper(quick=args.suite == "quick")
    chosen = [case for case in cases if case.name.startswith(args.only)]
    if not chosen:
        names = ", ".join(dict.fromkeys(case.name for case in cases))
        raise InputError(f"no case begins with {args.only!r}; there are {names}")
    limits = ceilings()
    rows = measure(chosen, threads=args.threads)
    if args.out:
        write_records(args.out, [record for row in rows for record in (row.time, row.cold)])
    if not args.json:
        against = {
            row.case: float(row.time.value) for row in rows if row.contender == opponent(row.case)
        }
        shown = []
        for row in rows:
            seconds = float(row.time.value)
            rate = row.case.operations / seconds
            product = row.case.network.output is None
            limit = limits.get(row.contender.removeprefix("C, ")) if product else None
            share = f"{rate / limit / args.threads:.0%}" if limit else ""
            shown.append((
                row.case.name,
                f"{row.case.batch:,}",
                row.contender,
                f"{1e6 * seconds:,.1f} us",
                f"{1e6 * float(row.cold.value):,.1f} us",
                f"{rate / 1e12:.3f}",
                f"{against[row.case] / seconds:.2f}",
                share,
            ))  # fmt: skip
        heads = ("case", "batch", "with", "time", "caches cold", "T operations/s",
                 "times float32", "of its ceiling")  # fmt: skip
        console.show(console.table(f"measured, {args.threads} threads", heads, shown))
    told = [row.time.to_json() for row in rows]
    return {"ceilings": limits, "records": told}
