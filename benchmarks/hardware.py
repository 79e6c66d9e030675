"""Synthesize and route a fixed set of designs, and show what changed since the kept records.

    python -m benchmarks.hardware                 all of it: hours
    python -m benchmarks.hardware --quick         small designs, synthesis only: what CI runs
    python -m benchmarks.hardware --only grid     names that begin so
    python -m benchmarks.hardware --keep          and keep what was measured, to be committed; else
                                                  nothing kept is changed

Exit code 1 if a design takes more than 3 % more LUT sites than its kept record.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bnnhw import console
from bnnhw.boards import Synthesis
from bnnhw.errors import InputError
from bnnhw.exits import DONE, FAILED, ended

from .cases import CASES, Case
from .command import chosen, new_parser
from .store import figures, keep, kept

MORE = 0.03  # so much more LUT sites is too much
SHOWN = ("lut_sites", "ffs", "block_rams", "clock_median")


def change(now: float | None, before: float | None) -> str:
    """`1234 (+1.5 %)`: a figure beside the kept one."""
    if now is None:
        return ""
    scaled = f"{now / 1e6:.1f} MHz" if now > 1e6 else f"{now:g}"
    if before is None:
        return f"{scaled} (new)"
    return scaled if now == before else f"{scaled} ({(now - before) / max(before, 1):+.1%})"


def measure(cases: Sequence[Case], out: Path, *, quick: bool, replace: bool) -> int:
    """Run the cases, print the table; the number of those that grew too much."""
    rows, grown = [], 0
    with console.progress("hardware benchmark", len(cases)) as bar:
        for case in cases:
            bar.advance(0, note=case.name)
            result: Synthesis = case.run(out / case.name, route=not quick)
            records = case.records(result)
            now, before = figures(records), figures(kept(case.name))
            too_much = "lut_sites" in before and now["lut_sites"] > (1 + MORE) * before["lut_sites"]
            grown += too_much
            shown = [change(now.get(name), before.get(name)) for name in SHOWN]
            rows.append([case.name, *shown, "too much" if too_much else ""])
            if replace:
                keep(case.name, records)
            bar.advance(note="")
    heads = ("design", "LUT sites", "flip-flops", "block RAM", "clock", "")
    console.show(console.table("measured (change against the kept records)", heads, rows))
    return grown


def main(arguments: Sequence[str] | None = None) -> int:
    parser = new_parser("hardware", __doc__)
    parser.add_argument("--quick", action="store_true", help="small designs, not routed")
    parser.add_argument("--list", action="store_true", help="print the designs' names")
    args = parser.parse_args(arguments)
    return ended("benchmarks.hardware", lambda: _work(args), debug=args.debug)


def _work(args: argparse.Namespace) -> int:
    cases = chosen([case for case in CASES if case.quick or not args.quick], args.only)
    if args.list:
        for case in cases:
            print(case.name)
        return DONE
    if args.quick and args.keep:
        raise InputError("--quick does not route, so it has nothing to --keep of a routed design")
    grown = measure(cases, args.out, quick=args.quick, replace=args.keep)
    if grown:
        print(f"{grown} of {len(cases)} take over {MORE:.0%} more LUT sites", file=sys.stderr)
    return FAILED if grown else DONE


if __name__ == "__main__":
    sys.exit(main())
