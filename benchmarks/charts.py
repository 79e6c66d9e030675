"""The kept records as pictures: clock against grid size, LUT sites against lanes."""

__all__ = ["clock_chart", "popcount_chart"]

from statistics import median
from typing import Any

from bnnhw.figure import FAINT, INK, new_figure, plain_axis, png

from .cases import CASES, FAMILIES, GridCase
from .store import kept
from .tables import LANES, least_per_lane, sites_per_lane

RUN_TIME, CONSTANT = "#0b7a75", "#c2702b"
DEVICES = {"ecp5": (RUN_TIME, "ECP5-85, speed 6"), "ice40": (CONSTANT, "iCE40 HX8K")}


def clock_chart() -> bytes:
    """Routed clock against grid size: a dot a seed, a line through the medians."""
    figure = new_figure("Clock against grid size", (7.5, 4))
    axis = figure.subplots()
    grids = [case for case in CASES if isinstance(case, GridCase)]
    sizes = sorted({case.size for case in grids})
    for family, (color, device) in DEVICES.items():
        seeds = {case.size: _clocks(case) for case in grids if _is_plain(case, family)}
        _seeds(axis, sizes, seeds, color, "o")
        line = [(sizes.index(size), median(clocks)) for size, clocks in seeds.items() if clocks]
        axis.plot(*zip(*line, strict=True), color=color, label=f"{device}, weights in LUTs")
    for case in grids:
        if case.weights == "bram":
            color, device = DEVICES[case.family]
            _seeds(axis, sizes, {case.size: _clocks(case)}, color, "x")
            axis.plot([], [], "x", color=color, label=f"{device}, weights in block RAM")
    axis.set_xticks(range(len(sizes)), [f"{size} x {size}" for size in sizes])
    axis.set_xlabel("cells of 16 lanes", fontsize=9, color=INK)
    axis.set_ylabel("MHz after routing", fontsize=9, color=INK)
    axis.set_ylim(0, None)
    plain_axis(axis, "y")
    axis.legend(frameon=False, fontsize=8.5, loc="lower left")
    return png(figure)


def _is_plain(case: GridCase, family: str) -> bool:
    return case.family == family and case.weights != "bram"


def _clocks(case: GridCase) -> list[float]:
    """Of each seed, in MHz."""
    return [float(r.value) / 1e6 for r in kept(case.name) if r.name == "clock"]


def _seeds(
    axis: Any, sizes: list[int], seeds: dict[int, list[float]], color: str, mark: str
) -> None:
    for size, clocks in seeds.items():
        place = sizes.index(size)
        axis.plot([place] * len(clocks), clocks, mark, color=color, alpha=0.55, markersize=6)
        if clocks:
            text = f"{median(clocks):.0f}"
            axis.annotate(
                text, (place, median(clocks)), (10, 3), textcoords="offset points", fontsize=8.5,
                color=color,
            )  # fmt: skip


def popcount_chart() -> bytes:
    """LUT sites a lane against lanes, a panel a family: ours, the plain tree, the bound."""
    figure = new_figure("LUT sites a lane of an XNOR-popcount", (13, 3.6))
    axes = figure.subplots(1, len(FAMILIES), sharey=True)
    for axis, family in zip(axes, FAMILIES, strict=True):
        for suffix, color, name in (
            ("", RUN_TIME, "weights at run time"),
            ("-baked", CONSTANT, "constant weights"),
        ):
            for plain, style in (("", "-o"), ("-plain", ":")):
                sites = sites_per_lane(family, f"{suffix}{plain}")
                there = [(n, value) for n, value in sites.items() if value is not None]
                label = f"{name}, plain tree" if plain else name
                axis.plot(
                    [n for n, _ in there], [value for _, value in there], style, color=color,
                    markersize=4, label=label,
                )  # fmt: skip
        least = least_per_lane(family)
        axis.plot(LANES, least, "--", color=FAINT, label="bound or limit, weights at run time")
        axis.set_title(family, loc="left", fontsize=10.5, color=INK)
        axis.set_xscale("log", base=2)
        axis.set_xticks(LANES, [str(n) for n in LANES])
        axis.set_xlabel("lanes", fontsize=9, color=INK)
        plain_axis(axis, "y")
    axes[0].set_ylim(0, None)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, frameon=False, fontsize=8.5, ncols=len(labels), loc="outside lower center"
    )
    return png(figure)
