"""Pushes images through a compiled core, once or with one fault after another."""

__all__ = ["Conditions", "Stall", "run_job", "run_mismatch", "violation_of"]

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from .. import console
from ..errors import InputError, ToolError
from ..golden import Trace
from .checker import Mismatch, first_mismatch, result_fields, trace_fields
from .core import Core
from .job import JOB_VARIABLE, PROGRESS, Deposit, Job, Outcome, Run
from .packet import Packet, drive
from .shim import violation_text
from .simulators import Compiled, work_folder

Stall = float | Literal["bursts"]


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
            "idle_limit": 10_000 + 16 * (core.flight + core.interval),
            "dump_from": (1 << 48) - 1 if self.waves_from is None else self.waves_from,
        }
        for side, stall in (("in", self.stall_in), ("out", self.stall_out)):
            chosen[f"seed_{side}"] = int(rng.integers(1, 1 << 32))
            chosen[f"burst_{side}"] = int(stall == "bursts")
            chosen[f"stall_{side}"] = 0 if stall == "bursts" else round(float(stall) * 65536)
        return chosen


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
        reset=core.flight,
        drain=core.flight + 2 * core.interval + 64,
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
