"""Two registers of slack in a stream: what lies on either side of it never waits for the other."""

__all__ = ["Slack"]

from amaranth.hdl import Module, Mux, ShapeLike, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class Slack(wiring.Component):
    """Cuts all paths of a stream's handshake: `i.ready`, `o.valid` and `o.payload` are registers.

    A word that comes in while the one before is held up waits in a second register.

    Latency: 1 cycle. Throughput: a word a cycle.

    Members
    -------
    i : In(stream), o : Out(stream), payload of `shape`
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, shape: ShapeLike) -> None:
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        payload = Value.cast(self.i.payload)  # which may be a view
        head = Signal(len(payload), reset_less=True)
        spare = Signal(len(payload), reset_less=True)
        valid = Signal()
        ready = Signal(init=1)  # the spare register is empty
        moves = Signal()
        m.d.comb += [
            self.i.ready.eq(ready),
            self.o.valid.eq(valid),
            self.o.payload.eq(head),
            moves.eq(~valid | self.o.ready),
        ]
        m.d.sync += [
            ready.eq(moves | (ready & ~self.i.valid)),
            valid.eq(~moves | self.i.valid | ~ready),
        ]
        with m.If(moves):
            m.d.sync += head.eq(Mux(ready, payload, spare))
        with m.If(ready):
            m.d.sync += spare.eq(payload)
        return m
