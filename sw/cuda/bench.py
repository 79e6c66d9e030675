"""What computes on a GPU, and how it is timed."""

__all__ = ["GpuBench"]

import functools
import importlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bnnhw import __version__
from bnnhw.errors import ToolError
from bnnhw.layers import Dense
from bnnhw.network import Network
from bnnhw.vectors import random_vectors

from ..bench import check
from ..layout import NEVER, TILE_GROUP, packed_words
from ..suite import Case, Contender, Limit, Loaded, Run, planes
from .gpu import Machine, first_gpu
from .network import FEW, STAGE, CudaNetwork
from .opponents import FORMATS, LEAST_INT8, PaperNetwork, TorchNetwork, torch_product

LEAST, MOST, SHORTEST_S, LONGEST_S = 5, 200, 0.3, 4.0  # runs of a contender, and their time
COLD_BYTES = 1 << 28  # written between two runs where caches are to be cold
ENERGY_S, WAKE_S = 1.0, 0.2
SLEEP_CYCLES = 200_000  # longer than a CPU takes to hand in a graph
SLOWEST = 2e12  # operations of a run that one output a thread still does in a reasonable time
AT_ONCE = "CUDA, one launch"
TURNS, CHAINS = 4096, 8  # of rates.cu


class GpuBench:
    """A GPU, a `suite.Bench`. Runs are replays of a CUDA graph, timed by events.

    Parameters
    ----------
    machine : Machine, optional
        The first GPU if left out.
    """

    opponents = ("torch, float32", "torch, bfloat16", "torch, int8")

    def __init__(self, machine: Machine | None = None) -> None:
        self.gpu = machine or first_gpu()
        self.device = f"{self.gpu.name}, driver {_driver_version()}, CUDA {torch.version.cuda}"
        self.how = "a CUDA graph's replays, by events"
        self._network: Network | None = None
        self._made: dict[str, Any] = {}
        self._sweep = torch.empty(COLD_BYTES, dtype=torch.uint8, device=self.gpu.device)

    def times(self, runs: Mapping[str, Run], *, cold: bool) -> dict[str, list[float]]:
        """Seconds of replays, by events: one run after the other, as the GPU is ours alone."""
        return {name: self._times(run, cold=cold) for name, run in runs.items()}

    def _times(self, replay: Run, *, cold: bool) -> list[float]:
        """Seconds of a run's replays.

        The GPU is kept busy until a replay is handed in, so that this is not counted.
        """
        self._wake(replay)
        times: list[float] = []
        while len(times) < LEAST or (sum(times) < SHORTEST_S and len(times) < MOST):
            start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            if cold:
                self._sweep.zero_()
            else:
                torch.cuda._sleep(SLEEP_CYCLES)
            start.record()
            replay()
            stop.record()
            torch.cuda.synchronize()
            times.append(start.elapsed_time(stop) / 1e3)
            if sum(times) > LONGEST_S:
                break
        return times

    def _wake(self, replay: Run) -> None:
        """Runs it until the GPU's clocks have risen."""
        started = time.perf_counter()
        while time.perf_counter() - started < WAKE_S:
            replay()
            torch.cuda.synchronize()

    def prepared(self, run: Run) -> Run:
        """The replay of a run's CUDA graph."""
        run()
        run()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            run()
        graph.replay()
        torch.cuda.synchronize()
        return graph.replay

    def energy(self, replay: Run) -> float | None:
        """Joules of a run over a second of them, by NVML's counter; None where it has none."""
        counter = _energy_counter()
        if counter is None:
            return None
        before, started, count = counter(), time.perf_counter(), 0
        while time.perf_counter() - started < ENERGY_S:
            for _ in range(10):
                replay()
            torch.cuda.synchronize()
            count += 10
        return (counter() - before) / count

    def contenders(self, case: Case) -> Iterator[Contender]:
        """Our kernels, the paper's, and torch. Ours are compared with golden on 64 samples."""
        x = random_vectors(case.network, case.batch, 0)
        if case.batch == 1:
            nothing = Loaded(run=lambda: self.gpu.launch("nothing", (1, 1), (32, 1), []))
            name = "a launch that does nothing"
            yield Contender(name=name, tools={"bnnhw": __version__}, load=lambda: nothing)
        yield from self._ours(case, x)
        if case.first_layer:
            return
        yield from self._papers(case, x)
        for kind in FORMATS:
            if kind == "int8" and case.batch < LEAST_INT8:
                continue
            load = functools.partial(self._in_torch, kind, case, x)
            tools = {"torch": torch.__version__}
            yield Contender(name=f"torch, {kind}", tools=tools, load=load)

    def _in_torch(self, kind: str, case: Case, x: npt.NDArray[np.uint8]) -> Loaded:
        if case.product:
            run = torch_product(kind, x, case.network.dense[0].weight)
            return Loaded(run=_with_tf32(run, kind == "tf32"))
        network = self._kept(case, kind, lambda n: TorchNetwork(n, kind))
        run = functools.partial(network.run, network.load(x))
        return _loaded(network, _with_tf32(run, kind == "tf32"))

    def _kept(self, case: Case, what: str, make: Callable[[Network], Any]) -> Any:
        """What a contender makes of a network, once for all batches; of the last network only."""
        if self._network is not case.network:
            self._network, self._made = case.network, {}
        if what not in self._made:
            self._made[what] = make(case.network)
        return self._made[what]

    def _ours(self, case: Case, x: npt.NDArray[np.uint8]) -> Iterator[Contender]:
        best, results = self.gpu.architecture.product, []

        def load(product: str) -> Loaded:
            name = f"CUDA, {product}"
            network = self._kept(case, name, lambda n: self._in_cuda(n, product))
            check(case.network, x, network.run, name)
            given = network.load(x)
            results.append(network.forward(given))
            if not torch.equal(results[0], results[-1]):
                raise ToolError(f"{name} and {best} differ on {len(x):,} samples")
            return _loaded(network, lambda: network.forward(given))

        def load_planes() -> Loaded:
            alone, rows = planes(case.network, x)
            network = self._in_cuda(alone, best)
            check(alone, rows, network.run, f"CUDA, {best}, bit planes")
            given = network.load(rows)
            return _loaded(network, lambda: network.forward(given))

        def load_once() -> Loaded:
            network = self._kept(case, f"CUDA, {best}", lambda n: self._in_cuda(n, best))
            check(case.network, x, network.run, AT_ONCE)
            given = network.load(x)
            return _loaded(network, lambda: network.forward(given))

        ways: dict[str, Callable[[], Loaded]] = {
            f"CUDA, {product}": functools.partial(load, product)
            for product in dict.fromkeys((best, "mma"))
        }
        if case.network.output is not None and case.batch <= FEW:
            ways = {AT_ONCE: load_once}  # whatever multiplies: few samples take one kernel
        if case.first_layer:
            ways[f"CUDA, {best}, bit planes"] = load_planes
        if case.product:
            ways["CUDA, popcounts"] = lambda: self._popcounts(case, x)
        for name, make in ways.items():
            yield Contender(name=name, tools={"bnnhw": __version__}, load=make, ours=True)

    def _in_cuda(self, network: Network, product: str) -> CudaNetwork:
        return CudaNetwork(network, machine=self.gpu, product=product)

    def _popcounts(self, case: Case, x: npt.NDArray[np.uint8]) -> Loaded:
        """3_popc.cu, on rows and weights that are prefixed."""
        (layer,) = case.network.dense
        assert isinstance(layer, Dense)
        more = -layer.neurons % TILE_GROUP
        padded = np.pad(layer.weight, ((0, more), (0, 0)))
        a, w = (self._prefixed(bits) for bits in (x, padded))
        most = np.pad(layer.inputs - layer.threshold, (0, more), constant_values=-NEVER)
        limit = torch.from_numpy(most.astype(np.int32)).to(self.gpu.device)
        rows, words, cols = len(x), a.shape[1], len(padded)
        out = torch.empty((rows, cols // 8), dtype=torch.uint8, device=self.gpu.device)
        blocks = (cols // 128, -(-rows // 128))

        def run() -> object:
            self.gpu.launch("popc_bits", blocks, (256, 1), [a, w, limit, out, rows, words, cols])
            return out

        def bits(first: Any) -> Any:
            run()
            found = np.unpackbits(out[: len(first)].cpu().numpy(), axis=1, bitorder="little")
            return found[:, : layer.neurons]

        check(case.network, x, bits, "CUDA, popcounts")
        return Loaded(run=run)

    def _prefixed(self, bits: npt.NDArray[np.uint8]) -> Any:
        words = packed_words(np.pad(bits, ((0, 0), (0, -bits.shape[1] % 128))))
        prefixes = torch.from_numpy(words.view(np.int32)).to(self.gpu.device)
        given = [prefixes, *prefixes.shape]
        self.gpu.launch("prefixes", (-(-len(bits) // 256), 1), (256, 1), given)
        return prefixes

    def _papers(self, case: Case, x: npt.NDArray[np.uint8]) -> Iterator[Contender]:
        if case.operations > SLOWEST:
            return
        for xnor, name in ((False, "the paper's baseline"), (True, "the paper's XNOR kernel")):
            load = functools.partial(self._paper, case, x, name, xnor=xnor)
            yield Contender(name=name, tools={"bnnhw": __version__}, load=load, ours=True)

    def _paper(self, case: Case, x: npt.NDArray[np.uint8], name: str, *, xnor: bool) -> Loaded:
        network = self._kept(case, name, lambda n: PaperNetwork(n, self.gpu, xnor=xnor))

        def decided(first: npt.NDArray[np.uint8]) -> Any:
            found = network.run(network.load(first))
            if not case.product:
                return found
            (layer,) = case.network.dense
            assert isinstance(layer, Dense)
            return found.cpu().numpy() >= 2 * layer.threshold - layer.inputs

        check(case.network, x, decided, name)
        return _loaded(network, functools.partial(network.run, network.load(x)))

    def limits(self) -> list[Limit]:
        """Of kernels on one instruction each, on registers or one piece of shared memory.

        `mma` and `wgmma` of bits; popcounts, of which XOR takes one for 32 bits and prefixes one
        for 64.
        """
        found = [
            self._limit("CUDA, mma", "rate_mma_bits", 2 * 16 * 8 * 256 / 32, threads=512),
            self._limit("CUDA, popcounts", "rate_popc", 2 * 64, threads=1024),
            self._limit("the paper's XNOR kernel", "rate_popc", 2 * 32, threads=1024),
        ]
        if self.gpu.architecture.product == "wgmma":
            each = 2 * 64 * 256 * 256 / 128
            found.append(
                self._limit("CUDA, wgmma", "rate_wgmma_bits", each, threads=256, shared=STAGE)
            )
        return found

    def _limit(
        self, contender: str, kernel: str, each: float, *, threads: int, shared: int = 0
    ) -> Limit:
        """Of a kernel whose threads each start so many instructions, `each` operations a thread's
        instruction; one block a multiprocessor."""
        out = torch.empty(self.gpu.blocks * threads, dtype=torch.int32, device=self.gpu.device)
        blocks = (self.gpu.blocks, 1)
        count = self.gpu.blocks * threads * TURNS * CHAINS

        def run() -> None:
            self.gpu.launch(kernel, blocks, (threads, 1), [TURNS, out], shared=shared)

        return Limit(
            contender=contender,
            runs={kernel: run},
            operations=lambda seconds: each * count / seconds[kernel],
        )


def _loaded(network: CudaNetwork | TorchNetwork | PaperNetwork, run: Run) -> Loaded:
    return Loaded(
        run=run,
        weights_bytes=network.weights_bytes,
        activations_bytes=network.activations_bytes,
    )


def _with_tf32(run: Run, on: bool) -> Run:
    """A run whose float32 products are taken in TF32, or not."""

    def switched() -> object:
        torch.backends.cuda.matmul.allow_tf32 = on
        try:
            return run()
        finally:
            torch.backends.cuda.matmul.allow_tf32 = False

    return switched


def _nvml() -> Any:
    """NVML, where it answers."""
    try:
        pynvml = importlib.import_module("pynvml")
        pynvml.nvmlInit()
    except Exception:  # not installed, no library, not allowed: whatever it is, it does not answer
        return None
    return pynvml


def _driver_version() -> str:
    nvml = _nvml()
    return nvml.nvmlSystemGetDriverVersion() if nvml else "unknown"


def _energy_counter() -> Callable[[], float] | None:
    """Reads the joules that the first GPU has taken, where NVML counts them."""
    nvml = _nvml()
    if nvml is None:
        return None
    handle = nvml.nvmlDeviceGetHandleByIndex(0)

    def joules() -> float:
        return nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3

    try:
        joules()
    except nvml.NVMLError:
        return None
    return joules
