"""Show which tools and packages are there, what is missing, and the command that installs it.

Exits with 0 if everything the main flow needs is there (train, generate, simulate with Verilator,
synthesize for ecp5, compare), else with 1.
"""

import argparse
import json
from typing import Any

HELP = "show what is installed and what is missing"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--warm",
        action="store_true",
        help="start every tool once; the yowasp tools compile themselves then (up to 40 s each)",
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    from .. import console
    from ..diagnosis import doctor
    from ..errors import ToolError

    found = doctor(warm=args.warm)
    if not args.json:
        for what, value in found.machine.items():
            console.out.print(f"{what:8}{value}", markup=False)
        console.show(found.table())
        for remedy in found.remedies():
            console.out.print(remedy, markup=False)
    elif not found.healthy:
        print(json.dumps(found.to_json()))  # the error below keeps the caller from printing it
    if not found.healthy:
        missing = [entry.name for entry in found.entries if entry.needed and not entry.ok]
        raise ToolError(f"not all is there that the main flow needs: {', '.join(missing)}")
    return found.to_json()
