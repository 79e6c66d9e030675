"""Single-bit faults: put into the simulated memories, and into golden, which must agree on them."""

__all__ = ["Campaign", "Fault", "FaultRun", "campaign", "draw_faults", "evaluate_faulty"]

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..boards.mapped import FACTS
from ..errors import InputError
from ..folding import Folding
from ..golden import Trace, evaluate, layer_bits, layer_scores, layer_sums, patches
from ..layers import Conv, Dense, Layer, Output
from ..network import Network
from ..rtl.sites import Site, faulty_threshold, threshold_site, weight_site
from ..technology import GENERIC
from .checker import Mismatch, first_mismatch, trace_fields
from .core import Core, read_core
from .job import Deposit
from .run import Conditions, run_job, run_mismatch, violation_of
from .simulators import compile_core


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One flipped bit of what a core stores.

    Parameters
    ----------
    layer : int
        Index among the layers with weights.
    neuron : int
    kind : "weight" or "threshold"
    index : int
        k of the weight, or the bit of the stored threshold.
    position : int
        Of a convolution's windows at once, each of which has weights and thresholds of its own.
    """

    layer: int
    neuron: int
    kind: Literal["weight", "threshold"]
    index: int
    position: int = 0

    def __str__(self) -> str:
        what = "weight" if self.kind == "weight" else "threshold bit"
        where = f", position {self.position}" if self.position else ""
        return f"layer {self.layer}, neuron {self.neuron}, {what} {self.index}{where}"

    def site(self, network: Network, folding: Folding) -> Site:
        """Where in the Verilog that bit lies."""
        find = weight_site if self.kind == "weight" else threshold_site
        where = network, folding, self.layer, self.neuron, self.index
        return find(*where, position=self.position)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FaultRun:
    """What golden said of a fault, and what the simulation found.

    Parameters
    ----------
    fault : Fault
    expected : Mismatch or None
        Where golden with the fault first differs from golden without.
    found : Mismatch or None
        Where the Verilog with the fault first differs from golden without.
    violation : str
        What broke the rules of the streams; empty for nothing.
    """

    fault: Fault
    expected: Mismatch | None
    found: Mismatch | None
    violation: str

    @property
    def agrees(self) -> bool:
        """Both or neither differ, and first in the same image, layer and neuron."""
        return self.expected == self.found and not self.violation


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    """All runs of a fault campaign on one core.

    Parameters
    ----------
    simulator, version : str
    images : int
        Vectors that each fault was tried on.
    runs : tuple of FaultRun
    wall_s : float
    """

    simulator: str
    version: str
    images: int
    runs: tuple[FaultRun, ...]
    wall_s: float

    @property
    def detected(self) -> int:
        """Faults that the simulation failed on."""
        return sum(run.found is not None for run in self.runs)

    @property
    def disagreements(self) -> list[FaultRun]:
        """Faults on which simulation and golden say different things: there must be none."""
        return [run for run in self.runs if not run.agrees]

    def to_json(self) -> dict[str, Any]:
        return {
            "simulator": self.simulator,
            "version": self.version,
            "images": self.images,
            "faults": len(self.runs),
            "detected": self.detected,
            "disagreements": len(self.disagreements),
            "wall_s": self.wall_s,
        }


def draw_faults(
    network: Network, folding: Folding, count: int, seed: int, *, layers: Sequence[int] = ()
) -> list[Fault]:
    """Faults without repetition, half in weights, half in thresholds, where both can be had.

    Weights: any k < K of any neuron, never padding. Thresholds: any stored bit of a neuron whose
    threshold can be reached and missed (0 < t <= K for inputs of one bit). What a layer needs in
    one fold only is constants in the Verilog, not memories, and is left out.

    Parameters
    ----------
    layers : list of int, optional
        Only these; by default all.
    """
    chosen = list(layers) or list(range(len(network.weighted)))
    weights = [
        Fault(layer=i, neuron=j, kind="weight", index=k, position=p)
        for i in chosen
        if _width(weight_site, network, folding, i, 0)
        for j in range(network.weighted[i].neurons)
        for k in range(network.weighted[i].inputs)
        for p in range(folding.layers[i].positions)
    ]
    thresholds = [
        Fault(layer=i, neuron=j, kind="threshold", index=bit, position=p)
        for i in chosen
        for j in _decided(network.weighted[i])
        for bit in range(_width(threshold_site, network, folding, i, j))
        for p in range(folding.layers[i].positions)
    ]
    rng = np.random.default_rng(seed)
    if len(weights) + len(thresholds) < count:
        raise InputError(
            f"faults must be at most {len(weights) + len(thresholds)}, as many bits there are, "
            f"not {count}"
        )
    few = min(len(thresholds), max(count // 2, count - len(weights)))
    drawn = [thresholds[i] for i in rng.choice(len(thresholds), few, replace=False)] if few else []
    return drawn + [weights[i] for i in rng.choice(len(weights), count - few, replace=False)]


def _decided(layer: Layer) -> list[int]:
    """The neurons that fire for some input and don't for another."""
    if not isinstance(layer, Dense):
        return []
    low, high = layer.sum_limits
    if layer.input_bits == 1:
        low, high = np.zeros_like(low), np.full_like(high, layer.inputs)
    return [int(j) for j in np.flatnonzero((low < layer.threshold) & (layer.threshold <= high))]


