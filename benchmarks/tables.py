"""Writes the tables of docs/popcount.md out of the kept records: python -m benchmarks.tables"""

__all__ = ["bound", "popcount_table"]

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from bnnhw.files import write_text
from bnnhw.record import read_records

from .cases import FAMILIES
from .hardware import RECORDS

PAGE = Path(__file__).parent.parent / "docs" / "popcount.md"
LANES = (8, 16, 32, 64, 128, 256, 512)


def bound(family: str, lanes: int) -> float:
    """LUT sites that no structure of the family's class goes below, weights at run time."""
    bits = lanes.bit_length()
    match family:
        case "ecp5":
            return lanes - bits + lanes // 2
        case "xilinx7":
            carries = lanes // 2
            return carries + -(-(carries - (bits - 1)) // 2)
        case _:
            return lanes * {"nexus": 1.75, "gowin": 2.0, "ice40": 2.25}[family]


def lut_sites(name: str) -> int | None:
    """Of a kept record; None if it is not there."""
    path = RECORDS / f"{name}.json"
    if not path.is_file():
        return None
    return next(int(r.value) for r in read_records(path) if r.name == "lut_sites")


def popcount_table() -> str:
    """LUT sites a lane, measured, for all families and sizes; the bound is computed."""
    lines = [f"| | {' | '.join(f'{n} lanes' for n in LANES)} |", "|---" * (len(LANES) + 1) + "|"]
    for family in FAMILIES:
        for what, suffix in (("run time", ""), ("constant", "-baked")):
            for kind, plain in (("", ""), (", plain", "-plain")):
                sites = [lut_sites(f"popcount-{n}{suffix}{plain}-{family}") for n in LANES]
                name = f"{family}, {what}{kind}"
                lines.append(_row(name if plain else f"**{name}**", _per_lane(sites), plain == ""))
            if not suffix:
                lines.append(_row(f"{family}, bound", (bound(family, n) / n for n in LANES), False))
    return "\n".join(lines) + "\n"


def _per_lane(sites: Iterable[int | None]) -> list[float | None]:
    return [None if count is None else count / n for count, n in zip(sites, LANES, strict=True)]


def _row(name: str, values: Iterable[float | None], bold: bool) -> str:
    mark = "**" if bold else ""
    cells = ("" if value is None else f"{mark}{value:.2f}{mark}" for value in values)
    return f"| {name} | {' | '.join(cells)} |"


def main() -> int:
    text = PAGE.read_text(encoding="utf-8")
    start, end = "<!-- popcount table -->\n", "<!-- end -->"
    filled = re.sub(f"{start}.*?{end}", f"{start}{popcount_table()}{end}", text, flags=re.S)
    write_text(PAGE, filled)
    return 0


if __name__ == "__main__":
    sys.exit(main())
