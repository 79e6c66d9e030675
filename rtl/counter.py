"""A counter that knows its last value from a register."""

__all__ = ["counter"]

from amaranth.hdl import Const, Module, Mux, Signal, Value


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
