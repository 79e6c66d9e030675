# amaranth: UnusedElaboratable=no
"""The window buffer: every window of every map, in order, whatever stalls."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator
from amaranth.sim._async import SimulatorContext
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnhw.dataflow import at_once
from bnnhw.errors import InputError
from bnnhw.rtl.column_buffer import ColumnBuffer
from bnnhw.rtl.window_buffer import WindowBuffer
from bnnhw.technology import Technology
from bnnhw.window import Columns, Window

WIDTH = 5


def windows_of(window: Window, maps: np.ndarray) -> list[int]:
    """(N, H, W, U) words to what each window sees."""
    (py, px), (high, wide), (sy, sx) = window.padding, window.kernel, window.stride
    padded = np.pad(maps, ((0, 0), (py, py), (px, px), (0, 0)))
    return [
        int(word)
        for one in padded
        for oy in range(window.rows)
        for ox in range(window.cols)
        for word in one[oy * sy : oy * sy + high, ox * sx : ox * sx + wide].ravel()
    ]


def filled(wanted: list[int], columns: Columns) -> list[int]:
    """Windows, and -1 for what comes of those that a row's last group lacks."""
    window = columns.window
    size = window.kernel[0] * window.kernel[1]
    rows = np.array(wanted).reshape(-1, window.cols, size)
    lacks = columns.groups * columns.at_once - window.cols
    return list(np.pad(rows, ((0, 0), (0, lacks), (0, 0)), constant_values=-1).ravel().tolist())


def run(
    window: Window,
    words: int,
    maps: int,
    stalls: tuple[float, float] = (0, 0),
    positions: int = 1,
) -> tuple[list[int], list[int], int]:
    """Words out, those wanted, and the cycles between the last words of the last two maps.

    Stalls are the chances of one a cycle, in and out.

    Without `words` windows come whole, out of columns of so many `positions`.
    """
    rng, draw = np.random.default_rng(0), random.Random(0)
    data = rng.integers(0, 1 << WIDTH, (maps, *window.shape[:2], words or 1))
    wanted = windows_of(window, data)
    dut: WindowBuffer | ColumnBuffer
    columns = Columns(window, positions)
    if words:
        dut = WindowBuffer(window, words=words, width=WIDTH, technology=Technology())
    else:
        dut = ColumnBuffer(columns, width=WIDTH, technology=Technology())
        wanted = filled(wanted, columns)
    pieces = len(dut.o.payload) // WIDTH
    lanes = range(len(dut.i.payload) // WIDTH)
    given = data.reshape(-1, len(lanes))
    got: list[int] = []
    taken: list[int] = []

    async def source(ctx: SimulatorContext) -> None:
        for units in given.tolist():
            word = sum(unit << k * WIDTH for k, unit in enumerate(units))
            while draw.random() < stalls[0]:
                await ctx.tick()
            ctx.set(dut.i.payload, word)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)

    async def sink(ctx: SimulatorContext) -> None:
        cycle = 0
        while len(got) < len(wanted):
            assert cycle < 40 * (len(wanted) + data.size) + 1000, (len(got), len(wanted))
            ready = draw.random() >= stalls[1]
            ctx.set(dut.o.ready, int(ready))
            if ready and ctx.get(dut.o.valid):
                payload = ctx.get(dut.o.payload)
                got.extend(payload >> k * WIDTH & ((1 << WIDTH) - 1) for k in range(pieces))
                taken.append(cycle)
            cycle += 1
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source)
    simulator.add_testbench(sink)
    simulator.run()
    each = len(wanted) // maps // pieces
    if -1 in wanted:  # windows beyond a row's last one
        got = [g if w >= 0 else -1 for g, w in zip(got, wanted, strict=True)]
    return got, wanted, taken[-1] - taken[-1 - each] if maps > 1 else 0


WINDOWS = {
    "one position": Window(shape=(3, 3, 2), kernel=(1, 1)),
    "the whole map": Window(shape=(4, 3, 1), kernel=(4, 3)),
    "three by three": Window(shape=(6, 7, 1), kernel=(3, 3), padding=(1, 1)),
    "a stride": Window(shape=(7, 9, 3), kernel=(3, 2), stride=(2, 3), padding=(1, 0)),
    "a stride beyond the kernel": Window(shape=(9, 8, 1), kernel=(2, 2), stride=(3, 4)),
    "lines and columns left over": Window(shape=(8, 8, 1), kernel=(3, 3), stride=(3, 3)),
    "padding wider than a step": Window(shape=(5, 5, 2), kernel=(4, 4), stride=(3, 3),
                                        padding=(3, 3)),
    "padding on one line": Window(shape=(1, 6, 1), kernel=(3, 3), padding=(2, 2)),
}  # fmt: skip


@pytest.mark.parametrize("stalls", [(0, 0), (0.5, 0), (0, 0.5), (0.5, 0.5), (0.9, 0.1)])
@pytest.mark.parametrize("name", WINDOWS)
def test_every_window_comes_in_order(name: str, stalls: tuple[float, float]) -> None:
    window = WINDOWS[name]
    for words in (0, 1, 3):
        got, wanted, _ = run(window, words, 3, stalls)
        assert got == wanted
    for count in at_once(window)[1:]:
        got, wanted, _ = run(window, 0, 3, stalls, count * window.stride[1])
        assert got == wanted


@pytest.mark.parametrize("name", WINDOWS)
def test_a_map_takes_as_long_as_its_words_in_or_out(name: str) -> None:
    window = WINDOWS[name]
    high, wide, _ = window.shape
    for words in (1, 2):
        _, wanted, interval = run(window, words, 6)
        assert interval == max(high * wide * words, len(wanted) // 6)
    for count in at_once(window):
        columns = Columns(window, count * window.stride[1] if count > 1 else 1)
        _, _, interval = run(window, 0, 6, positions=columns.positions)
        assert interval == columns.cycles()


@st.composite
def windows(draw: st.DrawFn) -> Window:
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(1)))
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    stride = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = (draw(st.integers(0, kernel[0] - 1)), draw(st.integers(0, kernel[1] - 1)))
    try:
        return Window(shape=shape, kernel=kernel, stride=stride, padding=padding)
    except InputError:
        return Window(shape=(9, 9, 1), kernel=kernel, stride=stride, padding=padding)


@settings(deadline=None, max_examples=40)
@given(window=windows(), words=st.integers(0, 3), stall=st.sampled_from([0.0, 0.4]), data=st.data())
def test_any_window_comes_in_order(
    window: Window, words: int, stall: float, data: st.DataObject
) -> None:
    count = data.draw(st.sampled_from(at_once(window)))
    positions = count * window.stride[1] if count > 1 and not words else 1
    got, wanted, _ = run(window, words, 2, (stall, stall), positions)
    assert got == wanted
