"""How long the network takes in software, here: the median of many runs after a warm-up."""

__all__ = ["BATCH", "Timing", "check", "cpu_name", "measure"]

import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnhw import __version__, console
from bnnhw.errors import ToolError
from bnnhw.golden import evaluate
from bnnhw.machine import cores, processor
from bnnhw.network import Network
from bnnhw.record import Record, commit
from bnnhw.vectors import random_vectors

from .native import NativeNetwork, available
from .packed import PackedNetwork

BATCH = 4096
RUNS = 30
SHORTEST_S = 0.3  # short runs are repeated until this much time was seen
FEWEST, LONGEST_S = 3, 10.0  # and long ones no more once this much was
WARM_UP = 3
ON_GPU = "inputs and weights on the device, launches and synchronization included"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How long one way to run the network takes.

    Parameters
    ----------
    runs : str
        Number format and software.
    weight_bits : int
        Of one weight: 32 or 1.
    one, many : Record
        Median seconds of one image, and of a batch of 4,096.
    """

    runs: str
    weight_bits: int
    one: Record
    many: Record


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """One way to run the network here: `run` takes what `load` makes of quantized inputs."""

    on: str
    runs: str
    weight_bits: int
    how: str
    tools: dict[str, str]
    load: Callable[[npt.NDArray[np.uint8]], object]
    run: Callable[[object], object]
    whole: Callable[[npt.NDArray[np.uint8]], object] | None = None  # if the result is not as told

    def result(self, x: npt.NDArray[np.uint8]) -> object:
        """Scores or bits, as golden gives them."""
        return self.whole(x) if self.whole else self.run(self.load(x))


def measure(network: Network, *, seed: int = 0) -> list[Timing]:
    """Time the network on this machine's CPU, and on its GPU where torch finds one.

    What is timed is compared with golden first.

    Parameters
    ----------
    seed : int
        Of the inputs, which are random; the time does not depend on them.

    Raises
    ------
    ToolError
        If a result differs from golden's.
    """
    ways = _ways(network)
    timings = []
    with console.progress("measure on this machine", 2 * len(ways)) as bar:
        for way in ways:
            records = []
            for batch in (1, BATCH):
                bar.advance(0, f"{way.runs} on {way.on}, batch {batch}")
                records.append(_timed(network, way, batch, seed))
                bar.advance()
            timings.append(
                Timing(runs=way.runs, weight_bits=way.weight_bits, one=records[0], many=records[1])
            )
    return timings


def _timed(network: Network, way: Way, batch: int, seed: int) -> Record:
    x = random_vectors(network, batch, seed)
    check(network, x, way.result, f"{way.runs} on {way.on}")
    loaded = way.load(x)
    seconds, runs = _median_s(lambda: way.run(loaded))
    return Record(
        name="time",
        value=seconds,
        unit="s",
        kind="measured",
        how=f"batch {batch}: median of {runs} runs after a warm-up; {way.how}",
        on=way.on,
        tools=way.tools,
        seed=seed,
        commit=commit(),
    )


def _ways(network: Network) -> list[Way]:
    import torch

    from .float32 import FloatNetwork

    def in_torch(device: str, on: str, how: str) -> Way:
        floats = FloatNetwork(network, device)
        return Way(
            on=on,
            runs="float32, torch",
            weight_bits=32,
            how=how,
            tools={"torch": torch.__version__},
            load=floats.load,
            run=floats.run,
        )

    packed = PackedNetwork(network)
    threads = torch.get_num_threads()
    ways = [
        *([_in_c(network)] if available() else []),
        Way(
            on=cpu_name(),
            runs="bits, numpy",
            weight_bits=1,
            how="1 thread",
            tools={"numpy": np.__version__},
            load=lambda x: x,
            run=packed.run,  # type: ignore[arg-type]
        ),
        in_torch("cpu", cpu_name(), f"{threads} thread{'s'[: threads > 1]}"),
    ]
    if torch.cuda.is_available():
        on = torch.cuda.get_device_name()
        try:
            ways.append(_in_cuda(network, on))
        except ToolError as error:
            console.remark(f"the kernels for GPUs are left out: {error}")
        ways.append(in_torch("cuda", on, ON_GPU))
    return ways


def _in_cuda(network: Network, on: str) -> Way:
    import torch

    from .cuda.network import CudaNetwork

    kernels = CudaNetwork(network)

    def run(maps: Any) -> object:
        scores = kernels.forward(maps)
        torch.cuda.synchronize()
        return scores

    return Way(
        on=on,
        runs=f"bits, CUDA ({kernels.product})",
        weight_bits=1,
        how=ON_GPU,
        tools={"bnnhw": __version__},
        load=kernels.load,
        run=run,
        whole=kernels.run,
    )


def _in_c(network: Network) -> Way:
    native = NativeNetwork(network)
    return Way(
        on=cpu_name(),
        runs=f"bits, C ({native.isa})",
        weight_bits=1,
        how=f"{native.threads} thread{'s'[: native.threads > 1]}",
        tools={"bnnhw": __version__},
        load=lambda x: x,
        run=native.run,  # type: ignore[arg-type]
    )


def check(
    network: Network,
    x: npt.NDArray[np.uint8],
    run: Callable[[npt.NDArray[np.uint8]], Any],
    name: str,
) -> None:
    """Raises ToolError unless what `run` makes of some of the inputs is golden's."""
    x = x[:64]
    trace = evaluate(network, x)
    found = run(x)
    result = np.asarray(found.cpu() if hasattr(found, "cpu") else found)
    if network.output is None:
        same = np.array_equal(result > 0, trace.bits[-1] > 0)
    else:
        same = np.array_equal(result, trace.scores)  # type: ignore[arg-type]
    if not same:
        raise ToolError(f"{name} gives another result than golden")


def _median_s(run: Callable[[], object]) -> tuple[float, int]:
    """The median time of one call, and of how many calls."""
    warm = time.perf_counter() + LONGEST_S
    for _ in range(WARM_UP):
        if time.perf_counter() < warm:
            run()
    times: list[float] = []
    while len(times) < RUNS or sum(times) < SHORTEST_S:
        if len(times) >= FEWEST and sum(times) > LONGEST_S:
            break
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times), len(times)


def cpu_name() -> str:
    """The processor's name, and how many cores we may use."""
    count = cores()
    return f"{processor()}, {count} core{'s'[: count != 1]}"
