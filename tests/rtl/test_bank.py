"""A memory of the datapath: a plain one of the same latency, whatever it is made of."""

import random

import pytest
from amaranth.sim import Simulator
from amaranth.sim._async import SimulatorContext

from bnnhw.rtl.bank import Bank, in_luts
from bnnhw.technology import GENERIC, Technology


@pytest.mark.parametrize("family", [GENERIC, "ecp5"])
@pytest.mark.parametrize("width, depth", [(1, 4), (5, 16), (16, 32), (7, 128), (3, 1024)])
def test_a_bank_gives_what_was_written_two_cycles_after_its_address(
    family: str, width: int, depth: int
) -> None:
    dut = Bank(width=width, depth=depth, technology=Technology(family=family))
    draw = random.Random(width * depth)
    words = [0] * depth
    compared = 0
    behind: list[int | None] = [None, None]  # what is in the two registers

    async def bench(ctx: SimulatorContext) -> None:
        nonlocal compared
        for _ in range(1500):
            read, write = draw.randrange(depth), draw.randrange(depth)
            ctx.set(dut.read, reads := int(draw.random() < 0.8))
            ctx.set(dut.move, moves := int(draw.random() < 0.8))
            ctx.set(dut.read_addr, read)
            ctx.set(dut.write_addr, write)
            ctx.set(dut.d, data := draw.getrandbits(width))
            # What is read of a word in the cycle of its writing is undefined.
            ctx.set(dut.write, enable := int(draw.random() < 0.7 and write != read))
            if moves:
                behind[1] = behind[0]
            if reads:
                behind[0] = words[read]
            if enable:
                words[write] = data
            await ctx.tick()
            assert behind[1] is None or ctx.get(dut.q) == behind[1]
            compared += behind[1] is not None

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert compared > 1480


@pytest.mark.parametrize(
    "width, depth, expected",
    [(16, 16, True), (16, 64, True), (128, 64, True), (16, 256, False), (36, 128, False)],
)
def test_shallow_banks_are_memory_in_luts(width: int, depth: int, expected: bool) -> None:
    assert in_luts(Technology(family="ecp5"), width, depth) is expected
    assert not in_luts(Technology(), width, depth)
