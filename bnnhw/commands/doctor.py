"""Not written yet."""

import argparse
from typing import Any

HELP = "not written yet"


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace) -> dict[str, Any]:
    raise NotImplementedError
