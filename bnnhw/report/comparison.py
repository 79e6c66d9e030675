"""`compare`: the network on FPGA, CPU and GPU, figure by figure."""

__all__ = ["Comparison", "compare", "compare_rows"]

import contextlib
import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from .. import console
from ..cost.devices import DEVICES, Device
from ..cost.precision import BITS, FLOAT32, PRECISIONS, Precision
from ..cost.roofline import least_time_s, moved_bytes, weight_bytes
from ..files import new_folder, write_bytes, write_text
from ..network import Network
from ..network_file import load
from ..record import Record, commit
from ..sw.bench import BATCH, Timing, measure
from ..sw.kept import kept_timings
from .fpga import fpga_rows
from .rows import Cell, Gap, Row, speed_cells

NAME = "compare"
NONE = Gap()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A network's rows.

    Parameters
    ----------
    network : Network
    name : str
        How people call the network: the data it was trained on, or its file's name.
    rows : tuple of Row
    """

    network: Network
    name: str
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """Every cell with its provenance."""
        return {
            "schema": 1,
            "network": self.name,
            "model_sha256": self.network.sha256,
            "rows": [row.to_json() for row in self.rows],
        }

    def table(self) -> RenderableType:
        """For the terminal."""
        from .table import terminal_table

        return terminal_table(self.title, self.rows)

    def markdown(self) -> str:
        """The same table in Markdown, with its notes."""
        from .table import markdown_table

        return markdown_table(self.title, self.rows)

    def png(self) -> bytes:
        """The chart."""
        from .chart import chart_png

        return chart_png(self.title, self.rows)

    @property
    def title(self) -> str:
        B = self.network.input.bits
        return f"{self.name}: {self.network.sizes}, {B}-bit inputs"


def compare(
    model: Network | Path | str,
    *,
    build: Path | str | None = None,
    out: Path | str | None = NAME,
    seed: int = 0,
) -> Comparison:
    """Compare a network on FPGA, CPU and GPU.

    Parameters
    ----------
    model : Network, or the path of one
    build : Path, optional
        Build folder generated from it, synthesized, routed and simulated; gives the FPGA's rows.
    out : Path, optional
        Folder to write `compare.md`, `compare.json` and `compare.png` to; None writes nothing.
    seed : int
        Of the inputs that CPU and GPU are timed on.

    Raises
    ------
    InputError
        A file that cannot be read, or a build folder of another network.
    """
    network = model if isinstance(model, Network) else load(model)
    name = "network" if isinstance(model, Network) else Path(model).stem
    name = str(network.training.get("data", name))  # a trained file is called model.safetensors
    fpga = [] if build is None else fpga_rows(network, Path(build))
    with contextlib.ExitStack() as stack:
        folder = None  # opened before anything is timed: a folder that is not ours is told at once
        if out is not None:
            folder = stack.enter_context(new_folder(Path(out), marker=f"{NAME}.json"))
        timings = measure(network, seed=seed)
        if not any(timing.runs.startswith("bits, CUDA") for timing in timings):
            timings += kept_timings(network)
        rows = compare_rows(network, fpga, timings)
        comparison = Comparison(network=network, name=name, rows=tuple(rows))
        if folder is not None:
            with console.progress("draw the chart"):
                write_bytes(folder / f"{NAME}.png", comparison.png())
            write_text(folder / f"{NAME}.md", comparison.markdown())
            write_text(folder / f"{NAME}.json", json.dumps(comparison.to_json(), indent=2) + "\n")
    return comparison


def compare_rows(network: Network, fpga: list[Row], timings: list[Timing]) -> list[Row]:
    """All rows: those of the FPGA, those timed here or elsewhere, and the rooflines.

    Parameters
    ----------
    fpga : list of Row
        Their weights, and what they move against float32, are filled in here.
    timings : list of Timing
    """
    rows = [
        dataclasses.replace(row, cells=_memory(network, BITS, row.cell("moved")) | row.cells)
        for row in fpga
    ]
    for timing in timings:
        cells = speed_cells(timing.one, timing.many, BATCH)
        cells |= _memory(network, Precision(name=timing.runs, bits=timing.weight_bits))
        rows.append(Row(device=timing.one.on, runs=timing.runs, cells=cells))
    for device in DEVICES:
        for precision in PRECISIONS:
            cells = _roofline(network, device, precision) | _memory(network, precision)
            rows.append(Row(device=device.name, runs=precision.name, cells=cells))
    return rows


def _roofline(network: Network, device: Device, precision: Precision) -> dict[str, Cell]:
    def least(batch: int) -> Record | None:
        seconds = least_time_s(network, device, precision, batch)
        if seconds is None:
            return None
        rate = device.operations_per_s[precision]
        return Record(
            name="time",
            value=seconds,
            unit="s",
            kind="estimated",
            how=f"roofline, batch {batch}: {rate:.4g} operations/s, "
            f"{device.memory_bytes_per_s:.4g} B/s; no launches, no transfers from the host",
            on=device.name,
            commit=commit(),
            source=device.source,
        )

    one, many = least(1), least(BATCH)
    if one is None or many is None:
        gap = Gap(device.unpublished[precision])
        return {f"estimated_{k}": gap for k in ("latency", "rate_1", "rate_4096")}
    return speed_cells(one, many, BATCH)


def _memory(network: Network, precision: Precision, moved: Cell = NONE) -> dict[str, Cell]:
    """Bytes of weights and bytes moved an image, and how many times less than float32's."""
    counted = functools.partial(Record, kind="measured", on="network", commit=commit())
    modelled = functools.partial(Record, kind="estimated", on="network", commit=commit())
    if not isinstance(moved, Record):
        moved = modelled(
            name="moved",
            value=moved_bytes(network, precision, 1),
            unit="B",
            how="batch 1: every weight once, what goes into and out of each layer once",
        )
    weights = weight_bytes(network, precision)
    weights_less = weight_bytes(network, FLOAT32) / weights
    moved_less = moved_bytes(network, FLOAT32, 1) / float(moved.value)
    how = f"{precision.bits} bits a weight, packed"
    less = "float32's bytes over these"
    return {
        "weights": counted(name="weights", value=weights, unit="B", how=how),
        "weights_less": counted(name="weights_less", value=weights_less, unit="1", how=less),
        "moved": moved,
        "moved_less": modelled(name="moved_less", value=moved_less, unit="1", how=less),
    }
