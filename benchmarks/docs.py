"""Writes tables, charts and the networks' cards out of what is kept.

python -m benchmarks.docs
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from bnnhw.files import write_bytes, write_text

from . import ablation, accuracy, agreement, exactness, simulation, software
from .cards import CARDS, card
from .charts import clock_chart, popcount_chart
from .store import MODELS
from .tables import (
    clock_table,
    hardware_table,
    model_table,
    packed_table,
    popcount_table,
    proofs_table,
    scaling_table,
)

DOCS = Path(__file__).parent.parent / "docs"
TABLES = {
    "popcount.md": {"popcount": popcount_table, "packed": packed_table},
    "proofs.md": {"proofs": proofs_table},
    "software.md": {
        "exactness": exactness.table,
        "product": software.product_table,
        "mlp": software.mlp_table,
        "first layer": software.first_layer_table,
        "memory": software.memory_table,
    },
    "training.md": {
        "ablation": ablation.table,
        "accuracy": accuracy.table,
        "agreement": agreement.table,
    },
    "../README.md": {
        "accuracy": accuracy.summary,
        "hardware": hardware_table,
        "model": model_table,
        "simulation": simulation.table,
    },
    "timing.md": {"clock": clock_table, "model": model_table, "scaling": scaling_table},
}
CHARTS = {"ablation.png": ablation.chart, "clock.png": clock_chart, "luts.png": popcount_chart}


def main(arguments: Sequence[str] | None = None) -> int:
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.docs", description=__doc__, formatter_class=about
    )
    parser.parse_args(arguments)
    for page, tables in TABLES.items():
        text = (DOCS / page).read_text(encoding="utf-8")
        for name, table in tables.items():
            start, end = f"<!-- {name} table -->\n", "<!-- end -->"
            text = re.sub(f"{start}.*?{end}", f"{start}{table()}{end}", text, flags=re.S)
        write_text(DOCS / page, text)
    for picture, chart in CHARTS.items():
        write_bytes(DOCS / picture, chart())
    for run in CARDS:
        write_text(MODELS / f"{run.name}.md", card(run))
    return 0


if __name__ == "__main__":
    sys.exit(main())
