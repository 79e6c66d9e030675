"""A build folder as the simulator sees it: the manifest's facts, the network, the vectors."""

__all__ = ["Core", "CoreLayer", "read_core"]

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..files import sha256_of
from ..golden import Trace
from ..network import Network
from ..network_file import load
from ..queues import Queue
from ..rtl.emit import MANIFEST, SCHEMA
from ..technology import GENERIC


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CoreLayer:
    """A layer of the Verilog, or a pooling, and the two wires by which it is watched.

    Parameters
    ----------
    name : str
    neurons : int
        M; of a pooling its channels.
    vectors : int
        Vectors that it meets an image, each of which gives M values.
    tap_valid, tap_data : str
        Hierarchical names below the top. `tap_valid` is 1 in the one cycle in which `tap_data` is
        a word.
    positions, rows, width, words : int
        Vectors come in groups of `positions`, side by side in a row of theirs. Word f of a group,
        0 <= f < words, holds of its vector p neuron f * rows + r, as the value p * rows + r of
        `width` bits: one bit, or a score in two's complement.
    row : int
        Vectors a row of a map; its last group may lack some.
    """

    name: str
    neurons: int
    vectors: int
    tap_valid: str
    tap_data: str
    positions: int
    rows: int
    width: int
    words: int
    row: int

    @property
    def lines(self) -> int:
        """Rows of vectors an image."""
        return self.vectors // self.row

    @property
    def groups(self) -> int:
        """Groups a row."""
        return -(-self.row // self.positions)

    @property
    def words_an_image(self) -> int:
        return self.lines * self.groups * self.words

    @property
    def values(self) -> int:
        """A word."""
        return self.positions * self.rows

    @property
    def bits(self) -> int:
        """Bits of all words of one image."""
        return self.values * self.width * self.words_an_image

    def placed(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values (N, vectors * M) where they lie in an image's words, 0 between them."""
        N, G, Q, F = len(values), self.lines * self.groups, self.positions, self.words
        each = values.reshape(N, self.lines, self.row, self.neurons)
        spare = (0, self.groups * Q - self.row), (0, F * self.rows - self.neurons)
        full = np.pad(each, ((0, 0), (0, 0), *spare)).reshape(N, G, Q, F, self.rows)
        return full.swapaxes(2, 3).reshape(N, self.words_an_image * self.values)

    def taken(self, places: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The values (N, vectors * M) of an image's words."""
        N, G, Q, F = len(places), self.lines * self.groups, self.positions, self.words
        full = places.reshape(N, G, F, Q, self.rows).swapaxes(2, 3)
        each = full.reshape(N, self.lines, self.groups * Q, F * self.rows)
        return each[:, :, : self.row, : self.neurons].reshape(N, self.vectors * self.neurons)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Core:
    """A generated core: everything that the bench has to know of it.

    Parameters
    ----------
    folder : Path
    verilog : tuple of Path
    top : str
    output : "class", "scores" or "bits"
    pixels_per_beat, input_beats, input_width : int
        Of `s_axis`.
    output_beats, output_width : int
        Of `m_axis`.
    layers : tuple of CoreLayer
    queues : tuple of Queue
    interval : int
        Cycles, as the manifest promises them.
    latency : int or None
        Likewise; None where it is not promised: of networks with maps.
    network : Network
    family : str
        The family whose cells the Verilog names, or `generic`.
    netlist : str
        The device that the Verilog is mapped to; empty for the Verilog that was generated.
    models : str
        Verilog of the cells that a netlist is made of.
    """

    folder: Path
    verilog: tuple[Path, ...]
    top: str
    output: str
    pixels_per_beat: int
    input_beats: int
    input_width: int
    output_beats: int
    output_width: int
    layers: tuple[CoreLayer, ...]
    queues: tuple[Queue, ...]
    interval: int
    latency: int | None
    network: Network
    family: str = GENERIC
    netlist: str = ""
    models: str = ""

    @property
    def tapped(self) -> tuple[CoreLayer, ...]:
        """The layers that can be watched; in a netlist the wires that showed them are gone."""
        return () if self.netlist else self.layers

    @property
    def watched(self) -> tuple[Queue, ...]:
        """The queues that can be watched, likewise."""
        return () if self.netlist else self.queues

    @property
    def flight(self) -> int:
        """Cycles after which nothing of an image is left in the core, at least."""
        # What waits for a map, waits for no more than the stage before it gives in an interval.
        stages = len(self.network.layers) + 1
        return stages * self.interval if self.latency is None else self.latency

    def layer_values(self, trace: Trace) -> list[npt.NDArray[Any]]:
        """What each layer but a flattening gives, (N, M * vectors), as golden's trace has it."""
        scores = [] if trace.scores is None else [trace.scores]
        given: list[npt.NDArray[Any]] = [*trace.bits, *scores]
        named = zip(self.network.layers, given, strict=True)
        seen = {layer.name for layer in self.layers}
        return [v.reshape(len(v), -1) for layer, v in named if layer.name in seen]

    def vectors(self) -> npt.NDArray[np.uint8]:
        """The inputs (N, K) that `generate` wrote beside the Verilog."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = self.folder / "vectors.safetensors"
        try:
            x = load_file(path)["x"]
        except (OSError, SafetensorError, KeyError) as error:
            raise InputError(f"{path}: not a file of test vectors ({error})") from None
        form = self.network.input
        if x.dtype != np.uint8 or x.ndim != 2 or x.shape[1] != form.size or (x > form.top).any():
            raise InputError(
                f"{path}: x must be uint8 of shape (N, {form.size}), at most {form.top}"
            )
        return x


def read_core(folder: Path | str, *, check: bool = True) -> Core:
    """Read a build folder.

    Parameters
    ----------
    check : bool
        Compare every file's SHA-256 with the manifest's.

    Raises
    ------
    InputError
        One line: the file, what is wrong with it, what to do.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}; `bnnhw generate -o {folder}` makes a build folder"
        ) from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})") from None
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise InputError(f"{path}: schema must be {SCHEMA}; another version of bnnhw wrote it")
    try:
        if check:
            _check_files(folder, manifest)
        network = load(folder / "model.safetensors")
        if check and manifest["model_sha256"] != sha256_of(folder / "model.safetensors"):
            raise InputError(f"{path}: model.safetensors is not the model that was generated")
        return _core(folder, manifest, network)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: lacks or misstates {error}") from None


