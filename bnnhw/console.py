"""What people see: tables, progress bars and remarks, on standard error or standard output."""

__all__ = ["out", "progress", "remark", "show", "silence", "table"]

import contextlib
from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

# No markup: a path like "[/a]" is text, and not the end of a style.
out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

# The time left is told by the steps of the last so many seconds: an epoch may take hours.
SPEED_S = 1e9


def silence() -> None:
    """Show nothing from now on: of several processes that do the same, one is enough."""
    out.quiet = err.quiet = True


def remark(text: str) -> None:
    """One line for a person, on standard error."""
    err.print(text)


@contextlib.contextmanager
def progress(what: str, total: int | None = None) -> Iterator["Bar"]:
    """A progress bar on standard error while the block runs; a spinner where `total` is None.

    With no terminal there, one line says when the block begins and one when it ends.
    """
    counted = total is not None
    columns = [
        TextColumn("{task.description}", markup=False),
        BarColumn() if counted else SpinnerColumn(),
        *([MofNCompleteColumn()] if counted else []),
        TimeElapsedColumn(),
        *([TimeRemainingColumn()] if counted else []),
        TextColumn("{task.fields[note]}", markup=False),
    ]
    with Progress(
        *columns, console=err, disable=not err.is_terminal, speed_estimate_period=SPEED_S
    ) as shown:
        bar = Bar(shown, shown.add_task(what, total=total, note=""))
        if not err.is_terminal:
            err.print(f"{what} ...")
        yield bar
    if not err.is_terminal:
        err.print(f"{what}: done {bar.note}".rstrip())


class Bar:
    """A running progress bar: advance it, and say what is going on."""

    def __init__(self, shown: Progress, task: object) -> None:
        self._shown = shown
        self._task = task
        self.note = ""

    def advance(self, steps: int = 1, note: str | None = None) -> None:
        """Go on by some steps; `note` stands to the right of the bar."""
        self.note = self.note if note is None else note
        self._shown.update(self._task, advance=steps, note=self.note)  # type: ignore[arg-type]


def table(title: str, heads: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """A table for the terminal: the first column left, the others right aligned."""
    shown = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for i, head in enumerate(heads):
        shown.add_column(head, justify="left" if i == 0 else "right")
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    return shown


def show(what: RenderableType) -> None:
    """Print a table on standard output at its own width: no number in it is ever cut short."""
    width = Measurement.get(out, out.options.update(max_width=1000), what).maximum
    # A console of its own: `print(width=...)` is clamped to the terminal's.
    wide = Console(width=max(out.width, width), highlight=False, soft_wrap=True, markup=False)
    wide.print(what)
