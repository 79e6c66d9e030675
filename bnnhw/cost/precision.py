"""The number formats that a network is compared in."""

__all__ = ["BITS", "FLOAT32", "INT8", "PRECISIONS", "Precision"]

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Precision:
    """A number format.

    Parameters
    ----------
    name : str
    bits : int
        Of a weight, and of a value between layers.
    """

    name: str
    bits: int


FLOAT32 = Precision(name="float32", bits=32)
INT8 = Precision(name="int8", bits=8)
BITS = Precision(name="1 bit", bits=1)
PRECISIONS = (FLOAT32, INT8, BITS)
