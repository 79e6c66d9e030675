"""Runs a core in the Amaranth simulator: a driver, a monitor, and what golden expects of them."""

import dataclasses
import random

import numpy as np
import numpy.typing as npt
from amaranth.sim import Simulator
from amaranth.sim._async import SimulatorContext

from bnnhw.folding import Folding, ceil_div
from bnnhw.golden import evaluate
from bnnhw.network import Network
from bnnhw.rtl.core import Core
from bnnhw.technology import Technology

PERIOD = 1e-6
RESET_CYCLES = 3

__all__ = ["Beat", "CoreRun", "Stalls", "beats_of", "expected", "run_core"]

Beat = tuple[int, int]  # tdata, tlast


class Stalls:
    """When a side of a stream holds still: never, with a probability, or in bursts."""

    def __init__(self, probability: float = 0.0, *, burst: int = 1, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._probability = probability
        self._burst = burst
        self._left = 0
        self._stalled = False

    def next(self) -> bool:
        if self._left == 0:
            self._left = self._random.randint(1, self._burst)
            self._stalled = self._random.random() < self._probability
        self._left -= 1
        return self._stalled


@dataclasses.dataclass
class CoreRun:
    """What came out of a core, and in which cycle each beat was taken."""

    beats: list[Beat] = dataclasses.field(default_factory=list)
    taken: list[int] = dataclasses.field(default_factory=list)
    first_given: int = -1
    frame_error: bool = False


def beats_of(network: Network, folding: Folding, image: npt.NDArray[np.uint8]) -> list[Beat]:
    """An image as the beats of its frame."""
    pixels, apart = folding.bus_pixels(network), 8 if network.input.bits > 1 else 1
    count = ceil_div(len(image), pixels)
    return [
        (
            sum(int(v) << k * apart for k, v in enumerate(image[i * pixels : (i + 1) * pixels])),
            int(i == count - 1),
        )
        for i in range(count)
    ]


def expected(
    network: Network, folding: Folding, x: npt.NDArray[np.uint8], output: str
) -> list[Beat]:
    """The beats that golden wants of the core."""
    trace = evaluate(network, x)
    if output == "class":
        assert trace.classes is not None
        return [(int(c), 1) for c in trace.classes]
    if output == "scores":
        assert trace.scores is not None
        M = trace.scores.shape[1]
        return [(int(s) & 0xFFFFFFFF, int(j == M - 1)) for row in trace.scores
                for j, s in enumerate(row)]  # fmt: skip
    rows, several = folding.layers[-1].rows, folding.layers[-1].positions
    neurons = trace.bits[-1].shape[-1]
    groups = trace.bits[-1].reshape(len(x), -1, several, neurons)
    starts = range(0, neurons, rows)
    last = groups.shape[1] - 1, starts[-1]
    return [
        (
            sum(
                int(b) << p * rows + r
                for p, bits in enumerate(group)
                for r, b in enumerate(bits[f : f + rows])
            ),
            int((i, f) == last),
        )
        for image in groups
        for i, group in enumerate(image)
        for f in starts
    ]


def run_core(
    network: Network,
    folding: Folding,
    beats: list[Beat],
    output: str,
    *,
    results: int,
    stall_in: Stalls | None = None,
    stall_out: Stalls | None = None,
    idle: int = 40,
    reset: tuple[int, int] | None = None,
    technology: Technology | None = None,
) -> CoreRun:
    """Give a core beats until it gave `results` of its own, then watch it for `idle` cycles.

    Cycles are counted from the end of reset. Fails when the core holds still for long. `reset` is
    (cycle, length): a reset in mid-stream, after which all begins again.
    """
    core = Core(network, folding, output, technology, simulated=True)
    run = CoreRun()
    stall_in, stall_out = stall_in or Stalls(), stall_out or Stalls()

    async def clock(ctx: SimulatorContext) -> None:
        ctx.set(core.aclk, 1)
        await ctx.delay(PERIOD / 2)
        ctx.set(core.aclk, 0)
        await ctx.delay(PERIOD / 2)

    async def bench(ctx: SimulatorContext) -> None:
        ctx.set(core.aresetn, 0)
        for _ in range(RESET_CYCLES):
            await clock(ctx)
        ctx.set(core.aresetn, 1)
        await clock(ctx)
        given, offering, cycle, quiet = 0, False, 0, 0
        held: Beat | None = None
        pending = reset
        while len(run.beats) < results or quiet < idle:
            if pending is not None and cycle == pending[0]:
                ctx.set(core.aresetn, 0)
                ctx.set(core.s_axis_tvalid, 0)
                ctx.set(core.m_axis_tready, 0)
                for _ in range(pending[1]):
                    await clock(ctx)
                ctx.set(core.aresetn, 1)
                pending, held = None, None
                given, offering = 0, False
                run.beats.clear()
                run.taken.clear()
            if given < len(beats) and not offering:
                offering = not stall_in.next()
            ctx.set(core.s_axis_tvalid, int(offering))
            if offering:
                ctx.set(core.s_axis_tdata, beats[given][0])
                ctx.set(core.s_axis_tlast, beats[given][1])
            ready = not stall_out.next()
            ctx.set(core.m_axis_tready, int(ready))
            await ctx.delay(PERIOD / 4)
            quiet += 1
            if ctx.get(core.m_axis_tvalid):
                shown = (int(ctx.get(core.m_axis_tdata)), int(ctx.get(core.m_axis_tlast)))
                assert held in (None, shown), "the payload changed while it was not taken"
                held = None if ready else shown
                if ready:
                    run.beats.append(shown)
                    run.taken.append(cycle)
                    quiet = 0
            else:
                assert held is None, "valid fell before the beat was taken"
            if offering and ctx.get(core.s_axis_tready):
                run.first_given = cycle if run.first_given < 0 else run.first_given
                given, offering, quiet = given + 1, False, 0
            assert quiet < 20_000, (
                f"the core gave {len(run.beats)} of {results} beats, then nothing"
            )
            cycle += 1
            await clock(ctx)
        run.frame_error = bool(ctx.get(core.frame_error))

    simulator = Simulator(core)
    simulator.add_testbench(bench)
    simulator.run()
    return run
