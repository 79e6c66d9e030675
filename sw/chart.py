"""A benchmark's records as a picture: samples a second of each contender against the batch."""

__all__ = ["chart"]

from collections.abc import Sequence
from typing import Any

from bnnhw.figure import FAINT, INK, new_figure, plain_axis, png

from .suite import Row

OURS, THEIRS = ("C, ", "CUDA, "), ("#1769aa", "#2e8b57", "#8a6d1b")
OTHERS = ("#b7bdc6", "#9aa1ab", "#7d858f", "#c9a9a6", "#a58f8f", "#c4b58a", "#8f9fb0")


def chart(rows: Sequence[Row]) -> bytes:
    """A PNG with a panel for each network; a product's panel has a line for each contender."""
    names = list(dict.fromkeys(row.case for row in rows))
    figure = new_figure("Binary networks in software", (4.6 * max(1, len(names)), 4.6))
    figure.supxlabel(f"on {rows[0].time.on}" if rows else "", fontsize=8, color=FAINT)
    contenders = list(dict.fromkeys(row.contender for row in rows))
    colours = _colours(contenders)
    for i, name in enumerate(names):
        axis = figure.add_subplot(1, len(names), i + 1)
        mine = [row for row in rows if row.case == name]
        axis.set_title(name, loc="left", fontsize=11, color=INK)
        if len({row.batch for row in mine}) == 1:
            _dots(axis, mine, colours)
        else:
            _lines(axis, mine, colours)
    return png(figure)


def _colours(contenders: Sequence[str]) -> dict[str, str]:
    ours = [one for one in contenders if one.startswith(OURS)]
    others = [one for one in contenders if one not in ours]
    pairs = [(ours, THEIRS), (others, OTHERS)]
    return {one: some[i % len(some)] for names, some in pairs for i, one in enumerate(names)}


def _dots(axis: Any, rows: Sequence[Row], colours: dict[str, str]) -> None:
    """Seconds of a product, the fastest on top."""
    ordered = sorted(rows, key=lambda row: -float(row.time.value))
    values = [1e3 * float(row.time.value) for row in ordered]
    names = [row.contender for row in ordered]
    # Dots, since bars on a logarithmic axis would begin anywhere.
    for name, value in zip(names, values, strict=True):
        axis.plot([value], [name], "o", color=colours[name], markersize=7)
    axis.set_xscale("log")
    axis.set_xlabel("milliseconds", fontsize=8, color=INK)
    for i, value in enumerate(values):
        text = f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"
        axis.annotate(
            text, (value, i), xytext=(7, 0), textcoords="offset points",
            va="center", fontsize=7, color=INK,
        )  # fmt: skip
    axis.margins(x=0.25)
    plain_axis(axis, "x")


def _lines(axis: Any, rows: Sequence[Row], colours: dict[str, str]) -> None:
    """Samples a second against the batch."""
    for name in dict.fromkeys(row.contender for row in rows):
        mine = sorted((row for row in rows if row.contender == name), key=lambda row: row.batch)
        rates = [row.batch / float(row.time.value) for row in mine]
        wide = 2.0 if name.startswith(OURS) else 1.2
        axis.plot(
            [row.batch for row in mine], rates, marker="o", markersize=3, linewidth=wide,
            color=colours[name], label=name,
        )  # fmt: skip
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    batches = sorted({row.batch for row in rows})
    axis.set_xticks(batches, [f"{batch:,}" for batch in batches])
    axis.set_xlabel("batch", fontsize=8, color=INK)
    axis.set_ylabel("samples a second", fontsize=8, color=INK)
    axis.legend(fontsize=7, frameon=False)
    plain_axis(axis, "y")
