"""What the simulating process is told and what it tells back: JSON and arrays, in a folder."""

__all__ = ["JOB_VARIABLE", "PROGRESS", "Deposit", "Job", "Outcome", "Run"]

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

JOB_VARIABLE = "BNNHW_SIMULATION"  # names the folder, in the simulator's environment
PROGRESS = "bnnhw: images "  # begins a line on the simulator's standard output


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Deposit:
    """A bit of a memory that is flipped while a run lasts.

    Parameters
    ----------
    path : str
        The memory's hierarchical name below the core's top.
    word, bit : int
    """

    path: str
    word: int
    bit: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Job:
    """Images to push through the core, once for each entry of `deposits`.

    Parameters
    ----------
    images : ndarray[uint8], (N, bytes of an image's beats)
    expected : ndarray[uint8], (N, bytes of a packet)
    mask : ndarray[uint8], (bytes of a packet,)
        The bits that are compared; with none, nothing is.
    deposits : tuple of Deposit or None
        None: the core as it is.
    settings : dict of str to int
        The shim's inputs: seeds, stalls, limits.
    reset : int
        Cycles of reset before each run: all that a run before it left under way is then gone.
    drain : int
        Cycles to wait after the last result for anything that should not come.
    """

    images: npt.NDArray[np.uint8]
    expected: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8]
    deposits: tuple[Deposit | None, ...]
    settings: dict[str, int]
    reset: int
    drain: int

    def write(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        arrays = {n: np.ascontiguousarray(getattr(self, n)) for n in ("images", "expected", "mask")}
        save_file(arrays, folder / "job.safetensors")
        facts = {
            "settings": self.settings,
            "reset": self.reset,
            "drain": self.drain,
            "deposits": [d and dataclasses.asdict(d) for d in self.deposits],
        }
        (folder / "job.json").write_text(json.dumps(facts))

    @classmethod
    def read(cls, folder: Path) -> "Job":
        from safetensors.numpy import load_file

        facts = json.loads((folder / "job.json").read_text())
        arrays = load_file(folder / "job.safetensors")
        return cls(
            images=arrays["images"],
            expected=arrays["expected"],
            mask=arrays["mask"],
            deposits=tuple(d and Deposit(**d) for d in facts["deposits"]),
            settings=facts["settings"],
            reset=facts["reset"],
            drain=facts["drain"],
        )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """How one run ended.

    Parameters
    ----------
    images : int
        Results received; less than were asked for where the run stopped at a mismatch.
    cycles : int
    failed : bool
        The last of these results differs from what was expected.
    unknown : str
        Hex of the bits of that result that were X.
    violation : int
        The shim's code of what must never happen, or 0; `violation_cycle` when.
    most : tuple of int
        The most that each of the core's watched queues held.
    """

    images: int
    cycles: int
    failed: bool
    unknown: str
    violation: int
    violation_cycle: int
    most: tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Outcome:
    """The runs of a job, and their packets one run after the other."""

    runs: tuple[Run, ...]
    packets: npt.NDArray[np.uint8]
    wall_s: float

    def write(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        save_file({"packets": self.packets}, folder / "outcome.safetensors")
        facts: dict[str, Any] = {
            "runs": [dataclasses.asdict(r) for r in self.runs],
            "wall_s": self.wall_s,
        }
        (folder / "outcome.json").write_text(json.dumps(facts))

    @classmethod
    def read(cls, folder: Path) -> "Outcome":
        from safetensors.numpy import load_file

        facts = json.loads((folder / "outcome.json").read_text())
        return cls(
            runs=tuple(Run(**(r | {"most": tuple(r["most"])})) for r in facts["runs"]),
            packets=load_file(folder / "outcome.safetensors")["packets"],
            wall_s=facts["wall_s"],
        )
