"""The kernels against what else multiplies the same matrices on the same device, in one run."""

__all__ = [
    "Bench", "Case", "Contender", "Limit", "Loaded", "Row", "limits_of", "measure", "mlp_name",
    "paper", "planes", "rows_of",
]  # fmt: skip

import dataclasses
import functools
import math
import re
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bnnhw import console
from bnnhw.layers import Conv, Dense, Layer
from bnnhw.network import Network
from bnnhw.record import Record, commit
from bnnhw.synthetic import bits_input, random_layer, random_mlp

BATCHES = {"cpu": (1, 16, 256, 4096), "cuda": (1, 8, 64, 512, 4096, 32768, 65536)}
LARGEST = 65536  # of the smallest network on a CPU, too; more would take minutes a contender
SIDES = {"cpu": 4096, "cuda": 8192}
FIRST = {"cpu": 1024, "cuda": 65536}  # samples of a first layer alone
BUSY = 4096  # samples from which on energy is measured
WHAT = re.compile(r"(?P<case>\S+), batch (?P<batch>\d+): (?P<contender>[^;]+); ")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is computed.

    Parameters
    ----------
    name : str
    network : Network
        A single layer that gives bits, of bits (a matrix product) or of bytes (a first layer); or
        an MLP.
    batch : int
    """

    name: str
    network: Network
    batch: int

    @property
    def product(self) -> bool:
        return self.network.output is None and not self.first_layer

    @property
    def first_layer(self) -> bool:
        return self.network.output is None and self.network.input.bits > 1

    @property
    def operations(self) -> int:
        """Of one run."""
        return self.network.operations * self.batch


Run = Callable[[], object]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A contender in memory, with its inputs.

    Parameters
    ----------
    run : callable
        Once.
    weights_bytes : int, optional
        What its weights and thresholds take.
    activations_bytes : int, optional
        What all that one sample's layers hand on takes.
    """

    run: Run
    weights_bytes: int | None = None
    activations_bytes: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """One way to compute a case.

    Parameters
    ----------
    name : str
    tools : mapping
        What it computes with, and their versions.
    load : callable
    ours : bool
        That it runs is not left to chance: an error ends the benchmark.
    """

    name: str
    tools: Mapping[str, str]
    load: Callable[[], Loaded]
    ours: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """What a contender cannot pass on a product: the instructions that it cannot do without.

    Parameters
    ----------
    contender : str
    runs : mapping
        Loops of one instruction each, by its name; each is timed as a contender is.
    operations : callable
        Operations a second, out of a run's seconds by name.
    """

    contender: str
    runs: Mapping[str, Run]
    operations: Callable[[Mapping[str, float]], float]


class Bench(Protocol):
    """A device, and what contends on it.

    Attributes
    ----------
    device : str
    how : str
        How contenders are run, in words.
    opponents : sequence of str
        The contenders that ratios are against.
    """

    device: str
    how: str

    @property
    def opponents(self) -> Sequence[str]: ...

    def contenders(self, case: Case) -> Iterator[Contender]:
        """All that compute a case; what is ours is compared with golden first."""

    def prepared(self, run: Run) -> Run:
        """A run as it is timed, warmed up."""

    def times(self, runs: Mapping[str, Run], *, cold: bool) -> dict[str, list[float]]:
        """Seconds of prepared runs, many times each; with caches emptied before each."""

    def energy(self, run: Run) -> float | None:
        """Joules of a prepared run; None where nothing measures them."""

    def limits(self) -> Sequence[Limit]:
        """Of contenders on a product."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What was measured of a contender on a case.

    Parameters
    ----------
    case, contender : str
    batch : int
    time, time_cold : Record
        Median seconds of a run, with warm and with cold caches.
    weights, activations : Record or None
        Bytes of them in memory, the activations one sample's.
    energy : Record or None
        Joules of a run.
    """

    case: str
    batch: int
    contender: str
    time: Record
    time_cold: Record
    weights: Record | None = None
    activations: Record | None = None
    energy: Record | None = None


def paper(backend: str = "cpu", *, quick: bool = False) -> list[Case]:
    """The matrix product and the MLPs of Courbariaux et al. 2016, section 4; and the largest MLP's
    first layer alone, as bytes and as bit planes.

    Parameters
    ----------
    backend : "cpu" or "cuda"
        Sizes that keep it busy.
    quick : bool
        Small ones, in seconds.
    """
    size = 512 if quick else SIDES[backend]
    widths = (256,) if quick else (4096, 1024, 256)  # what tells most first
    cases = [Case(name=f"{size}^3", network=random_layer(size, size), batch=size)]
    for width in widths:
        network = random_mlp((784, width, width, width, 10), input_bits=8)
        name = mlp_name(network)
        assert name is not None
        batches = (1, 256) if quick else BATCHES[backend]
        if not quick and width == widths[-1]:
            batches = tuple(sorted({*batches, LARGEST}))
        cases += [Case(name=name, network=network, batch=n) for n in batches]
    first = random_layer(784, widths[0], input_bits=8)
    samples = 64 if quick else FIRST[backend]
    return [*cases, Case(name=f"784x{widths[0]}", network=first, batch=samples)]


