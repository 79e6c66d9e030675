"""What is synthesized and routed to see what the gateware costs: one `Case` each."""

__all__ = ["CASES", "FAMILIES", "Case", "ModelCase"]

import dataclasses
from pathlib import Path

from bnnhw.boards import Synthesis, synth, synth_popcount, target
from bnnhw.errors import ToolError
from bnnhw.folding import Folding, LayerFolding
from bnnhw.network import Network
from bnnhw.network_file import load
from bnnhw.proposal import proposed
from bnnhw.record import Record
from bnnhw.report.fpga import fpga_rows
from bnnhw.rtl.emit import generate
from bnnhw.sim import simulate
from bnnhw.synthetic import random_layer
from bnnhw.technology import LINE, TECHNOLOGIES, Technology

from .store import MODELS

FAMILIES = TECHNOLOGIES[1:]
ROUTED = tuple(family for family in FAMILIES if target(family).routable)
DEMO_FPS = 500_000
FINAL_SEEDS = (301, 302, 303)  # never used while the gateware was being designed


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One design on one device.

    Parameters
    ----------
    name : str
        Of its records' file, too.
    family : str
    device : str
        Empty for the family's default.
    quick : bool
        Synthesized by continuous integration.
    routed : bool
        Placed and routed, too, when all of it is asked for.
    """

    name: str
    family: str
    device: str = ""
    quick: bool = False
    routed: bool = False

    def run(self, out: Path, *, route: bool, seeds: tuple[int, ...] = FINAL_SEEDS) -> Synthesis:
        """Synthesize it, and route it if it is a case for that and `route` says so."""
        raise NotImplementedError

    def records(self, result: Synthesis) -> list[Record]:
        """What is kept of what `run` gave."""
        return result.records

    def _core(
        self, network: Network, folding: Folding, out: Path, *, route: bool, seeds: tuple[int, ...]
    ) -> Synthesis:
        """A network's core, generated beside `out`."""
        build = out.with_name(f"{out.name}-build")
        technology = Technology(family=self.family)
        generate(network, build, folding=folding, technology=technology, vectors=0)
        return synth(
            build,
            target=target(self.family, device=self.device),
            route=route and self.routed,
            seeds=seeds,
            out=out,
        )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PopcountCase(Case):
    """One XNOR-popcount, its inputs and its output registered; its netlist is simulated, too.

    Parameters
    ----------
    lanes : int
    plain : bool
        The plain tree.
    baked : bool
        Constant weights.
    every, line : int
        As `Technology` has them.
    """

    lanes: int
    plain: bool = False
    baked: bool = False
    every: int = 0
    line: int = 0

    def run(self, out: Path, *, route: bool, seeds: tuple[int, ...] = FINAL_SEEDS) -> Synthesis:
        family = "generic" if self.plain else self.family
        return synth_popcount(
            self.lanes,
            technology=Technology(family=family, every=self.every, line=self.line),
            baked=self.baked,
            check=True,
            target=target(self.family, device=self.device),
            route=route and self.routed,
            seeds=seeds,
            out=out,
        )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class GridCase(Case):
    """One layer on a square grid, with all that belongs to it: buffers, sequencer, credits, FIFO.

    Of `words` words of weights a cell: two input folds, the rest neuron folds.

    Parameters
    ----------
    size : int
        Rows and columns.
    lanes : int
    words : int
        Even.
    weights : str
    """

    size: int
    lanes: int = 16
    words: int = 8
    weights: str = "baked"

    def run(self, out: Path, *, route: bool, seeds: tuple[int, ...] = FINAL_SEEDS) -> Synthesis:
        layer = LayerFolding(
            name="fc", rows=self.size, cols=self.size, lanes=self.lanes, weights=self.weights
        )
        network = random_layer(2 * self.size * self.lanes, self.words // 2 * self.size)
        return self._core(network, Folding(layers=(layer,)), out, route=route, seeds=seeds)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ModelCase(Case):
    """A kept network on a kept folding, first simulated: exact, and its cycles counted.

    Parameters
    ----------
    model, folding : str
        Files in `models`.
    every, line, open_tables
        As `Technology` has them.
    """

    model: str
    folding: str
    every: int = 1
    line: int = LINE
    open_tables: bool = False

    @property
    def technology(self) -> Technology:
        return Technology(
            family=self.family, every=self.every, line=self.line, open_tables=self.open_tables
        )

    # A full device takes half an hour a seed: the first is enough.
    def run(self, out: Path, *, route: bool, seeds: tuple[int, ...] = FINAL_SEEDS[:1]) -> Synthesis:
        folding = MODELS / self.folding
        generate(MODELS / self.model, out, folding=folding, technology=self.technology)
        if failure := simulate(out).failure:
            raise ToolError(f"{self.name} differs from golden: {failure}")
        return synth(
            out,
            target=target(self.family, device=self.device),
            route=route and self.routed,
            seeds=seeds,
        )

    def records(self, result: Synthesis) -> list[Record]:
        """Also images a second, latency, and operations a second for each LUT site."""
        network = load(MODELS / self.model)
        (row,) = fpga_rows(network, result.folder.parent)
        cells = (row.cells["measured_rate_1"], row.cells["measured_latency"])
        speeds = [cell for cell in cells if isinstance(cell, Record)]
        for speed in speeds[:1]:
            value = network.operations * float(speed.value) / result.counts.lut_sites
            how = f"{network.operations:,} operations an image, over LUT sites; {speed.how}"
            name = "operations_per_lut_site"
            speeds.append(dataclasses.replace(speed, name=name, value=value, unit="1/s", how=how))
        return [*result.records, *speeds]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DemoCase(Case):
    """The core of `make demo`: the digits network for 500,000 images/s at 150 MHz."""

    def run(self, out: Path, *, route: bool, seeds: tuple[int, ...] = FINAL_SEEDS) -> Synthesis:
        network = load(MODELS / "digits.safetensors")
        folding = proposed(network, target_fps=DEMO_FPS)
        return self._core(network, folding, out, route=route, seeds=seeds)


def _popcounts() -> list[Case]:
    cases: list[Case] = []
    for family in FAMILIES:
        for lanes in (8, 16, 32, 64, 128, 256, 512):
            for plain in (False, True):
                for baked in (False, True):
                    words = [str(lanes), *["baked"] * baked, *["plain"] * plain, family]
                    cases.append(
                        PopcountCase(
                            name="-".join(["popcount", *words]),
                            family=family,
                            lanes=lanes,
                            plain=plain,
                            baked=baked,
                            quick=lanes == 64 and not plain,
                            routed=lanes == 64 and not baked and family in ROUTED,
                        )
                    )
    return cases


CASES: tuple[Case, ...] = (
    *_popcounts(),
    *(
        PopcountCase(
            name=f"popcount-64-registered-{family}",
            family=family,
            lanes=64,
            every=1,
            line=12,
            routed=family in ROUTED,
        )
        for family in FAMILIES
    ),
    *(
        DemoCase(
            name=f"demo-{family}",
            family=family,
            device="25k" if family == "ecp5" else "",
            routed=family in ROUTED,
        )
        for family in FAMILIES
    ),
    *(
        GridCase(
            name=f"grid-{size}x{size}x16-ecp5",
            family="ecp5",
            size=size,
            quick=size in (1, 4),
            routed=True,
        )
        for size in (1, 4, 8, 16)
    ),
    *(
        GridCase(
            name=f"grid-{size}x{size}x16-ice40",
            family="ice40",
            size=size,
            routed=True,
        )
        for size in (1, 4, 8)
    ),
    GridCase(
        name="grid-16x16x16-bram-ecp5",
        family="ecp5",
        size=16,
        words=256,
        weights="bram",
        routed=True,
    ),
    ModelCase(
        name="mnist-1bit-max-ecp5",
        family="ecp5",
        model="mnist-256x3-1bit.safetensors",
        folding="mnist-256x3-1bit-max.toml",
        line=16,
        open_tables=True,
        routed=True,
    ),
    ModelCase(
        name="mnist-8bit-max-ecp5",
        family="ecp5",
        model="mnist-256x3-8bit.safetensors",
        folding="mnist-256x3-8bit-max.toml",
        every=2,
        line=24,
        routed=True,
    ),
)
