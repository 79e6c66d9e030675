"""Credits and the FIFO at a layer's exit, with the sequencer that spends the credits."""

__all__ = ["PROOFS"]

import dataclasses
import functools

from amaranth.hdl import Const, Mux, Signal, Value

from bnnhw.timing import argmax_latency, exit_depth, layer_latency

from .bench import Bench, Override, design_of
from .gearbox import slack_places
from .plans import dense_plan
from .promised import WIDTH, Size, Surroundings
from .proof import Broken, Case, Proof


def never_full(bench: Bench, size: Size) -> None:
    """Every word finds room and leaves in its turn, whatever the reader does."""
    around = Surroundings(bench, size)
    component, inside, o = around.component, around.inside, around.component.o
    promised = Signal(range(size.depth + 6), name="promised")  # and not yet taken by the reader
    bench.m.d.sync += promised.eq(promised + component.launch - around.popped)
    held = inside["exit.held"]
    bench.check("there_is_room", ~inside["exit.arrived"] | (held < size.depth))
    bench.check("word_held", bench.held("o", o.valid, o.ready, o.payload))
    credits, change = inside["exit.credits"], inside["exit.change"]
    bench.check("credits_in_range", (credits >= -2) & (credits <= size.depth - 2))
    bench.at_most("promised_words_come", (promised != 0) & ~o.valid, size.way)

    bench.invariant("some", inside["exit.held_some"] == (held != 0))
    bench.invariant("one", inside["exit.held_one"] == (held == 1))
    flying = bench.named("flying", _flying(bench, around))
    freed = sum(inside["exit.freed"])
    bench.invariant("credits", credits + change + freed + flying + held == size.depth - 2)
    bench.check("no_more_than_there_is_room_for", flying + held <= size.depth)
    full, _ = slack_places(bench, inside, "exit.slack.")
    fetched = inside["exit.coming"] + inside["exit.fetched"]
    after = bench.named("after", fetched + full[0] + full[1])
    room = inside["exit.room"]
    bench.invariant("room", room == (0b1111 >> after))
    bench.invariant("promised_are_somewhere", promised == flying + held + after)
    _in_order(bench, around, held, after)


def _flying(bench: Bench, around: Surroundings) -> Value:
    """Words that were launched and have not reached the FIFO."""
    inside, size = around.inside, around.component.size
    last = inside["sequencer.last"]
    going: Value = last  # a fold, from its launch to its last step
    if size.steps > 1:
        ending, index = inside["sequencer.ending"], inside["sequencer.index"]
        bench.invariant("last_is_an_end", ~last | ending)
        bench.invariant("index", ending | (index < size.steps - 1))
        bench.invariant("last_index", ~last | (index == size.steps - 1))
        going = ~ending | last
    going = bench.named("going", going)
    if size.each == "vector":
        amid, final = inside["sequencer.amid"], inside["sequencer.vector_end"]
        bench.invariant("going_final", ~going | (final == ~amid))
        going = amid | (going & final)
        if size.folds > 1:
            nf = inside["sequencer.nf"]
            bench.invariant("amid", (amid == (nf != 0)) & (nf < size.folds))
            bench.invariant("nf_last", inside["sequencer.nf_is_last"] == (nf == size.folds - 1))
    line = [inside[f"flight_{k}"] for k in range(size.flight - 1)] + [inside["exit.arrived"]]
    return sum((word for word in line), start=going)


def _in_order(bench: Bench, around: Surroundings, held: Value, after: Value) -> None:
    """A word that goes in comes out, after those before it: one is followed."""
    m, inside, component = bench.m, around.inside, around.component
    o = component.o
    following = Signal(name="following")
    ahead = Signal(range(component.size.depth + 6), name="ahead")
    word = Signal(WIDTH, name="word")
    arrived, result = inside["exit.arrived"], inside["exit.word"]
    mark = bench.named("mark", arrived & bench.free("pick") & ~following)
    with m.If(mark):
        m.d.sync += [
            following.eq(1),
            ahead.eq(held + after - around.popped),
            word.eq(result),
        ]
    with m.Elif(following & around.popped):
        m.d.sync += [following.eq(ahead != 0), ahead.eq(Mux(ahead == 0, 0, ahead - 1))]
    bench.check("the_word", ~(following & (ahead == 0) & o.valid) | (o.payload == word))

    write, read = inside["exit.produce"], inside["exit.consume"]
    bench.invariant("places", (write - read - held)[: len(write)] == 0)
    bench.invariant("followed_is_there", ~following | (ahead < held + after))
    stored = inside.word("exit.words.words", (read + ahead - after)[: len(read)])
    full, oldest = ~inside["exit.slack.empty"], inside["exit.slack.oldest"]
    places = inside["exit.slack.place_0"], inside["exit.slack.place_1"]
    behind_memory = [
        (full.any(), Mux(oldest, places[1], places[0])),
        (full.all(), Mux(oldest, places[0], places[1])),
        (inside["exit.fetched"], inside["exit.i__payload"]),
        (inside["exit.coming"], inside["exit.words.read_data"]),
    ]
    place: Value = Const(0, 3)
    found: Value = stored
    for there, content in behind_memory:
        found = Mux(there & (ahead == place), content, found)
        place = (place + there)[:3]
    bench.invariant("the_word_is_stored", ~following | (found == word))


