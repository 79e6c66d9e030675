"""Every backend against golden on the whole MNIST test set: all scores of the paper's three MLPs.

    python -m benchmarks.exactness --data-dir DIR            what runs on this machine
    python -m benchmarks.exactness --data-dir DIR --keep     and keep it

Where models/ has a network of a size it is that one, else one with random weights of seed 0 and
thresholds near the mean of what they meet. Exit code 1 if a score differs.
"""

__all__ = ["CASES", "ExactnessCase", "table"]

import argparse
import dataclasses
import functools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bnnhw import console
from bnnhw.datasets import load as load_data
from bnnhw.errors import ToolError
from bnnhw.exits import DONE, FAILED, ended
from bnnhw.golden import evaluate
from bnnhw.network import Network
from bnnhw.network_file import load
from bnnhw.record import Record, commit
from bnnhw.sw import BACKENDS, Runner
from bnnhw.sw.bench import cpu_name
from bnnhw.sw.native import available
from bnnhw.synthetic import random_mlp

from .command import chosen, new_parser
from .markdown import markdown
from .store import MODELS, keep, kept

ON_GPU = "cuda"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ExactnessCase:
    """784 - width x 3 - 10 on inputs of so many bits."""

    width: int
    bits: int

    @property
    def name(self) -> str:
        return f"mnist-{self.width}x3-{self.bits}bit"

    @property
    def model(self) -> Path | None:
        """The trained one, where there is one."""
        path = MODELS / f"{self.name}.safetensors"
        return path if path.exists() else None

    def network(self) -> Network:
        if self.model:
            return load(self.model)
        return random_mlp((784, *[self.width] * 3, 10), input_bits=self.bits)

    def run(self, data_dir: Path) -> Iterator[Record]:
        """A record for each backend that runs here: scores that differ from golden's."""
        network, images = self.network(), load_data("mnist", data_dir).x_test
        inputs = network.input.quantize(images.reshape(len(images), *network.input.shape))
        wanted = evaluate(network, inputs).scores
        assert wanted is not None
        for backend, isa in _ways():
            runner = Runner(network, backend, isa=isa)
            differ = np.count_nonzero(runner.run_quantized(inputs).scores != wanted)
            trained = "trained" if self.model else "random weights, seed 0"
            yield Record(
                name="scores_differ",
                value=int(differ),
                unit="1",
                kind="measured",
                how=f"of {wanted.size} on MNIST's {len(inputs)} test images, {trained}; "
                f"{backend}: {runner.how}",
                on=runner.device or cpu_name(),
                commit=commit(),
            )


@functools.cache
def _ways() -> list[tuple[str, str | None]]:
    """Backends that run here, and their sets of instructions."""
    ways: list[tuple[str, str | None]] = []
    for backend in BACKENDS:
        try:
            Runner(random_mlp((2, 2)), backend)
        except ToolError as error:
            console.remark(f"{backend} is left out: {error}")
            continue
        ways += [(backend, isa) for isa in (available() if backend == "cpu" else (None,))]
    return ways


CASES = tuple(
    ExactnessCase(width=width, bits=bits) for width in (256, 1024, 4096) for bits in (1, 8)
)


def main(arguments: Sequence[str] | None = None) -> int:
    args = new_parser("exactness", __doc__, data=True).parse_args(arguments)
    return ended("benchmarks.exactness", functools.partial(_work, args), debug=args.debug)


def _work(args: argparse.Namespace) -> int:
    wrong = 0
    for case in chosen(CASES, args.only):
        with console.progress(case.name):
            records = list(case.run(args.data_dir))
        for record in records:
            console.remark(f"{case.name}: {record.value} scores differ {record.how}")
            wrong += int(record.value)
        if args.keep:
            others = [one for one in _kept(case) if _way(one) not in set(map(_way, records))]
            keep(_name(case), others + records)
    return FAILED if wrong else DONE


def _name(case: ExactnessCase) -> str:
    return f"exactness-{case.name}"


def _kept(case: ExactnessCase) -> list[Record]:
    return kept(_name(case))


def _way(record: Record) -> str:
    """Backend, and its instructions or product where it has several."""
    backend, _, how = record.how.partition("; ")[2].partition(": ")
    return f"{backend}, {how.partition(',')[0]}" if backend in ("cpu", ON_GPU) else backend


def table() -> str:
    """The kept records as the docs' table: scores that differ, of how many."""
    found = {case: {_way(record): record for record in _kept(case)} for case in CASES}
    ways = list(dict.fromkeys(way for records in found.values() for way in records))
    rows = []
    for case, records in found.items():
        some = next(iter(records.values()), None)
        if some:
            weights = "trained" if "trained" in some.how else "random"
            cells = [str(records[way].value) if way in records else "" for way in ways]
            rows.append([f"{case.name}, {weights}", f"{int(some.how.split()[1]):,}", *cells])
    return markdown(["network", "scores", *ways], rows)


if __name__ == "__main__":
    sys.exit(main())