def planes(network: Network, x: npt.NDArray[np.uint8]) -> tuple[Network, npt.NDArray[np.uint8]]:
    """A first layer's products with bit planes instead: of bits, as many rows a sample as an input
    has bits.

    Their sums are still to be shifted and added, so it takes less than a layer of planes would.

    Parameters
    ----------
    x : ndarray[uint8], (N, K)
    """
    (layer,) = network.weighted
    threshold = np.full(layer.neurons, layer.inputs // 2, np.int32)
    alone = Dense(name=layer.name, weight=layer.weight, input_bits=1, threshold=threshold)
    bits = np.unpackbits(x[:, None], axis=1, count=network.input.bits, bitorder="little")
    rows = bits.reshape(-1, layer.inputs)
    return Network(input=bits_input((layer.inputs,), 1), layers=(alone,)), rows


def mlp_name(network: Network) -> str | None:
    """`784-256x3-10` of a network of that shape on 8-bit inputs, None of another."""
    if len(network.layers) != 4 or not all(isinstance(one, Layer) for one in network.layers):
        return None
    if any(isinstance(one, Conv) for one in network.layers) or network.input.bits != 8:
        return None
    *hidden, classes = (layer.neurons for layer in network.weighted)
    same = len(set(hidden)) == 1
    return f"{network.input.size}-{hidden[0]}x3-{classes}" if same else None


def measure(
    cases: Sequence[Case],
    bench: Bench,
    *,
    known: Sequence[Record] = (),
    minutes: float = math.inf,
    save: Callable[[list[Record]], None] = lambda records: None,
) -> list[Record]:
    """Time every contender on every case, and on a product the limits of those that have one.

    An opponent that does not run is told of, and left out.

    Parameters
    ----------
    known : sequence of Record
        Of cases that were measured before: they are not measured again.
    minutes : float
        No case is begun later.
    save : callable
        Given all records after each case.

    Returns
    -------
    list of Record
        With the known ones.

    Raises
    ------
    ToolError
        If a result of ours differs from golden's.
    """
    until = time.monotonic() + 60 * minutes
    records = list(known)
    done = {(row.case, row.batch) for row in rows_of(known)}
    left = [case for case in cases if (case.name, case.batch) not in done]
    with console.progress("bench", len(left)) as bar:
        for case in left:
            if time.monotonic() > until:
                break
            what = f"{case.name}, batch {case.batch}"
            ready: dict[str, tuple[Contender, Loaded, Run]] = {}
            for contender in bench.contenders(case):
                bar.advance(0, f"{what}: {contender.name}")
                try:
                    loaded = contender.load()
                    ready[contender.name] = contender, loaded, bench.prepared(loaded.run)
                except Exception as error:  # whatever another library raises
                    if contender.ours:
                        raise
                    text = str(error).partition("\n")[0]
                    console.remark(f"{contender.name} does not run {case.name}: {text}")
            bar.advance(0, f"{what}: all in turn")
            records += _measured(case, ready, bench)
            save(records)
            bar.advance()
    return records


def limits_of(records: Iterable[Record]) -> dict[str, float]:
    """The records of limits, by contender."""
    found = (record for record in records if record.name == "ceiling")
    return {record.how.partition(";")[0]: float(record.value) for record in found}


def _measured(
    case: Case, ready: Mapping[str, tuple[Contender, Loaded, Run]], bench: Bench
) -> Iterator[Record]:
    limits = bench.limits() if case.product else ()
    loops = {name: bench.prepared(run) for limit in limits for name, run in limit.runs.items()}
    runs = {name: run for name, (_, _, run) in ready.items()}
    warm, cold = bench.times({**loops, **runs}, cold=False), bench.times(runs, cold=True)
    record = functools.partial(Record, kind="measured", on=bench.device, commit=commit())
    seconds = {name: statistics.median(times) for name, times in warm.items()}
    for limit in limits:
        how = f"{limit.contender}; operations, of its instructions alone; {bench.how}"
        yield record(name="ceiling", value=limit.operations(seconds), unit="1/s", how=how)
    if case.network.output is not None and case.batch == 1:
        size = len(case.network.to_bytes())
        yield record(name="file", value=size, unit="B", how=f"{case.name}; the network's file")
    for name, (contender, loaded, run) in ready.items():
        what = f"{case.name}, batch {case.batch}: {name}"
        mine = functools.partial(record, tools=dict(contender.tools))
        for kind, caches, times in (
            ("time", "warm", warm[name]),
            ("time_cold", "cold", cold[name]),
        ):
            how = f"{what}; median of {len(times)} runs, {caches} caches, {bench.how}"
            yield mine(name=kind, value=statistics.median(times), unit="s", how=how)
        if loaded.weights_bytes is not None:
            how = f"{what}; weights and thresholds in memory"
            yield mine(name="weights", value=loaded.weights_bytes, unit="B", how=how)
        if loaded.activations_bytes:
            how = f"{what}; what one sample's layers hand on, in memory"
            yield mine(name="activations", value=loaded.activations_bytes, unit="B", how=how)
        if case.batch >= BUSY:
            joules = bench.energy(run)
            if joules is not None:
                how = f"{what}; of the whole device, idle power not taken off"
                yield mine(name="energy", value=joules, unit="J", how=how)


def rows_of(records: Iterable[Record]) -> list[Row]:
    """Records of `measure` by case, batch and contender, in their order."""
    found: dict[tuple[str, int, str], dict[str, Record]] = {}
    for record in records:
        match = WHAT.match(record.how)
        if match:
            key = match["case"], int(match["batch"]), match["contender"]
            found.setdefault(key, {})[record.name] = record
    return [
        Row(case=case, batch=batch, contender=contender, **values)
        for (case, batch, contender), values in found.items()
    ]
