"""Gearboxes: nothing dropped, repeated or out of place, and never slower than the slower side."""

import itertools
import random

import pytest
from amaranth.sim import Simulator
from amaranth.sim._async import SimulatorContext

from bnnhw.folding import ceil_div
from bnnhw.rtl.gearbox import Gearbox

WIDTH = 3  # bits a unit


def words_of(vector: list[int], wide: int) -> list[int]:
    """A vector's units as words, the first unit lowest, the last word padded with 0."""
    return [
        sum(unit << (k * WIDTH) for k, unit in enumerate(vector[i : i + wide]))
        for i in range(0, len(vector), wide)
    ]


def run(sizes: tuple[int, int, int, int], vectors: int, stall: float) -> tuple[list, list, list]:
    """Words out with their drop flags, those wanted, and the cycle in which each was taken."""
    units, wide_in, wide_out, hold = sizes
    dut = Gearbox(units=units, wide_in=wide_in, wide_out=wide_out, width=WIDTH, hold=hold)
    draw = random.Random(hash(sizes))
    data = [[draw.randrange(1 << WIDTH) for _ in range(units)] for _ in range(vectors)]
    drops = [draw.random() < 0.3 for _ in range(vectors)]
    given = []
    for vector, drop in zip(data, drops, strict=True):
        words = words_of(vector, wide_in)
        given += [(word, int(drop and i == len(words) - 1)) for i, word in enumerate(words)]
    wanted = [words_of(vector, wide_out) for vector in data]
    per_vector = ceil_div(units, wide_out)
    got: list[int] = []
    flags: list[int] = []
    taken: list[int] = []

    async def source(ctx: SimulatorContext) -> None:
        for word, drop in given:
            while draw.random() < stall:
                await ctx.tick()
            ctx.set(dut.i.p.units, word)
            ctx.set(dut.i.p.drop, drop)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)

    async def sink(ctx: SimulatorContext) -> None:
        cycle = held = 0
        while len(got) < vectors * per_vector:
            assert cycle < 5000
            # The reader holds each word for `hold` cycles before it takes it.
            valid = ctx.get(dut.o.valid)
            take = bool(valid) and held + 1 >= hold and draw.random() >= stall
            held = held + 1 if valid and not take else 0
            ctx.set(dut.o.ready, int(take))
            if take:
                got.append(ctx.get(dut.o.p.units))
                flags.append(ctx.get(dut.o.p.drop))
                taken.append(cycle)
            cycle += 1
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source)
    simulator.add_testbench(sink)
    simulator.run()
    assert [bool(f) for f in flags[per_vector - 1 :: per_vector]] == drops
    return got, list(itertools.chain(*wanted)), taken


SIZES = [
    (1, 1, 2, 1), (1, 3, 2, 1), (5, 1, 4, 1), (8, 2, 8, 1), (17, 2, 16, 8), (13, 1, 4, 3),
    (7, 8, 2, 1), (9, 4, 2, 2), (16, 8, 1, 1), (10, 4, 6, 1), (11, 3, 2, 1), (4, 2, 3, 1),
    (30, 4, 7, 4), (23, 5, 3, 2), (2, 5, 3, 1), (21, 16, 6, 1),
]  # fmt: skip


@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("sizes", SIZES, ids=lambda s: "-".join(map(str, s)))
def test_words_keep_their_units_and_the_pace_of_the_slower_side(
    sizes: tuple[int, int, int, int], stall: float
) -> None:
    units, wide_in, wide_out, hold = sizes
    got, wanted, taken = run(sizes, 14, stall)
    assert got == wanted
    if stall == 0.0:
        per_vector = ceil_div(units, wide_out)
        slower = max(ceil_div(units, wide_in), per_vector * hold)
        ends = taken[per_vector - 1 :: per_vector]
        assert ends[-1] - ends[5] == (len(ends) - 6) * slower
