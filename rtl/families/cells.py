"""Places a vendor's cells: as instances in Verilog, as their behavioural twins in a simulation."""

__all__ = ["Cells", "Function", "Parameter", "Parameters", "Twin", "indices", "lookup", "merged"]

import dataclasses
from collections.abc import Callable, Hashable, Mapping, Sequence

from amaranth.hdl import Cat, Const, Instance, Module, Value
from amaranth.hdl._ast import Slice

Parameter = Const | str
Parameters = Mapping[str, Parameter]
# Adds a cell's behaviour to a module: parameters, inputs by port, outputs by port.
Twin = Callable[[Module, Parameters, Mapping[str, Value], Mapping[str, Value]], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Function:
    """A small integer that depends on some nets.

    Parameters
    ----------
    nets : tuple of Value
        One bit each.
    values : tuple of int
        Net i being bit i of the index.
    """

    nets: tuple[Value, ...]
    values: tuple[int, ...]

    def complemented(self, most: int) -> "Function":
        """`most` less this."""
        return Function(self.nets, tuple(most - value for value in self.values))


def merged(functions: Sequence[Function]) -> tuple[tuple[Value, ...], list[tuple[int, ...]]]:
    """The nets of some functions, each once, and each function's values over all of them."""
    nets: dict[Hashable, Value] = {}
    for function in functions:
        for net in function.nets:
            nets.setdefault(_identity(net), net)
    order = list(nets)
    tables = []
    for function in functions:
        pins = [order.index(_identity(net)) for net in function.nets]
        tables.append(
            tuple(
                function.values[sum((i >> pin & 1) << k for k, pin in enumerate(pins))]
                for i in range(1 << len(order))
            )
        )
    return tuple(nets.values()), tables


def _identity(net: Value) -> Hashable:
    """The same for two slices of the same bit."""
    return (id(net.value), net.start, net.stop) if isinstance(net, Slice) else id(net)


def indices(size: int) -> range:
    """All assignments of some nets."""
    return range(1 << size)


class Cells:
    """Where the cells of one component go.

    Parameters
    ----------
    m : Module
    twins : mapping
        Of the family: cell type to twin.
    simulated : bool
        Place twins instead of instances.
    """

    def __init__(self, m: Module, twins: Mapping[str, Twin], *, simulated: bool) -> None:
        self.m = m
        self.twins = twins
        self.simulated = simulated

    def place(
        self,
        name: str,
        kind: str,
        parameters: Parameters,
        inputs: Mapping[str, Value],
        outputs: Mapping[str, Value],
    ) -> None:
        """One cell of type `kind`."""
        if self.simulated:
            self.twins[kind](self.m, parameters, inputs, outputs)
            return
        self.m.submodules[name] = Instance(
            kind,
            *(("p", port, value) for port, value in parameters.items()),
            *(("i", port, value) for port, value in inputs.items()),
            *(("o", port, value) for port, value in outputs.items()),
        )


def lookup(contents: Parameter, pins: Sequence[Value]) -> Value:
    """Bit of a LUT's contents at the address that its pins make, lowest first."""
    assert isinstance(contents, Const)
    return contents.bit_select(Cat(*pins), 1)
