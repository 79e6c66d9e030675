"""The core's mouth: AXI4-Stream frames in."""

__all__ = ["FrameReader", "bus_width"]

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..folding import ceil_div
from ..input_format import InputFormat
from .counter import counter
from .gearbox import word_layout
from .slack import Slack


def axis_layout(width: int) -> data.StructLayout:
    """A beat: data of whole bytes, and whether it is the frame's last."""
    return data.StructLayout({"data": width, "last": 1})


def bus_width(pixels: int, bits: int) -> int:
    """Bits of tdata: a byte for each pixel, or a bit each for one-bit pixels, in whole bytes."""
    return 8 * pixels if bits > 1 else ceil_div(pixels, 8) * 8


class FrameReader(wiring.Component):
    """Takes frames of K pixels apart into words, and survives frames of any other length.

    A short frame is completed with whatever is on the bus, a long one's surplus is dropped up to
    its last beat; either raises `frame_error`, and its vector is marked to be dropped.

    Latency: 1 cycle. Throughput: a beat a cycle.

    Parameters
    ----------
    form : InputFormat
    pixels : int
        Pixels a beat.

    Members
    -------
    i : In(stream), axis_layout
    o : Out(stream), word_layout(pixels * B)
    frame_error : Out(1)
        A frame was too short or too long; stays until reset.
    """

    i: stream.Interface
    o: stream.Interface
    frame_error: Signal

    def __init__(self, form: InputFormat, pixels: int) -> None:
        self.form = form
        self.pixels = pixels
        super().__init__(
            {
                "i": In(stream.Signature(axis_layout(bus_width(pixels, form.bits)))),
                "o": Out(stream.Signature(word_layout(pixels * form.bits))),
                "frame_error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beats = ceil_div(self.form.size, self.pixels)
        completing = Signal()  # a short frame
        skipping = Signal()  # a long frame's surplus
        error = Signal()
        m.submodules.slack = slack = Slack(word_layout(self.pixels * self.form.bits))
        room, take = slack.i.ready, Signal()
        _, frame_end = counter(m, "beat", beats, take)
        wrong = Signal()
        m.d.comb += [
            wrong.eq(self.i.valid & ~completing & (self.i.p.last != frame_end)),
            self.frame_error.eq(error),
            self.i.ready.eq(skipping | (room & ~completing)),
            take.eq(room & ~skipping & (completing | self.i.valid)),
            slack.i.valid.eq(~skipping & (completing | self.i.valid)),
            slack.i.p.units.eq(self._units(frame_end)),
            slack.i.p.drop.eq(completing | wrong),
        ]
        with m.If(take):
            m.d.sync += [
                completing.eq((completing | wrong) & ~frame_end),
                skipping.eq(wrong & frame_end),
                error.eq(error | wrong),
            ]
        with m.If(skipping & self.i.valid & self.i.p.last):
            m.d.sync += skipping.eq(0)
        wiring.connect(m, slack.o, wiring.flipped(self.o))
        return m

    def _units(self, frame_end: Value) -> Value:
        """A beat's pixels, B bits each; those beyond the frame's end are 0."""
        bits = self.form.bits
        apart = 8 if bits > 1 else 1
        inside = self.form.size - (ceil_div(self.form.size, self.pixels) - 1) * self.pixels
        units: list[Value] = []
        for k in range(self.pixels):
            unit = self.i.p.data[k * apart : k * apart + bits]
            units.append(unit if k < inside else Mux(frame_end, Const(0, bits), unit))
        return Cat(*units)
