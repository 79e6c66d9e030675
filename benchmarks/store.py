"""What is kept of the benchmarks, and committed: records, and small networks."""

__all__ = ["MODELS", "figures", "keep", "kept"]

from collections.abc import Iterable
from pathlib import Path

from bnnhw.record import Record, read_records, write_records

RECORDS = Path(__file__).parent / "records"
MODELS = Path(__file__).parent.parent / "models"


def kept(name: str) -> list[Record]:
    """The records kept under a name; none if there are none."""
    path = RECORDS / f"{name}.json"
    return read_records(path) if path.is_file() else []


def keep(name: str, records: list[Record]) -> None:
    """Replace what is kept under a name."""
    RECORDS.mkdir(exist_ok=True)
    write_records(RECORDS / f"{name}.json", records)


def figures(records: Iterable[Record]) -> dict[str, float]:
    """Figures by name; of a single seed its clock is the median."""
    value = {r.name: float(r.value) for r in records}
    return {"clock_median": value["clock"]} | value if "clock" in value else value
