"""Test images through the Verilog of whole networks, and some of them through their netlists.

    python -m benchmarks.simulation --data-dir DIR             all of it: hours on two cores
    python -m benchmarks.simulation --only mnist-8bit-64x64    names that begin so
    python -m benchmarks.simulation --keep                     and keep what was measured

Every value of every layer is compared with golden, of a netlist every output. What is done lies in
its folder, and is not done again. Exit code 1 if anything differs.
"""

__all__ = ["CASES", "SimulationCase", "table"]

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bnnhw import console
from bnnhw.boards import synth, target
from bnnhw.datasets import load as load_data
from bnnhw.errors import InputError, ToolError
from bnnhw.exits import DONE, ended
from bnnhw.folding import Folding
from bnnhw.network import Network
from bnnhw.network_file import load
from bnnhw.proposal import balanced
from bnnhw.record import Record, read_records, write_records
from bnnhw.rtl.emit import generate
from bnnhw.sim import simulate
from bnnhw.technology import Technology
from bnnhw.training import export

from . import cases
from .command import chosen, new_parser
from .markdown import markdown
from .store import MODELS, figures, keep, kept

NETLIST_IMAGES = 620  # the build folder's own, about 580, and the test set's first
HEADS = ("what", "images", "differ", "cycles an image", "compile", "simulate", "cycles/s")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SimulationCase:
    """A network on a folding, and what is asked of it.

    Parameters
    ----------
    name : str
    model : str
        A file in `models`, or a topology, which then has random weights.
    data : str
    folding : str
        A file in `models`; without, what is proposed for `interval`.
    interval : int
        Cycles an image.
    technology : Technology
    netlist : bool
        Whether it is synthesized, and the netlist simulated, too.
    simulator : str
    samples : int, optional
        Of the data's test part only so many.
    images : int, optional
        In all, the build folder's own first: of a network that takes long.
    stall : float
        On both sides; where it is 0 cycles are counted, too.
    build : str
        Folder, if it is another case's.
    """

    name: str
    model: str
    data: str = "mnist"
    folding: str = ""
    interval: int = 1024
    technology: Technology = dataclasses.field(default_factory=Technology)
    netlist: bool = False
    simulator: str = "verilator"
    samples: int | None = None
    images: int | None = None
    stall: float = 0.0
    build: str = ""

    def network(self, data_dir: Path) -> Network:
        """The kept one, or one with random weights and norms as odd as can be."""
        if self.model.endswith(".safetensors"):
            return load(MODELS / self.model)
        import torch

        from .agreement import hard_network

        data = load_data(self.data, data_dir)
        form = data.input_format(8)
        some = torch.from_numpy(form.quantize(data.x_train[:200]))
        return export(hard_network(self.model, form, some, norm="batch"), form)

    def folded(self, network: Network) -> Folding:
        if self.folding:
            return Folding.load(MODELS / self.folding, network)
        return balanced(network, self.interval)

    def run(self, out: Path, data_dir: Path) -> Iterator[tuple[str, list[Record]]]:
        """Names, and what is kept under them: of the Verilog, then of the netlist."""
        build = out / (self.build or self.name)
        manifest = build / "manifest.json"
        network = self.network(data_dir)
        if not manifest.exists():
            folding = self.folded(network)
            generate(network, build, folding=folding, technology=self.technology, vectors=0)
        elif json.loads(manifest.read_text())["model_sha256"] != network.sha256:
            raise InputError(f"{build} holds another network; remove it")
        yield self.name, self._simulated(build, data_dir)
        if self.netlist:
            folder = build / f"synth-{self.technology.family}"
            if not folder.exists():
                synth(build, target=target(self.technology.family))
            yield f"{self.name}-netlist", self._simulated(build, data_dir, folder)

    def _simulated(self, build: Path, data_dir: Path, netlist: Path | None = None) -> list[Record]:
        done = out_of(build, f"{self.name}-netlist" if netlist else self.name)
        if not done.exists():
            result = simulate(
                build,
                netlist=netlist or False,
                simulator=self.simulator,
                data=self.data,
                data_dir=data_dir,
                samples=self.samples,
                vectors=NETLIST_IMAGES if netlist else self.images,
                stall_in=self.stall,
                stall_out=self.stall,
            )
            if result.failure:
                raise ToolError(f"{self.name} differs from golden: {result.failure}")
            write_records(done, result.records(0))
        return read_records(done)


def out_of(build: Path, name: str) -> Path:
    """Where a case's records lie, once it is done."""
    return build / "simulation" / f"case-{name}.json"


def _maps() -> Iterator[SimulationCase]:
    """Networks of maps: LeNet and cnv as they are trained, the paper's ConvNet."""
    cnv: dict[str, Any] = {
        "model": "cifar10-cnv-short.safetensors", "data": "cifar10", "interval": 20_000,
        "samples": 20,
    }  # fmt: skip
    for simulator, samples in (("verilator", 500), ("icarus", 20)):
        for stall in (0.0, 0.5):
            yield SimulationCase(
                name=f"mnist-lenet-{simulator}{'-stalled' if stall else ''}",
                model="mnist-lenet.safetensors",
                simulator=simulator,
                samples=samples,
                stall=stall,
                build="mnist-lenet",
            )
    for stall in (0.0, 0.5):
        name = f"cifar10-cnv{'-stalled' if stall else ''}"
        yield SimulationCase(name=name, stall=stall, build="cifar10-cnv", **cnv)
    yield SimulationCase(
        name="cifar10-convnet", model="convnet", data="cifar10", interval=200_000, images=4
    )


CASES = (
    *(
        SimulationCase(
            name=f"mnist-{bits}bit-64x64",
            model=f"mnist-256x3-{bits}bit.safetensors",
            folding="mnist-256x3-64x64.toml",
        )
        for bits in (8, 1)
    ),
    *_maps(),
    *(
        SimulationCase(
            name=case.name,
            model=case.model,
            folding=case.folding,
            technology=case.technology,
            netlist=True,
        )
        for case in cases.CASES
        if isinstance(case, cases.ModelCase)
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    args = new_parser("simulation", __doc__, data=True).parse_args(arguments)
    return ended("benchmarks.simulation", lambda: _work(args), debug=args.debug)


def _work(args: argparse.Namespace) -> int:
    rows = []
    for case in chosen(CASES, args.only):
        for name, records in case.run(args.out, args.data_dir):
            rows.append((name, *_cells(records)))
            if args.keep:
                keep(f"simulation-{name}", records)
    console.show(console.table("simulated", HEADS, rows))
    return DONE


def _cells(records: Sequence[Record]) -> list[str]:
    value = figures(records)
    return [
        f"{value['images']:,.0f}",
        f"{value['mismatches']:.0f}",
        f"{value['interval_cycles']:g}" if "interval_cycles" in value else "",
        f"{value['compile_time']:,.0f} s",
        f"{value['simulation_time']:,.0f} s",
        f"{value['simulation_speed']:,.0f}",
    ]


def table() -> str:
    """The kept records as README's table."""
    rows = []
    for case in CASES:
        for name in (case.name, f"{case.name}-netlist"):
            records = kept(f"simulation-{name}")
            if records:
                title = name.replace("-netlist", ", netlist")
                rows.append([title, *_cells(records)])
    return markdown(HEADS, rows)


if __name__ == "__main__":
    sys.exit(main())
