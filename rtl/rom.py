"""A table of constants."""

__all__ = ["Rom", "ones"]

import functools
import operator
from collections.abc import Sequence

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import memory


class Rom:
    """A table of constants inside a component, a plain constant where it has one word.

    Adds the memory to `m` as the submodule `name`; `data` is its word at `addr`, read
    without a clock (`latency` 0), registered (1), or from block RAM and registered again (2).
    """

    def __init__(
        self, m: Module, name: str, words: list[int], shape: int, addr: Value, *, latency: int
    ) -> None:
        self.data: Value
        if len(words) == 1:
            self.data = Const(words[0], shape)
            return
        block = {"rom_style": "block" if latency == 2 else "logic"}
        rom: memory.Memory = memory.Memory(shape=shape, depth=len(words), init=words, attrs=block)
        m.submodules[name] = rom
        port = rom.read_port(domain="sync" if latency == 2 else "comb")
        m.d.comb += port.addr.eq(addr)
        if latency == 2:
            m.d.comb += port.en.eq(1)
        self.data = port.data
        if latency:
            init = ones(words) if latency == 1 else 0
            self.data = Signal(shape, name=f"{name}_q", reset_less=True, init=init)
            m.d.sync += self.data.eq(port.data)


def ones(words: Sequence[int]) -> int:
    """The bits that are 1 in all words: what a register behind a table begins as.

    So synthesis sees that such a bit is a constant and no register, which would be one for all
    tables there are, wherever they are.
    """
    return functools.reduce(operator.and_, words)
