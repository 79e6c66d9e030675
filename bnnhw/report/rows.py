"""The table's rows and columns. Every cell is a record, or a gap that says why it is one."""

__all__ = ["COLUMNS", "Cell", "Column", "Gap", "Row", "speed_cells"]

import dataclasses
from typing import Any, Literal

from ..record import Record


@dataclasses.dataclass(frozen=True, slots=True)
class Gap:
    """A cell without a figure, and the reason; no reason where the column is not the row's."""

    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"missing": self.reason}


Cell = Record | Gap


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column; all of its figures are of one kind.

    Parameters
    ----------
    key : str
        Its name in JSON.
    group, head : str
        Its heading, in two lines.
    unit : str
    kind : "measured" or "estimated"
    """

    key: str
    group: str
    head: str
    unit: str
    kind: Literal["measured", "estimated"]


def _speeds(kind: Literal["measured", "estimated"], group: str) -> tuple[Column, ...]:
    return (
        Column(key=f"{kind}_latency", group=group, head="latency", unit="s", kind=kind),
        Column(key=f"{kind}_rate_1", group=group, head="images/s", unit="images/s", kind=kind),
        Column(
            key=f"{kind}_rate_4096",
            group=group,
            head="images/s, batch 4096",
            unit="images/s",
            kind=kind,
        ),
    )


COLUMNS = (
    *_speeds("measured", "measured"),
    *_speeds("estimated", "estimated"),
    Column(key="weights", group="weights", head="bytes", unit="B", kind="measured"),
    Column(key="weights_less", group="weights", head="less", unit="1", kind="measured"),
    Column(key="moved", group="moved", head="bytes an image", unit="B", kind="estimated"),
    Column(key="moved_less", group="moved", head="less", unit="1", kind="estimated"),
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One way to run the network.

    Parameters
    ----------
    device : str
        What runs it.
    runs : str
        In which number format, with which software.
    cells : dict
        Column key to Record or Gap; a column that is missing is a gap without a reason.
    """

    device: str
    runs: str
    cells: dict[str, Cell]

    def __post_init__(self) -> None:
        kinds = {c.key: (c.kind, c.unit) for c in COLUMNS}
        for key, cell in self.cells.items():
            assert key in kinds, key
            if isinstance(cell, Record):
                assert (cell.kind, cell.unit) == kinds[key], (key, cell)

    def cell(self, key: str) -> Cell:
        """The cell in a column."""
        return self.cells.get(key, Gap())

    def value(self, key: str) -> float | None:
        """The figure in a column, if there is one."""
        cell = self.cell(key)
        return float(cell.value) if isinstance(cell, Record) else None

    def to_json(self) -> dict[str, Any]:
        cells = {c.key: self.cell(c.key).to_json() for c in COLUMNS}
        return {"device": self.device, "runs": self.runs, "cells": cells}


def speed_cells(one: Record, many: Record, batch: int) -> dict[str, Cell]:
    """Latency and images a second out of the time of one image and of a batch, one kind both."""
    kind = one.kind

    def rate(of: Record, images: int) -> Record:
        return dataclasses.replace(
            of, name="throughput", value=images / float(of.value), unit="images/s"
        )

    return {
        f"{kind}_latency": dataclasses.replace(one, name="latency"),
        f"{kind}_rate_1": rate(one, 1),
        f"{kind}_rate_4096": rate(many, batch),
    }
