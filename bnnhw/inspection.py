"""A network's layers at a glance: shape, bits, operations, and the cycles a folding gives them."""

__all__ = ["Inspection", "inspect", "told_grid"]

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType

from . import console
from .errors import InputError
from .folding import CLOCK_HZ, Folding, ceil_div, layer_cycles
from .layers import Layer, Output
from .network import Network
from .network_file import load
from .proposal import Budget, proposed, within_budget
from .technology import Technology

if TYPE_CHECKING:
    from .rtl.area import Area

TOLD = ("data", "seed", "epochs", "best_epoch", "loss", "rate")  # of the training record, in a line


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """A network, and where there is one its folding.

    Parameters
    ----------
    network : Network
    folding : Folding
    given : bool
        Whether the folding was given, or is our proposal.
    clock_hz : float
        The clock for which images a second are told.
    technology : Technology
        The family for which LUT sites and block RAMs are estimated; `generic`: for none.
    """

    network: Network
    folding: Folding
    given: bool
    clock_hz: float
    technology: Technology = dataclasses.field(default_factory=Technology)

    @property
    def weight_bits(self) -> int:
        """Bits of weights, over all layers."""
        return sum(layer.weight.size for layer in self.network.weighted)

    @property
    def speed(self) -> dict[str, float]:
        """Cycles from one image's result to the next one's, and images a second without stalls."""
        interval = self.folding.interval(self.network)
        return {
            "pixels_per_beat": self.folding.bus_pixels(self.network),
            "input_beats": self.folding.input_beats(self.network),
            "interval": interval,
            "clock_hz": self.clock_hz,
            "images_per_s": self.clock_hz / interval,
        }

    def layers(self) -> list[dict[str, Any]]:
        """What there is to say of each layer."""
        found: list[dict[str, Any]] = []
        for layer in self.network.layers:
            told = layer.to_json()
            told |= {"shape_in": list(layer.shape_in), "shape_out": list(layer.shape_out)}
            if isinstance(layer, Layer):
                told |= {
                    "inputs": layer.inputs,
                    "input_bits": layer.input_bits,
                    "gives": "scores" if isinstance(layer, Output) else "bits",
                    "weight_bits": layer.weight.size,
                    "operations": layer.operations,
                }
            found.append(told)
        named = {told["name"]: told for told in found}
        interval = self.folding.interval(self.network)
        for weighted, fold in self.folding.pairs(self.network):
            cycles = layer_cycles(weighted, fold)
            named[weighted.name] |= {
                "folding": fold.resolved(weighted),
                "cycles": cycles,
                "share": cycles / interval,
            }
        for one in self.folding.map_words(self.network):
            named[one.name] |= {
                "word_positions": one.positions,
                "word_channels": one.channels,
                "words": one.words,
                "whole_windows": one.columns is not None,
            }
        areas = self.areas()
        total = sum(area.sites for area in areas)
        for area in areas:
            named[area.name] |= {
                "estimated_lut_sites": round(area.sites),
                "estimated_block_rams": area.rams,
                "area_share": area.sites / total,
            }
        return found

    def areas(self) -> list["Area"]:
        """What each layer takes of the family, about; nothing where none is named."""
        if self.technology.generic:
            return []
        from .rtl.area import core_area
        from .rtl.weights import settled

        folding = settled(self.network, self.folding, self.technology)
        return core_area(self.network, folding, self.technology)

    def to_json(self) -> dict[str, Any]:
        """Everything in the table, as JSON has it."""
        network = self.network
        return {
            "sha256": network.sha256,
            "input": network.input.to_json(),
            "layers": self.layers(),
            "weight_bits": self.weight_bits,
            "operations": network.operations,
            "folding": "given" if self.given else "proposed",
            **self.speed,
            "accuracy": network.accuracy,
            "training": network.training,
        }

    def table(self) -> RenderableType:
        """The table for the terminal, and a few lines below it."""
        heads = ["layer", "shape", "window", "bits", "operations", "words",
                 "rows x cols x lanes", "planes", "store", "cycles", "of time", "LUT sites",
                 "of them"]  # fmt: skip
        columns = [_shape, _window, _bits, _operations, _words, _grid, _planes, _store, _cycles,
                   _share, _sites, _site_share]  # fmt: skip
        layers = self.layers()
        sites = sum(told.get("estimated_lut_sites", 0) for told in layers)
        total = ["all", "", "", "", f"{self.network.operations:,}", "", "", "", "",
                 f"{self.speed['interval']:,}", "", f"~{sites:,}" if sites else "", ""]  # fmt: skip
        rows = [[told["name"], *(column(told) for column in columns)] for told in layers]
        shown = [i for i in range(len(heads)) if any(row[i] for row in [*rows, total])]
        table = console.table(
            "", [heads[i] for i in shown], ([row[i] for i in shown] for row in [*rows, total])
        )
        table.title = None
        table.box = box.SIMPLE_HEAD
        table.padding = (0, 0)
        table.rows[-2].end_section = True
        return Group(table, *self._lines())

    def _lines(self) -> list[str]:
        form = self.network.input
        size = " x ".join(map(str, form.shape))
        if form.threshold is not None:
            coded = f"1 from {form.threshold:g} on"
        else:
            coded = f"{form.lo:g} to {form.hi:g}"
        lines = [
            f"input     {size} values of {form.bits} bit{'s'[: form.bits > 1]} ({coded})",
            f"weights   {self.weight_bits:,} bits, {ceil_div(self.weight_bits, 8):,} bytes",
        ]
        beats, interval = self.speed["input_beats"], self.speed["interval"]
        lines[0] += f", {self.speed['pixels_per_beat']} a beat: {beats:,} beat{'s'[: beats > 1]}"
        lines += [
            f"speed     an image in {interval:,} cycle{'s'[: interval > 1]}: "
            f"{self.speed['images_per_s']:,.0f} images/s at {self.clock_hz / 1e6:g} MHz",
            f"folding   {'as given' if self.given else 'proposed; --write-folding keeps it'}",
        ]
        if areas := self.areas():
            lines.append(
                f"area      about {sum(area.sites for area in areas):,.0f} LUT sites and "
                f"{sum(area.rams for area in areas):,} block RAMs of {self.technology.family}: "
                "estimated, `bnnhw synth` counts them"
            )
        if self.network.accuracy:
            parts = self.network.accuracy.items()
            lines.append("accuracy  " + ", ".join(f"{n} {share:.2%}" for n, share in parts))
        if self.network.training:
            record = self.network.training
            told = [f"{n.replace('_', ' ')} {record[n]}" for n in TOLD if _is_short(record.get(n))]
            lines.append("training  " + (", ".join(told) or "see --json"))
        return lines


