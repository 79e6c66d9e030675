"""What a core is written for: a family of devices, and how its counters are pipelined."""

__all__ = ["GENERIC", "TECHNOLOGIES", "Technology"]

import dataclasses

from .errors import InputError

GENERIC = "generic"
TECHNOLOGIES = (GENERIC, "ecp5", "gowin", "ice40", "nexus", "xilinx7")
LINE = 12  # slots: longer carry lines save a slot each, and cost clock (docs/popcount.md)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Technology:
    """How counters are written.

    Parameters
    ----------
    family : str
        `generic` is plain Verilog for any tool, with its own fixed pipeline; the others write their
        LUTs and carry cells themselves, in the structures of docs/popcount.md.
    every : int
        A register after every so many operations, one after the other; 0: only at the end.
    line : int
        Slots of the longest carry line; 0: no limit.
    open_tables : bool
        No register behind a weight's table in LUTs, which is then read in the cycle of the first
        operation: a flip-flop a lane less, at the price of clock.
    """

    family: str = GENERIC
    every: int = 1
    line: int = LINE
    open_tables: bool = False

    def __post_init__(self) -> None:
        if self.family not in TECHNOLOGIES:
            raise InputError(
                f"the target must be one of {', '.join(TECHNOLOGIES)}, not {self.family!r}"
            )
        if not 0 <= self.every <= 1 << 10:
            raise InputError(f"registers every so many operations: 0 to 1024, not {self.every}")
        if self.line and not 4 <= self.line <= 1 << 10:
            raise InputError(f"a carry line has 4 to 1024 slots, or 0: no limit; not {self.line}")

    @property
    def generic(self) -> bool:
        return self.family == GENERIC
