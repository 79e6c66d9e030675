"""The replay buffer: what is read is what was written, for as long as its vector is held."""

__all__ = ["PROOFS"]

import functools

from amaranth.hdl import Cat, Const, Mux, Signal, Value

from bnnhw.folding import ceil_div
from bnnhw.rtl.bank import in_luts
from bnnhw.rtl.families import FAMILIES
from bnnhw.rtl.plan import RING, LayerPlan
from bnnhw.rtl.replay import ReplayBuffer
from bnnhw.rtl.sequencer import index_width

from .bench import Bench, Override, design_of
from .board import table
from .plans import dense_plan
from .proof import Broken, Case, Proof

PLANS = {
    "steps1": dense_plan(1, 1),
    "steps2": dense_plan(2, 1),
    "cols2": dense_plan(4, 1, cols=2),
    "groups2": dense_plan(2, 1, bits=2),
    "luts_ecp5": dense_plan(2, 1, family="ecp5"),
    "luts_ecp5_pieces": dense_plan(5, 1, family="ecp5"),
    "planes2": dense_plan(4, 1, bits=3, lanes=2, planes=2),
    "parts2": dense_plan(3, 1, cols=2, parts=2),
    "parts3": dense_plan(5, 1, cols=3, parts=3),
    "parts2_span2": dense_plan(6, 1, cols=4, parts=2),
    "parts2_groups2": dense_plan(3, 1, bits=2, cols=2, parts=2),
}


class Ring:
    """The surroundings of a replay buffer, and how many vectors it must hold.

    Words come when the solver likes, marked to be dropped or not. A vector that is there may be
    claimed in any cycle, and a claimed one retired in any later one.
    """

    def __init__(self, bench: Bench, plan: LayerPlan) -> None:
        self.plan = plan
        self.buffer = buffer = ReplayBuffer(plan)
        self.inside = bench.dut(buffer)
        m, i = bench.m, buffer.i
        payload = bench.free("i_payload", len(i.payload.as_value()))
        self.held = Signal(range(RING + 1), name="vectors_held")
        self.waiting = Signal(range(RING + 1), name="vectors_waiting")  # not claimed
        claimed = bench.named("claimed", self.held - self.waiting)
        m.d.comb += [
            i.valid.eq(bench.free("i_valid")),
            i.payload.eq(payload),
            buffer.read_addr.eq(bench.free("addr", buffer.read_addr.shape())),
            buffer.claim.eq(bench.free("wants_to_claim") & buffer.available),
            buffer.retire.eq(bench.free("wants_to_retire") & (claimed != 0)),
        ]
        bench.assume(bench.held("i", i.valid, i.ready, payload))
        self.take = bench.named("take", i.valid & i.ready)
        self.words = ceil_div(plan.layer.inputs, plan.bus)  # of a vector
        self.word = Signal(range(self.words), name="in_word")
        self.last = bench.named("in_last", self.word == self.words - 1)
        self.commit = bench.named("commits", self.take & self.last & ~i.p.drop)
        self.write_slot = Signal(range(RING), name="write_slot")
        self.read_slot = Signal(range(RING), name="read_slot")
        with m.If(self.take):
            m.d.sync += self.word.eq(Mux(self.last, 0, self.word + 1))
        m.d.sync += [
            self.held.eq(self.held + self.commit - buffer.retire),
            self.waiting.eq(self.waiting + self.commit - buffer.claim),
            self.write_slot.eq(self.write_slot + self.commit),
            self.read_slot.eq(self.read_slot + buffer.retire),
        ]

    def word_of(self, step: int, col: int) -> int:
        """Which of a vector's words a column reads in a step; the last ones may not be there."""
        part = col // self.buffer.span
        return step % self.plan.input_folds * self.plan.parts + part

    def planes(self, group: int, col: int) -> Value:
        """What a column's bank must hold of a group of planes of the word that comes in."""
        fold, bits = self.plan.fold, self.plan.layer.input_bits
        chosen: list[Value] = []
        for p in range(fold.planes):
            plane = self.plan.bits_computed - (group + 1) * fold.planes + p
            for lane in range(fold.lanes):
                unit = (col % self.buffer.span * fold.lanes + lane) * bits
                inside = plane < bits
                chosen.append(self.buffer.i.p.units[unit + plane] if inside else Const(0, 1))
        return Cat(*chosen)


