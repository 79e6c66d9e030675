"""Writes a planned counter in a family's cells, with its registers."""

__all__ = ["structure", "write_count"]

import dataclasses
import functools
from collections.abc import Callable, Sequence

from amaranth.hdl import Cat, Module, Signal, Value

from ...technology import Technology
from ..delay import late
from ..families import FAMILIES
from ..families.cells import Cells, Function, indices, merged
from .abilities import Kind
from .fitting import arranged, fitting, troubled
from .planner import plan_count
from .structure import Chain, Count, Structure

Again = Callable[[Value, int], Value | None]


@functools.lru_cache(256)
def structure(
    technology: Technology, kind: Kind, lanes: int, planes: int, addend: int | None
) -> Structure:
    """The plan for a counter, as `planner.plan_count` describes it."""
    abilities = FAMILIES[technology.family].abilities
    deep = technology.every == 0 and technology.line == 0
    return plan_count(abilities, kind, lanes, planes=planes, addend=addend, deep=deep)


def write_count(
    m: Module,
    plan: Structure,
    technology: Technology,
    lanes: Sequence[Function],
    addend: Value | None = None,
    *,
    again: Again | None = None,
    simulated: bool,
) -> Signal:
    """Adds the counter to a component.

    Parameters
    ----------
    m : Module
    plan : Structure
    technology : Technology
    lanes : list of Function
        Each lane's bit, of nets that are registers.
    addend : Value
        As it is in the last stage, `plan.stages(technology.every) - 1` cycles later.
    again
        Gives a lane's net in a stage from 0, with no register from here; None if it can't.
    simulated : bool
        Write twins instead of instances.

    Returns
    -------
    Signal
        The sum, registered, `plan.stages(technology.every)` cycles later.
    """
    writer = _Writer(m, plan, technology, simulated, again)
    writer.take(lanes, addend)
    for operations in writer.in_stages():
        writer.write(operations)
    last = plan.stages(technology.every) - 1
    total = Signal(len(plan.result), name="count", reset_less=True)
    m.d.sync += total.eq(Cat(*(writer.net(dot, last) for dot in plan.result)))
    return total


@dataclasses.dataclass(frozen=True)
class _Line:
    """A carry line that is being made: the sums of its slots, and what each adds so far."""

    name: str
    last: Chain
    outputs: Signal
    slots: list[Function]


