"""The popcount: the sum of its bits, for every word where that can be tried."""

import random
import re

import numpy as np
import pytest
from amaranth.sim import Simulator
from amaranth.sim._async import SimulatorContext

from bnnhw.rtl.families import FAMILIES
from bnnhw.rtl.popcount import XnorPopcount, popcount_verilog
from bnnhw.technology import Technology


def words_of(lanes: int, draw: random.Random) -> list[int]:
    """Every word of few lanes; the corners, all single bits and some others of many."""
    if lanes <= 8:
        return list(range(1 << lanes))
    ones = (1 << lanes) - 1
    single = [1 << k for k in range(lanes)]
    few = [draw.getrandbits(lanes) & draw.getrandbits(lanes) for _ in range(20)]
    return [0, ones, *single, *(ones ^ bit for bit in single), *few, *(ones ^ w for w in few)]


def run(dut: XnorPopcount, pairs: list[tuple[int, int]]) -> list[int]:
    counts = []

    async def bench(ctx: SimulatorContext) -> None:
        for a, w in [*pairs, *[(0, 0)] * (dut.latency - 1)]:
            ctx.set(dut.a, a)
            if dut.weights is None:
                ctx.set(dut.w, w)
            await ctx.tick()
            counts.append(ctx.get(dut.count))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return counts[dut.latency - 1 :]


@pytest.mark.parametrize("family", ["generic", *FAMILIES])
@pytest.mark.parametrize(("every", "line"), [(0, 0), (1, 12), (2, 6)])
@pytest.mark.parametrize("lanes", [1, 2, 3, 5, 8, 16, 23, 64])
def test_popcount_is_the_number_of_equal_bits_after_its_latency(
    family: str, every: int, line: int, lanes: int
) -> None:
    draw = random.Random(lanes)
    technology = Technology(family=family, every=every, line=line)
    dut = XnorPopcount(lanes, technology, simulated=True)
    pairs = []
    for x in words_of(lanes, draw):
        w = draw.getrandbits(lanes)
        pairs.append((x ^ w, w))
    assert run(dut, pairs) == [lanes - (a ^ w).bit_count() for a, w in pairs]


@pytest.mark.parametrize("family", ["generic", *FAMILIES])
@pytest.mark.parametrize("ones", [0.0, 0.1, 0.5, 1.0])
def test_constant_weights_count_the_same(family: str, ones: float) -> None:
    for lanes in (1, 5, 16, 33):
        rng = np.random.default_rng(lanes)
        weights = (rng.random(lanes) < ones).astype(np.uint8)
        dut = XnorPopcount(lanes, Technology(family=family), weights=weights, simulated=True)
        w = sum(int(bit) << k for k, bit in enumerate(weights))
        pairs = [(a, w) for a in words_of(lanes, random.Random(lanes))]
        assert run(dut, pairs) == [lanes - (a ^ w).bit_count() for a, w in pairs]


@pytest.mark.parametrize("family", ["generic", *FAMILIES])
def test_the_measured_popcount_has_the_ports_that_it_is_documented_with(family: str) -> None:
    verilog = popcount_verilog(XnorPopcount(64, Technology(family=family)))
    assert "module popcount(" in verilog
    for port in ("input [63:0] a;", "input [63:0] w;", "output [6:0] count;", "input clk;"):
        assert port in verilog


@pytest.mark.parametrize("family", FAMILIES)
def test_inverted_lanes_find_places_that_take_them_without_luts(family: str) -> None:
    technology = Technology(family=family, every=0, line=0)
    for seed in range(3):
        weights = np.random.default_rng(seed).integers(0, 2, 64, dtype=np.uint8)
        verilog = popcount_verilog(XnorPopcount(64, technology, weights=weights))
        assert "plain_" not in verilog


@pytest.mark.parametrize(("every", "line"), [(0, 0), (1, 12)])
def test_no_carry_of_ice40_has_one_net_on_both_pins(every: int, line: int) -> None:
    # nextpnr may bring both through the same wire, rip that up, and so on without end.
    technology = Technology(family="ice40", every=every, line=line)
    verilog = popcount_verilog(XnorPopcount(64, technology))
    carries = re.findall(r"SB_CARRY\b.*?;", verilog, re.DOTALL)
    pins = [dict(re.findall(r"\.(\w+)\((.*?)\)", carry)) for carry in carries]
    assert len(pins) > 20
    assert all(pin["I0"] != pin["I1"] for pin in pins if pin["I0"] != "1'h0")
