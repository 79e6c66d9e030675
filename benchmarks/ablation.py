"""What each choice in training is worth: MNIST 784-256x3-10 with 8-bit inputs, one change a time.

    python -m benchmarks.ablation --data-dir DIR             all of it: hours on two cores
    python -m benchmarks.ablation --only norm                variants whose names begin so
    python -m benchmarks.ablation --keep                     and keep what was measured

Every variant is trained with three seeds, fixed beforehand. A run that is done already is not done
again, nor with --keep a variant that is kept, so that the benchmark can be stopped and goes on.
"""

__all__ = ["BASE", "SEEDS", "VARIANTS", "Variant", "chart", "table"]

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from bnnhw import console
from bnnhw.exits import DONE, ended
from bnnhw.record import Record
from bnnhw.training import TrainConfig

from .accuracy import shares, spread, trained
from .command import chosen, new_parser
from .markdown import markdown
from .store import keep, kept

SEEDS = (1, 2, 3)
# The paper's network for the data, its deterministic signs, norm and loss, without augmentation.
BASE: dict[str, Any] = {
    "topology": "256-256-256",
    "input_bits": 8,
    "epochs": 50,
    "batch": 250,
    "shift": 0,
    "window": "box",
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One change to the base.

    Parameters
    ----------
    name : str
        Of its record; begins with what is changed.
    what : str
        In words, for the table.
    options : dict
        Of `TrainConfig`, in which it differs.
    """

    name: str
    what: str
    options: dict[str, Any]


VARIANTS = (
    Variant(name="base", what="deterministic signs, box window, batch norm, Adam, square hinge",
            options={}),
    Variant(name="activations-stochastic", what="stochastic activations",
            options={"activations": "stochastic"}),
    Variant(name="weights-stochastic", what="stochastic weights",
            options={"weights": "stochastic"}),
    Variant(name="norm-shift", what="shift-based norm", options={"norm": "shift"}),
    Variant(name="optimizer-shift", what="shift-based AdaMax",
            options={"optimizer": "shift_adamax"}),
    Variant(name="paper-shift", what="both: shift-based norm and AdaMax",
            options={"norm": "shift", "optimizer": "shift_adamax"}),
    Variant(name="loss-cross-entropy", what="cross entropy", options={"loss": "cross_entropy"}),
    Variant(name="loss-smoothed", what="cross entropy, smoothed by 0.1",
            options={"loss": "cross_entropy", "smoothing": 0.1}),
    Variant(name="rates-glorot", what="steps scaled layer by layer as in the paper, rate 0.005",
            options={"glorot_rates": True, "rate": 0.005}),
    Variant(name="init-glorot", what="first weights in Glorot's range", options={"init": "glorot"}),
    Variant(name="dropout", what="dropout of 0.2 on inputs", options={"input_dropout": 0.2}),
    Variant(name="hidden-dropout", what="dropout of 0.1 on hidden activations",
            options={"hidden_dropout": 0.1}),
    Variant(name="schedule-linear", what="linear schedule", options={"schedule": "linear"}),
    Variant(name="schedule-exponential", what="exponential schedule",
            options={"schedule": "exponential"}),
    Variant(name="schedule-constant", what="constant rate", options={"schedule": "constant"}),
    Variant(name="warmup-none", what="no warm-up", options={"warmup": 0}),
    Variant(name="window-triangle", what="triangle window", options={"window": "triangle"}),
    Variant(name="stages-two", what="real weights in the first 20 epochs",
            options={"real_epochs": 20}),
    Variant(name="average", what="moving average of the weights, decay 0.999",
            options={"average": 0.999}),
    Variant(name="calibrate", what="norms' statistics taken anew", options={"calibrate": True}),
    Variant(name="distill", what="half the loss from a float teacher",
            options={"distill": 0.5}),
    Variant(name="shift", what="training images moved by a pixel", options={"shift": 1}),
    Variant(name="scales", what="a scale for each class", options={"class_scales": True}),
)  # fmt: skip


def records(variant: Variant, out: Path, data_dir: Path) -> list[Record]:
    """Train a variant with every seed; its accuracies, a record a seed and part."""
    found = []
    for seed in SEEDS:
        config = TrainConfig.for_data("mnist", **(BASE | variant.options), seed=seed)
        found += trained(config, out / f"{variant.name}-{seed}", data_dir, variant.what).records
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    args = new_parser("ablation", __doc__, data=True).parse_args(arguments)
    return ended("benchmarks.ablation", lambda: _work(args), debug=args.debug)


def _work(args: argparse.Namespace) -> int:
    rows = []
    for variant in chosen(VARIANTS, args.only):
        known = _kept(variant) if args.keep else []
        found = known or records(variant, args.out, args.data_dir)
        if args.keep:
            keep(f"ablation-{variant.name}", found)
        rows.append(
            (
                variant.what,
                *(spread(shares(found, f"accuracy_{part}")) for part in ("valid", "test")),
            )
        )
    heads = ("change", "validation", "test")
    console.show(console.table("accuracy, mean of three seeds (lowest to highest)", heads, rows))
    return DONE


def _kept(variant: Variant) -> list[Record]:
    """What is kept of a variant, if it is of all seeds and as many epochs."""
    config = TrainConfig.for_data("mnist", **(BASE | variant.options))
    known = [
        record
        for record in kept(f"ablation-{variant.name}")
        if record.how.endswith(f" of {config.epochs}; {variant.what}")
    ]
    return known if {record.seed for record in known} == set(SEEDS) else []


def table() -> str:
    """The kept records as the docs' table: accuracies, and the change against the base."""
    rows = []
    base = shares(kept("ablation-base"), "accuracy_test")
    for variant in VARIANTS:
        found = kept(f"ablation-{variant.name}")
        if not found:
            continue
        valid, test = shares(found, "accuracy_valid"), shares(found, "accuracy_test")
        gain = "" if variant.name == "base" else f"{100 * (mean(test) - mean(base)):+.2f}"
        rows.append((variant.what, spread(valid), spread(test), gain))
    return markdown(("change", "validation", "test", "test, against the base"), rows)


def chart() -> bytes:
    """The kept records as a picture: a dot a seed, test accuracy, a line a change."""
    from bnnhw.figure import FAINT, INK, new_figure, plain_axis, png

    rows = [(v, shares(kept(f"ablation-{v.name}"), "accuracy_test")) for v in VARIANTS]
    rows = [(variant, test) for variant, test in rows if test]
    figure = new_figure("What each change is worth", (9, 1.2 + 0.3 * len(rows)))
    axis = figure.subplots()
    for place, (variant, test) in enumerate(rows):
        color = INK if variant.name == "base" else "#0b7a75"
        axis.plot([100 * t for t in test], [place] * len(test), "o", color=color, alpha=0.5)
        axis.plot([100 * mean(test)], [place], "|", color=color, markersize=16)
        if variant.name == "base":
            axis.axvline(100 * mean(test), color=FAINT, linewidth=0.8, linestyle=":")
    axis.set_yticks(range(len(rows)), [variant.what for variant, _ in rows], fontsize=8)
    axis.set_xlabel("test accuracy, %: three seeds, and their mean", fontsize=8.5, color=INK)
    axis.invert_yaxis()
    plain_axis(axis, "x")
    return png(figure)


if __name__ == "__main__":
    sys.exit(main())
