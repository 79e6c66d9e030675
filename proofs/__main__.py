"""`python -m proofs`: runs the proofs, and sees each broken copy refused."""

import argparse
import json
import sys
import time
from collections.abc import Sequence

from benchmarks.store import keep
from bnnhw import console
from bnnhw.errors import InputError
from bnnhw.exits import DONE, FAILED, ended
from bnnhw.machine import cores, processor
from bnnhw.record import Record, commit

from .catalog import PROOFS
from .proof import Proof
from .run import Outcome, run
from .sby import Tools

HEADS = ("proof", "bounds", "mode", "depth", "seconds", "proved", "broken copies caught")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proofs", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="run these; by default the quick")
    parser.add_argument("--all", action="store_true", help="also the ones that take minutes")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--keep", action="store_true", help="keep the times, which docs/proofs.md shows"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.add_argument(
        "--jobs",
        type=int,
        default=cores(),
        help="how many at a time (default: one a core)",
    )
    return parser.parse_args(arguments)


def _chosen(names: Sequence[str], *, heavy: bool) -> list[Proof]:
    known = {proof.name: proof for proof in PROOFS}
    for name in names:
        if name not in known:
            raise InputError(f"no proof is called {name}; there are {', '.join(known)}")
    if names:
        return [known[name] for name in dict.fromkeys(names)]
    return [proof for proof in PROOFS if heavy or not proof.heavy]


def _table(outcomes: Sequence[Outcome]) -> None:
    rows = [
        (
            one.proof.name,
            one.proof.bounds,
            one.proof.mode,
            one.proof.depth,
            f"{one.seconds:.1f}",
            f"{len(one.proved)} of {len(one.proof.cases)}",
            f"{len(one.caught)} of {len(one.proof.broken)}",
        )
        for one in outcomes
    ]
    console.show(console.table("Proofs", HEADS, rows))


def _list(proofs: Sequence[Proof]) -> None:
    rows = [(proof.name, proof.bounds, proof.mode, proof.depth, proof.says) for proof in proofs]
    console.show(console.table("Proofs", ("proof", "bounds", "mode", "depth", "says"), rows))


def _records(outcomes: Sequence[Outcome], jobs: int, wall_s: float) -> list[Record]:
    """Each proof's solver time, and the wall time of them all."""
    on = f"{processor()}, {jobs} at a time"
    found = Tools.find().found
    tools = {name: found[name].version for name in ("sby", "yosys", "z3")}

    def record(name: str, seconds: float, how: str) -> Record:
        return Record(
            name=name, value=round(seconds, 1), unit="s", kind="measured", how=how, on=on,
            tools=tools, commit=commit(),
        )  # fmt: skip

    each = [
        record(
            one.proof.name,
            one.seconds,
            f"{one.proof.mode}, depth {one.proof.depth}; {len(one.proved)} of "
            f"{len(one.proof.cases)} proved, {len(one.caught)} of {len(one.proof.broken)} broken "
            "copies caught",
        )
        for one in outcomes
    ]
    return [*each, record("wall", wall_s, f"wall time of {len(each)} proofs")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 all proved and all caught, 1 not so, 2 the user's mistake, 130 Ctrl-C."""
    args = _arguments(arguments)
    return ended("proofs", lambda: _work(args), debug=args.debug)


def _work(args: argparse.Namespace) -> int:
    if args.jobs < 1:
        raise InputError(f"jobs must be at least 1, not {args.jobs}")
    proofs = _chosen(args.names, heavy=args.all or args.list)
    if args.list:
        if args.json:
            print(json.dumps({"proofs": [proof.name for proof in proofs]}))
        else:
            _list(proofs)
        return DONE
    if args.keep and args.names:
        raise InputError("what is kept is of all proofs, or of the quick ones: name none")
    started = time.monotonic()
    outcomes = run(proofs, jobs=args.jobs)
    if args.keep:
        wall = time.monotonic() - started
        keep("proofs-all" if args.all else "proofs", _records(outcomes, args.jobs, wall))
    failures = [line for one in outcomes for line in one.failures]
    if args.json:
        print(json.dumps({"proofs": [one.to_json() for one in outcomes], "failures": failures}))
    else:
        _table(outcomes)
    for line in failures:
        print(f"proofs: {line}", file=sys.stderr)
    return FAILED if failures else DONE


if __name__ == "__main__":
    sys.exit(main())
