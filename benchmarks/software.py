"""What `bnnhw bench` measured, and is kept in sw/records, as tables of the docs."""

__all__ = ["kept_files", "mlp_table", "product_table"]

from pathlib import Path

from bnnhw.record import Record, read_records
from bnnhw.sw.kept import FOLDER
from bnnhw.sw.suite import Row, limits_of, rows_of

OURS = ("C, ", "CUDA, ")


def kept_files() -> list[Path]:
    """The files, CPUs first."""
    return sorted(FOLDER.glob("*.json"))


def product_table() -> str:
    """The matrix product, contender by contender: time, rate, share of its limit, against ours."""
    heads = [
        "on",
        "product",
        "with",
        "time",
        "T operations/s",
        "of its ceiling",
        "ours is faster by",
    ]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for path in kept_files():
        records = read_records(path)
        limits, rows = limits_of(records), [row for row in rows_of(records) if "^" in row.case]
        best = min((_seconds(row) for row in rows if row.contender.startswith(OURS)), default=0.0)
        for row in sorted(rows, key=_seconds):
            rate = 2 * float(row.case.removesuffix("^3")) ** 3 / _seconds(row)
            limit = limits.get(row.contender)
            cells = [
                row.time.on,
                row.case,
                _with(row.contender, row.time),
                f"{1e3 * _seconds(row):,.1f} ms",
                f"{rate / 1e12:.3g}",
                f"{rate / limit:.0%}" if limit else "",
                "" if row.contender.startswith(OURS) else f"{_seconds(row) / best:.1f}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def mlp_table() -> str:
    """The MLPs: samples a second of our fastest kernel, and how many times those of torch."""
    heads = [
        "on",
        "network",
        "batch",
        "with",
        "samples/s",
        "caches cold",
        "torch, float32",
        "times",
    ]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for path in kept_files():
        rows = [row for row in rows_of(read_records(path)) if "^" not in row.case]
        for case, batch in dict.fromkeys((row.case, row.batch) for row in rows):
            here = {row.contender: row for row in rows if (row.case, row.batch) == (case, batch)}
            ours = min(
                (row for row in here.values() if row.contender.startswith(OURS)), key=_seconds
            )
            torch = _seconds(here["torch, float32"])
            cells = [
                ours.time.on,
                case,
                f"{batch:,}",
                ours.contender,
                f"{batch / _seconds(ours):,.0f}",
                f"{batch / float(ours.time_cold.value):,.0f}",
                f"{batch / torch:,.0f}",
                f"**{torch / _seconds(ours):.1f}**",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _with(contender: str, record: Record) -> str:
    """The contender, and torch's version."""
    return ", ".join([contender, *(tool for name, tool in record.tools.items() if name == "torch")])


def _seconds(row: Row) -> float:
    return float(row.time.value)
