"""Pictures in one style, through matplotlib: the same figures give the same bytes."""

__all__ = ["FAINT", "INK", "new_figure", "plain_axis", "png"]

import io
from typing import Any

INK, FAINT = "#22262b", "#8a919a"


def new_figure(title: str, inches: tuple[float, float]) -> Any:
    """An empty matplotlib figure with a title."""
    # No pyplot: it would choose a window system, and keep every figure alive.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=15, fontweight="bold", color=INK)
    return figure


def plain_axis(axis: Any, grid: str) -> None:
    """No frame, no ticks; faint lines across `grid`, "x" or "y"."""
    axis.grid(axis=grid, color="#e4e7ec", linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(length=0, colors=INK, labelsize=8)
    axis.minorticks_off()
    for side in ("top", "right", "bottom", "left"):
        axis.spines[side].set_visible(False)


def png(figure: Any) -> bytes:
    """The picture, without a date or a version in it."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
