"""A stream of vectors or maps on its way through a core, from stage to stage."""

__all__ = ["Flow", "whole_width"]

import math
from collections.abc import Callable, Mapping

from amaranth.hdl import Cat, Const, DomainRenamer, Module, Signal, Value
from amaranth.lib import stream, wiring

from ..dataflow import MapWords
from ..folding import LayerFolding, ceil_div
from ..layers import Conv, Layer
from ..maps import Flatten, Pool
from ..technology import Technology
from .column_buffer import ColumnBuffer
from .counter import counter
from .gearbox import Gearbox, word_layout
from .layer import LayerCore
from .plan import LayerPlan
from .pool import PoolStage
from .slack import Slack
from .window_buffer import WindowBuffer

Source = stream.Interface | wiring.FlippedInterface


class Flow:
    """The stream behind the stages so far, and what its words are made of.

    Parameters
    ----------
    m : Module
        That further stages become part of.
    region : function of a name
        The clock domain of that name, with a reset of its own.
    technology : Technology
    source : stream of word_layout
    depths : mapping from name to int
        Words of queues.
    units : int
        Units of a vector, whose last word is filled up: a sample's, a line's, or a position's.
    wide : int
        Units a word.
    bits : int
        Of a unit.
    """

    def __init__(
        self,
        m: Module,
        region: Callable[[str], DomainRenamer],
        technology: Technology,
        source: Source,
        *,
        depths: Mapping[str, int],
        units: int,
        wide: int,
        bits: int,
    ) -> None:
        self.m = m
        self.region = region
        self.technology = technology
        self.depths = depths
        self.source = source
        self.units, self.wide, self.bits = units, wide, bits

    def gear(self, name: str, wide: int, *, hold: int = 1, times: int = 1) -> None:
        """To words of another width, of `times` vectors side by side, by a gearbox with a region
        of its own; the reader holds each word so many cycles."""
        if wide == self.wide:
            return
        box = Gearbox(units=times * self.units, wide_in=times * self.wide, wide_out=times * wide,
                      width=self.bits, hold=hold)  # fmt: skip
        self.m.submodules[name] = self.region(name)(box)
        wiring.connect(self.m, self.source, box.i)
        self.source, self.wide = box.o, wide

    def pooled(self, stage: Pool, words: MapWords) -> None:
        """Through a pooling."""
        self._to_words(stage, words)
        name = f"pool_{stage.name}"
        depth = self.depths.get(f"{name}.position", 0)
        pool = PoolStage(stage, words, depth=depth, technology=self.technology)
        self._through(name, pool)
        self.wide = len(pool.o.payload)
        self.units = math.prod(stage.shape_out[1 if words.columns else 2 :])

    def flattened(self, stage: Flatten, words: MapWords) -> None:
        """A map as a vector."""
        self._to_words(stage, words)
        self.units = math.prod(stage.shape)

    def windows(self, stage: Conv, words: MapWords, fold: LayerFolding) -> None:
        """A map to a convolution's windows.

        Those at once come side by side in pieces of SIMD inputs, the piece of each window in turn,
        so that a gearbox takes them apart as it would one.
        """
        self._to_words(stage, words)
        name, bits = f"windows_{stage.name}", self.bits
        self.units = stage.inputs
        if words.columns is None:
            each = stage.window.shape[2] // words.channels
            self._through(
                name,
                WindowBuffer(stage.window, words=each, width=words.wide * bits,
                             technology=self.technology),
            )  # fmt: skip
            return
        self._through(
            name,
            ColumnBuffer(words.columns, width=words.channels * bits, technology=self.technology),
        )
        size, piece = stage.inputs * bits, fold.simd * bits
        self.wide = whole_width(stage, fold)
        windows = []
        for at in range(0, fold.positions * size, size):
            window = self.source.p.units[at : at + size]
            windows.append(Cat(window, Const(0, self.wide * bits - size)))
        starts = range(0, self.wide * bits, piece)
        self._rearrange(Cat(window[at : at + piece] for at in starts for window in windows))

    def weighted(self, plan: LayerPlan, layer: LayerCore) -> None:
        """Through a layer's grids."""
        name, positions = plan.name, plan.fold.positions
        self.gear(f"gearbox_{name}", plan.bus, hold=plan.plane_groups, times=positions)
        self.m.submodules[f"layer_{name}"] = self.region(f"layer_{name}")(layer)
        wiring.connect(self.m, self.source, layer.i)
        self.source = layer.o
        self.units, self.wide, self.bits = plan.layer.neurons, positions * plan.fold.rows, 1

    def side_by_side(self, plan: LayerPlan) -> None:
        """Words of a neuron fold of several positions, to words of these positions' neurons."""
        positions, rows, folds = plan.fold.positions, plan.fold.rows, plan.neuron_folds
        self.units = folds * self.wide
        self.gear(f"folds_{plan.name}", self.units)
        places = [
            (j // rows * positions + p) * rows + j % rows
            for p in range(positions)
            for j in range(plan.layer.neurons)
        ]
        self._rearrange(Cat(self.source.p.units[k] for k in places))
        self.units, self.wide = math.prod(plan.layer.shape_out[1:]), len(places)

    def without_marks(self) -> None:
        """A layer's plain stream, as words none of which is to be dropped."""
        self._make_words(self.source.payload, Const(0))

    def hold_at_end(self, name: str, go: Value, drop: Value | None = None) -> Value:
        """Let each vector's last word pass only while `go`, with `drop` marked by that; and say
        when it passes."""
        m, words = self.m, stream.Signature(word_layout(len(self.source.p.units))).create()
        moved, passes = Signal(), Signal(name=f"{name}_passes")
        _, last = counter(m, name, ceil_div(self.units, self.wide), moved)
        m.d.comb += [
            passes.eq(~last | go),
            words.valid.eq(self.source.valid & passes),
            words.p.units.eq(self.source.p.units),
            words.p.drop.eq(self.source.p.drop if drop is None else drop),
            self.source.ready.eq(words.ready & passes),
            moved.eq(words.valid & words.ready),
        ]
        # What takes the words shall not hang on what lets them go.
        m.submodules[f"{name}_slack"] = slack = self.region(name)(Slack(words.payload.shape()))
        wiring.connect(m, words, slack.i)
        self.source = slack.o
        return moved & last

    def _to_words(self, stage: Conv | Pool | Flatten, words: MapWords) -> None:
        """A map to the words in which it comes to a stage."""
        if words.positions > 1 and self.units == stage.shape_in[-1]:
            if self.units % self.wide:  # each position's last word is filled up
                self.gear(f"position_gearbox_{stage.name}", self.units)
            self.units = math.prod(stage.shape_in[1:])
        self.gear(f"map_gearbox_{stage.name}", words.wide)

    def _through(self, name: str, stage: WindowBuffer | ColumnBuffer | PoolStage) -> None:
        """Through a stage that knows no vectors."""
        self.m.submodules[name] = self.region(name)(stage)
        self.m.d.comb += [
            stage.i.valid.eq(self.source.valid),
            stage.i.payload.eq(self.source.p.units),
            self.source.ready.eq(stage.i.ready),
        ]
        self.source = stage.o
        self.without_marks()

    def _rearrange(self, units: Value) -> None:
        """Words with these units for theirs."""
        self._make_words(units, self.source.p.drop)

    def _make_words(self, units: Value, drop: Value) -> None:
        words = stream.Signature(word_layout(len(units))).create()
        self.m.d.comb += [
            words.valid.eq(self.source.valid),
            words.p.units.eq(units),
            words.p.drop.eq(drop),
            self.source.ready.eq(words.ready),
        ]
        self.source = words


def whole_width(layer: Layer, fold: LayerFolding) -> int:
    """Inputs of a whole window, with those that fill up its last step."""
    return fold.input_folds(layer) * fold.simd
