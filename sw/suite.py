"""The kernels against what else multiplies the same matrices on this CPU, in one run."""

__all__ = ["Case", "Row", "ceilings", "measure", "opponent", "paper"]

import ctypes
import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnhw import __version__, console
from bnnhw.network import Network
from bnnhw.record import Record, commit
from bnnhw.synthetic import random_layer, random_mlp
from bnnhw.vectors import random_vectors

from .bench import check, cpu_name
from .float32 import FloatNetwork
from .layout import packed_words
from .native import NativeNetwork, available, library
from .packed import PackedNetwork

LEAST, SHORTEST_S, LONGEST_S = 5, 0.5, 20.0  # runs of a contender, and how long they take
COLD_BYTES = 1 << 26  # written between two runs where caches are to be cold

Prepared = Callable[[], object]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is computed.

    Parameters
    ----------
    name : str
    network : Network
        A single layer that gives bits: a matrix product; or an MLP.
    batch : int
    """

    name: str
    network: Network
    batch: int

    @property
    def operations(self) -> int:
        """Of one run."""
        return self.network.operations * self.batch


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A contender on a case.

    Parameters
    ----------
    case : Case
    contender : str
    time : Record
        Median seconds, caches warm.
    cold : Record
        The same with cold caches.
    """

    case: Case
    contender: str
    time: Record
    cold: Record


def paper(*, quick: bool = False) -> list[Case]:
    """The matrix product and the MLPs of Courbariaux et al. 2016, section 4.

    Parameters
    ----------
    quick : bool
        Small ones, in seconds.
    """
    size = 512 if quick else 4096
    widths = (256,) if quick else (256, 1024, 4096)
    batches = (1, 256) if quick else (1, 16, 256, 4096)
    cases = [Case(name=f"{size}^3", network=random_layer(size, size), batch=size)]
    for width in widths:
        network = random_mlp((784, width, width, width, 10), input_bits=8)
        cases += [Case(name=f"784-{width}x3-10", network=network, batch=n) for n in batches]
    return cases


def measure(cases: Sequence[Case], *, threads: int) -> list[Row]:
    """Time every contender on every case, one after the other, with so many threads.

    The kernels' results are compared with golden's first, on some samples.

    Raises
    ------
    ToolError
        If a result differs from golden's.
    """
    import torch

    torch.set_num_threads(threads)
    rows = []
    with console.progress("bench", len(cases)) as bar:
        for case in cases:
            for name, tools, run in _contenders(case, threads):
                bar.advance(0, f"{case.name}, batch {case.batch}: {name}")
                warm, cold = (
                    _timed(case, name, run, threads, tools, cold=cold) for cold in (False, True)
                )
                rows.append(Row(case=case, contender=name, time=warm, cold=cold))
            bar.advance()
    return rows


def _timed(
    case: Case, name: str, run: Prepared, threads: int, tools: Mapping[str, str], *, cold: bool
) -> Record:
    sweep = np.zeros(COLD_BYTES, np.uint8)
    times: list[float] = []
    run()
    while len(times) < LEAST or sum(times) < SHORTEST_S:
        if cold:
            sweep += 1
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
        if sum(times) > LONGEST_S:
            break
    caches = "cold" if cold else "warm"
    return Record(
        name="time",
        value=statistics.median(times),
        unit="s",
        kind="measured",
        how=f"{case.name}, batch {case.batch}: {name}; median of {len(times)} runs after a "
        f"warm-up, {caches} caches, {threads} threads",
        on=cpu_name(),
        tools=dict(tools),
        commit=commit(),
    )


def _contenders(case: Case, threads: int) -> Iterator[tuple[str, Mapping[str, str], Prepared]]:
    network, x = case.network, random_vectors(case.network, case.batch, 0)
    product = network.output is None
    given = packed_words(x) if product else x
    for isa in available():
        native = NativeNetwork(network, isa=isa, threads=threads)
        run = native.run_packed if product else native.run
        check(network, x, native.run, f"C, {isa}")
        yield f"C, {isa}", {"bnnhw": __version__}, lambda run=run: run(given)  # type: ignore[misc]
    numpy = PackedNetwork(network)
    yield "numpy, packed", {"numpy": np.__version__}, lambda: numpy.run(x)
    yield from _in_torch(network, x)


def _in_torch(
    network: Network, x: npt.NDArray[np.uint8]
) -> Iterator[tuple[str, Mapping[str, str], Prepared]]:
    """A product as torch multiplies it, result in numbers; an MLP with a sign between layers."""
    import torch
    from torch.utils import mkldnn

    tools = {"torch": torch.__version__}
    floats = FloatNetwork(network)
    loaded = floats.load(x)
    yield "torch, float32", tools, lambda: floats.run(loaded)
    if network.output is not None:
        return
    (layer,) = network.weighted
    signs = torch.from_numpy(layer.weight.astype(np.float32) * 2 - 1)
    dense = torch.nn.Linear(layer.inputs, layer.neurons, bias=False)
    with torch.no_grad():
        dense.weight.copy_(signs)
    one_dnn, blocked = mkldnn.to_mkldnn(dense), loaded.to_mkldnn()
    a16, w16 = loaded.bfloat16(), signs.t().bfloat16()
    a8, w8 = loaded.to(torch.int8), signs.t().to(torch.int8)
    with torch.inference_mode():
        yield "torch, float32 mm", tools, lambda: torch.mm(loaded, signs.t())
        yield "torch, float32 oneDNN", tools, lambda: one_dnn(blocked)
        yield "torch, bfloat16 mm", tools, lambda: torch.mm(a16, w16)
        yield "torch, int8 _int_mm", tools, lambda: torch._int_mm(a8, w8)


def opponent(case: Case) -> str:
    """What a user would do without bits: ratios are against it."""
    return "torch, float32 mm" if case.network.output is None else "torch, float32"


def ceilings() -> dict[str, float]:
    """Operations a second that a core cannot pass with a set of instructions, by its name.

    The instructions a second are measured; how many instructions 512 or 256 bits of
    differences take is counted in `cpu/network.inc`'s inner loop: for two words two XOR, one
    majority, one popcount and one addition. AVX2 takes three instructions for the majority and
    seven for popcount and addition, two of them table look-ups.
    """
    there = library()
    if there is None or "avx2" not in available():
        return {}
    found = {}
    any_256, look_256 = (_rate(there[f"bnn_{name}_256"]) for name in ("xor", "look"))
    seconds = max(12 / any_256, 2 / look_256)
    found["avx2"] = 2 * 2 * 256 / seconds
    if "avx512" in available():
        any_512, count_512 = (_rate(there[f"bnn_{name}_512"]) for name in ("xor", "count"))
        found["avx512"] = 2 * 2 * 512 / max(5 / any_512, 1 / count_512)
        found["avx512, without prefixes"] = 2 * 512 / max(3 / any_512, 1 / count_512)
    return found


def _rate(loop: Any) -> float:
    """Instructions a second: the best of some runs."""
    loop.argtypes, loop.restype = [ctypes.c_uint64], None
    count, best = 1_200_000, float("inf")
    for _ in range(50):
        started = time.perf_counter()
        loop(count)
        best = min(best, time.perf_counter() - started)
    return count / best