def replays(bench: Bench, name: str) -> None:
    """`available`, room and what is kept follow the counts; a held vector's words stay."""
    plan = PLANS[name]
    ring = Ring(bench, plan)
    buffer, inside, held = ring.buffer, ring.inside, ring.held
    # What was written in the cycle before is not counted yet.
    committed = bench.before("ring_committed", ring.commit)
    waiting = bench.named("waiting_before", ring.waiting - committed)
    bench.check("available_is_exact", buffer.available == (waiting != 0))
    bench.check("no_more_than_fit", held <= RING)
    bench.check("nothing_into_a_full_ring", ~buffer.i.ready | (held != RING))
    waits = buffer.i.valid & (held != RING) & ~buffer.i.ready
    bench.at_most("with_room_a_word_is_taken", waits, plan.plane_groups - 1)

    bench.invariant("waiting_are_held", (ring.waiting <= held) & (committed <= ring.waiting))
    bench.invariant("committed", inside["committed"] == committed)
    _thermometer(bench, ring, "free", (RING - held)[:3])
    _thermometer(bench, ring, "waiting", waiting[:3])
    bench.invariant("slots", ring.write_slot == (ring.read_slot + held)[:2])
    bench.invariant("slot", inside["slot"] == ring.write_slot)
    bench.invariant("in_word", ring.word < ring.words)
    parts, groups = plan.parts, plan.plane_groups
    fold = table([word // parts for word in range(ring.words)], ring.word)
    part = table([word % parts for word in range(ring.words)], ring.word)
    _counts(bench, ring, "fold", fold, plan.input_folds)
    _counts(bench, ring, "part", part, parts)
    group = inside["group"] if groups > 1 else Const(0, 1)
    if parts > 1 or groups > 1:
        _counts(bench, ring, "word", ring.word * groups + group, ring.words * groups)
    if groups > 1:
        _counts(bench, ring, "group", group, groups)
        bench.invariant("begun_is_offered", (group == 0) | (buffer.i.valid & (held != RING)))
        bench.invariant("place", inside["at"] == group * plan.input_folds + fold)
    _follow(bench, ring)


def _thermometer(bench: Bench, ring: Ring, name: str, value: Value) -> None:
    bits = ring.inside[name]
    bench.invariant(f"{name}_count", bits == table([(1 << k) - 1 for k in range(RING + 1)], value))


def _counts(bench: Bench, ring: Ring, name: str, value: Value, size: int) -> None:
    if size > 1:
        bench.invariant(f"{name}_counts", (ring.inside[name] == value) & (value < size))
        bench.invariant(f"{name}_last", ring.inside[f"{name}_is_last"] == (value == size - 1))


def _follow(bench: Bench, ring: Ring) -> None:
    """One vector, and one word of each bank of it, from its coming until it is retired."""
    m, plan, buffer = bench.m, ring.plan, ring.buffer
    folds, cols = plan.input_folds, plan.fold.cols
    index = bench.constant("index", range(max(2, plan.steps)))
    bench.assume(index < plan.steps)
    following, kept = Signal(name="following"), Signal(name="kept")
    slot = Signal(range(RING), name="slot_followed")
    ahead = Signal(range(RING + 1), name="ahead")
    values = [Signal(buffer.bank_width, name=f"value_{c}") for c in range(cols)]
    knowns = [Signal(name=f"known_{c}") for c in range(cols)]
    sources = [table([ring.word_of(k, c) for k in range(plan.steps)], index) for c in range(cols)]
    mark = bench.named("mark", ring.take & (ring.word == 0) & bench.free("pick") & ~following)
    entering = ring.take & (mark | (following & ~kept))
    with m.If(mark):
        m.d.sync += [following.eq(1), slot.eq(ring.write_slot)]
    for c in range(cols):
        with m.If(entering & (ring.word == sources[c])):
            words = [ring.planes(k // folds, c) for k in range(plan.steps)]
            m.d.sync += [knowns[c].eq(1), values[c].eq(table(words, index))]
    with m.If(entering & ring.last):
        m.d.sync += [kept.eq(1), ahead.eq(ring.held - buffer.retire)]
        with m.If(buffer.i.p.drop):
            m.d.sync += [following.eq(0), kept.eq(0), *(known.eq(0) for known in knowns)]
    with m.Elif(kept & buffer.retire):
        m.d.sync += ahead.eq(ahead - 1)
        with m.If(ahead == 0):
            m.d.sync += [following.eq(0), kept.eq(0), ahead.eq(0)]
            m.d.sync += [known.eq(0) for known in knowns]

    bench.invariant("kept_is_followed", ~kept | (following & (ahead < ring.held)))
    bench.invariant("kept_in_its_slot", ~kept | (slot == (ring.read_slot + ahead)[:2]))
    entered = following & ~kept
    bench.invariant(
        "entering_in_its_slot", ~entered | ((slot == ring.write_slot) & (ring.word != 0))
    )
    for c, known in enumerate(knowns):
        came = ring.word > sources[c]
        there = sources[c] < ring.words
        bench.invariant(f"known_{c}_when_it_came", known == (following & there & (kept | came)))

    # A vector is read from two cycles after its last word until the cycle in which it is retired.
    address = Cat(index[: index_width(plan)], slot)
    read = kept & bench.before("was_kept", kept) & (buffer.read_addr == address)
    for c, (known, value) in enumerate(zip(knowns, values, strict=True)):
        # Written two cycles after its word came, and one more for every column.
        stored: Value = known
        for k in range(1 + c):
            stored = known & bench.before(f"known_{c}_{k}", stored)
        word = _word(ring, c, address)
        bench.invariant(f"bank_{c}_has_it", ~stored | (word == value))
        reads: Value = read & known
        expected: Value = value
        for k in range(2 + c):
            reads = bench.before(f"reads_{c}_{k}", reads)
            expected = bench.before(f"expected_{c}_{k}", expected)
        bench.check(f"read_{c}", ~reads | (getattr(buffer, f"a_{c}") == expected))


def _word(ring: Ring, col: int, address: Value) -> Value:
    """What a column's bank holds at an address, in one memory or in several pieces."""
    plan, name = ring.plan, f"bank_{col}"
    depth = 1 << len(ring.buffer.read_addr)
    if not in_luts(plan.technology, ring.buffer.bank_width, depth):
        return ring.inside.word(f"{name}.words", address)
    size = min(depth, FAMILIES[plan.technology.family].lut_ram_words)
    low = (size - 1).bit_length()
    pieces = [ring.inside.word(f"{name}.words_{k}", address[:low]) for k in range(depth // size)]
    return table(pieces, address[low:]) if len(pieces) > 1 else pieces[0]


def _depth(plan: LayerPlan) -> int:
    """Long enough for all that is on its way in a buffer to have left it."""
    return 4 + plan.fold.cols + plan.plane_groups


def _broken(what: str, name: str, wire: str, value: Override) -> Broken:
    design = design_of(functools.partial(replays, name=name), {wire: value})
    return Broken(name=what, design=design, depth=20)


PROOFS = (
    Proof(
        name="replay",
        says="What is read at an address is what was written there for the vector, until it is "
        "retired; `available` is exact; a vector marked to be dropped is not kept.",
        bounds="1 to 5 steps, 1 to 4 columns, 1 to 3 parts and bits",
        cases=tuple(
            Case(
                name=name,
                design=design_of(functools.partial(replays, name=name)),
                depth=_depth(plan),
            )
            for name, plan in PLANS.items()
        ),
        broken=(
            _broken("writes into a full ring", "steps1", "free", lambda i: (1 << RING) - 1),
            _broken(
                "keeps a dropped vector",
                "steps2",
                "committed",
                lambda i: i["taken"] & i["fold_is_last"],
            ),
            _broken("a group is written over", "groups2", "at", lambda i: i["fold"]),
            _broken("a part stays behind", "parts3", "beyond_0", lambda i: 1),
        ),
    ),
)
