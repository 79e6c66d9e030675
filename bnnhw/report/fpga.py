"""The FPGA's row: the routed clock and the counted cycles, out of a build folder's records."""

__all__ = ["fpga_rows"]

import dataclasses
import json
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..network import Network
from ..record import Record, read_records
from .rows import Cell, Gap, Row

OUTPUT_BYTES = 4


def fpga_rows(network: Network, build: Path) -> list[Row]:
    """A row for each `synth-*` folder in a build folder.

    Throughput is the clock after place and route over the cycles between results counted in
    simulation; latency the cycles counted from an image's first beat to its last result, over the
    same clock. Images go through one by one, so a batch of 4,096 takes 4,096 intervals.

    Raises
    ------
    InputError
        No build folder, or one of another network.
    """
    manifest = _manifest(build)
    if manifest.get("model_sha256") != network.sha256:
        raise InputError(f"{build} was generated from another network; generate it again")
    cycles = _cycles(build)
    traffic = _traffic(manifest, build)
    rows = []
    for folder in sorted(build.glob("synth-*")):
        records = folder / "records.json"
        if records.is_file():
            rows.append(_row(read_records(records), cycles, traffic, build))
    if rows:
        return rows
    reason = f"bnnhw synth {build} --target ecp5 --route gives it"
    speeds = ("measured_latency", "measured_rate_1", "measured_rate_4096")
    return [Row(device="FPGA", runs="bits, bnnhw", cells={key: Gap(reason) for key in speeds})]


def _manifest(build: Path) -> dict[str, Any]:
    path = build / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{build} is no build folder: it holds no manifest.json") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a readable manifest ({error})") from None
    if not isinstance(manifest, dict):
        raise InputError(f"{path}: not a readable manifest (no JSON object)")
    return manifest


def _cycles(build: Path) -> dict[str, Record]:
    """`interval_cycles` and `latency_cycles` of the simulation, where it found no mismatch."""
    path = build / "simulation" / "records.json"
    if not path.is_file():
        return {}
    records = {record.name: record for record in read_records(path)}
    if "mismatches" in records and records["mismatches"].value != 0:
        raise InputError(f"{path}: the simulation differed from golden; its cycles say nothing")
    return records


def _traffic(manifest: dict[str, Any], build: Path) -> Record:
    """Bytes that go through the two streams for an image."""
    try:
        stated = manifest["input"]
        pixels, beats = int(stated["pixels_per_beat"]), int(stated["beats"])
        beat_bytes = pixels if int(stated["bits"]) > 1 else -(-pixels // 8)
        out_bytes = OUTPUT_BYTES
        if manifest["output"] == "bits":
            last = manifest["layers"][-1]["folding"]
            out_bytes = -(-int(last["rows"]) * int(last["positions"]) // 8)
        value = beats * beat_bytes + int(manifest["output_beats"]) * out_bytes
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{build}: its manifest lacks {error}; generate it again") from None
    return Record(
        name="moved",
        value=value,
        unit="B",
        kind="estimated",
        how="bytes of the beats of both streams for an image; weights stay on the chip",
        on="manifest",
    )


def _row(records: list[Record], cycles: dict[str, Record], traffic: Record, build: Path) -> Row:
    found = {record.name: record for record in reversed(records)}  # the first of a name counts
    clock = found.get("clock_median", found.get("clock"))
    device = records[0].on if records else "FPGA"
    cells: dict[str, Cell] = {"moved": traffic}
    for key, name in (
        ("measured_latency", "latency_cycles"),
        ("measured_rate_1", "interval_cycles"),
        ("measured_rate_4096", "interval_cycles"),
    ):
        counted = cycles.get(name)
        if clock is None:
            cells[key] = Gap("not routed: bnnhw synth with --route gives the clock")
        elif counted is None:
            cells[key] = Gap(f"bnnhw simulate {build} --vectors 100, without stalls, counts it")
        elif key == "measured_latency":
            cells[key] = _over(clock, counted, "latency", "s", inverse=True)
        else:
            cells[key] = _over(clock, counted, "throughput", "images/s", inverse=False)
    return Row(device=device, runs="bits, bnnhw", cells=cells)


def _over(clock: Record, cycles: Record, name: str, unit: str, *, inverse: bool) -> Record:
    """The clock over the cycles, or the cycles over the clock, with both provenances."""
    value = float(clock.value) / float(cycles.value)
    return dataclasses.replace(
        clock,
        name=name,
        value=1 / value if inverse else value,
        unit=unit,
        how=f"{float(clock.value) / 1e6:.2f} MHz, {clock.how}; "
        f"{float(cycles.value):g} cycles, {cycles.how}",
        tools=clock.tools | cycles.tools,
    )
