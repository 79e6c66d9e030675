"""The comparison as a table, for the terminal and in Markdown."""

__all__ = ["bytes_text", "markdown_table", "rate_text", "seconds_text", "terminal_table"]

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from ..record import Record
from .rows import COLUMNS, Column, Row

READING = (
    "measured: on this machine; of an FPGA, the routed clock and the cycles counted in simulation.",
    "estimated: a roofline from published peaks, every weight read once a batch, no launches and "
    "no transfers; a real run is slower, at batch 1 by far.",
    "moved: at batch 1, weights included unless they stay on the chip. less: how many times fewer "
    "bytes than float32.",
)


def _with_unit(value: float, units: dict[str, float]) -> str:
    """Three digits and the largest of the units that the rounded value fills."""
    rounded = float(f"{value:.3g}")
    unit = next((u for u, size in units.items() if rounded >= size), list(units)[-1])
    return f"{_three_digits(value / units[unit])} {unit}"


def seconds_text(seconds: float) -> str:
    """A time in three digits and its unit."""
    return _with_unit(seconds, {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9})


def rate_text(rate: float) -> str:
    """A rate in three digits, thousands set apart."""
    return _three_digits(rate)


def bytes_text(count: float) -> str:
    """A number of bytes in three digits and its unit."""
    return _with_unit(count, {"GB": 1e9, "MB": 1e6, "kB": 1e3, "B": 1})


def _three_digits(value: float) -> str:
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:.3g}"


def _text(row: Row, column: Column, notes: list[str]) -> str:
    """A cell's text. A gap with a reason is a dash and the number of a note."""
    cell = row.cell(column.key)
    if isinstance(cell, Record):
        value = float(cell.value)
        if column.unit == "s":
            return seconds_text(value)
        if column.unit == "B":
            return bytes_text(value)
        return f"{_three_digits(value)} x" if column.unit == "1" else rate_text(value)
    if not cell.reason:
        return ""
    if cell.reason not in notes:
        notes.append(cell.reason)
    return f"- [{notes.index(cell.reason) + 1}]"


def _texts(rows: Sequence[Row], notes: list[str]) -> list[list[str]]:
    return [[row.device, row.runs, *(_text(row, c, notes) for c in COLUMNS)] for row in rows]


def terminal_table(title: str, rows: Sequence[Row]) -> RenderableType:
    """The table as rich prints it, and what its headings and gaps mean."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.pad_edge = False
    table.collapse_padding = True
    table.add_column("device", no_wrap=True)
    table.add_column("runs", no_wrap=True)
    for column in COLUMNS:
        # Estimates are dimmed: nobody shall take one for a measurement.
        style = "dim" if column.group == "estimated" else ""
        head = f"{column.group}\n{column.head}".replace(", ", "\n").replace(" an", "\nan")
        table.add_column(head, justify="right", style=style, no_wrap=True)
    notes: list[str] = []
    texts = _texts(rows, notes)
    for i, cells in enumerate(texts):
        last = i + 1 == len(texts) or texts[i + 1][0] != cells[0]
        device = cells[0] if i == 0 or texts[i - 1][0] != cells[0] else ""
        table.add_row(device, *cells[1:], end_section=last)
    numbered = [f"[{i}] {note}" for i, note in enumerate(notes, 1)]
    return Group(table, *READING, *numbered)


def markdown_table(title: str, rows: Sequence[Row]) -> str:
    """The same table in Markdown, with notes and sources."""
    notes: list[str] = []
    heads = ["device", "runs", *(f"{c.group}: {c.head}" for c in COLUMNS)]
    lines = [
        f"# {title}",
        "",
        _line(heads),
        _line([":--", ":--", *("--:" for _ in COLUMNS)]),
        *(_line(cells) for cells in _texts(rows, notes)),
        "",
        *(f"- {line}" for line in READING),
    ]
    if notes:
        lines += ["", *(f"- [{i}] {note}" for i, note in enumerate(notes, 1))]
    if provenance := _provenance(rows):
        lines += ["", "Where the speeds come from:", "", *(f"- {line}" for line in provenance)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _provenance(rows: Sequence[Row]) -> list[str]:
    """A line for each way to run the network: how, with what, after which documents."""
    lines: dict[str, None] = {}
    for row in rows:
        found = (row.cell(f"{k}_rate_4096") for k in ("measured", "estimated"))
        for cell in found:
            if isinstance(cell, Record) and cell.kind == "measured":
                tools = "".join(f", {tool} {version}" for tool, version in cell.tools.items())
                at = f", commit {cell.commit}" if cell.commit else ""
                lines[f"{row.device}, {row.runs}: {cell.how}{tools}{at}"] = None
            elif isinstance(cell, Record):
                lines[f"{row.device}: {cell.source}"] = None
    return list(lines)
