"""What computes on this CPU, and how it is timed."""

__all__ = ["CpuBench"]

import ctypes
import functools
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnhw import __version__
from bnnhw.network import Network
from bnnhw.vectors import random_vectors

from .bench import check, cpu_name
from .float32 import FloatNetwork
from .layout import packed_words
from .native import NativeNetwork, available, library
from .packed import PackedNetwork
from .suite import Case, Contender, Limit, Run

ROUNDS, SLICE_S = 7, 0.05  # all contenders in turn, each for so long or for a run
LOOP = 36_000_000  # instructions of a limit's run: milliseconds, beside which threads start at once
COLD_BYTES = 1 << 26  # written between two runs where caches are to be cold
# Bits of a vector, and instructions for a pair of words in it: any, and those that few pipes take.
PAIR_OF_WORDS = {
    "avx512": (512, {"xor_512": 5, "count_512": 1}),
    "avx512, without prefixes": (512, {"xor_512": 6, "count_512": 2}),
    "avx2": (256, {"xor_256": 12, "look_256": 2}),
}


class CpuBench:
    """This machine's CPU, a `suite.Bench`.

    Parameters
    ----------
    threads : int
        Of every contender.
    """

    opponents = ("torch, float32", "torch, float32 oneDNN", "torch, int8 _int_mm")

    def __init__(self, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self.threads = threads
        self.device = cpu_name()
        self.how = f"{threads} thread{'s'[: threads > 1]}, contenders in turn in {ROUNDS} rounds"
        self._pool = ThreadPoolExecutor(threads)
        self._swept = [np.zeros(COLD_BYTES, np.uint8) for _ in range(threads)]

    def prepared(self, run: Run) -> Run:
        """A run as it is; its first one, and the first of each slice, is not counted."""
        run()
        return run

    def times(self, runs: Mapping[str, Run], *, cold: bool) -> dict[str, list[float]]:
        """Seconds of runs, round by round: what else happens on the machine happens to all."""
        import torch

        times: dict[str, list[float]] = {name: [] for name in runs}
        with torch.inference_mode():
            for _ in range(ROUNDS):
                for name, run in runs.items():
                    if not times[name] or times[name][-1] < SLICE_S:
                        run()  # what ran before it has left the caches to others
                    until = time.perf_counter() + SLICE_S
                    while True:
                        if cold:
                            list(self._pool.map(_sweep, self._swept))
                        started = time.perf_counter()
                        run()
                        stopped = time.perf_counter()
                        times[name].append(stopped - started)
                        if stopped > until:
                            break
        return times

    def contenders(self, case: Case) -> Iterator[Contender]:
        """The kernels, with every set of instructions; packed numpy; torch. Checked with golden."""
        network, x = case.network, random_vectors(case.network, case.batch, 0)
        given = packed_words(x) if case.product else x
        for isa in available():
            native = NativeNetwork(network, isa=isa, threads=self.threads)
            run = native.run_packed if case.product else native.run
            check(network, x, native.run, f"C, {isa}")
            yield Contender(
                name=f"C, {isa}",
                tools={"bnnhw": __version__},
                run=lambda run=run: run(given),  # type: ignore[misc]
                weights_bytes=native.weights_bytes,
                ours=True,
            )
        numpy = PackedNetwork(network)
        check(network, x, numpy.run, "numpy, packed")
        tools = {"numpy": np.__version__, "threads": "1"}
        yield Contender(name="numpy, packed", tools=tools, run=lambda: numpy.run(x), ours=True)
        yield from _in_torch(case, x)

    def energy(self, run: Any) -> float | None:
        """Nothing here measures it."""
        return None

    def limits(self) -> list[Limit]:
        """Of the sets of instructions, all threads at once.

        How many instructions 512 or 256 bits of differences take is counted in
        `cpu/network.inc`'s inner loop: for two words two XOR, one majority, one popcount and one
        addition. AVX2 takes three instructions for the majority and seven for popcount and
        addition, two of them table look-ups.
        """
        found = []
        for isa, (bits, each) in PAIR_OF_WORDS.items():
            if isa.partition(",")[0] in available():
                runs = {loop: self._loop(loop) for loop in each}
                operations = functools.partial(self._operations, bits, each)
                found.append(Limit(contender=f"C, {isa}", runs=runs, operations=operations))
        return found

    def _operations(
        self, bits: int, each: Mapping[str, int], seconds: Mapping[str, float]
    ) -> float:
        slowest = max(count * seconds[loop] / LOOP for loop, count in each.items())
        return self.threads * 2 * 2 * bits / slowest

    def _loop(self, name: str) -> Run:
        """So many instructions of a kind, on each thread."""
        loop: Any = library()[f"bnn_{name}"]  # type: ignore[index]
        loop.argtypes, loop.restype = [ctypes.c_uint64], None
        counts = [LOOP] * self.threads
        return lambda: list(self._pool.map(loop, counts))


def _sweep(values: npt.NDArray[np.uint8]) -> None:
    """Something else into a core's caches."""
    values += 1


def _in_torch(case: Case, x: npt.NDArray[np.uint8]) -> Iterator[Contender]:
    """A product as torch multiplies it, result in numbers; an MLP with a sign between layers."""
    import torch
    from torch.utils import mkldnn

    network: Network = case.network
    tools = {"torch": torch.__version__}
    floats = FloatNetwork(network)
    loaded = floats.load(x)
    if not case.product:
        yield Contender(
            name="torch, float32",
            tools=tools,
            run=lambda: floats.run(loaded),
            weights_bytes=floats.weights_bytes,
        )
        return
    (layer,) = network.weighted
    signs = torch.from_numpy(layer.weight.astype(np.float32) * 2 - 1)
    dense = torch.nn.Linear(layer.inputs, layer.neurons, bias=False)
    with torch.no_grad():
        dense.weight.copy_(signs)
    one_dnn, blocked = mkldnn.to_mkldnn(dense), loaded.to_mkldnn()
    a16, w16 = loaded.bfloat16(), signs.t().bfloat16()
    a8, w8 = loaded.to(torch.int8), signs.t().to(torch.int8)
    ways = {
        "torch, float32": lambda: torch.mm(loaded, signs.t()),
        "torch, float32 oneDNN": lambda: one_dnn(blocked),
        "torch, bfloat16": lambda: torch.mm(a16, w16),
        "torch, int8 _int_mm": lambda: torch._int_mm(a8, w8),
    }
    for name, run in ways.items():
        yield Contender(name=name, tools=tools, run=run)
