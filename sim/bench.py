"""The cocotb test: pushes a job's images through the shim, for each of its deposits.

It runs inside the simulator, which starts it; `simulation` writes the job and reads the outcome.
"""

import os
import time
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, First, NextTimeStep, Timer

from bnnhw.sim.checker import Checker
from bnnhw.sim.driver import Driver
from bnnhw.sim.job import JOB_VARIABLE, PROGRESS, Deposit, Job, Outcome, Run
from bnnhw.sim.monitor import Monitor

PERIOD_NS = 10
REPORT_S = 0.2


@cocotb.test()
async def bench(shim: Any) -> None:
    """Every run of the job, each from reset."""
    folder = Path(os.environ[JOB_VARIABLE])
    job, began = Job.read(folder), time.monotonic()
    shim.aresetn.value = 0
    for name, value in job.settings.items():
        getattr(shim, name).value = value
    shim.image_put.value = 0
    Clock(shim.aclk, PERIOD_NS, unit="ns", impl="gpi").start()
    await ClockCycles(shim.aclk, 2)  # memories get their contents in the first instant
    runs, packets = [], []
    for i, deposit in enumerate(job.deposits):
        await flip(shim, deposit)
        run, given = await one_run(shim, job, i * len(job.images))
        await flip(shim, deposit)
        runs.append(run)
        packets.append(given)
    Outcome(
        runs=tuple(runs), packets=np.concatenate(packets), wall_s=time.monotonic() - began
    ).write(folder)


async def one_run(shim: Any, job: Job, before: int) -> tuple[Run, Any]:
    """Reset, all images, and a while for what should not come; `before` counts earlier images."""
    await ClockCycles(shim.aclk, job.reset)
    monitor, checker = Monitor(shim), Checker(job.expected, job.mask)
    shim.aresetn.value = 1
    driver = cocotb.start_soon(Driver(shim, job.images).run())
    spoken, right = time.monotonic(), True
    while checker.count < len(job.images):
        got = await monitor.receive()
        if got.whole:
            right = checker.check(got.bits, got.unknown)
        if not right or got.violation:
            break
        if time.monotonic() - spoken > REPORT_S:
            spoken = time.monotonic()
            print(f"{PROGRESS}{before + checker.count}", flush=True)
    await NextTimeStep()
    driver.cancel()
    if right and not got.violation:
        surplus = cocotb.start_soon(monitor.receive())
        await First(surplus, ClockCycles(shim.aclk, job.drain))
        if surplus.done():
            got = surplus.result()
            await NextTimeStep()
        surplus.cancel()
    run = Run(
        images=checker.count,
        cycles=int(shim.cycle.value),
        failed=not right,
        unknown=f"{got.unknown:x}",
        violation=got.violation,
        violation_cycle=got.cycle,
        most=levels(int(shim.most.value), len(shim.most) // 32),
    )
    shim.aresetn.value = 0
    await ClockCycles(shim.aclk, 2)
    return run, checker.packets[: checker.count]


def levels(word: int, count: int) -> tuple[int, ...]:
    """Numbers of 32 bits, the lowest first."""
    return tuple(word >> 32 * i & 0xFFFFFFFF for i in range(count))


async def flip(shim: Any, deposit: Deposit | None) -> None:
    """Invert one bit of a memory of the core."""
    if deposit is None:
        return
    handle = shim.dut
    for name in deposit.path.split("."):
        handle = getattr(handle, name)
    word = handle[deposit.word]
    word.value = int(word.value) ^ (1 << deposit.bit)
    await Timer(PERIOD_NS, unit="ns")