class _Writer:
    """Each dot as a function of nets, in each stage in which it is used."""

    def __init__(
        self,
        m: Module,
        plan: Structure,
        technology: Technology,
        simulated: bool,
        again: Again | None,
    ) -> None:
        self.m = m
        self.plan = plan
        self.technology = technology
        self.family = FAMILIES[technology.family]
        self.cells = Cells(m, self.family.twins, simulated=simulated)
        self.again = again
        self.first: dict[int, tuple[int, Function]] = {}  # the stage in which a dot comes to be
        self.known: dict[tuple[int, int], Function] = {}  # of (dot, stage)
        self.waiting: dict[tuple[int, int], Value] = {}  # of (net when it comes to be, stage)
        self.vectors: dict[int, tuple[Value, int]] = {}  # a net's signal and its place in it
        self.registers: dict[tuple[int, int], Value] = {}  # of (net or vector, stage): that late
        self.lines = 0

    def take(self, lanes: Sequence[Function], addend: Value | None) -> None:
        plan = self.plan
        last = plan.stages(self.technology.every) - 1
        assert len(lanes) == plan.lanes
        for dot, lane in enumerate(arranged(self.family, plan, lanes)):
            self.put(dot, 0, lane)
        for i in range(plan.addend):
            assert addend is not None
            self.put(plan.lanes + i, last, Function((addend[i],), (0, 1)))

    def put(self, dot: int, stage: int, function: Function) -> None:
        self.first[dot] = stage, function

    def at(self, dot: int, stage: int) -> Function:
        """A dot in a stage, through registers from where it came to be."""
        if (dot, stage) not in self.known:
            born, function = self.first[dot]
            assert stage >= born
            nets = tuple(self.waited(net, born, stage) for net in function.nets)
            self.known[dot, stage] = Function(nets, function.values)
        return self.known[dot, stage]

    def waited(self, net: Value, born: int, stage: int) -> Value:
        """A net in a stage: had again, or through registers."""
        given = self.again(net, stage) if self.again else None
        if given is not None:
            return given
        if stage == born:
            return net
        if (id(net), stage) not in self.waiting:
            before = self.waited(net, born, stage - 1)
            self.waiting[id(net), stage] = self.later(before, stage)
        return self.waiting[id(net), stage]

    def later(self, net: Value, stage: int) -> Value:
        """A net of the stage before, registered; once, however many dots it is in."""
        vector, bit = self.vectors.get(id(net), (net, 0))
        key = id(vector), stage
        if key not in self.registers:
            self.registers[key] = late(self.m, f"q_{stage}_{len(self.registers)}", vector)
        if vector is net:
            return self.registers[key]
        register = self.registers[key][bit]
        self.vectors[id(register)] = self.registers[key], bit
        return register

    def net(self, dot: int, stage: int) -> Value:
        """A dot as one bit."""
        function = self.at(dot, stage)
        if function.values == (0, 1):
            return function.nets[0]
        if function.values == (1, 0):
            return ~function.nets[0]
        return self.family.lut(self.cells, f"lane_{dot}", function)

    def in_stages(self) -> list[list[Chain | Count]]:
        """The operations by depth: those of one depth need nothing of each other.

        But for a LUT before a slot, and a ripple's steps, which keep their order.
        """
        groups: dict[int, list[Chain | Count]] = {}
        for operation in self.plan.operations:
            groups.setdefault(operation.depth, []).append(operation)
        counts_first = {
            depth: sorted(group, key=lambda operation: isinstance(operation, Chain))
            for depth, group in groups.items()
        }
        ordered = [counts_first[depth] for depth in sorted(groups)]
        one_line = self.technology.every == 0 and self.technology.line == 0
        if one_line and not self.family.free_start:
            return [[operation for group in ordered for operation in group]]  # one line of all
        return ordered

    def write(self, operations: list[Chain | Count]) -> None:
        """Operations that follow each other; chains strung on lines as long as allowed."""
        limit = self.technology.line or len(self.plan.places) * 2
        lines: list[list[Chain]] = []
        size = 0
        for operation in operations:
            if isinstance(operation, Chain):
                size += len(operation.slots) + 1
                if not lines or size + 1 > limit:
                    lines.append([])
                    size = len(operation.slots) + 1
                lines[-1].append(operation)
        starts = {id(chains[0]): chains for chains in lines}
        for operation in operations:
            if isinstance(operation, Count):
                self.count(operation)
                continue
            if id(operation) in starts:
                line = self.line(starts[id(operation)])
            self.string(line, operation)

    def stage(self, operation: Chain | Count) -> int:
        return self.plan.stage(operation.depth, self.technology.every)

    def count(self, operation: Count) -> None:
        stage = self.stage(operation)
        nets, tables = merged([self.at(dot, stage) for dot in operation.dots])
        places = [self.plan.places[dot] for dot in operation.dots]
        totals = [
            sum(table[i] << place - places[0] for table, place in zip(tables, places, strict=True))
            for i in indices(len(nets))
        ]
        functions = {
            dot: Function(nets, tuple(total >> digit & 1 for total in totals))
            for digit, dot in enumerate(operation.outputs)
        }
        for dot in operation.wide:
            self.put(dot, stage, functions.pop(dot))
        name = f"count_{operation.outputs[0]}"
        bits = self.family.count(self.cells, name, list(functions.values()))
        for dot, bit in zip(functions, bits, strict=True):
            self.put(dot, stage, Function((bit,), (0, 1)))

    def line(self, chains: list[Chain]) -> "_Line":
        """A line for some chains."""
        name, self.lines = f"line_{self.lines}", self.lines + 1
        size = sum(len(chain.slots) + 1 for chain in chains) + 1
        return _Line(name, chains[-1], Signal(size, name=name), [])

    def string(self, line: "_Line", chain: Chain) -> None:
        """Put the next chain on a line; the slot before it gives the last one's carry too."""
        stage = self.stage(chain)
        complemented, functions = self.chain(chain, stage)
        line.slots.extend(functions)
        for i, dot in enumerate(reversed(chain.outputs)):
            slot = len(line.slots) - i - (chain.carry_out is None)
            net = line.outputs[slot]
            self.vectors[id(net)] = line.outputs, slot
            self.put(dot, stage, Function((net,), (1, 0) if complemented else (0, 1)))
        if chain is not line.last:
            return
        if chain.carry_out is not None:
            line.slots.append(Function((), (0,)))
        given = self.family.line(self.cells, line.name, line.slots)
        self.m.d.comb += line.outputs[: len(given)].eq(Cat(*given))

    def chain(self, chain: Chain, stage: int) -> tuple[bool, list[Function]]:
        """What each slot adds, the boundary slot first, and whether of complements."""
        dots = {dot: self.at(dot, stage) for dot in chain.inputs}
        for dot in troubled(self.family, chain, dots):
            bit = self.family.lut(self.cells, f"plain_{dot}", dots[dot])
            dots[dot] = Function((bit,), (0, 1))
        fits = fitting(self.family, chain, dots)
        assert fits is not None, f"{self.family.name} cannot add {chain}"
        return fits
