"""Marks of frames to be dropped, past maps that have none: each vector gets its own frame's."""

__all__ = ["PROOFS"]

import dataclasses
import functools

from amaranth.hdl import Cat, DomainRenamer, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from bnnhw.rtl.flow import Flow
from bnnhw.rtl.gearbox import word_layout
from bnnhw.technology import Technology

from .bench import Bench, Override, design_of
from .board import table
from .gearbox import slack_places
from .inside import Inside
from .proof import Broken, Case, Proof


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """Words of a frame and of a map, of a unit each, and the FIFO's depth."""

    frame: int
    words: int
    depth: int


class Marked(wiring.Component):
    """A core's two holds and the FIFO between them; on the way from `frames` to `maps` is the rest
    of the core, which is the surroundings here."""

    i: stream.Interface
    frames: stream.Interface
    maps: stream.Interface
    o: stream.Interface

    def __init__(self, size: Size) -> None:
        self.size = size
        word = stream.Signature(word_layout(1))
        super().__init__(
            {"i": In(word), "frames": Out(word), "maps": In(stream.Signature(1)), "o": Out(word)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.marks = marks = SyncFIFO(width=1, depth=self.size.depth)
        flow = Flow(
            m, lambda name: DomainRenamer("sync"), Technology(), wiring.flipped(self.i),
            depths={}, units=self.size.frame, wide=1, bits=1,
        )  # fmt: skip
        drop = flow.source.p.drop
        end = flow.hold_at_end("frame_word", marks.w_rdy)
        m.d.comb += [marks.w_en.eq(end), marks.w_data.eq(drop)]
        wiring.connect(m, flow.source, wiring.flipped(self.frames))
        flow.source, flow.units = wiring.flipped(self.maps), self.size.words
        flow.without_marks()
        m.d.comb += marks.r_en.eq(flow.hold_at_end("map_word", marks.r_rdy, marks.r_data))
        wiring.connect(m, flow.source, wiring.flipped(self.o))
        return m


class Held:
    """What goes through a hold: one word is followed, and comes out in its turn as it went in.

    Parameters
    ----------
    words : int
        Of a vector.
    take : Value
        A word goes in.
    going_in, coming_out : Value
        The words.

    Attributes
    ----------
    in_last, out_last : Signal
        The next word to go in, or to come out, is its vector's last one.
    ends, given : Signal
        A last word goes in; comes out.
    flying : Signal
        Words in between.
    """

    def __init__(
        self, bench: Bench, name: str, words: int, take: Value, o: stream.Interface
    ) -> None:
        self.bench, self.name, self.words, self.o = bench, name, words, o
        m = bench.m
        self.take = bench.named(f"{name}_take", take)
        give = self.give = bench.named(f"{name}_give", o.valid & o.ready)
        self.in_word = Signal(range(words), name=f"{name}_in_word")
        self.out_word = Signal(range(words), name=f"{name}_out_word")
        self.in_last = bench.named(f"{name}_in_last", self.in_word == words - 1)
        self.out_last = bench.named(f"{name}_out_last", self.out_word == words - 1)
        self.flying = Signal(3, name=f"{name}_flying")
        for at, last, step in (
            (self.in_word, self.in_last, self.take), (self.out_word, self.out_last, give)
        ):  # fmt: skip
            with m.If(step):
                m.d.sync += at.eq(Mux(last, 0, at + 1))
        m.d.sync += self.flying.eq(self.flying + self.take - give)
        self.ends = bench.named(f"{name}_ends", self.take & self.in_last)
        self.given = bench.named(f"{name}_given", give & self.out_last)

    def in_order(self, going_in: Value, coming_out: Value) -> None:
        """Check that it comes out."""
        bench, m, name = self.bench, self.bench.m, self.name
        self.following = Signal(name=f"{name}_following")
        self.ahead = Signal(3, name=f"{name}_ahead")
        self.value = Signal(len(going_in), name=f"{name}_value")
        pick = bench.free(f"{name}_pick")
        with m.If(self.take & pick & ~self.following):
            m.d.sync += [
                self.following.eq(1),
                self.ahead.eq(self.flying - self.give),
                self.value.eq(going_in),
            ]
        with m.Elif(self.following & self.give):
            m.d.sync += [self.following.eq(self.ahead != 0), self.ahead.eq(self.ahead - 1)]
        valid = self.o.valid
        bench.check(f"{name}_only_what_went_in", ~valid | (self.flying != 0))
        bench.check(f"{name}_is_offered", valid | (self.flying == 0))
        bench.check(
            f"{name}_held", bench.held(name, valid, self.o.ready, Value.cast(self.o.payload))
        )
        shown = valid & self.following & (self.ahead == 0)
        bench.check(f"{name}_the_word", ~shown | (coming_out == self.value))

    def invariants(self, inside: Inside) -> tuple[Value, Value]:
        """What its counter and its slack hold; the slack's oldest word, and the one after it."""
        bench, name, words = self.bench, self.name, self.words
        if words > 1:
            bench.invariant(f"{name}_counts", inside[name] == self.in_word)
            bench.invariant(f"{name}_last", inside[f"{name}_is_last"] == self.in_last)
        bench.invariant(f"{name}_in_range", (self.in_word < words) & (self.out_word < words))
        at = table([k % words for k in range(words + 3)], self.out_word + self.flying)
        bench.invariant(f"{name}_in_follows", self.in_word == at)
        path = f"{name}_slack."
        full, oldest = slack_places(bench, inside, path)
        bench.invariant(f"{name}_flying", self.flying == full[0] + full[1])
        places = [inside[f"{path}place_{k}"] for k in range(2)]
        first, second = Mux(oldest, *reversed(places)), Mux(oldest, *places)
        word = Mux(self.ahead == 0, first, second)[: len(self.value)]
        there = (self.ahead < self.flying) & (word == self.value)
        bench.invariant(f"{name}_is_held", ~self.following | there)
        return first, second


def marks(bench: Bench, size: Size) -> None:
    """Frames and maps come and go as they like; the n-th map ends with the n-th frame's mark."""
    component = Marked(size)
    inside = bench.dut(component)
    m, i, o, maps = bench.m, component.i, component.o, component.maps
    unit, drop, map_unit = bench.free("unit"), bench.free("drop"), bench.free("map_unit")
    m.d.comb += [
        i.valid.eq(bench.free("i_valid")),
        i.p.units.eq(unit),
        i.p.drop.eq(drop),
        maps.valid.eq(bench.free("maps_valid")),
        maps.payload.eq(map_unit),
        component.frames.ready.eq(bench.free("frames_ready")),
        o.ready.eq(bench.free("o_ready")),
    ]
    bench.assume(bench.held("i", i.valid, i.ready, Cat(unit, drop)))
    bench.assume(bench.held("maps", maps.valid, maps.ready, map_unit))
    first = Held(bench, "frame_word", size.frame, i.valid & i.ready, component.frames)
    first.in_order(Cat(unit, drop), Value.cast(component.frames.payload))
    then = Held(bench, "map_word", size.words, maps.valid & maps.ready, o)
    then.in_order(map_unit, o.p.units)

    # Frames that ended and whose maps did not, as they come to be held, or as they are given.
    marked, pending = Signal(4, name="marked"), Signal(4, name="pending")
    m.d.sync += [
        marked.eq(marked + first.ends - then.ends),
        pending.eq(pending + first.ends - then.given),
    ]
    following, mark = Signal(name="following"), Signal(name="mark")
    ahead = Signal(4, name="ahead")
    with m.If(first.ends & bench.free("pick") & ~following):
        m.d.sync += [following.eq(1), ahead.eq(pending - then.given), mark.eq(drop)]
    with m.Elif(following & then.given):
        m.d.sync += [following.eq(ahead != 0), ahead.eq(ahead - 1)]
    ending = bench.named("ending", o.valid & then.out_last)
    bench.check("ends_only_behind_its_frame", ~ending | (pending != 0))
    bench.check("its_frames_mark", ~(ending & following & (ahead == 0)) | (o.p.drop == mark))
    waits = first.in_last & (marked == size.depth)
    bench.check("frames_are_taken", (first.flying == 2) | waits | i.ready)
    waits = then.in_last & (marked == 0)
    bench.check("maps_are_taken", (then.flying == 2) | waits | maps.ready)

    first.invariants(inside)
    words = then.invariants(inside)
    write, read = inside["marks.produce"], inside["marks.consume"]
    bench.invariant("level", (inside["marks.level"] == marked) & (marked <= size.depth))
    rounds = range(4 * size.depth)
    at = table([k % size.depth for k in rounds], read + marked)
    bench.invariant("places", (write < size.depth) & (read < size.depth) & (write == at))
    # Marks leave the FIFO when their words come to be held: those of the first ends that are.
    last = size.words - 1
    held = [
        (then.flying > k) & (table([n % size.words for n in rounds], then.out_word + k) == last)
        for k in range(2)
    ]
    ends = bench.named("ends_held", held[0] + held[1])
    bench.invariant("pending_are_somewhere", pending == marked + ends)
    bench.invariant("followed_is_pending", ~following | (ahead < pending))
    place = table([k % size.depth for k in rounds], (read + ahead - ends)[:4])
    stored = inside.word("marks.storage", Value.cast(place))
    of_word = Mux(held[0] & (ahead == 0), words[0][-1], words[1][-1])
    found = Mux(ahead < ends, of_word, stored)
    bench.invariant("its_mark_is_stored", ~following | (found == mark))


CASES = {
    "words2_depth2": Size(frame=2, words=2, depth=2),
    "words1_depth3": Size(frame=3, words=1, depth=3),
    "frame1_words3": Size(frame=1, words=3, depth=2),
}


def _broken(what: str, wire: str, value: Override) -> Broken:
    design = design_of(functools.partial(marks, size=CASES["words2_depth2"]), {wire: value})
    return Broken(name=what, design=design, depth=16)


PROOFS = (
    Proof(
        name="marks",
        says="The last word of the n-th map's vector carries the mark of the n-th frame, and "
        "passes only behind that frame's last word; no word is lost or waits for anything else.",
        bounds="frames and maps of 1 to 3 words, 2 and 3 marks",
        cases=tuple(
            Case(name=name, design=design_of(functools.partial(marks, size=size)), depth=2)
            for name, size in CASES.items()
        ),
        broken=(
            _broken("a map does not wait for its mark", "map_word_passes", lambda i: 1),
            _broken("a frame does not wait for room", "frame_word_passes", lambda i: 1),
            _broken("a mark is not taken", "r_en", lambda i: 0),
        ),
    ),
)