def full_speed(bench: Bench, size: Size) -> None:
    """With vectors at hand and a reader that takes every word, no cycle is without a step."""
    around = Surroundings(bench, size)
    bench.assume(around.component.available & around.component.o.ready)
    begin = around.inside["sequencer.begin"]
    ending = around.inside["sequencer.ending"] if size.steps > 1 else Const(1, 1)
    bench.check("the_next_fold_begins", ~ending | begin)


def _real(inputs: int, neurons: int, *, gives_class: bool = False) -> Size:
    """The sizes that a core gives a layer on a grid of one cell with one lane."""
    plan = dense_plan(inputs, neurons)
    flight = layer_latency(plan.layer, plan.fold, plan.technology)
    flight += argmax_latency(plan.fold.rows) if gives_class else 0
    sizes = (plan.layer, plan.fold, plan.technology)
    every = plan.steps * plan.neuron_folds if gives_class else 0
    depth = exit_depth(*sizes, class_every=every)
    each = "vector" if gives_class else "fold"
    return Size(steps=plan.steps, folds=plan.neuron_folds, each=each, flight=flight, depth=depth)


SMALL = (
    Size(steps=3, flight=1, depth=2),
    Size(flight=1, depth=3),
    Size(flight=4, depth=3),
    Size(flight=3, depth=4),
    Size(steps=2, flight=3, depth=3),
    Size(steps=2, folds=2, flight=2, depth=5),
    Size(steps=2, folds=2, each="vector", flight=2, depth=3),
    Size(steps=1, folds=3, each="vector", flight=3, depth=4),
)
REAL = (_real(1, 1), _real(2, 1), _real(2, 3), _real(5, 1), _real(1, 2, gives_class=True))
TIGHT = Size(flight=4, depth=3)


def _broken(name: str, overrides: dict[str, Override], *, depth: int = 24) -> Broken:
    harness = functools.partial(never_full, size=TIGHT)
    return Broken(name=name, design=design_of(harness, overrides), depth=depth)


PROOFS = (
    Proof(
        name="exit",
        says="No word finds the FIFO full, no more are promised than it holds, credits stay in "
        "range; every promised word is offered, in order and as it came, whatever the reader does.",
        bounds="depth 2 to 5, flight 1 to 4",
        cases=tuple(
            Case(
                name=size.name,
                design=design_of(functools.partial(never_full, size=size)),
                depth=size.way + 2,
            )
            for size in SMALL
        ),
        broken=(
            _broken("one credit more", {"exit.credit": lambda i: i["exit.credits"] >= -1}),
            _broken("credits come from nowhere", {"exit.change": lambda i: 1}),
            _broken("a word is skipped", {"exit.consume": lambda i: i["exit.produce"]}, depth=40),
        ),
    ),
    Proof(
        name="exit-speed",
        says="With vectors at hand and a ready reader, the sequencer steps in every cycle.",
        bounds="as deep as cores have it, which is no word too deep",
        bounded=True,
        cases=tuple(
            Case(
                name=size.name,
                design=design_of(functools.partial(full_speed, size=size)),
                depth=2 * size.way + 8,
            )
            for size in REAL
        ),
        broken=tuple(
            Broken(
                name=f"a word less of {size.name}",
                design=design_of(
                    functools.partial(
                        full_speed, size=dataclasses.replace(size, depth=size.depth - 1)
                    )
                ),
                depth=2 * size.way + 8,
            )
            for size in REAL
        ),
    ),
)
