"""How a simulation went, and what it said."""

__all__ = ["Prediction", "Simulation"]

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import console
from ..record import Record, commit
from .checker import Mismatch


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
    netlist : str
        The device whose netlist was simulated; empty for the Verilog as it was generated. In a
        netlist only the core's own values are compared: what is inside cannot be looked at.
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
        What the manifest promises; of the latency None where it promises nothing.
    steps : dict of str to int
        Of each layer with weights, the cycles an image in which its grid has a step: those of the
        words that were compared.
    queues : dict of str to (int, int)
        Of each queue in the core, the most that it held, and what it was made for.
    compile_s, wall_s : float
        Seconds to compile (0 where it was compiled already), and to simulate.
    log, waves : Path or None
    """

    simulator: str
    version: str
    images: int
    neurons: int
    netlist: str
    cycles: int
    mismatch: Mismatch | None
    violation: str
    interval_cycles: Fraction | None
    latency_cycles: int | None
    interval: int
    latency: int | None
    steps: dict[str, int]
    queues: dict[str, tuple[int, int]]
    compile_s: float
    wall_s: float
    log: Path
    waves: Path | None = None

    @property
    def failure(self) -> str:
        """What is wrong, in one line; empty if nothing is."""
        if self.mismatch is not None:
            what = f"the netlist for {self.netlist}" if self.netlist else "the Verilog"
            return f"{what} differs from golden: {self.mismatch}"
        if self.violation:
            return self.violation
        counted = (
            ("interval", self.interval_cycles, self.interval),
            ("latency", self.latency_cycles, self.latency),
        )
        for name, cycles, promised in counted:
            if cycles is not None and promised is not None and cycles != promised:
                return f"the {name} is {float(cycles):g} cycles, but the manifest says {promised}"
        for name, (held, depth) in self.queues.items():
            if held > depth:
                return f"{name} held {held} words, but the manifest says {depth} at most"
        return ""

    @property
    def utilisation(self) -> dict[str, float]:
        """Of each layer, the share of the cycles in which its grid had a step, in steady state;
        nothing where no interval was counted."""
        if self.interval_cycles is None:
            return {}
        return {name: float(steps / self.interval_cycles) for name, steps in self.steps.items()}

    @property
    def cycles_per_s(self) -> float:
        return self.cycles / self.wall_s

    def records(self, seed: int) -> list[Record]:
        """The figures, with where they come from."""
        compared = "every layer's values"
        if self.netlist:
            compared = f"the outputs of the netlist for {self.netlist}"
        values = [
            ("images", self.images, "1", f"compared with golden, {compared}"),
            ("mismatches", int(self.mismatch is not None), "1", "stops at the first"),
            ("simulated_cycles", self.cycles, "1", "counted in simulation"),
            ("compile_time", round(self.compile_s, 2), "s", "wall time, 0 if compiled before"),
            ("simulation_time", round(self.wall_s, 2), "s", "wall time"),
            ("simulation_speed", round(self.cycles_per_s), "Hz", "cycles a second of wall time"),
        ]
        if self.interval_cycles is not None:
            how = "counted in simulation between results, second half of the images"
            values.append(("interval_cycles", float(self.interval_cycles), "1", how))
        how = "steps of the words that were compared, over the interval counted"
        values += [(f"utilisation_{n}", share, "1", how) for n, share in self.utilisation.items()]
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
        rows: list[tuple[str, str]] = []
        if self.netlist:
            rows.append(
                ("netlist", f"{self.netlist}; only outputs compared, not layers' inner bits")
            )
        rows += [
            ("images", f"{self.images:,}, {self.neurons:,} values each"),
            ("equal to golden", "no" if self.mismatch else "all"),
        ]
        if self.interval_cycles is not None:
            counted = f"{float(self.interval_cycles):g} cycles an image"
            rows.append(("interval", f"{counted}, {self.interval} promised"))
        if self.latency_cycles is not None:
            promised = "" if self.latency is None else f", {self.latency} promised"
            rows.append(("latency", f"{self.latency_cycles} cycles{promised}"))
        if busy := ", ".join(f"{n} {share:.1%}" for n, share in self.utilisation.items()):
            rows.append(("layers busy", busy))
        if self.queues:
            each = (f"{name} {held} of {depth}" for name, (held, depth) in self.queues.items())
            rows.append(("queues held", "\n".join(each)))
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
            "utilisation": self.utilisation,
            "cycles_per_s": round(self.cycles_per_s),
            "log": str(self.log),
            "waves": None if self.waves is None else str(self.waves),
            "layers_compared": not self.netlist,
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
        Of each hidden layer but flattenings.
    cycles : ndarray[int64], (N,)
        From a sample's first beat to the last beat of its result; with several samples in the core
        at once this is more than the latency of an empty one.
    """

    classes: npt.NDArray[np.uint16] | None
    scores: npt.NDArray[np.int32] | None
    bits: tuple[npt.NDArray[np.uint8], ...]
    cycles: npt.NDArray[np.int64]
