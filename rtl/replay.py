"""A ring of vectors: the next ones load while one is read again and again."""

__all__ = ["ReplayBuffer"]

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..folding import ceil_div
from .bank import Bank
from .counter import counter, thermometer
from .delay import late
from .gearbox import word_layout
from .plan import RING, LayerPlan
from .sequencer import index_width, read_addr_width


class ReplayBuffer(wiring.Component):
    """One bank of memory a column, each holding `plan.RING` vectors.

    Words of `plan.bus` inputs come in, `plan.parts` of them to the SIMD inputs of a fold; a word
    of B bits an input is written as ceil(B / planes) words, highest planes first.

    What is to be written travels right with its address, by one column a cycle and without a
    stop, and a column writes it where it is of its part. Reads travel right in the same way, which
    is the skew that the grid wants. So column c does c cycles later what column 0 would do, and as
    reads and writes of a slot never meet in column 0, they meet in none.

    A column that a vector's last word does not reach is never written at that place, and keeps the
    0 that the memory begins with: inputs beyond K are 0. What travels needs no reset: it is ahead
    of all that comes after, and vectors to come are written to the same places.

    A vector whose last word is marked `drop` is not kept.

    Throughput: a word of the ring a cycle. Latency: `available` rises in the second cycle after a
    vector's last word; activations come two cycles after `read_addr`.

    Members
    -------
    i : In(stream), word_layout(plan.bus * B)
        Input k of a word at bits k * B and up.
    available : Out(1)
        A whole vector is there that was not claimed.
    claim : In(1)
        It is claimed: only while `available`.
    retire : In(1)
        The oldest vector's slot is free for writing from the next cycle.
    read_addr : In
        {slot, group * IF + fold}.
    a_{c} : Out, planes * lanes bits, for each column c
        c cycles after column 0.
    """

    i: stream.Interface
    available: Signal
    claim: Signal
    retire: Signal
    read_addr: Signal

    def __init__(self, plan: LayerPlan) -> None:
        self.plan = plan
        fold = plan.fold
        self.bank_width = fold.planes * fold.lanes
        self.span = fold.cols // plan.parts  # columns that a word reaches over
        super().__init__(
            {
                "i": In(stream.Signature(word_layout(plan.bus * plan.layer.input_bits))),
                "available": Out(1),
                "claim": In(1),
                "retire": In(1),
                "read_addr": In(read_addr_width(plan)),
            }
            | {f"a_{c}": Out(self.bank_width) for c in range(fold.cols)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cols, last_part = self.plan.fold.cols, self.plan.parts - 1
        write, group, part, write_addr = self._write_side(m)
        words = self._planes(m, group)
        read_addr: Value = self.read_addr
        # A word is for this column (`here`), or for one so many parts further on (0: for none).
        here: Value = write & (part == 0)
        beyond: Value = Mux(write, part, 0)
        for c in range(cols):
            own_part, place = divmod(c, self.span)
            if c and place == 0:
                here, beyond = beyond == 1, Mux(beyond == 0, 0, beyond - 1)
            here = late(m, f"enable_{c}", here)
            if own_part < last_part:
                further = Signal(
                    range(last_part - own_part + 1), name=f"beyond_{c}", reset_less=True
                )
                m.d.sync += further.eq(beyond)
                beyond = further
            write_addr = late(m, f"write_addr_{c}", write_addr)
            # In the last part, what lies before its own place is of no use to a column any more.
            for k in range(place if own_part == last_part else 0, self.span):
                words[k] = late(m, f"data_{c}_{k}", words[k])
            m.submodules[f"bank_{c}"] = bank = Bank(
                width=self.bank_width,
                depth=1 << len(self.read_addr),
                technology=self.plan.technology,
            )
            m.d.comb += [
                bank.write.eq(here),
                bank.write_addr.eq(write_addr),
                bank.d.eq(words[place]),
                bank.read_addr.eq(read_addr),
                bank.read.eq(1),
                bank.move.eq(1),
                getattr(self, f"a_{c}").eq(bank.q),
            ]
            if c + 1 < cols:
                read_addr = late(m, f"read_addr_{c}", read_addr)
        return m

    def _write_side(self, m: Module) -> tuple[Value, Value, Value, Value]:
        """Takes words while the ring has a free slot.

        Returns whether one is written, its group of planes, its part of SIMD, and its address.
        """
        plan = self.plan
        write = Signal()
        taken = Signal()
        committed = Signal()  # a vector's last word came in the cycle before
        group, group_end = counter(m, "group", plan.plane_groups, write)
        part, fold, vector_end = self._place(m, write, taken)
        slot = Signal(range(RING))
        commit = write & vector_end & ~self.i.p.drop
        room = thermometer(m, "free", RING, up=self.retire, down=commit, start=RING)[0]
        waiting = thermometer(m, "waiting", RING, up=committed, down=self.claim)
        m.d.comb += [
            write.eq(self.i.valid & room),
            taken.eq(write & group_end),
            self.i.ready.eq(room & group_end),
            self.available.eq(waiting[0]),
        ]
        m.d.sync += committed.eq(commit)
        with m.If(commit):
            m.d.sync += slot.eq(slot + 1)
        address = Signal(len(self.read_addr))
        m.d.comb += address.eq((slot << index_width(plan)) | fold)
        return write, group, part, address

    def _place(self, m: Module, write: Value, taken: Value) -> tuple[Value, Value, Value]:
        """A word's part of SIMD, its index within the vector, and whether it ends the vector."""
        plan, parts = self.plan, self.plan.parts
        words = ceil_div(plan.layer.inputs, plan.bus)
        if parts == 1 and plan.plane_groups == 1:
            fold, vector_end = counter(m, "fold", words, taken)
            return Const(0, 1), fold, vector_end
        _, vector_end = counter(m, "word", words * plan.plane_groups, write)
        part, part_end = counter(m, "part", parts, taken, restart=vector_end)
        folded = Signal()
        m.d.comb += folded.eq(taken & (part_end | vector_end))
        fold, fold_end = counter(m, "fold", plan.input_folds, folded)
        if plan.plane_groups == 1:
            return part, fold, vector_end
        at = Signal(range(plan.steps))
        with m.If(taken):
            m.d.sync += at.eq(Mux(folded, Mux(fold_end, 0, fold + 1), fold))
        with m.Elif(write):
            m.d.sync += at.eq(at + plan.input_folds)
        return part, at, vector_end

    def _planes(self, m: Module, group: Value) -> list[Value]:
        """The planes of the current group, cell by cell; plane p of lane l at p * lanes + l."""
        fold, bits = self.plan.fold, self.plan.layer.input_bits
        top = self.plan.bits_computed
        units = Signal(self.plan.bus * bits)
        m.d.comb += units.eq(self.i.p.units)
        words: list[Value] = []
        for k in range(self.span):
            word = Signal(self.bank_width, name=f"word_{k}")
            with m.Switch(group):
                for g in range(self.plan.plane_groups):
                    lowest = top - (g + 1) * fold.planes
                    chosen: list[Value] = []
                    for plane in range(lowest, lowest + fold.planes):
                        for lane in range(k * fold.lanes, (k + 1) * fold.lanes):
                            inside = plane < bits
                            chosen.append(units[lane * bits + plane] if inside else Const(0, 1))
                    with m.Case(g):
                        m.d.comb += word.eq(Cat(*chosen))
            words.append(word)
        return words
