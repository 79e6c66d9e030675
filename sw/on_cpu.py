"""What computes on this CPU, and how it is timed."""

__all__ = ["CpuBench"]

import ctypes
import functools
import time
from collections.abc import Callable, Iterator, Mapping
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
from .suite import Case, Contender, Limit, Loaded, Run, planes

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
        ways = {"": (network, x)}
        if case.first_layer:
            ways[", bit planes"] = planes(network, x)
        for way, given in ways.items():
            for isa in available():
                name = f"C, {isa}{way}"
                load = functools.partial(self._in_c, name, isa, *given)
                yield Contender(name=name, tools={"bnnhw": __version__}, load=load, ours=True)
        yield Contender(
            name="numpy, packed",
            tools={"numpy": np.__version__, "threads": "1"},
            load=functools.partial(_in_numpy, network, x),
            ours=True,
        )
        if not case.first_layer:
            yield from _in_torch(case, x)

    def _in_c(self, name: str, isa: str, network: Network, x: npt.NDArray[np.uint8]) -> Loaded:
        native = NativeNetwork(network, isa=isa, threads=self.threads)
        check(network, x, native.run, name)
        packed = network.output is None
        run = native.run_packed if packed else native.run
        given = packed_words(x) if packed and network.input.bits == 1 else x
        return Loaded(
            run=lambda: run(given),  # type: ignore[arg-type]
            weights_bytes=native.weights_bytes,
            activations_bytes=native.activations_bytes,
        )

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


def _in_numpy(network: Network, x: npt.NDArray[np.uint8]) -> Loaded:
    packed = PackedNetwork(network)
    check(network, x, packed.run, "numpy, packed")
    return Loaded(run=lambda: packed.run(x))


def _sweep(values: npt.NDArray[np.uint8]) -> None:
    """Something else into a core's caches."""
    values += 1


def _in_torch(case: Case, x: npt.NDArray[np.uint8]) -> Iterator[Contender]:
    """A product as torch multiplies it, result in numbers; an MLP with a sign between layers."""
    import torch
    from torch import Tensor
    from torch.utils import mkldnn

    tools = {"torch": torch.__version__}
    if not case.product:
        network = case.network
        yield Contender(name="torch, float32", tools=tools, load=lambda: _in_float32(network, x))
        return
    (layer,) = case.network.weighted
    rows, weights = (torch.from_numpy(bits * np.float32(2) - 1) for bits in (x, layer.weight))

    def multiplied(multiply: Callable[[Tensor, Tensor], Tensor], kind: torch.dtype) -> Loaded:
        a, w = rows.to(kind), weights.t().to(kind)
        return Loaded(run=lambda: multiply(a, w))

    def one_dnn() -> Loaded:
        dense = torch.nn.Linear(layer.inputs, layer.neurons, bias=False)
        with torch.no_grad():
            dense.weight.copy_(weights)
        blocked_layer, blocked = mkldnn.to_mkldnn(dense), rows.to_mkldnn()
        return Loaded(run=lambda: blocked_layer(blocked))

    ways: dict[str, Callable[[], Loaded]] = {
        "torch, float32": lambda: multiplied(torch.mm, torch.float32),
        "torch, float32 oneDNN": one_dnn,
        "torch, bfloat16": lambda: multiplied(torch.mm, torch.bfloat16),
        "torch, int8 _int_mm": lambda: multiplied(torch._int_mm, torch.int8),
    }
    for name, load in ways.items():
        yield Contender(name=name, tools=tools, load=load)


def _in_float32(network: Network, x: npt.NDArray[np.uint8]) -> Loaded:
    floats = FloatNetwork(network)
    loaded = floats.load(x)
    return Loaded(
        run=lambda: floats.run(loaded),
        weights_bytes=floats.weights_bytes,
        activations_bytes=floats.activations_bytes,
    )
