"""Time the network in software against what else there is on this machine, in one run.

The suite `paper` is a matrix product (4096^3 on a CPU, 8192^3 on a GPU), three MLPs of Courbariaux
et al. 2016, with random weights, at batches of 1 and up, and the largest one's first layer alone;
`quick` is the same in small, in seconds. What is timed gives the golden model's results, which is
checked first.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..machine import cores

if TYPE_CHECKING:
    from ..record import Record
    from ..sw.suite import Bench, Case, Row

HELP = "time the kernels against torch and numpy"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backend", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--suite", choices=("paper", "quick"), default="quick")
    parser.add_argument(
        "--threads",
        type=int,
        default=cores(),
        metavar="N",
        help="of all that run on the CPU (default: one a core)",
    )
    parser.add_argument("--only", default="", metavar="NAME", help="cases whose name begins so")
    parser.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        metavar="M",
        help="begin no case later; the same command with the same FILE goes on",
    )
    parser.add_argument(
        "-o",
        dest="out",
        type=Path,
        metavar="FILE",
        help="write the records there, and a chart of them beside it (.png); cases that FILE has "
        "already are not measured again",
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    from .. import console
    from ..files import write_bytes
    from ..record import read_records, write_records
    from ..sw.chart import chart
    from ..sw.suite import limits_of, measure, paper, rows_of

    if args.threads < 1:
        raise InputError(f"threads must be at least 1, not {args.threads}")
    if args.minutes < 0:
        raise InputError(f"minutes must be at least 0, not {args.minutes:g}")
    cases = paper(args.backend, quick=args.suite == "quick")
    chosen = [case for case in cases if case.name.startswith(args.only)]
    if not chosen:
        names = ", ".join(dict.fromkeys(case.name for case in cases))
        raise InputError(f"no case begins with {args.only!r}; there are {names}")
    known = read_records(args.out) if args.out and args.out.exists() else []
    bench = _bench(args)
    others = {record.on for record in known} - {bench.device}
    if others:
        raise InputError(f"{args.out} was measured on {others.pop()}, not on {bench.device}")
    ways = {row.time.how for row in rows_of(known) if not row.time.how.endswith(bench.how)}
    if ways:
        how = ways.pop().rpartition("caches, ")[2]
        raise InputError(f"{args.out} was measured with {how}; not with {bench.how}")

    def save(records: "list[Record]") -> None:
        if args.out:
            write_records(args.out, records)

    records = measure(chosen, bench, known=known, minutes=args.minutes, save=save)
    limits, rows = limits_of(records), rows_of(records)
    if args.out:
        write_bytes(args.out.with_suffix(".png"), chart(rows))
    if not args.json:
        heads, shown = _table(rows, bench.opponents, {case.name: case for case in cases}, limits)
        console.show(console.table(f"measured on {bench.device}, {bench.how}", heads, shown))
    return {"records": [record.to_json() for record in records]}


def _bench(args: argparse.Namespace) -> "Bench":
    if args.backend == "cpu":
        from ..sw.on_cpu import CpuBench

        return CpuBench(args.threads)
    from ..sw.cuda.bench import GpuBench

    return GpuBench()


def _table(
    rows: "Sequence[Row]",
    opponents: Sequence[str],
    cases: "dict[str, Case]",
    limits: dict[str, float],
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Heads and rows: times, and ratios against the opponents in the same case."""
    seconds = {(row.case, row.batch, row.contender): float(row.time.value) for row in rows}
    against = [one for one in opponents if any(row.contender == one for row in rows)]
    shown = []
    for row in rows:
        if row.case not in cases:  # of the other suite
            continue
        taken = float(row.time.value)
        case = cases[row.case]
        rate = case.network.operations * row.batch / taken
        limit = limits.get(row.contender) if case.product else None
        ratios = [seconds.get((row.case, row.batch, one)) for one in against]
        shown.append((
            row.case,
            f"{row.batch:,}",
            row.contender,
            f"{1e6 * taken:,.1f} us",
            f"{1e6 * float(row.time_cold.value):,.1f} us",
            f"{rate / 1e12:,.3f}",
            *(f"{other / taken:.2f}" if other else "" for other in ratios),
            f"{rate / limit:.0%}" if limit else "",
        ))  # fmt: skip
    heads = ["case", "batch", "with", "time", "caches cold", "T operations/s"]
    ratios_of = [f"times {one.removeprefix('torch, ')}" for one in against]
    return [*heads, *ratios_of, "of its ceiling"], shown