def _shape(told: dict[str, Any]) -> str:
    return " -> ".join(" x ".join(map(str, told[way])) for way in ("shape_in", "shape_out"))


def _window(told: dict[str, Any]) -> str:
    """`3 x 3 /2 +1`: the kernel, its stride, its padding."""
    if "kernel" not in told:
        return ""
    words = [" x ".join(map(str, told["kernel"]))]
    for sign, name, usual in (("/", "stride", 1), ("+", "padding", 0)):
        if any(n != usual for n in told[name]):
            sizes = told[name] if len(set(told[name])) > 1 else told[name][:1]
            words.append(sign + ",".join(map(str, sizes)))
    return " ".join(words)


def _bits(told: dict[str, Any]) -> str:
    if "input_bits" not in told:
        return ""
    return f"{told['input_bits']} -> {'32' if told['gives'] == 'scores' else '1'}"


def _operations(told: dict[str, Any]) -> str:
    return f"{told['operations']:,}" if "operations" in told else ""


def _words(told: dict[str, Any]) -> str:
    """`1,764 x 4 x 16`: words of a map that pass, positions of each if several, and channels."""
    if "words" not in told:
        return ""
    several = f"{told['word_positions']} x " if told["word_positions"] > 1 else ""
    return f"{told['words']:,} x {several}{told['word_channels']}"


def _grid(told: dict[str, Any]) -> str:
    return told_grid(told["folding"], " x ") if "folding" in told else ""


def told_grid(fold: dict[str, Any], times: str) -> str:
    """`4 x 16 x 2 x 16`: positions if several, rows, columns and lanes."""
    names = ["positions"] if fold["positions"] > 1 else []
    return times.join(str(fold[name]) for name in [*names, "rows", "cols", "lanes"])


def _planes(told: dict[str, Any]) -> str:
    return str(told["folding"]["planes"]) if "folding" in told else ""


def _store(told: dict[str, Any]) -> str:
    return str(told["folding"]["weights"]) if "folding" in told else ""


def _cycles(told: dict[str, Any]) -> str:
    return f"{told['cycles']:,}" if "cycles" in told else ""


def _share(told: dict[str, Any]) -> str:
    return f"{told['share']:.0%}" if "share" in told else ""


def _sites(told: dict[str, Any]) -> str:
    return f"~{told['estimated_lut_sites']:,}" if "estimated_lut_sites" in told else ""


def _site_share(told: dict[str, Any]) -> str:
    return f"{told['area_share']:.0%}" if "area_share" in told else ""


def _is_short(value: object) -> bool:
    """Whether a value of the training record fits the one line that we have for it."""
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= 40)


def inspect(
    model: Network | Path | str,
    *,
    folding: Folding | Path | str | None = None,
    target_fps: float | None = None,
    clock_hz: float = CLOCK_HZ,
    budget: Budget | None = None,
    technology: Technology | None = None,
) -> Inspection:
    """Look at a network under a folding.

    Parameters
    ----------
    model : Network, or the path of one
    folding : Folding, or the path of one, optional
        By default one is proposed, with as few lanes as `target_fps` allows.
    target_fps : float, optional
        Images a second that a proposed folding must reach at `clock_hz`; by default an image
        every 1,024 cycles.
    clock_hz : float
        The clock for which images a second are told.
    budget : Budget, optional
        What a proposed folding may take of the technology's family.
    technology : Technology, optional
        The family for which areas are estimated; by default none.

    Raises
    ------
    InputError
        A file that cannot be read, a folding of another network, or a target out of reach.
    """
    if not 0 < clock_hz < float("inf"):
        raise InputError(f"the clock must be above 0 Hz and finite, not {clock_hz}")
    network = model if isinstance(model, Network) else load(model)
    if isinstance(folding, Path | str):
        folding = Folding.load(folding, network)
    given = folding is not None
    technology = technology or Technology()
    if folding is None and budget is not None:
        folding = within_budget(network, budget, technology, output=network.gives)
    elif folding is None:
        folding = proposed(network, target_fps=target_fps, clock_hz=clock_hz)
    return Inspection(
        network=network, folding=folding, given=given, clock_hz=clock_hz, technology=technology
    )
