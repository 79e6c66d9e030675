"""MNIST's test set through the Verilog of kept networks, and some of it through their netlists.

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

from bnnhw import console
from bnnhw.boards import synth, target
from bnnhw.errors import InputError, ToolError
from bnnhw.exits import DONE, ended
from bnnhw.network_file import load
from bnnhw.record import Record, read_records
from bnnhw.rtl.emit import generate
from bnnhw.sim import simulate
from bnnhw.technology import Technology

from . import cases
from .command import chosen, new_parser
from .markdown import markdown
from .store import MODELS, figures, keep, kept

NETLIST_IMAGES = 620  # the build folder's own, about 580, and the test set's first
HEADS = ("what", "images", "differ", "cycles an image", "compile", "simulate", "cycles/s")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SimulationCase:
    """A kept network on a folding.

    Parameters
    ----------
    name : str
    model, folding : str
        Files in `models`.
    technology : Technology
    netlist : bool
        Whether it is synthesized, and the netlist simulated, too.
    """

    name: str
    model: str
    folding: str
    technology: Technology = dataclasses.field(default_factory=Technology)
    netlist: bool = False

    def run(self, out: Path, data_dir: Path) -> Iterator[tuple[str, list[Record]]]:
        """Names, and what is kept under them: of the Verilog, then of the netlist."""
        build = out / self.name
        model = MODELS / self.model
        manifest = build / "manifest.json"
        if not manifest.exists():
            generate(model, build, folding=MODELS / self.folding, technology=self.technology)
        elif json.loads(manifest.read_text())["model_sha256"] != load(model).sha256:
            raise InputError(f"{build} holds another network; remove it")
        yield self.name, self._simulated(build, data_dir)
        if self.netlist:
            folder = build / f"synth-{self.technology.family}"
            if not folder.exists():
                synth(build, target=target(self.technology.family))
            yield f"{self.name}-netlist", self._simulated(build, data_dir, folder)

    def _simulated(self, build: Path, data_dir: Path, netlist: Path | None = None) -> list[Record]:
        done = (
            build / "simulation" / (f"records-{netlist.name}.json" if netlist else "records.json")
        )
        if not done.exists():
            result = simulate(
                build,
                netlist=netlist or False,
                data="mnist",
                data_dir=data_dir,
                vectors=NETLIST_IMAGES if netlist else None,
            )
            if result.failure:
                done.unlink(missing_ok=True)
                raise ToolError(f"{self.name} differs from golden: {result.failure}")
        return read_records(done)


CASES = (
    *(
        SimulationCase(
            name=f"mnist-{bits}bit-64x64",
            model=f"mnist-256x3-{bits}bit.safetensors",
            folding="mnist-256x3-64x64.toml",
        )
        for bits in (8, 1)
    ),
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
        f"{value['interval_cycles']:g}",
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