def _check_files(folder: Path, manifest: dict[str, Any]) -> None:
    for entry in manifest["files"]:
        path = folder / entry["path"]
        if not path.is_file():
            raise InputError(f"{path}: no such file, but the manifest lists it; generate it anew")
        if sha256_of(path) != entry["sha256"]:
            raise InputError(f"{path}: changed since it was generated; generate it anew")


def _core(folder: Path, manifest: dict[str, Any], network: Network) -> Core:
    widths = {port["name"]: int(port["width"]) for port in manifest["ports"]}
    layers = [_layer(told) for told in manifest["layers"]]
    if [(c.name, c.neurons) for c in layers] != [(n.name, n.neurons) for n in network.weighted]:
        raise InputError(f"{folder}: the manifest's layers are not the network's")
    order = [layer.name for layer in network.layers]
    layers += [_layer(told) for told in manifest["pools"] if told["name"] in order]
    layers.sort(key=lambda layer: order.index(layer.name))
    return Core(
        folder=folder,
        verilog=tuple(
            folder / file["path"] for file in manifest["files"] if file["path"].endswith(".v")
        ),
        top=manifest["top"],
        output=manifest["output"],
        pixels_per_beat=int(manifest["input"]["pixels_per_beat"]),
        input_beats=int(manifest["input"]["beats"]),
        input_width=widths["s_axis_tdata"],
        output_beats=int(manifest["output_beats"]),
        output_width=widths["m_axis_tdata"],
        layers=tuple(layers),
        queues=tuple(Queue(**queue) for queue in manifest["queues"]),
        interval=int(manifest["interval"]),
        latency=None if manifest["latency"] is None else int(manifest["latency"]),
        network=network,
        family=manifest.get("technology", {}).get("family", GENERIC),
    )


def _layer(told: dict[str, Any]) -> CoreLayer:
    tap = told["tap"]
    return CoreLayer(
        name=told["name"],
        neurons=int(told["neurons"]),
        vectors=int(told["vectors"]),
        tap_valid=tap["valid"],
        tap_data=tap["data"],
        positions=int(tap["positions"]),
        rows=int(tap["rows"]),
        width=int(tap["width"]),
        words=int(tap["words"]),
        row=int(told["row"]),
    )
