"""A network's layers at a glance: shape, bits, operations, and the cycles a folding gives them."""

__all__ = ["Inspection", "inspect"]

import dataclasses
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType

from . import console
from .errors import InputError
from .folding import CLOCK_HZ, Folding, ceil_div, layer_cycles, proposed
from .network import Network, Output
from .network_file import load

TOLD = ("data", "seed", "epochs", "best_epoch", "loss", "rate")  # of the training record, in a line


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """A network under a folding.

    Parameters
    ----------
    network : Network
    folding : Folding
    given : bool
        Whether the folding was given, or is our proposal.
    clock_hz : float
        The clock for which images a second are told.
    """

    network: Network
    folding: Folding
    given: bool
    clock_hz: float

    @property
    def interval(self) -> int:
        """Cycles from one image's result to the next one's."""
        return self.folding.interval(self.network)

    @property
    def images_per_s(self) -> float:
        """Throughput at the clock, without stalls."""
        return self.clock_hz / self.interval

    @property
    def weight_bits(self) -> int:
        """Bits of weights, over all layers."""
        return sum(layer.weight.size for layer in self.network.layers)

    def layers(self) -> list[dict[str, Any]]:
        """What there is to say of each layer."""
        return [
            {
                "name": layer.name,
                "inputs": layer.inputs,
                "input_bits": layer.input_bits,
                "neurons": layer.neurons,
                "gives": "scores" if isinstance(layer, Output) else "bits",
                "weight_bits": layer.weight.size,
                "operations": layer.operations,
                "folding": fold.resolved(layer),
                "cycles": layer_cycles(layer, fold),
                "share": layer_cycles(layer, fold) / self.interval,
            }
            for layer, fold in self.folding.pairs(self.network)
        ]

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
            "pixels_per_beat": self.folding.bus_pixels(network),
            "input_beats": self.folding.input_beats(network),
            "interval": self.interval,
            "clock_hz": self.clock_hz,
            "images_per_s": self.images_per_s,
            "accuracy": network.accuracy,
            "training": network.training,
        }

    def table(self) -> RenderableType:
        """The table for the terminal, and a few lines below it."""
        layers = self.layers()
        heads = ["layer", "shape", "bits", "operations", "rows x cols x lanes", "planes"]
        heads += ["store", "cycles", "of time"]
        rows = [
            [
                layer["name"],
                f"{layer['inputs']} -> {layer['neurons']}",
                f"{layer['input_bits']} -> {'32' if layer['gives'] == 'scores' else '1'}",
                f"{layer['operations']:,}",
                "{rows} x {cols} x {lanes}".format(**layer["folding"]),
                layer["folding"]["planes"],
                layer["folding"]["weights"],
                f"{layer['cycles']:,}",
                f"{layer['share']:.0%}",
            ]
            for layer in layers
        ]
        total = [
            "all",
            "",
            "",
            f"{self.network.operations:,}",
            "",
            "",
            "",
            f"{self.interval:,}",
            "",
        ]
        table = console.table("", heads, [*rows, total])
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
        pixels = self.folding.bus_pixels(self.network)
        beats = self.folding.input_beats(self.network)
        lines = [
            f"input     {size} values of {form.bits} bit{'s'[: form.bits > 1]} ({coded}), "
            f"{pixels} a beat: {beats:,} beat{'s'[: beats > 1]}",
            f"weights   {self.weight_bits:,} bits, {ceil_div(self.weight_bits, 8):,} bytes",
            f"speed     an image in {self.interval:,} cycle{'s'[: self.interval > 1]}: "
            f"{self.images_per_s:,.0f} images/s at {self.clock_hz / 1e6:g} MHz",
            f"folding   {'as given' if self.given else 'proposed; --write-folding keeps it'}",
        ]
        if self.network.accuracy:
            parts = self.network.accuracy.items()
            lines.append("accuracy  " + ", ".join(f"{n} {share:.2%}" for n, share in parts))
        if self.network.training:
            record = self.network.training
            told = [f"{n.replace('_', ' ')} {record[n]}" for n in TOLD if _is_short(record.get(n))]
            lines.append("training  " + (", ".join(told) or "see --json"))
        return lines


def _is_short(value: object) -> bool:
    """Whether a value of the training record fits the one line that we have for it."""
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= 40)


def inspect(
    model: Network | Path | str,
    *,
    folding: Folding | Path | str | None = None,
    target_fps: float | None = None,
    clock_hz: float = CLOCK_HZ,
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

    Raises
    ------
    InputError
        A file that cannot be read, a folding of another network, or a target out of reach.
    """
    if not 0 < clock_hz < float("inf"):
        raise InputError(f"the clock must be above 0 Hz and finite, not {clock_hz}")
    network = model if isinstance(model, Network) else load(model)
    if isinstance(folding, Path | str):
        path, folding = folding, Folding.load(folding)
        try:
            list(folding.pairs(network))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    given = folding is not None
    if folding is None:
        folding = proposed(network, target_fps=target_fps, clock_hz=clock_hz)
    return Inspection(network=network, folding=folding, given=given, clock_hz=clock_hz)
