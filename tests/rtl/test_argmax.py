"""The class: the largest score of all rows and folds, the lowest index on a tie."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator
from amaranth.sim._async import SimulatorContext
from networks import input_format

from bnnhw.folding import LayerFolding
from bnnhw.layers import Output
from bnnhw.network import Network
from bnnhw.rtl.argmax import Argmax
from bnnhw.rtl.plan import LayerPlan
from bnnhw.timing import argmax_latency

LEAST = -4  # of few scores, so that ties are common


def plan(neurons: int, rows: int, steps: int) -> LayerPlan:
    """A layer of that many classes on a grid of `rows` rows, a score of 3 bits or more."""
    inputs = 2 * steps
    layer = Output(
        name="out",
        weight=np.ones((neurons, inputs), np.uint8),
        scale=np.ones(neurons, np.int16),
        bias=np.zeros(neurons, np.int32),
    )
    network = Network(input=input_format(1, inputs), layers=(layer,))
    return LayerPlan(network.dense[0], LayerFolding(name="out", rows=rows, cols=1, lanes=2))


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("neurons, rows", [(1, 1), (2, 1), (3, 1), (7, 1), (5, 2), (6, 2), (10, 3),
                                           (7, 4), (9, 5), (5, 5), (6, 8)])  # fmt: skip
def test_the_class_is_the_first_of_the_largest_scores(neurons: int, rows: int, steps: int) -> None:
    one = plan(neurons, rows, steps)
    dut, width = Argmax(one), one.score_width
    draw = random.Random(neurons * 100 + rows * 10 + steps)
    folds = one.neuron_folds
    # Padding rows hold anything, the largest score too.
    images = [[draw.randint(LEAST, LEAST + 3) for _ in range(folds * rows)] for _ in range(60)]
    images += [[LEAST] * (folds * rows), [LEAST + 3 - k % 4 for k in range(folds * rows)]]
    mask = (1 << width) - 1
    given: list[int] = []
    got: list[tuple[int, int]] = []

    async def source(ctx: SimulatorContext) -> None:
        cycle = 0
        for image in images:
            for f in range(folds):
                word = image[f * rows : (f + 1) * rows]
                ctx.set(dut.scores, sum((s & mask) << (r * width) for r, s in enumerate(word)))
                ctx.set(dut.valid, 1)
                await ctx.tick()
                ctx.set(dut.valid, 0)
                ctx.set(dut.scores, draw.getrandbits(rows * width))
                wait = steps - 1 + (draw.randint(0, 2) if draw.random() < 0.2 else 0)
                for _ in range(wait):
                    await ctx.tick()
                given.append(cycle)
                cycle += 1 + wait

    async def sink(ctx: SimulatorContext) -> None:
        cycle = 0
        while len(got) < len(images):
            assert cycle < 20_000
            if ctx.get(dut.done):
                got.append((cycle, ctx.get(dut.index)))
            await ctx.tick()
            cycle += 1

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source)
    simulator.add_testbench(sink)
    simulator.run()
    assert [index for _, index in got] == [int(np.argmax(image[:neurons])) for image in images]
    latency = argmax_latency(rows)
    assert [cycle for cycle, _ in got] == [cycle + latency for cycle in given[folds - 1 :: folds]]
