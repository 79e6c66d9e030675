"""A whole network as one core: a grid for every layer, AXI4-Stream in and out."""

__all__ = ["Core", "reset_cycles"]

from collections.abc import Sequence

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    DomainRenamer,
    Module,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ..errors import InputError
from ..folding import Folding, ceil_div
from ..layers import Conv
from ..maps import Flatten, Pool
from ..network import Network
from ..queues import queues
from ..technology import Technology
from ..timing import layer_latency
from .axis import FrameReader, bus_width
from .counter import counter
from .flow import Flow, whole_width
from .layer import LayerCore
from .plan import LayerPlan
from .weights import settled

OUTPUTS = ("class", "scores", "bits")


class Core(wiring.Component):
    """A dataflow of layers. Latency, interval: `timing.network_latency`, `Folding.interval`.

    Parameters
    ----------
    network : Network
    folding : Folding
    output : "class", "scores" or "bits"
        A 32-bit beat an image with the class in bits 15:0; M 32-bit beats of scores; or, of a
        network that ends in bits, a beat of `rows` bits a neuron fold, of a map for each of the
        positions at once, in whole bytes.
    technology : Technology
        By default plain Verilog for any tool.
    simulated : bool
        For Amaranth's simulator: behavioural twins stand for a family's cells.

    Members
    -------
    aclk, aresetn : In(1)
        Clock; reset, synchronous, active low. The core is busy with it for `reset_cycles` after
        it has ended.
    s_axis_* : AXI4-Stream in
        Frames of K pixels, first pixel lowest, the last beat padded with 0 and marked TLAST.
    m_axis_* : AXI4-Stream out
    frame_error : Out(1)
        A frame was too short or too long. It gave no result, but of a network that ends in maps:
        that gives one, of whatever came.
    """

    aclk: Signal
    aresetn: Signal
    s_axis_tdata: Signal
    s_axis_tvalid: Signal
    s_axis_tready: Signal
    s_axis_tlast: Signal
    m_axis_tdata: Signal
    m_axis_tvalid: Signal
    m_axis_tready: Signal
    m_axis_tlast: Signal
    frame_error: Signal

    def __init__(
        self,
        network: Network,
        folding: Folding,
        output: str = "class",
        technology: Technology | None = None,
        *,
        simulated: bool = False,
    ) -> None:
        if output not in OUTPUTS:
            raise InputError(f"output must be {', '.join(OUTPUTS)}, not {output!r}")
        if (network.output is None) != (output == "bits"):
            last = network.layers[-1].name
            gives = "bits" if network.output is None else "class or scores"
            raise InputError(
                f"the last layer, {last}, gives {gives}, so the output is not {output}"
            )
        if isinstance(network.layers[-1], Pool | Flatten):
            raise InputError(
                f"the last layer, {network.layers[-1].name}, has no weights; a core's last one must"
            )
        self.network = network
        self.technology = technology or Technology()
        self.folding = folding = settled(network, folding, self.technology)
        self.output = output
        self.queues = tuple(queues(network, folding, output, self.technology))
        self.depths = {queue.name: queue.depth for queue in self.queues}
        self.pixels = folding.bus_pixels(network)
        self.maps = {one.name: one for one in folding.map_words(network)}
        self.plans = []
        folds = iter(folding.pairs(network))
        wide = self.pixels
        for stage in network.layers:
            if stage.name in self.maps:
                wide = self.maps[stage.name].wide
            if not isinstance(stage, Pool | Flatten):
                layer, fold = next(folds)
                if isinstance(stage, Conv) and self.maps[stage.name].columns:
                    wide = whole_width(layer, fold)
                parts = fold.simd // fold.bus(layer, wide)
                self.plans.append(LayerPlan(layer, fold, self.technology, simulated, parts))
                wide = fold.rows
        given = self.plans[-1].fold.positions * self.plans[-1].fold.rows
        width_out = ceil_div(given, 8) * 8 if output == "bits" else 32
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_tdata": In(bus_width(self.pixels, network.input.bits)),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "s_axis_tlast": In(1),
                "m_axis_tdata": Out(width_out),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "m_axis_tlast": Out(1),
                "frame_error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._clock(m)
        form = self.network.input
        m.submodules.reader = reader = FrameReader(form, self.pixels)
        m.d.comb += [
            reader.i.p.data.eq(self.s_axis_tdata),
            reader.i.p.last.eq(self.s_axis_tlast),
            reader.i.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(reader.i.ready & ~self.closed),
            self.frame_error.eq(reader.frame_error),
        ]
        flow = Flow(
            m, lambda name: self._region(m, name), self.technology, reader.o,
            depths=self.depths, units=form.size, wide=self.pixels, bits=form.bits,
        )  # fmt: skip
        plans = iter(self.plans)
        marks = None
        if frames := self.depths.get("frame_marks"):
            marks = SyncFIFO(width=1, depth=frames)
            m.submodules.frame_marks = self._region(m, "frame_marks")(marks)
            drop = flow.source.p.drop
            end = flow.hold_at_end("frame_word", marks.w_rdy)
            m.d.comb += [marks.w_en.eq(end), marks.w_data.eq(drop)]
        for stage in self.network.layers:
            last = stage is self.network.layers[-1]
            if isinstance(stage, Flatten):
                flow.flattened(stage, self.maps[stage.name])
                if marks is not None:  # a map is a vector from here on
                    m.d.comb += marks.r_en.eq(
                        flow.hold_at_end("map_word", marks.r_rdy, marks.r_data)
                    )
            elif isinstance(stage, Pool):
                flow.pooled(stage, self.maps[stage.name])
            else:
                plan = next(plans)
                if isinstance(stage, Conv):
                    flow.windows(stage, self.maps[stage.name], plan.fold)
                layer = LayerCore(
                    plan,
                    gives_class=last and self.output == "class",
                    exit_depth=self.depths[f"layer_{plan.name}.exit"],
                )
                flow.weighted(plan, layer)
                if not last:
                    flow.without_marks()
                    if plan.fold.positions > 1:
                        flow.side_by_side(plan)
        self._give(m, flow)
        return m

    def _clock(self, m: Module) -> None:
        """One clock; the reset is registered, so that its pin is on no path of ours.

        It lasts until all that was under way has left the grids, for they have no reset: nothing
        is in them but the clock.
        """
        m.domains.pin = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal("pin").eq(self.aclk)
        flight = longest_flight(self.plans)
        held = Signal()  # the pin, a cycle ago
        # Counts up to its highest bit, and on, so that nothing is before its adder. A core that was
        # never reset begins with it, too.
        end = 1 << flight.bit_length()
        waited = Signal(range(2 * end), init=end - flight)
        empty = Signal()
        m.d.pin += waited.eq(waited + 1)
        with m.If(held):
            m.d.pin += [waited.eq(waited.init), empty.eq(0)]
        with m.Elif(waited[-1]):
            m.d.pin += empty.eq(1)
        wanted = ~self.aresetn | held | ~empty
        self.in_reset = Signal(init=1)
        self.closed = Signal(init=1)  # in_reset, and a cycle longer: as long as a region's
        m.d.pin += [
            held.eq(~self.aresetn),
            self.in_reset.eq(wanted),
            self.closed.eq(wanted | self.in_reset),
        ]
        self._region(m, "sync")

    def _region(self, m: Module, name: str) -> DomainRenamer:
        """A domain whose reset, a cycle after `in_reset`, has a register of its own.

        A single one for all would be the slowest net of a large core.
        """
        m.domains += ClockDomain(name)
        reset = Signal(name=f"reset_{name}", init=1, attrs={"keep": 1})
        m.d.pin += reset.eq(self.in_reset)
        m.d.comb += [ClockSignal(name).eq(self.aclk), ResetSignal(name).eq(reset)]
        return DomainRenamer(name)

    def _give(self, m: Module, flow: Flow) -> None:
        """The last layer's stream as frames on m_axis."""
        beats = self.folding.output_beats(self.network, self.output)
        word: Value = flow.source.payload
        if self.output == "scores":
            flow.without_marks()
            flow.bits = self.plans[-1].word_width
            flow.gear("output_gearbox", 1)
            word = flow.source.p.units.as_signed()
        source = flow.source
        _, frame_end = counter(m, "output_beat", beats, source.valid & self.m_axis_tready)
        m.d.comb += [
            self.m_axis_tdata.eq(word),
            self.m_axis_tvalid.eq(source.valid & ~self.closed),
            source.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(frame_end),
        ]


def longest_flight(plans: Sequence[LayerPlan]) -> int:
    """Cycles in which whatever is under way in the grids leaves them."""
    return max(layer_latency(plan.layer, plan.fold, plan.technology) for plan in plans)


def reset_cycles(plans: Sequence[LayerPlan]) -> int:
    """Cycles from the end of `aresetn` low in which the core takes nothing."""
    return longest_flight(plans) + 4
