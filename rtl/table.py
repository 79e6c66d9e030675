"""Tables of signed constants, one for each neuron fold, read in one or two cycles."""

__all__ = ["Table"]

import dataclasses
from collections.abc import Sequence

from amaranth.hdl import Array, Module, Mux, Signal, Value

from .delay import late
from .plan import signed_width
from .rom import Rom, ones

BLOCK = 16  # words that one LUT4 holds a bit of


@dataclasses.dataclass(frozen=True)
class Table:
    """Signed constants by neuron fold.

    A table of up to 16 words is a LUT4 a bit. A longer one is cut into blocks of that size, with a
    register behind each, and a second cycle chooses among them.

    Parameters
    ----------
    values : sequence of int
    """

    values: Sequence[int]

    @property
    def width(self) -> int:
        """Bits of a word, two's complement."""
        return max(signed_width(value) for value in self.values)

    @property
    def words(self) -> list[int]:
        """The values in two's complement of `width` bits."""
        return [value & ((1 << self.width) - 1) for value in self.values]

    @property
    def latency(self) -> int:
        """Cycles from an index to its value."""
        return latency(len(self.values))

    def place(self, name: str, index: int) -> tuple[str, int]:
        """The memory that holds a word, in a table built as `name`, and its address there."""
        if len(self.values) <= BLOCK:
            return name, index
        return f"{name}_{index // BLOCK}", index % BLOCK

    def build(self, m: Module, name: str, index: Value, *, clear: Value | None = None) -> Value:
        """The value at `index`, `latency` cycles later; 0 where `clear` was 1 a cycle before it."""
        words, width = self.words, self.width
        starts = range(0, len(words), BLOCK)
        if len(starts) == 1:
            data = Rom(m, name, words, width, index, latency=0).data
        else:
            choice = late(m, f"{name}_choice", index[4:], apart=True)
            blocks: list[Value] = []
            for b, start in enumerate(starts):
                block = words[start : start + BLOCK]
                block += block * (2 - len(block))  # a single word would be no memory
                rom = Rom(m, f"{name}_{b}", block, width, index[:4], latency=1)
                blocks.append(rom.data)
            data = Signal(width, name=f"{name}_data")
            m.d.comb += data.eq(Array(blocks)[choice])
        init = ones(words) if clear is None else 0
        word = Signal(width, name=f"{name}_word", reset_less=True, init=init)
        m.d.sync += word.eq(data if clear is None else Mux(clear, 0, data))
        return word.as_signed()


def latency(words: int) -> int:
    """Cycles from an index to its value in a table of that many words."""
    return 1 if words <= BLOCK else 2
