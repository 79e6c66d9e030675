"""The commands of `bnnhw`, one module each.

A command module has `HELP` (one line), `arguments(parser)`, which adds its own arguments, and
`run(args)`, which does the work through the public function of the same name, prints what a person
reads unless `args.json`, and returns what `--json` prints. Top-level imports are light: heavy ones
stand in `run`.
"""

__all__ = ["data_dir_argument"]

import argparse
from pathlib import Path


def data_dir_argument(parser: argparse.ArgumentParser) -> None:
    """`--data-dir`, the same in every command that reads data sets."""
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path("data"),
        metavar="DIR",
        help="where data sets lie, and are downloaded to (default: data)",
    )
