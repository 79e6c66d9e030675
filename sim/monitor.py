"""Receives the shim's packets."""

__all__ = ["Monitor", "Received"]

import dataclasses
from typing import Any

from cocotb.triggers import ReadOnly

KNOWN = str.maketrans("01xXzZuUwW-lLhH", "01" + "0" * 13)
UNKNOWN = str.maketrans("01xXzZuUwW-lLhH", "00" + "1" * 13)


@dataclasses.dataclass(frozen=True, slots=True)
class Received:
    """One result: its bits as a number, the X bits of it as another, and whether it is one at all.

    `violation` and `cycle` say what went wrong in the shim's eyes, and when; 0 for nothing.
    """

    bits: int
    unknown: int
    whole: bool
    violation: int
    cycle: int


class Monitor:
    """Waits for the shim to wake us, and reads what it has."""

    def __init__(self, shim: Any) -> None:
        self._shim = shim
        self._results = 0

    async def receive(self) -> Received:
        shim = self._shim
        await shim.wake.value_change
        await ReadOnly()  # the packet may change in the same instant, after `wake`
        text = str(shim.packet.value)
        results = int(shim.results.value)
        whole, self._results = results != self._results, results
        known = set(text) <= {"0", "1"}
        return Received(
            bits=int(text if known else text.translate(KNOWN), 2),
            unknown=0 if known else int(text.translate(UNKNOWN), 2),
            whole=whole,
            violation=int(shim.violation.value),
            cycle=int(shim.violation_cycle.value),
        )
