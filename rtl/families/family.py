"""What a family of devices must be able to write, so that a planned counter is made of it."""

__all__ = ["Family"]

import abc
import functools
from collections.abc import Mapping, Sequence
from typing import ClassVar

from amaranth.hdl import Const, Signal, Value

from ..counting.abilities import Abilities
from .cells import Cells, Function, Twin


class Family(abc.ABC):
    """A family's LUTs and carry cells.

    Members
    -------
    name : str
    lut_inputs : int
    fused_depth : int
        Words of a weight up to which its table and its XNOR are best one LUT.
    wide_muxes : int
        Levels of multiplexers behind the LUTs, which take no LUT.
    ram_words, ram_width : int
        Of a block RAM: the deepest shape whose width is of use to weights. With two ports, if
        `own_ram`; else Yosys is left to find it.
    luts_per_ram : int
        LUT sites of a usual device to each of its block RAMs.
    lut_ram_words, lut_ram_luts : int
        Of a memory of 4 bits in LUTs: its words (0: the family has none), its LUT sites.
    free_start : bool
        Whether a net enters a line without a slot of its own, so that more lines cost nothing.
    twins : dict
        Cell type to behavioural twin.
    """

    name: ClassVar[str]
    lut_inputs: ClassVar[int]
    fused_depth: ClassVar[int]
    wide_muxes: ClassVar[int] = 0
    own_ram: ClassVar[bool] = False
    ram_words: ClassVar[int]
    ram_width: ClassVar[int]
    luts_per_ram: ClassVar[int]
    lut_ram_words: ClassVar[int] = 0
    lut_ram_luts: ClassVar[int] = 0
    free_start: ClassVar[bool] = False
    twins: ClassVar[Mapping[str, Twin]]

    @functools.cached_property
    @abc.abstractmethod
    def abilities(self) -> Abilities:
        """For the planner."""

    @abc.abstractmethod
    def lut(self, cells: Cells, name: str, function: Function) -> Value:
        """A bit as one LUT of at most `lut_inputs` nets."""

    @abc.abstractmethod
    def line(self, cells: Cells, name: str, slots: Sequence[Function]) -> list[Value]:
        """Slots on one carry line, carry 0 into the first one; gives their sums.

        Each function has the values 0, 1 and 2, and the cells can add it (`abilities.fits`).
        `sum + 2 * carry = value + carry from the slot before`.
        """

    def count(self, cells: Cells, name: str, functions: Sequence[Function]) -> list[Value]:
        """Bits of the same nets, as LUTs."""
        return [self.lut(cells, f"{name}_{i}", f) for i, f in enumerate(functions)]

    def rom(self, cells: Cells, name: str, address: Value, words: Sequence[int]) -> Value:
        """A table of bits, `words[a]` at address a, read without a clock.

        LUTs hold it, and the multiplexers behind LUTs, where the family has them, choose.
        """
        if len(set(words)) == 1:
            return Const(words[0], 1)
        ways = 1 << self.lut_inputs
        nets = [address[i] for i in range((len(words) - 1).bit_length())]
        low, high = tuple(nets[: self.lut_inputs]), nets[self.lut_inputs :]
        tables: list[tuple[Value, int]] = []  # and how many multiplexers wide it is
        for start in range(0, len(words), ways):
            values = (*words[start : start + ways], *[0] * ways)[: 1 << len(low)]
            bit = self.lut(cells, f"{name}_{start // ways}", Function(low, tuple(values)))
            tables.append((bit, 0))
        for level, net in enumerate(high):
            pairs = [tables[k : k + 2] for k in range(0, len(tables), 2)]
            tables = [
                pair[0] if len(pair) == 1 else self._mux(cells, f"{name}_{level}_{k}", net, pair)
                for k, pair in enumerate(pairs)
            ]
        return tables[0][0]

    def roms(
        self, cells: Cells, name: str, address: Value, columns: Sequence[Sequence[int]]
    ) -> list[Value]:
        """`rom` for each of some tables at one address."""
        return [self.rom(cells, f"{name}_{i}", address, one) for i, one in enumerate(columns)]

    def table_luts(self, words: int) -> float:
        """LUT sites of one `rom`."""
        luts = -(-words // (1 << self.lut_inputs))
        wide = 1 << self.wide_muxes  # LUTs that multiplexers join without taking any
        return luts + (-(-luts // wide) - 1)

    def _mux(
        self, cells: Cells, name: str, choice: Value, pair: list[tuple[Value, int]]
    ) -> tuple[Value, int]:
        (zero, wide), (one, other) = pair
        if wide == other and wide < self.wide_muxes:
            return self.wide_mux(cells, name, wide, choice, (zero, one)), wide + 1
        values = tuple(i >> (2 if i & 1 else 1) & 1 for i in range(8))  # of choice, zero, one
        return self.lut(cells, name, Function((choice, zero, one), values)), 0

    def wide_mux(
        self, cells: Cells, name: str, wide: int, choice: Value, tables: tuple[Value, Value]
    ) -> Value:
        """One of two LUTs (`wide` 0), or of two such multiplexers of one width."""
        raise NotImplementedError(f"{self.name} has no multiplexers behind its LUTs")

    def ram(
        self,
        cells: Cells,
        name: str,
        addresses: Sequence[Value],
        tables: Sequence[Sequence[int]],
    ) -> list[Value]:
        """One block RAM, each table read by a port of its own, with its output registers.

        Latency: 2 cycles from an address to its word.
        """
        raise NotImplementedError(f"{self.name} leaves block RAM to Yosys")


def wire(name: str, width: int = 1) -> Signal:
    """A wire between cells."""
    return Signal(width, name=name)
