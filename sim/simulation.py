"""Runs a core's Verilog on images, compares all it gives with golden, and counts its cycles."""

__all__ = ["Prediction", "Simulation", "predict", "simulate"]

import dataclasses
import shutil
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .. import console
from ..errors import InputError, ToolError
from ..golden import Trace, evaluate
from ..record import Record, commit, write_records
from ..vectors import random_vectors
from .checker import Mismatch, first_mismatch, result_fields, trace_fields
from .core import Core, read_core
from .job import JOB_VARIABLE, PROGRESS, Deposit, Job, Outcome, Run
from .packet import Packet, Results, drive
from .shim import violation_text
from .simulators import SIMULATORS, Compiled, compile_core, work_folder

Stall = float | Literal["bursts"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """How a simulation went.

    Parameters
    ----------
    simulator, version : str
    images : int
        Results compared; fewer than were asked for where it stopped at the first mismatch.
    neurons : int
        Values compared an image: every layer's, and the core's own.
    cycles : int
        Simulated.
    mismatch : Mismatch or None
    violation : str
        What broke the rules of the streams, and when; empty for nothing.
    interval_cycles : Fraction or None
        Cycles from one result to the next in steady state, over the second half of the images;
        None with stalls, or fewer than 8 images.
    latency_cycles : int or None
        Of the first image, into an empty core; None with stalls.
    interval, latency : int
        What the manifest promises.
    compile_s, wall_s : float
        Seconds to compile (0 where it was compiled already), and to simulate.
    log, waves : Path or None
    """

    simulator: str
    version: str
    images: int
    neurons: int
    cycles: int
    mismatch: Mismatch | None
    violation: str
    interval_cycles: Fraction | None
    latency_cycles: int | None
    interval: int
    latency: int
    compile_s: float
    wall_s: float
    log: Path
    waves: Path | None = None

    @property
    def failure(self) -> str:
        """What is wrong, in one line; empty if nothing is."""
        if self.mismatch is not None:
            return f"the Verilog differs from golden: {self.mismatch}"
        if self.violation:
            return self.violation
        counted = (
            ("interval", self.interval_cycles, self.interval),
            ("latency", self.latency_cycles, self.latency),
        )
        for name, cycles, promised in counted:
            if cycles is not None and cycles != promised:
                return f"the {name} is {float(cycles):g} cycles, but the manifest says {promised}"
        return ""

    @property
    def cycles_per_s(self) -> float:
        return self.cycles / self.wall_s

    def records(self, seed: int) -> list[Record]:
        """The figures, with where they come from."""
        values = [
            ("images", self.images, "1", "compared with golden, every layer's values"),
            ("mismatches", int(self.mismatch is not None), "1", "stops at the first"),
            ("simulated_cycles", self.cycles, "1", "counted in simulation"),
            ("compile_time", round(self.compile_s, 2), "s", "wall time, 0 if compiled before"),
            ("simulation_time", round(self.wall_s, 2), "s", "wall time"),
            ("simulation_speed", round(self.cycles_per_s), "Hz", "cycles a second of wall time"),
        ]
        if self.interval_cycles is not None:
            how = "counted in simulation between results, second half of the images"
            values.append(("interval_cycles", float(self.interval_cycles), "1", how))
        if self.latency_cycles is not None:
            how = "counted in simulation, first image, first beat taken to last beat given"
            values.append(("latency_cycles", self.latency_cycles, "1", how))
        return [
            Record(
                name=name,
                value=value,
                unit=unit,
                kind="measured",
                how=how,
                on=self.simulator,
                tools={self.simulator: self.version},
                seed=seed,
                commit=commit(),
            )
            for name, value, unit, how in values
        ]

    def table(self) -> Any:
        """What a person reads."""
        rows: list[tuple[str, str]] = [
            ("images", f"{self.images:,}, {self.neurons:,} values each"),
            ("equal to golden", "no" if self.mismatch else "all"),
        ]
        if self.interval_cycles is not None:
            counted = f"{float(self.interval_cycles):g} cycles an image"
            rows.append(("interval", f"{counted}, {self.interval} promised"))
        if self.latency_cycles is not None:
            rows.append(("latency", f"{self.latency_cycles} cycles, {self.latency} promised"))
        speed = f"{self.cycles:,} cycles in {self.wall_s:.1f} s, {self.cycles_per_s:,.0f} a second"
        rows.append(("simulated", speed))
        if self.compile_s:
            rows.append(("compiled", f"in {self.compile_s:.1f} s"))
        if self.waves is not None:
            rows.append(("waveform", str(self.waves)))
        shown = console.table(f"{self.simulator} {self.version}", ("", ""), rows)
        shown.show_header = False
        return shown

    def to_json(self) -> dict[str, Any]:
        interval = self.interval_cycles
        return dataclasses.asdict(self) | {
            "mismatch": self.mismatch and self.mismatch.to_json(),
            "interval_cycles": None if interval is None else float(interval),
            "cycles_per_s": round(self.cycles_per_s),
            "log": str(self.log),
            "waves": None if self.waves is None else str(self.waves),
            "failure": self.failure,
        }


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Prediction:
    """What the Verilog says about N samples.

    Parameters
    ----------
    classes : ndarray[uint16], (N,), or None where the network ends in bits
    scores : ndarray[int32], (N, M), or None likewise
    bits : tuple of ndarray[uint8], (N, M)
        Of each hidden layer.
    cycles : ndarray[int64], (N,)
        From a sample's first beat to the last beat of its result; with several samples in the core
        at once this is more than the latency of an empty one.
    """

    classes: npt.NDArray[np.uint16] | None
    scores: npt.NDArray[np.int32] | None
    bits: tuple[npt.NDArray[np.uint8], ...]
    cycles: npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """What a simulation runs under: the seed of its stalls, the stalls, the recording."""

    seed: int = 0
    stall_in: Stall = 0.0
    stall_out: Stall = 0.0
    waves_from: int | None = None

    def __post_init__(self) -> None:
        for name in ("stall_in", "stall_out"):
            value = getattr(self, name)
            if value != "bursts" and not 0 <= value < 1:
                raise InputError(f"{name} must be at least 0 and below 1, or bursts, not {value}")

    @property
    def stalled(self) -> bool:
        return bool(self.stall_in or self.stall_out)

    def settings(self, core: Core) -> dict[str, int]:
        """The shim's inputs."""
        rng = np.random.default_rng(self.seed)
        chosen = {
            "idle_limit": 10_000 + 16 * (core.latency + core.interval),
            "dump_from": (1 << 48) - 1 if self.waves_from is None else self.waves_from,
        }
        for side, stall in (("in", self.stall_in), ("out", self.stall_out)):
            chosen[f"seed_{side}"] = int(rng.integers(1, 1 << 32))
            chosen[f"burst_{side}"] = int(stall == "bursts")
            chosen[f"stall_{side}"] = 0 if stall == "bursts" else round(float(stall) * 65536)
        return chosen


def simulate(
    build: Path | str,
    *,
    simulator: str = "verilator",
    vectors: int | None = None,
    data: str | None = None,
    data_dir: Path | str = "data",
    seed: int = 0,
    stall_in: Stall = 0.0,
    stall_out: Stall = 0.0,
    waves: bool = False,
    check_files: bool = True,
) -> Simulation:
    """Run a build folder's Verilog and compare every output and every layer's bits with golden.

    Parameters
    ----------
    build : Path
        What `bnnhw generate` wrote.
    simulator : "verilator" or "icarus"
    vectors : int, optional
        How many inputs: the build folder's own first, then the test part of `data`, then (with no
        data) random ones. None: all of the build folder's and of the data's.
    seed : int
        Of random inputs and of stalls.
    stall_in, stall_out : float or "bursts"
        The chance of a stall in each cycle, 0 to below 1, or stalls in long bursts.
    waves : bool
        Record the whole run. Without it a run that fails is repeated, recorded from shortly before
        the failure on.
    check_files : bool
        Compare the files with the manifest's hashes first.

    Returns
    -------
    Simulation
        `failure` is empty if all is well. Records are written to `simulation/records.json` in the
        build folder.

    Raises
    ------
    InputError, ToolError
    """
    core = read_core(build, check=check_files)
    x = gather(core, vectors, data=data, data_dir=data_dir, seed=seed)
    conditions = Conditions(
        seed=seed, stall_in=stall_in, stall_out=stall_out, waves_from=0 if waves else None
    )
    result = run_core(core, x, evaluate(core.network, x), simulator, conditions)
    write_records(core.folder / "simulation" / "records.json", result.records(seed))
    return result


def gather(
    core: Core, count: int | None, *, data: str | None, data_dir: Path | str, seed: int
) -> npt.NDArray[np.uint8]:
    """The inputs (N, K) of a simulation."""
    if count is not None and count < 1:
        raise InputError(f"vectors must be at least 1, not {count}")
    parts = [core.vectors()]
    if data is not None:
        from ..datasets import load

        samples = load(data, data_dir).part("test")[0]
        parts.append(core.network.input.quantize(samples.reshape(len(samples), -1)))
    have = sum(map(len, parts))
    if count is not None and count > have:
        if data is not None:
            raise InputError(
                f"vectors must be at most {have}, not {count}: the build folder holds "
                f"{len(parts[0])}, the test part of {data} {len(parts[1])}"
            )
        parts.append(random_vectors(core.network, count - have, seed))
    return np.concatenate(parts)[:count]


def run_core(
    core: Core,
    x: npt.NDArray[np.uint8],
    expected: Trace,
    simulator: str,
    conditions: Conditions,
) -> Simulation:
    """Simulate, compare, count; record the waveform of a failure."""
    compiled, compile_s = _compile(core, simulator, waves=conditions.waves_from is not None)
    outcome, log = run_job(core, compiled, x, expected, conditions)
    result = _judge(core, compiled, expected, outcome, stalled=conditions.stalled, log=log)
    result = dataclasses.replace(result, compile_s=compile_s)
    if conditions.waves_from is not None:
        return dataclasses.replace(result, waves=_waves_file(core))
    if result.mismatch is None and not result.violation:
        return result
    console.remark(f"{result.failure}; running again to record the waveform")
    run = outcome.runs[0]
    since = run.violation_cycle - 2 * core.latency
    if result.mismatch is not None:
        since = int(Packet(core).decode(outcome.packets[-1:]).first[0])
    again = dataclasses.replace(conditions, waves_from=max(since - 16, 0))
    compiled, _ = _compile(core, simulator, waves=True)
    run_job(core, compiled, x, expected, again)
    return dataclasses.replace(result, waves=_waves_file(core))


def _compile(core: Core, simulator: str, *, waves: bool) -> tuple[Compiled, float]:
    if simulator not in SIMULATORS:
        raise InputError(f"simulator must be {' or '.join(SIMULATORS)}, not {simulator!r}")
    began = time.monotonic()
    compiled = compile_core(core, simulator, waves=waves)
    return compiled, 0.0 if compiled.cached else time.monotonic() - began


def _waves_file(core: Core) -> Path | None:
    path = core.folder / "simulation" / "waves.vcd"
    return path if path.is_file() else None


def run_job(
    core: Core,
    compiled: Compiled,
    x: npt.NDArray[np.uint8],
    expected: Trace | None,
    conditions: Conditions,
    *,
    deposits: Sequence[Deposit | None] = (None,),
) -> tuple[Outcome, Path]:
    """Push inputs (N, K) through a compiled core once for each deposit.

    Each run stops at the first result that is not as expected; `expected` None: expect nothing.

    Returns
    -------
    Outcome, and the path of the simulator's log.
    """
    packet = Packet(core)
    mask = packet.mask()
    job = Job(
        images=drive(core, x, conditions.seed),
        expected=np.zeros((len(x), packet.size), np.uint8)
        if expected is None
        else packet.encode(expected, len(x)),
        mask=mask if expected is not None else np.zeros_like(mask),
        deposits=tuple(deposits),
        settings=conditions.settings(core),
        drain=core.latency + 2 * core.interval + 64,
    )
    log = core.folder / "simulation" / f"{compiled.simulator}.log"
    what = f"simulating on {compiled.simulator}"
    with work_folder(core) as work, console.progress(what, len(x) * len(deposits)) as bar:
        job.write(work)
        shown = 0

        def on_line(line: str) -> None:
            nonlocal shown
            if line.startswith(PROGRESS):
                count = int(line.removeprefix(PROGRESS))
                bar.advance(count - shown)
                shown = count

        compiled.run(
            work, log=log.resolve(), environment={JOB_VARIABLE: str(work)}, on_line=on_line
        )
        if not (work / "outcome.json").is_file():
            raise ToolError("the bench broke off in the simulator", log=log, tail=_tail(log))
        outcome = Outcome.read(work)
        bar.advance(len(x) * len(deposits) - shown)
        if (work / "waves.vcd").is_file():
            shutil.move(work / "waves.vcd", core.folder / "simulation" / "waves.vcd")
    return outcome, log


def _tail(log: Path) -> str:
    """What broke off the bench: the last line that names an error, with its surroundings."""
    lines = log.read_text(errors="replace").splitlines()
    named = [i for i, line in enumerate(lines) if "Error" in line]
    return "\n".join(lines[max(named[-1] - 2, 0) : named[-1] + 1]) if named else ""


def _judge(
    core: Core,
    compiled: Compiled,
    expected: Trace,
    outcome: Outcome,
    *,
    stalled: bool,
    log: Path,
) -> Simulation:
    run, results = outcome.runs[0], Packet(core).decode(outcome.packets)
    interval, latency = (None, None) if stalled else _count(results)
    return Simulation(
        simulator=compiled.simulator,
        version=compiled.version,
        images=run.images,
        neurons=sum(values.shape[1] for _, values in result_fields(core, results)),
        cycles=run.cycles,
        mismatch=run_mismatch(core, expected, run, outcome.packets),
        violation=violation_of(core, run),
        interval_cycles=interval,
        latency_cycles=latency,
        interval=core.interval,
        latency=core.latency,
        compile_s=0.0,
        wall_s=outcome.wall_s,
        log=log,
    )


def run_mismatch(
    core: Core, expected: Trace, run: Run, packets: npt.NDArray[np.uint8]
) -> Mismatch | None:
    """The first value of a run that is not as expected; `packets` are this run's."""
    if not run.failed:
        return None
    layout, i = Packet(core), run.images - 1
    unknown = int(run.unknown, 16).to_bytes(layout.size, "little")
    found = first_mismatch(
        [(name, values[i : i + 1]) for name, values in trace_fields(core, expected)],
        result_fields(core, layout.decode(packets[i : i + 1])),
        result_fields(core, layout.decode(np.frombuffer(unknown, np.uint8)[None])),
    )
    assert found is not None, "the bench and the checker read a packet differently"
    return dataclasses.replace(found, image=i)


def violation_of(core: Core, run: Run) -> str:
    if not run.violation:
        return ""
    what = violation_text(core, run.violation)
    return f"{what} (cycle {run.violation_cycle}, after {run.images} results)"


def _count(results: Results) -> tuple[Fraction | None, int | None]:
    """Interval in steady state, and latency of the first image."""
    N = len(results)
    if not N:
        return None, None
    latency = int(results.last[0] - results.first[0])
    if N < 8:
        return None, latency
    half = N // 2
    return Fraction(int(results.last[-1] - results.last[half]), N - 1 - half), latency


def predict(
    build: Path | str,
    images: npt.ArrayLike,
    *,
    simulator: str = "verilator",
    quantized: bool = False,
    check_files: bool = True,
) -> Prediction:
    """Run a build folder's Verilog on samples, and return what it says; nothing is compared.

    Parameters
    ----------
    images : array of numbers, (N, *shape) or (N, K)
        Raw samples, as the network's input format takes them.
    quantized : bool
        They are inputs already, uint8, 0 to 2^B - 1.

    Raises
    ------
    InputError, ToolError
    """
    core = read_core(build, check=check_files)
    x = np.asarray(images) if quantized else core.network.input.quantize(images)
    form = core.network.input
    if x.ndim != 2 or x.shape[1] != form.size or x.dtype != np.uint8 or (x > form.top).any():
        raise InputError(f"inputs must be uint8 of shape (N, {form.size}), at most {form.top}")
    compiled, _ = _compile(core, simulator, waves=False)
    outcome, _ = run_job(core, compiled, x, None, Conditions())
    run, results = outcome.runs[0], Packet(core).decode(outcome.packets)
    if run.violation:
        raise ToolError(violation_of(core, run))
    return Prediction(
        classes=None if results.scores is None else _classes(core, results),
        scores=results.scores,
        bits=results.bits,
        cycles=results.last - results.first,
    )


def _classes(core: Core, results: Results) -> npt.NDArray[np.uint16]:
    if core.output == "class":
        return results.output[:, 0].astype(np.uint16)
    assert results.scores is not None
    return results.scores.argmax(axis=1).astype(np.uint16)
