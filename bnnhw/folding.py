"""How a network is folded onto hardware, and how many clock cycles that takes."""

__all__ = ["Folding", "LayerFolding", "ceil_div", "layer_cycles"]

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import tomli_w

from .dataflow import MapWords, at_once, map_words
from .errors import InputError
from .files import write_text
from .layers import Conv, Layer
from .network import Network
from .toml_file import read_toml

WEIGHTS = ("auto", "baked", "bram")
BAKED_DEPTH = 128  # auto: ROMs up to this depth are LUTs, deeper ones block RAM
CLOCK_HZ = 150e6


def ceil_div(a: int, b: int) -> int:
    """The least integer that is at least a / b."""
    return -(-a // b)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LayerFolding:
    """The systolic grid that one layer runs on.

    Parameters
    ----------
    name : str
        The layer's.
    rows : int
        Neurons at a time (PE).
    cols : int
        Cells side by side; SIMD = cols * lanes inputs at a time.
    lanes : int
        Inputs a cell takes at a time.
    planes : 1, 2, 4 or 8
        Bit-planes at a time (first layer on inputs of more than one bit; else 1).
    weights : "auto", "baked" or "bram"
        Constants in LUTs, or block RAM with initial contents; auto: by what either costs on the
        family, without one ROMs of up to 128 words are baked.
    band : int
        Rows that one register serves with activations and addresses on their way down: more of
        them take fewer flip-flops and cycles of latency, and cost clock.
    positions : int
        Windows side by side at a time, each on a grid of its own (convolution; else 1). Their
        columns must divide the map's: see `dataflow.at_once`.
    """

    name: str
    rows: int = 1
    cols: int = 1
    lanes: int = 16
    planes: int = 1
    weights: str = "auto"
    band: int = 1
    positions: int = 1

    def __post_init__(self) -> None:
        if not (self.name.isascii() and self.name.isidentifier()):
            raise InputError(f"layer name must be an identifier, not {self.name!r}")
        for size in ("rows", "cols", "lanes", "band", "positions"):
            if not 1 <= getattr(self, size) <= 1 << 16:
                raise InputError(
                    f"{self.name}: {size} must be 1 to 65536, not {getattr(self, size)}"
                )
        if self.planes not in (1, 2, 4, 8):
            raise InputError(f"{self.name}: planes must be 1, 2, 4 or 8, not {self.planes}")
        if self.weights not in WEIGHTS:
            raise InputError(
                f"{self.name}: weights must be {', '.join(WEIGHTS)}, not {self.weights!r}"
            )

    @property
    def simd(self) -> int:
        """Inputs at a time."""
        return self.cols * self.lanes

    def band_of(self, row: int) -> int:
        """The band that a row is in, from 0."""
        return row // self.band

    @property
    def skew(self) -> int:
        """Cycles from the first cell's turn to the last one's: a register a column and a band."""
        return self.cols - 1 + self.band_of(self.rows - 1)

    def input_folds(self, layer: Layer) -> int:
        """IF = ceil(K / SIMD)."""
        return ceil_div(layer.inputs, self.simd)

    def neuron_folds(self, layer: Layer) -> int:
        """NF = ceil(M / rows)."""
        return ceil_div(layer.neurons, self.rows)

    def plane_groups(self, layer: Layer) -> int:
        """PG = ceil(B / planes)."""
        return ceil_div(layer.input_bits, self.planes)

    def steps(self, layer: Layer) -> int:
        """Cycles a neuron fold: IF * PG."""
        return self.input_folds(layer) * self.plane_groups(layer)

    def depth(self, layer: Layer) -> int:
        """Words of a cell's weight ROM: IF * NF."""
        return self.input_folds(layer) * self.neuron_folds(layer)

    def hold(self, layer: Layer) -> int:
        """Cycles for which a whole window is held as it is taken, if that is as long as its
        computation, so that none can be ahead; else 1."""
        return self.steps(layer) if self.neuron_folds(layer) == 1 else 1

    def groups(self, layer: Layer) -> int:
        """Groups of windows a sample, or 1: OH * ceil(OW / positions)."""
        if not isinstance(layer, Conv):
            return layer.vectors
        return layer.window.rows * ceil_div(layer.window.cols, self.positions)

    def bus(self, layer: Layer, wide_in: int) -> int:
        """Inputs a word in which a vector comes to the layer, out of words of `wide_in`.

        SIMD inputs where what comes in is as wide. Else as few as will do: whole cells' lanes that
        divide SIMD, take in what comes at once, and, written one group of planes after the other,
        are no slower than it. Multiples of `wide_in` first: they need the smaller gearbox.
        """
        pace = ceil_div(layer.inputs, wide_in)
        fit = [
            wide
            for wide in range(self.lanes, self.simd, self.lanes)
            if self.simd % wide == 0
            and wide >= wide_in
            and ceil_div(layer.inputs, wide) * self.plane_groups(layer) <= pace
        ]
        whole = [wide for wide in fit if wide % wide_in == 0]
        return (whole + fit + [self.simd])[0]

    def stores(self, layer: Layer) -> Literal["baked", "bram"]:
        """Where the weights go, `auto` resolved."""
        if self.weights == "auto":
            return "baked" if self.depth(layer) <= BAKED_DEPTH else "bram"
        # One word is no memory, whatever was asked for.
        return "bram" if self.weights == "bram" and self.depth(layer) > 1 else "baked"

    def resolved(self, layer: Layer) -> dict[str, int | str]:
        """The grid in JSON's terms, `auto` resolved."""
        names = ("rows", "cols", "lanes", "planes", "band", "positions")
        sizes = {name: getattr(self, name) for name in names}
        return sizes | {"weights": self.stores(layer)}


def layer_cycles(layer: Layer, fold: LayerFolding) -> int:
    """Cycles a sample: IF * NF * PG, for each group of windows; with no bubble between samples."""
    return fold.groups(layer) * fold.steps(layer) * fold.neuron_folds(layer)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Folding:
    """A folding for every layer of a network, and the width of its input bus.

    Parameters
    ----------
    layers : tuple of LayerFolding
        In the network's order.
    pixels_per_beat : int, optional
        Inputs a beat of the input bus; by default the fewest with which the bus does not bind.
    """

    layers: tuple[LayerFolding, ...]
    pixels_per_beat: int | None = None

    def __post_init__(self) -> None:
        if self.pixels_per_beat is not None and not 1 <= self.pixels_per_beat <= 1 << 16:
            raise InputError(f"pixels_per_beat must be 1 to 65536, not {self.pixels_per_beat}")

    def pairs(self, network: Network) -> Iterator[tuple[Layer, LayerFolding]]:
        """Each layer with its folding. Raises InputError where they do not belong together."""
        wanted = [layer.name for layer in network.weighted]
        given = [fold.name for fold in self.layers]
        if wanted != given:
            raise InputError(
                f"the folding must name the layers {', '.join(wanted)}, in this order, "
                f"not {', '.join(given) or 'none'}"
            )
        for layer, fold in zip(network.weighted, self.layers, strict=True):
            if fold.planes > 1 and fold.planes >= 2 * layer.input_bits:
                raise InputError(
                    f"{fold.name}: planes must be below twice its input bits, "
                    f"{layer.input_bits}, not {fold.planes}"
                )
            _check_positions(layer, fold.positions, last=layer is network.layers[-1])
            yield layer, fold

    def map_words(self, network: Network) -> list[MapWords]:
        """How each map comes to its layer, so that it binds no more than the slowest layer."""
        windows = {
            fold.name: (fold.positions, fold.hold(layer)) for layer, fold in self.pairs(network)
        }
        return list(map_words(network, self.slowest(network), windows))

    def bus_pixels(self, network: Network) -> int:
        """Inputs a beat of the input bus, the default resolved.

        The fewest that keep the bus from binding, fill its bytes, and, where there is such a
        width not far above, divide the first layer's SIMD, or its map's words, or are divided by
        it, which makes the smallest gearbox.
        """
        if self.pixels_per_beat is not None:
            return self.pixels_per_beat
        needed = ceil_div(network.input.size, self.slowest(network))
        unit = 8 if network.input.bits == 1 else 1  # one-bit pixels fill bytes
        needed = ceil_div(needed, unit) * unit
        wide = self.layers[0].simd
        if isinstance(network.layers[0], Conv):
            wide = self.map_words(network)[0].wide
        for pixels in range(needed, 2 * needed + wide, unit):
            if pixels % wide == 0 or wide % pixels == 0:
                return pixels
        return needed

    def input_beats(self, network: Network) -> int:
        """Beats of the input bus a sample."""
        return ceil_div(network.input.size, self.bus_pixels(network))

    def output_beats(self, network: Network, output: str) -> int:
        """Beats of the output bus a sample: 1 for the class, M scores, or NF words of bits for
        each group of positions."""
        if network.output is None:
            last = network.weighted[-1]
            fold = self.layers[-1]
            return fold.groups(last) * fold.neuron_folds(last)
        return network.output.neurons if output == "scores" else 1

    def interval(self, network: Network, output: str = "class") -> int:
        """Cycles from one sample's result to the next one's, in steady state without stalls."""
        words = (one.words for one in self.map_words(network))
        beats = (self.input_beats(network), self.output_beats(network, output))
        return max(self.slowest(network), *words, *beats)

    def slowest(self, network: Network) -> int:
        """Cycles a sample of the layer that takes most."""
        return max(layer_cycles(layer, fold) for layer, fold in self.pairs(network))

    def to_toml(self) -> str:
        """The folding as TOML text."""
        bus = {"pixels_per_beat": self.pixels_per_beat} if self.pixels_per_beat is not None else {}
        tables = ["[[layer]]\n" + tomli_w.dumps(dataclasses.asdict(fold)) for fold in self.layers]
        return "\n".join(([tomli_w.dumps(bus)] if bus else []) + tables)

    def save(self, path: Path | str) -> None:
        """Write the folding to a TOML file."""
        write_text(Path(path), self.to_toml())

    @classmethod
    def load(cls, path: Path | str, network: Network | None = None) -> "Folding":
        """Read a folding from a TOML file; InputError names the file and what is wrong with it,
        where a network is given also whether it is one of that."""
        tables = read_toml(path)
        try:
            folding = cls._parse(tables)
            if network is not None:
                list(folding.pairs(network))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        return folding

    @classmethod
    def _parse(cls, tables: dict[str, Any]) -> "Folding":
        if unknown := sorted(set(tables) - {"layer", "pixels_per_beat"}):
            raise InputError(f"has an unknown key, {unknown[0]!r}")
        pixels = tables.get("pixels_per_beat")
        if pixels is not None and type(pixels) is not int:
            raise InputError(f"pixels_per_beat must be an integer, not {pixels!r}")
        entries = tables.get("layer", [])
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise InputError("must hold [[layer]] tables")
        kinds = {f.name: str if f.name in ("name", "weights") else int
                 for f in dataclasses.fields(LayerFolding)}  # fmt: skip
        for i, entry in enumerate(entries):
            if unknown := sorted(set(entry) - set(kinds)):
                raise InputError(f"layer {i} has an unknown key, {unknown[0]!r}")
            if "name" not in entry:
                raise InputError(f"layer {i} lacks a name")
            for key, value in entry.items():
                if type(value) is not kinds[key]:
                    raise InputError(
                        f"layer {i}: {key} must be of type {kinds[key].__name__}, not {value!r}"
                    )
        return cls(layers=tuple(LayerFolding(**e) for e in entries), pixels_per_beat=pixels)


def _check_positions(layer: Layer, positions: int, *, last: bool) -> None:
    if not isinstance(layer, Conv):
        if positions > 1:
            raise InputError(
                f"{layer.name}: positions must be 1, as it is no convolution, not {positions}"
            )
        return
    fit = at_once(layer.window, even=last)
    if positions not in fit:
        most = ", ".join(map(str, fit))
        raise InputError(f"{layer.name}: positions must be one of {most}, not {positions}")
