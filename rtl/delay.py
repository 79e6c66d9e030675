"""A register on the way."""

__all__ = ["late"]

from amaranth.hdl import Const, Module, Signal, Value


def late(m: Module, name: str, value: Value, *, apart: bool = False) -> Value:
    """The value one cycle later; a register without reset, as all of the datapath's are.

    A constant stays what it is. A register of one would be the same as all others of that
    constant: synthesis makes one of them, which then drives all that hangs on any, wherever it is.

    Parameters
    ----------
    apart : bool
        Synthesis shall not make one of this and another that holds the same, elsewhere.
    """
    if isinstance(value, Const):
        return value
    register = Signal(value.shape(), name=name, reset_less=True, attrs={"keep": 1} if apart else {})
    m.d.sync += register.eq(value)
    return register
