"""The counter that knows its last value from a register."""

__all__ = ["PROOFS"]

import functools

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.rtl.counter import counter

from .bench import Bench, design_of
from .proof import Broken, Case, Proof

SIZES = ((1, False), (2, False), (2, True), (5, True), (8, True), (9, True))


class Counting(wiring.Component):
    """`counter` as a component."""

    step: Signal
    restart: Signal
    value: Signal
    last: Signal

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(
            {"step": In(1), "restart": In(1), "value": Out(range(max(2, size))), "last": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value, last = counter(m, "count", self.size, self.step, restart=self.restart)
        m.d.comb += [self.value.eq(value), self.last.eq(last)]
        return m


def counts(bench: Bench, size: int, restarts: bool) -> None:
    """The count is the number of steps since the last restart, modulo the size."""
    component = Counting(size)
    bench.dut(component)
    m = bench.m
    steps = Signal(range(max(2, size)), name="steps")
    step = bench.free("step")
    restart = bench.free("restart") if restarts else Signal(name="restart")
    m.d.comb += [component.step.eq(step), component.restart.eq(restart)]
    with m.If(step):
        m.d.sync += steps.eq(Mux(restart | (steps == size - 1), 0, steps + 1))
    bench.check("in_range", steps < size)
    bench.check("value", component.value == steps)
    bench.check("last", component.last == (steps == size - 1))


def _design(size: int, restarts: bool) -> functools.partial[None]:
    return functools.partial(counts, size=size, restarts=restarts)


PROOFS = (
    Proof(
        name="counter",
        says="It counts the steps modulo its size, and `last` is up exactly at the last value.",
        bounds="1 to 9, with and without restart",
        cases=tuple(
            Case(
                name=f"size{size}{'r' * restarts}",
                design=design_of(_design(size, restarts)),
                depth=1,
            )
            for size, restarts in [
                (1, False),
                (2, False),
                (2, True),
                (5, True),
                (8, True),
                (9, True),
            ]
        ),
        broken=(
            Broken(
                name="a restart leaves `last` up",
                design=design_of(_design(2, True), {"count_is_last": lambda i: i["count"] == 0}),
                depth=6,
            ),
        ),
    ),
)
