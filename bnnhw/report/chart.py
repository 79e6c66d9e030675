"""The comparison as a picture: what was measured above, what could at best be below."""

__all__ = ["chart_png"]

from collections.abc import Callable, Sequence
from typing import Any

from ..figure import FAINT, INK, new_figure, plain_axis, png
from .rows import Row
from .table import bytes_text, rate_text, seconds_text

Text = Callable[[float], str]

FPGA, HERE, MODEL = "#0b7a75", "#3d5a80", "#b8c0cc"


def chart_png(title: str, rows: Sequence[Row]) -> bytes:
    """Bars on logarithmic axes, in three columns: throughput, latency, bytes of weights.

    Measured and estimated figures have panels of their own on the same axis. The same rows give
    the same bytes.
    """
    measured = [row for row in rows if row.value("measured_rate_4096") is not None]
    modelled = [row for row in rows if row.value("estimated_rate_4096") is not None]
    kinds = [("measured", measured), ("estimated", modelled)]
    kinds = [(kind, group) for kind, group in kinds if group]
    heights = [len(group) + 1.2 for _, group in kinds]
    figure = new_figure(title, (13, 1.5 + 0.34 * sum(heights)))
    axes = figure.subplots(
        len(kinds), 3, sharex="col", squeeze=False, height_ratios=heights, width_ratios=(5, 5, 4)
    )
    for line, (kind, group) in enumerate(kinds):
        colors = [_color(kind, row) for row in group]
        panels: tuple[tuple[str, str, Text, Text], ...] = (
            (f"{kind}_rate_4096", "images/s, batch 4096 (more is better)", rate_text, _short),
            (
                f"{kind}_latency",
                "latency of one image (less is better)",
                seconds_text,
                seconds_text,
            ),
            ("weights", "weights (less is better)", bytes_text, bytes_text),
        )
        for column, (key, head, text, tick) in enumerate(panels):
            axis = axes[line, column]
            values = [row.value(key) for row in group]
            _bars(axis, [v for v in values if v is not None], colors, text, tick)
            if line == 0:
                axis.set_title(head, loc="left", fontsize=10.5, color=INK, pad=18)
            labels = [f"{row.device}\n{row.runs}" for row in group] if column == 0 else []
            axis.set_yticks(range(len(group)), labels or [""] * len(group), fontsize=7.5)
        words = (
            "measured"
            if kind == "measured"
            else "estimated: rooflines from published peaks, no launches, no transfers"
        )
        axes[line, 0].annotate(
            words, (0, 1), (0, 4), xycoords="axes fraction", textcoords="offset points",
            fontsize=9, fontweight="bold", color=FAINT if kind == "estimated" else HERE,
        )  # fmt: skip
    _limits(axes)
    return png(figure)


def _color(kind: str, row: Row) -> str:
    if kind == "estimated":
        return MODEL
    return FPGA if row.runs.endswith("bnnhw") else HERE


def _short(rate: float) -> str:
    for letter, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if rate >= size:
            return f"{rate / size:g} {letter}"
    return f"{rate:g}"


def _bars(axis: Any, values: list[float], colors: list[str], text: Text, tick: Text) -> None:
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(lambda value, _: tick(value))
    bars = axis.barh(range(len(values)), values, color=colors, height=0.68)
    axis.bar_label(bars, [text(v) for v in values], padding=4, fontsize=8, color=INK)
    axis.invert_yaxis()
    axis.set_ylim(len(values) - 0.4, -0.6)
    plain_axis(axis, "x")


def _limits(axes: Any) -> None:
    """From a decade below the least bar to where the longest one's label ends."""
    for column in range(axes.shape[1]):
        widths = [p.get_width() for axis in axes[:, column] for p in axis.patches]
        low, high = min(widths) / 10, max(widths)
        axes[0, column].set_xlim(low, high * (high / low) ** 0.28)
