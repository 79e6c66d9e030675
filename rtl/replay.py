"""A ring of vectors: the next ones load while one is read again and again."""

__all__ = ["ReplayBuffer"]

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .bank import Bank
from .counter import counter, thermometer
from .delay import late
from .gearbox import word_layout
from .plan import RING, LayerPlan
from .sequencer import index_width, read_addr_width


class ReplayBuffer(wiring.Component):
    """One bank of memory a column, each holding `plan.RING` vectors.

    Words of SIMD inputs come in; a word of B bits an input is written as ceil(B / planes) words,
    highest planes first. Reads and writes both enter at column 0 and travel right by one column a
    cycle, which is the skew that the grid wants; being one cycle apart there, they never meet.

    A vector whose last word is marked `drop` is not kept.

    Throughput: a word of the ring a cycle. Latency: `available` rises in the cycle after a
    vector's last word; activations come two cycles after `read_addr`.

    Members
    -------
    i : In(stream), word_layout(SIMD * B)
        Input k of a word at bits k * B and up.
    available : Out(1)
        A whole vector is there that was not claimed.
    claim : In(1)
        It is claimed: only while `available`.
    retire : In(1)
        The oldest vector's slot is free for writing from the next cycle but one.
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
        super().__init__(
            {
                "i": In(stream.Signature(word_layout(fold.simd * plan.layer.input_bits))),
                "available": Out(1),
                "claim": In(1),
                "retire": In(1),
                "read_addr": In(read_addr_width(plan)),
            }
            | {f"a_{c}": Out(self.bank_width) for c in range(fold.cols)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        write, group, write_addr = self._write_side(m)
        words = self._planes(m, group)

        read_addr: Value = self.read_addr
        enable = Signal()
        address = Signal(self.read_addr.shape(), reset_less=True)
        m.d.sync += [enable.eq(write), address.eq(write_addr)]
        for c in range(self.plan.fold.cols):
            m.submodules[f"bank_{c}"] = bank = Bank(
                width=self.bank_width,
                depth=1 << len(self.read_addr),
                technology=self.plan.technology,
            )
            m.d.comb += [
                bank.write.eq(enable),
                bank.write_addr.eq(address),
                bank.d.eq(self._delayed(m, f"data_{c}", words[c], c + 1)),
                bank.read_addr.eq(read_addr),
                getattr(self, f"a_{c}").eq(bank.q),
            ]
            if c + 1 < self.plan.fold.cols:
                read_addr = self._delayed(m, f"read_addr_{c}", read_addr, 1)
                address = self._delayed(m, f"write_addr_{c}", address, 1)
                following = Signal(name=f"enable_{c}")
                m.d.sync += following.eq(enable)
                enable = following
        return m

    def _write_side(self, m: Module) -> tuple[Value, Value, Value]:
        """Takes words while the ring has a free slot: write, the group of planes, the address."""
        plan = self.plan
        write = Signal()
        taken = Signal()
        commit = Signal()
        group, group_end = counter(m, "group", plan.plane_groups, write)
        fold, fold_end = counter(m, "fold", plan.input_folds, taken)
        slot = Signal(range(RING))
        vector_end: Value = fold_end
        if plan.plane_groups > 1:
            _, vector_end = counter(m, "word", plan.steps, write)
        retired = Signal()
        m.d.sync += retired.eq(self.retire)
        held = thermometer(m, "held", RING, up=commit, down=retired)
        waiting = thermometer(m, "waiting", RING, up=commit, down=self.claim)
        room = ~held[-1]
        m.d.comb += [
            write.eq(self.i.valid & room),
            taken.eq(write & group_end),
            self.i.ready.eq(room & group_end),
            commit.eq(write & vector_end & ~self.i.p.drop),
            self.available.eq(waiting[0]),
        ]
        with m.If(commit):
            m.d.sync += slot.eq(slot + 1)
        index: Value = fold
        if plan.plane_groups > 1:
            at = Signal(range(plan.steps))
            with m.If(taken):
                m.d.sync += at.eq(fold + 1)
                with m.If(fold_end):
                    m.d.sync += at.eq(0)
            with m.Elif(write):
                m.d.sync += at.eq(at + plan.input_folds)
            index = at
        address = Signal(len(self.read_addr))
        m.d.comb += address.eq((slot << index_width(plan)) | index)
        return write, group, address

    def _planes(self, m: Module, group: Value) -> list[Value]:
        """The planes of the current group, for each column; plane p of lane l at p * lanes + l."""
        fold, bits = self.plan.fold, self.plan.layer.input_bits
        top = self.plan.bits_computed
        units = Signal(fold.simd * bits)
        m.d.comb += units.eq(self.i.p.units)
        words: list[Value] = []
        for c in range(fold.cols):
            word = Signal(self.bank_width, name=f"word_{c}")
            with m.Switch(group):
                for g in range(self.plan.plane_groups):
                    lowest = top - (g + 1) * fold.planes
                    chosen: list[Value] = []
                    for plane in range(lowest, lowest + fold.planes):
                        for lane in range(c * fold.lanes, (c + 1) * fold.lanes):
                            inside = plane < bits
                            chosen.append(units[lane * bits + plane] if inside else Const(0, 1))
                    with m.Case(g):
                        m.d.comb += word.eq(Cat(*chosen))
            words.append(word)
        return words

    @staticmethod
    def _delayed(m: Module, name: str, value: Value, cycles: int) -> Signal:
        """The value some cycles later."""
        for k in range(cycles):
            value = late(m, f"{name}_{k}", value)
        assert isinstance(value, Signal)
        return value