def _width(
    site: Callable[..., Site], network: Network, folding: Folding, layer: int, neuron: int
) -> int:
    """Bits a word of the memory of a neuron's weights or threshold; 0 where there is none."""
    try:
        return site(network, folding, layer, neuron, 0).width
    except InputError:
        return 0


def evaluate_faulty(
    network: Network, folding: Folding, fault: Fault, x: npt.NDArray[np.uint8]
) -> Trace:
    """Golden with a fault.

    A flipped threshold bit gives any value, also one that no network may have. A flipped weight of
    a first layer on B > 1 bits changes one thing more than the weight: the hardware compares
    `s + (2^B' - 1) z` with a stored number that still holds the z of the right weights, B' =
    planes * ceil(B / planes), z the number of 0 bits among the weights.
    """
    broken = network.weighted[fault.layer]
    x = x.reshape(len(x), *network.layers[0].shape_in)
    bits: list[npt.NDArray[np.uint8]] = []
    for layer in network.layers:
        if isinstance(layer, Output):
            sums = _faulty_sums(folding, fault, layer, x) if layer is broken else None
            scores = layer_scores(layer, layer_sums(layer, x) if sums is None else sums)
            classes = scores.argmax(axis=1).astype(np.uint16)
            return Trace(bits=tuple(bits), scores=scores, classes=classes)
        x = _faulty_bits(network, folding, fault, x) if layer is broken else layer_bits(layer, x)
        bits.append(x)
    return Trace(bits=tuple(bits), scores=None, classes=None)


def _faulty_sums(
    folding: Folding, fault: Fault, layer: Layer, x: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int32]:
    """What the layer with the fault compares with its threshold, (..., M), for x of (..., K)."""
    if fault.kind == "threshold":
        return layer_sums(layer, x)
    weight = layer.weight.copy()
    weight[fault.neuron, fault.index] ^= 1
    sums = layer_sums(dataclasses.replace(layer, weight=weight), x)
    if layer.input_bits > 1:
        fold = folding.layers[fault.layer]
        top = (1 << fold.planes * fold.plane_groups(layer)) - 1
        sums[..., fault.neuron] += -top if weight[fault.neuron, fault.index] else top
    return sums


def _faulty_bits(
    network: Network, folding: Folding, fault: Fault, x: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """What a hidden layer with the fault gives; of a convolution, all but every `positions`-th
    column of windows as without it."""
    layer, j = network.weighted[fault.layer], fault.neuron
    assert isinstance(layer, Dense)
    right = layer_bits(layer, x)
    columns: Any = slice(None)
    if isinstance(layer, Conv):
        x = patches(layer.window, x).reshape(*right.shape[:-1], layer.inputs)
        columns = slice(fault.position, None, folding.layers[fault.layer].positions)
        x = x[:, :, columns]
    threshold = int(layer.threshold[j])
    if fault.kind == "threshold":
        threshold = faulty_threshold(network, folding, fault.layer, j, fault.index)
    fires = _faulty_sums(folding, fault, layer, x)[..., j] >= threshold
    if isinstance(layer, Conv):
        right[:, :, columns, j] = fires
    else:
        right[:, j] = fires
    return right


def campaign(
    build: Path | str,
    faults: Sequence[Fault],
    *,
    simulator: str = "icarus",
    vectors: int | None = None,
    conditions: Conditions | None = None,
) -> Campaign:
    """Simulate a build folder's Verilog with each fault in turn, and compare with golden's word.

    All faults run in one simulator process: a bit of a memory is flipped, the core is reset, the
    vectors run until the first mismatch, and the bit is flipped back.

    Parameters
    ----------
    vectors : int, optional
        How many of the build folder's inputs; by default all.
    """
    if (Path(build) / FACTS).is_file():
        raise InputError(
            f"{build}: a netlist; faults go into the memories of the Verilog: name the build folder"
        )
    core = read_core(build)
    if core.family != GENERIC and any(fault.kind == "weight" for fault in faults):
        raise InputError(
            f"{build}: weights of a core for {core.family} are in its LUTs and not in memories; "
            "generate it for generic"
        )
    folding = Folding.load(core.folder / "folding.toml")
    x = core.vectors()[:vectors]
    deposits = [_deposit(core, folding, fault) for fault in faults]
    names = {deposit.path.rpartition(".")[2] for deposit in deposits}
    compiled = compile_core(core, simulator, memories=names)
    right = evaluate(core.network, x)
    outcome, _ = run_job(core, compiled, x, right, conditions or Conditions(), deposits=deposits)
    fields, runs, place = trace_fields(core, right), [], 0
    for fault, run in zip(faults, outcome.runs, strict=True):
        packets = outcome.packets[place : place + run.images]
        place += run.images
        wrong = evaluate_faulty(core.network, folding, fault, x)
        runs.append(
            FaultRun(
                fault=fault,
                expected=first_mismatch(fields, trace_fields(core, wrong)),
                found=run_mismatch(core, right, run, packets),
                violation=violation_of(core, run),
            )
        )
    return Campaign(
        simulator=simulator,
        version=compiled.version,
        images=len(x),
        runs=tuple(runs),
        wall_s=outcome.wall_s,
    )


def _deposit(core: Core, folding: Folding, fault: Fault) -> Deposit:
    site = fault.site(core.network, folding)
    return Deposit(path=site.path, word=site.word, bit=site.bit)
