"""A training as a picture: loss, accuracy on the validation part, and signs that still turn."""

__all__ = ["curves"]

from collections.abc import Sequence

from ..figure import FAINT, INK, new_figure, plain_axis, png
from .fit import Epoch

LINE = "#0b7a75"


def curves(title: str, history: Sequence[Epoch]) -> bytes:
    """A PNG of three panels over the epochs; the best epoch is marked."""
    figure = new_figure(title, (11, 3.4))
    top = max(row.valid for row in history)
    best = max(row.epoch for row in history if row.valid == top)
    panels = (
        ("loss of a step, mean", [row.loss for row in history]),
        (
            f"accuracy on validation, % (best: epoch {best}, {top:.2%})",
            [100 * row.valid for row in history],
        ),
        ("weights that changed their sign, %", [100 * row.flips for row in history]),
    )
    for axis, (head, values) in zip(figure.subplots(1, 3), panels, strict=True):
        axis.plot([row.epoch for row in history], values, color=LINE, linewidth=1.6, marker=".",
                  markersize=3)  # fmt: skip
        axis.axvline(best, color=FAINT, linewidth=0.8, linestyle=":")
        axis.set_title(head, loc="left", fontsize=9.5, color=INK)
        axis.set_xlabel("epoch", fontsize=8, color=INK)
        if head.startswith("loss"):
            axis.set_yscale("log")
        plain_axis(axis, "y")
    return png(figure)
