"""Show a network's layers: shape, bits, operations, and cycles under a folding."""

import argparse
from pathlib import Path
from typing import Any

HELP = "show a network's layers, folding and cycles"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="network file (.safetensors)")
    parser.add_argument("--folding", type=Path, metavar="FILE", help="folding file (.toml)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from .. import console
    from ..inspection import inspect

    result = inspect(args.model, folding=args.folding)
    if not args.json:
        console.out.print(result.table())
    return result.to_json()
