"""Two registers of slack in a stream: what lies on either side of it never waits for the other."""

__all__ = ["Slack"]

from amaranth.hdl import Module, Mux, ShapeLike, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class Slack(wiring.Component):
    """Two places for a word: `i.ready`, `o.valid` and `o.payload` hang on registers of it only.

    Words go to the places by turns, and from them. Whether one is taken in or out decides what is
    said of the places, and nothing as wide as a word.

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
        places = [Signal(len(payload), name=f"place_{k}", reset_less=True) for k in range(2)]
        empty = Signal(2, init=0b11)  # not `full`: a clock enable has no inverter everywhere
        valid = Signal()  # one of them is
        into = Signal()  # the place of the next word
        oldest = Signal()  # that of the next one to go
        m.d.comb += [
            self.i.ready.eq(empty.any()),
            self.o.valid.eq(valid),
            self.o.payload.eq(Mux(oldest, places[1], places[0])),
        ]
        m.d.sync += valid.eq(self.i.valid | ~empty.any() | (valid & ~self.o.ready))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += into.eq(~into)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += oldest.eq(~oldest)
        for k, place in enumerate(places):
            # An empty place takes whatever is there, so its clock enable waits for nobody.
            with m.If(empty[k]):
                m.d.sync += [place.eq(payload), empty[k].eq(~self.i.valid | (into != k))]
            with m.Else():
                m.d.sync += empty[k].eq(self.o.ready & (oldest == k))
        return m
