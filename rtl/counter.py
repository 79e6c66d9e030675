"""Counters that know what is asked of them from a register."""

__all__ = ["counter", "fill", "thermometer"]

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value


def counter(
    m: Module, name: str, size: int, step: Value, *, restart: Value | None = None
) -> tuple[Value, Value]:
    """Counts 0..size-1 and round again, by one in each cycle in which `step` is 1.

    A step with `restart` begins again at 0. Returns the count, and whether it is the last; both
    from registers (constants for size 1).
    """
    if size == 1:
        return Const(0, 1), Const(1, 1)
    count = Signal(range(size), name=name)
    last = Signal(name=f"{name}_is_last")
    wraps = last if restart is None else last | restart
    with m.If(step):
        m.d.sync += [
            count.eq(Mux(wraps, 0, count + 1)),
            last.eq(~wraps & (count == size - 2)),
        ]
    return count, last


def thermometer(
    m: Module, name: str, size: int, *, up: Value, down: Value, start: int = 0
) -> Signal:
    """A count of 0..size whose bit k says that it is above k: each comparison is a register.

    It begins with `start`. The caller sees to it that it never steps below 0 or above `size`. `up`
    picks between two neighbouring bits and so should be the register, where one of the two is.
    """
    bits = Signal(size, name=name, init=(1 << start) - 1)
    with m.If(up ^ down):
        m.d.sync += bits.eq(Mux(up, (bits << 1) | 1, bits >> 1))
    return bits


def fill(m: Module, name: str, size: int, *, up: Value, down: Value) -> Signal:
    """Whether a count of 0..size is above 0.

    The caller sees to it that it never steps below 0 or above `size`. All that hangs on `down` is
    one clock enable, so `up` should be the register where one of the two is.
    """
    count = Signal(range(size + 1), name=name)
    some = Signal(name=f"{name}_some")
    one = Signal(name=f"{name}_one")
    with m.If(up ^ down):
        m.d.sync += [
            # By 1 or -1, without a LUT before the adder.
            count.eq(count - Cat(1, up.replicate(len(count) - 1))),
            some.eq(up | ~one),
            one.eq(Mux(up, ~some, count == 2)),
        ]
    return some
