"""The command line: parse, call, print. What goes wrong is one line and an exit code."""

__all__ = ["main"]

import argparse
import errno
import importlib
import json
import os
import sys
from collections.abc import Sequence

from . import __version__
from .errors import InputError, ToolError

COMMANDS = ("train", "inspect", "run", "generate", "simulate", "synth", "compare", "doctor")

DONE, FAILED, MISTAKE, INTERRUPTED = 0, 1, 2, 130


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
    try:
        result = args.run(args)
        if args.json:
            print(json.dumps(result))
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("bnnhw: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing more to say, and nowhere to say it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if args.debug:
            raise
        print(f"bnnhw: {_one_line(error)}", file=sys.stderr)
        return MISTAKE if isinstance(error, InputError) else FAILED
    return DONE


def _one_line(error: Exception) -> str:
    if isinstance(error, ToolError):
        return f"{error.tail.rstrip()}\nbnnhw: {error}" if error.tail else str(error)
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError):
        name = error.filename2 or error.filename  # of a copy, where it was to go
        where = f"{name}: " if name else ""
        full = " (free some space, or write elsewhere)" if error.errno == errno.ENOSPC else ""
        return f"{where}{error.strerror or error}{full}"
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed; `bnnhw doctor` says what installs it"
    return f"this is a bug: {type(error).__name__}: {error} (--debug shows where)"
