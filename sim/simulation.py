"""Runs a core's Verilog or netlist on images, compares it with golden, and counts its cycles."""

__all__ = ["predict", "simulate"]

import dataclasses
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .. import console
from ..errors import InputError, ToolError
from ..folding import Folding, layer_cycles
from ..golden import Trace, evaluate
from ..record import write_records
from ..vectors import random_vectors
from .checker import result_fields
from .core import Core, read_core
from .job import Outcome
from .netlist import netlist_core, netlist_folder
from .packet import Packet, Results
from .result import Prediction, Simulation
from .run import Conditions, Stall, run_job, run_mismatch, violation_of
from .simulators import SIMULATORS, Compiled, compile_core


def simulate(
    build: Path | str,
    *,
    netlist: Path | str | bool = False,
    simulator: str = "verilator",
    vectors: int | None = None,
    data: str | None = None,
    samples: int | None = None,
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
    netlist : Path or bool
        A folder that `bnnhw synth` wrote: its netlist is simulated, with models of the device's
        cells, and the core's outputs and cycles are compared; the layers' inner bits cannot be.
        True: the one `synth-<target>` in the build folder.
    simulator : "verilator" or "icarus"
    vectors : int, optional
        How many inputs: the build folder's own first, then the test part of `data`, then (with no
        data) random ones. None: all of the build folder's and of the data's.
    samples : int, optional
        Of the data's test part only so many, the first ones.
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
        build folder, those of a netlist to `simulation/records-<its folder>.json`.

    Raises
    ------
    InputError, ToolError
    """
    core, records = read_core(build, check=check_files), "records.json"
    if netlist is not False:
        folder = netlist_folder(core, None if netlist is True else Path(netlist))
        core, records = netlist_core(core, folder, check=check_files), f"records-{folder.name}.json"
    x = gather(core, vectors, data=data, samples=samples, data_dir=data_dir, seed=seed)
    conditions = Conditions(
        seed=seed, stall_in=stall_in, stall_out=stall_out, waves_from=0 if waves else None
    )
    result = run_core(core, x, evaluate(core.network, x), simulator, conditions)
    write_records(core.folder / "simulation" / records, result.records(seed))
    return result


def gather(
    core: Core,
    count: int | None,
    *,
    data: str | None,
    samples: int | None,
    data_dir: Path | str,
    seed: int,
) -> npt.NDArray[np.uint8]:
    """The inputs (N, K) of a simulation."""
    if count is not None and count < 1:
        raise InputError(f"vectors must be at least 1, not {count}")
    if samples is not None and (data is None or samples < 1):
        raise InputError(f"samples are of --data, at least 1, not {samples} of {data}")
    parts = [core.vectors()]
    if data is not None:
        from ..datasets import load

        raw = load(data, data_dir).part("test")[0]
        if samples is not None and samples > len(raw):
            raise InputError(f"samples must be at most {len(raw)}, as {data} has, not {samples}")
        raw = raw[:samples]
        parts.append(core.network.input.quantize(raw.reshape(len(raw), -1)))
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
    since = run.violation_cycle - 2 * core.flight
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
    folding = Folding.load(core.folder / "folding.toml", core.network)
    return Simulation(
        simulator=compiled.simulator,
        version=compiled.version,
        images=run.images,
        neurons=sum(values.shape[1] for _, values in result_fields(core, results)),
        netlist=core.netlist,
        cycles=run.cycles,
        mismatch=run_mismatch(core, expected, run, outcome.packets),
        violation=violation_of(core, run),
        interval_cycles=interval,
        latency_cycles=latency,
        interval=core.interval,
        latency=core.latency,
        steps={
            layer.name: layer_cycles(layer, fold) for layer, fold in folding.pairs(core.network)
        },
        queues={
            queue.name: (held, queue.depth)
            for queue, held in zip(core.watched, run.most, strict=False)
        },
        compile_s=0.0,
        wall_s=outcome.wall_s,
        log=log,
    )


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
