"""A register on the way."""

__all__ = ["late"]

from amaranth.hdl import Module, Signal, Value


def late(m: Module, name: str, value: Value) -> Signal:
    """The value one cycle later; a register without reset, as all of the datapath's are."""
    register = Signal(value.shape(), name=name, reset_less=True)
    m.d.sync += register.eq(value)
    return register
