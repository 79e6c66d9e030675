"""The harness of a proof: a component, free inputs, assumptions and assertions."""

__all__ = ["Bench", "Override", "design_of"]

import functools
from collections.abc import Callable, Mapping

from amaranth.back import rtlil  # type: ignore[attr-defined]
from amaranth.hdl import (
    Assert,
    Assume,
    ClockDomain,
    ClockSignal,
    Elaboratable,
    Module,
    ResetSignal,
    ShapeLike,
    Signal,
    Value,
    ValueLike,
)
from amaranth.hdl._ast import AnyConst, AnySeq

from .inside import Inside
from .proof import Design

TOP = "top"
FIRST = "first"  # the register that knows the cycles of reset

Build = Callable[["Bench"], None]
Override = Callable[[Inside], ValueLike]
MakeDesign = Callable[[], Design]


class Bench:
    """The module around a component.

    Every proof begins with a reset, before which all registers hold anything, those without a
    reset after it, too. So what is proved holds after every reset, not only after configuration.

    Parameters
    ----------
    overrides : dict
        Signal to what it is driven with instead: a broken copy.
    reset : int
        Cycles of reset.
    """

    def __init__(self, overrides: Mapping[str, Override] | None = None, reset: int = 1) -> None:
        self._overrides = dict(overrides or {})
        self.prefix = ""  # of all names, where several components stand side by side
        self.m = m = Module()
        self.clk = Signal(name="clk")
        left = Signal(reset, name=FIRST, init=-1)
        self.first = left[0]
        m.domains.sync = ClockDomain()
        m.domains.start = ClockDomain(reset_less=True)
        m.d.start += left.eq(left >> 1)
        m.d.comb += [
            Assume((left & (left + 1)) == 0, None),
            ClockSignal().eq(self.clk),
            ClockSignal("start").eq(self.clk),
            ResetSignal().eq(self.first),
        ]

    def dut(self, component: Elaboratable) -> Inside:
        """Put the component in; its ports are used as always."""
        inside = Inside(component)
        for path, value in self._overrides.items():
            inside.override(path, value(inside))
        self.m.submodules[f"{self.prefix}dut"] = inside
        return inside

    def free(self, name: str, shape: ShapeLike = 1) -> Signal:
        """A value that may be anything in every cycle."""
        signal = Signal(shape, name=self.prefix + name)
        self.m.d.comb += signal.eq(AnySeq(signal.shape()))
        return signal

    def constant(self, name: str, shape: ShapeLike) -> Signal:
        """A value that may be anything, the same in every cycle."""
        signal = Signal(shape, name=self.prefix + name)
        self.m.d.comb += signal.eq(AnyConst(signal.shape()))
        return signal

    def named(self, name: str, value: ValueLike) -> Signal:
        """A value with a name, for the waveform of a counterexample."""
        cast = Value.cast(value)
        signal = Signal(cast.shape(), name=self.prefix + name)
        self.m.d.comb += signal.eq(cast)
        return signal

    def before(self, name: str, value: ValueLike) -> Signal:
        """A value as it was in the cycle before; 0 in the cycle after reset."""
        cast = Value.cast(value)
        signal = Signal(cast.shape(), name=self.prefix + name)
        self.m.d.sync += signal.eq(cast)
        return signal

    def assume(self, condition: ValueLike) -> None:
        """What the surroundings promise, in every cycle after reset."""
        self.m.d.comb += Assume(self.first | Value.cast(condition).bool(), None)

    def check(self, name: str, condition: ValueLike) -> None:
        """What must hold in every cycle after reset; `ok_<name>` in the waveform."""
        holds = Signal(name=f"ok_{self.prefix}{name}")
        self.m.d.comb += [holds.eq(self.first | Value.cast(condition).bool()), Assert(holds, None)]

    def invariant(self, name: str, condition: ValueLike) -> None:
        """What an induction must know of the inside: `check`, but a broken copy's is free to fail.

        So a broken copy is caught by what is promised, and not by what was written about the very
        signal that is broken.
        """
        if not self._overrides:
            self.check(name, condition)

    def held(self, name: str, valid: Value, ready: Value, payload: Value) -> Value:
        """Whether a word that was offered and not taken in the cycle before is offered still."""
        waiting = self.before(f"{name}_waiting", valid & ~ready)
        payload_before = self.before(f"{name}_payload", payload)
        return ~waiting | (valid & (payload == payload_before))

    def at_most(self, name: str, condition: Value, cycles: int) -> Signal:
        """Check that a condition never lasts longer than some cycles; how long it has lasted."""
        lasted = Signal(range(cycles + 2), name=f"{name}_lasted")
        with self.m.If(~condition):
            self.m.d.sync += lasted.eq(0)
        with self.m.Elif(lasted <= cycles):
            self.m.d.sync += lasted.eq(lasted + 1)
        self.check(name, lasted <= cycles)
        return lasted

    def design(self) -> Design:
        """What SymbiYosys reads."""
        text = rtlil.convert(self.m, ports=[self.clk], name=TOP, emit_src=False)
        script = (
            "read_rtlil design.il",
            f"setattr -unset init w:* w:{FIRST} %d",
            f"prep -flatten -top {TOP}",
            # In an induction a memory may hold anything; a ROM does not.
            "memory_map -rom-only",
            # Of a memory of one word, whose address has no bits, write_smt2 makes nothing.
            "memory_map -formal t:$mem_v2 r:SIZE=1 %i",
            "opt_expr",
            "opt_clean",
        )
        return Design(files={"design.il": text}, script=script)


def design_of(
    build: Build, overrides: Mapping[str, Override] | None = None, *, reset: int = 1
) -> MakeDesign:
    """Makes the design of a harness; of a broken copy where a signal inside is overridden."""
    return functools.partial(_design, build, overrides, reset)


def _design(build: Build, overrides: Mapping[str, Override] | None, reset: int) -> Design:
    bench = Bench(overrides, reset)
    build(bench)
    return bench.design()
