"""One layer: replay buffer, sequencer, grid, edges, and the exit with its credits."""

__all__ = ["LayerCore", "of_position"]

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..timing import cell_latency, read_latency
from .argmax import CLASS_BITS, Argmax
from .delay import late
from .edge import Edge, control_register
from .exit import Exit
from .gearbox import word_layout
from .grid import Grid
from .plan import LayerPlan
from .replay import ReplayBuffer
from .sequencer import Sequencer
from .table import latency as table_latency
from .weights import address_lead


class LayerCore(wiring.Component):
    """A layer on its systolic grid, streams at both ends, nothing between them that stalls.

    Throughput: `folding.layer_cycles` a vector, no bubble between vectors. Latency:
    `timing.layer_latency` from a fold's last step to its word, `timing.argmax_latency` more to a
    class, then the exit's FIFO.

    Of several positions each has a replay buffer, a grid and edges of its own, with weights of
    their own, for a lane's weights and its XNOR are one LUT. One sequencer leads them all.

    Parameters
    ----------
    plan : LayerPlan
    gives_class : bool
        Reduce the scores to the class of the largest.
    exit_depth : int
        Words of the FIFO at the exit: `timing.exit_depth`.

    Members
    -------
    i : In(stream), word_layout(positions * plan.bus * B)
        Of each position's vector a word, side by side.
    o : Out(stream)
        Words of rows * word_width bits for each position, a neuron fold each; or classes.

    Inside, `tap_valid` and `tap_data` show each fold's word as it leaves the grid.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, plan: LayerPlan, *, gives_class: bool, exit_depth: int) -> None:
        self.plan = plan
        self.gives_class = gives_class
        self.exit_depth = exit_depth
        self.positions = plan.fold.positions
        self.tap_width = self.positions * plan.fold.rows * plan.word_width
        self.word_width = CLASS_BITS if gives_class else self.tap_width
        inputs = self.positions * plan.bus * plan.layer.input_bits
        super().__init__(
            {
                "i": In(stream.Signature(word_layout(inputs))),
                "o": Out(stream.Signature(self.word_width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        replays = [ReplayBuffer(plan) for _ in range(self.positions)]
        grids = [Grid(plan) for _ in range(self.positions)]
        each = "vector" if self.gives_class else "fold"
        sequencer = Sequencer(plan, word_each=each)
        for p, replay in enumerate(replays):
            m.submodules[f"replay{of_position(p)}"] = replay
        m.submodules.sequencer = sequencer
        for p, grid in enumerate(grids):
            m.submodules[f"grid{of_position(p)}"] = grid
        for p, replay in enumerate(replays):
            size = len(replay.i.p.units)
            m.d.comb += [
                replay.i.valid.eq(self.i.valid),
                replay.i.p.units.eq(self.i.p.units[p * size : (p + 1) * size]),
                replay.i.p.drop.eq(self.i.p.drop),
                replay.read_addr.eq(sequencer.read_addr),
                replay.claim.eq(sequencer.claim),
                replay.retire.eq(sequencer.retire),
            ]
        # They do the same in the same cycles, so one speaks for all.
        m.d.comb += [
            self.i.ready.eq(replays[0].i.ready),
            sequencer.available.eq(replays[0].available),
        ]
        self._feed(m, replays, sequencer, grids)
        self._edges(m, grids, sequencer)

        result, done = self.tap_data, self.tap_valid
        if self.gives_class:
            m.submodules.argmax = argmax = Argmax(plan)
            m.d.comb += [argmax.scores.eq(self.tap_data), argmax.valid.eq(self.tap_valid)]
            result, done = argmax.index, argmax.done
        m.submodules.exit = way_out = Exit(
            width=self.word_width, depth=self.exit_depth, technology=plan.technology
        )
        m.d.comb += [
            way_out.launch.eq(sequencer.launch),
            way_out.result.eq(result),
            way_out.done.eq(done),
            sequencer.credit.eq(way_out.credit),
        ]
        wiring.connect(m, way_out.o, wiring.flipped(self.o))
        return m

    def _feed(
        self,
        m: Module,
        replays: Sequence[ReplayBuffer],
        sequencer: Sequencer,
        grids: Sequence[Grid],
    ) -> None:
        """Activations and weight addresses to the columns, each a cycle after its neighbour."""
        addr: Value = sequencer.weight_addr
        # From the addresses on; the weights' comes a cycle late, the replay buffer takes two.
        sizes = (self.plan.layer, self.plan.fold, self.plan.technology)
        read = read_latency(*sizes) - 1
        for k in range(read - 1 - address_lead(*sizes)):
            addr = late(m, f"weight_addr_wait_{k}", addr)
        for c in range(self.plan.fold.cols):
            for p, (replay, grid) in enumerate(zip(replays, grids, strict=True)):
                a = getattr(replay, f"a_{c}")
                for k in range(read - 2):
                    a = late(m, f"a_wait{of_position(p)}_{k}_{c}", a)
                m.d.comb += [getattr(grid, f"a_{c}").eq(a), getattr(grid, f"addr_{c}").eq(addr)]
            if c + 1 < self.plan.fold.cols:
                addr = late(m, f"weight_addr_{c}", addr)

    def _edges(self, m: Module, grids: Sequence[Grid], sequencer: Sequencer) -> None:
        """The edges with their control, and the rows' results brought into one word (the tap)."""
        plan, fold = self.plan, self.plan.fold
        control: data.View = sequencer.control
        # Control leaves the sequencer a cycle after the launch, and is due a cycle before the sum;
        # the fold's number a little earlier.
        wait = read_latency(plan.layer, fold, plan.technology) - 2
        wait += cell_latency(plan.layer, fold, plan.technology) + fold.cols - 1
        lead = table_latency(plan.neuron_folds) - 1
        for k in range(wait):
            ahead = k >= wait - lead
            control = control_register(m, plan, f"control_{k}", control, ahead=ahead)
        self.tap_valid = Signal(attrs={"keep": 1})
        self.tap_data = Signal(self.tap_width, attrs={"keep": 1})
        results = []
        for p, grid in enumerate(grids):
            led = control
            for r in range(fold.rows):
                ps = getattr(grid, f"ps_{r}")
                m.submodules[f"edge{of_position(p)}_{r}"] = edge = Edge(plan, r, ps.shape())
                m.d.comb += [edge.ps.eq(ps), edge.control_i.eq(led)]
                if fold.band_of(r + 1) > fold.band_of(r):
                    led = edge.control_o
                result: Value = edge.o
                for k in range(fold.band_of(fold.rows - 1) - fold.band_of(r)):
                    result = late(m, f"result{of_position(p)}_{r}_{k}", result)
                results.append(result)
            if p == 0:
                m.d.comb += self.tap_valid.eq(edge.done)
        m.d.comb += self.tap_data.eq(Cat(*results))


def of_position(position: int) -> str:
    """What a position's parts are called after it."""
    return f"_{position}" if position else ""
