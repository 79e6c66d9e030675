"""What computes on this CPU, and how it is timed."""

__all__ = ["CpuBench", "ceilings"]

import ctypes
import time
from collections.abc import Iterator
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
from .suite import Case, Contender

LEAST, SHORTEST_S, LONGEST_S = 5, 0.5, 20.0  # runs of a contender, and how long they take
COLD_BYTES = 1 << 26  # written between two runs where caches are to be cold


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
        self.device, self.how = cpu_name(), f"{threads} thread{'s'[: threads > 1]}"

    def times(self, run: Any, *, cold: bool) -> list[float]:
        """Seconds of runs after a warm-up."""
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
        tools = {"numpy": np.__version__}
        yield Contender(name="numpy, packed", tools=tools, run=lambda: numpy.run(x), ours=True)
        yield from _in_torch(case, x)

    def energy(self, run: Any) -> float | None:
        """Nothing here measures it."""
        return None

    def ceilings(self) -> dict[str, float]:
        """Operations a second of a product that no contender passes, by its name."""
        return {f"C, {name}": self.threads * rate for name, rate in ceilings().items()}


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
    with torch.inference_mode():
        for name, run in ways.items():
            yield Contender(name=name, tools=tools, run=run)


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
