"""The popcount: the sum of its bits, for every word where that can be tried."""

import random

import pytest
from amaranth.sim import Simulator
from amaranth.sim._async import SimulatorContext

from bnnhw.rtl.popcount import Popcount, popcount_verilog
from bnnhw.timing import popcount_levels


@pytest.mark.parametrize("lanes", [2, 3, 4, 5, 7, 8, 11, 16, 31, 64, 65, 100])
def test_popcount_is_the_sum_of_bits_after_its_latency(lanes: int) -> None:
    draw = random.Random(lanes)
    if lanes <= 11:
        words = list(range(1 << lanes))
    else:
        corners = [0, (1 << lanes) - 1, *(1 << k for k in range(lanes))]
        words = corners + [draw.getrandbits(lanes) for _ in range(500)]
    dut = Popcount(lanes)
    latency = popcount_levels(lanes)
    counts = []

    async def bench(ctx: SimulatorContext) -> None:
        for word in [*words, *[0] * (latency - 1)]:
            ctx.set(dut.i, word)
            await ctx.tick()
            counts.append(ctx.get(dut.o))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert counts[latency - 1 :] == [word.bit_count() for word in words]


def test_the_measured_popcount_has_the_ports_that_it_is_documented_with() -> None:
    verilog = popcount_verilog(64)
    assert "module popcount(" in verilog
    for port in ("input [63:0] a;", "input [63:0] w;", "output [6:0] count;", "input clk;"):
        assert port in verilog
