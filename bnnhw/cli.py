"""The command line: parse, call, print. What goes wrong is one line and an exit code."""

__all__ = ["main"]

import argparse
import importlib
import json
from collections.abc import Sequence

from . import __version__
from .exits import DONE, MISTAKE, ended

COMMANDS = (
    "train",
    "inspect",
    "run",
    "generate",
    "simulate",
    "synth",
    "compare",
    "bench",
    "doctor",
)


class _Parser(argparse.ArgumentParser):
    """Argparse, but a mistake is one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(MISTAKE, f"bnnhw: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="bnnhw",
        description="Binarized neural networks from data to FPGA with open tools: "
        "train, generate Verilog, prove it bit-exact, synthesize, compare.",
    )
    parser.add_argument("--version", action="version", version=f"bnnhw {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f".commands.{name}", __package__)
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.arguments(command)
        command.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object on standard output, all else on standard error",
        )
        command.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 2 user's mistake, 130 Ctrl-C."""
    args = _parser().parse_args(arguments)

    def work() -> int:
        result = args.run(args)
        if args.json:
            print(json.dumps(result))
        return DONE

    return ended("bnnhw", work, debug=args.debug)
