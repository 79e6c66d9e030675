"""A register on the way."""

__all__ = ["late"]

from amaranth.hdl import Module, Signal, Value


def late(m: Module, name: str, value: Value, *, apart: bool = False) -> Signal:
    """The value one cycle later; a register without reset, as all of the datapath's are.

    Parameters
    ----------
    apart : bool
        Synthesis shall not make one of this and another that holds the same, elsewhere.
    """
    register = Signal(value.shape(), name=name, reset_less=True, attrs={"keep": 1} if apart else {})
    m.d.sync += register.eq(value)
    return register
