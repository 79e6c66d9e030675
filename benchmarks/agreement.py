"""Torch in eval mode against golden on test images: every bit of every layer, with odd norms.

    python -m benchmarks.agreement --data-dir DIR             every topology: a quarter of an hour
    python -m benchmarks.agreement --data-dir DIR --keep      and keep it

The networks' weights are random. Their norms have gammas of both signs and zero, means that sums
meet exactly, and variances from nothing to 3e38, but otherwise the statistics of training images,
so that most neurons go either way. Exit code 1 if a bit or a score differs.
"""

__all__ = ["CASES", "AgreementCase", "Found", "compared", "hard_network", "table"]

import argparse
import dataclasses
import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from bnnhw import console
from bnnhw.datasets import Dataset, load
from bnnhw.errors import InputError
from bnnhw.exits import DONE, FAILED, ended
from bnnhw.golden import evaluate, layer_sums, patches
from bnnhw.input_format import InputFormat
from bnnhw.layers import Conv, Dense
from bnnhw.machine import processor
from bnnhw.network import Network
from bnnhw.record import Record, commit
from bnnhw.training import BinaryNet, Topology, export
from bnnhw.training.calibrate import calibrate
from bnnhw.training.layers import Binarization, Block

from .command import chosen, new_parser
from .markdown import markdown
from .store import keep, kept

STEP = 25
SEED = 0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class AgreementCase:
    """A topology on test images of a data set.

    Parameters
    ----------
    topology, data : str
    bits : int
        Of an input.
    images : int
    norm : str
    """

    topology: str
    data: str
    bits: int
    images: int = 1000
    norm: str = "batch"

    @property
    def name(self) -> str:
        return f"{self.topology}-{self.bits}bit-{self.norm}"


CASES = tuple(
    AgreementCase(topology=topology, data=data, bits=bits, images=images, norm=norm)
    for topology, data, images in (
        ("256-256-256", "mnist", 1000),
        ("lenet", "mnist", 1000),
        ("cnv", "cifar10", 1000),
        ("convnet", "cifar10", 50),
    )
    for bits, norm in ((8, "batch"), (1, "shift"))
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a comparison met.

    Parameters
    ----------
    images, values, differ : int
        Compared, bits and scores, and how many of those are not the same.
    ties : tuple of int
        Of each hidden layer with weights, sums exactly on their threshold.
    lively : tuple of float
        Of each such layer, the share of neurons that are not always the same.
    """

    images: int
    values: int
    differ: int
    ties: tuple[int, ...]
    lively: tuple[float, ...]


def hard_network(
    topology: str, form: InputFormat, x: torch.Tensor, *, norm: str, seed: int = SEED
) -> BinaryNet:
    """A network in eval mode whose norms are as bad as they get; neuron j's kind goes by j.

    Parameters
    ----------
    x : Tensor[uint8], (N, K)
        Training samples, whose statistics the norms have.
    """
    g = torch.Generator().manual_seed(seed)
    model = BinaryNet(
        Topology.parse(topology), form.shape, 10, input_bits=form.bits, how=Binarization(),
        norm=norm, generator=g,
    )  # fmt: skip
    blocks = [layer for layer in model.hidden if isinstance(layer, Block)]
    with torch.no_grad():
        for block in blocks:
            gamma, beta = block.norm.weight, block.norm.bias
            gamma.copy_(torch.randn(len(gamma), generator=g))
            beta.copy_(torch.randn(len(beta), generator=g) / 4)
            gamma[1::8], beta[2::8], gamma[2::16] = 0, 0, -1
            block.affine.weight[6::8, ::3] = 0  # sign(0) = +1
        model.output.bias.copy_(torch.randn(10, generator=g))
        calibrate(model, x)
        bits = form.bits
        for block in blocks:
            n = block.norm
            # A sum of K values of -1 and +1 is as odd as K; of 8-bit pixels it is any integer.
            odd, step = (block.affine.inputs % 2, 2) if bits == 1 else (0, 1)
            n.running_mean[2::8] = ((n.running_mean[2::8] - odd) / step).round() * step + odd
            n.running_var[3::64], n.running_var[35::64], n.weight[19::64] = 0, 3e38, 1e-40
            bits = 1
    return model.eval()


def compared(model: BinaryNet, network: Network, x: npt.NDArray[np.uint8]) -> Found:
    """Torch against golden on quantized samples, uint8 (N, K)."""
    values = differ = 0
    hidden = [layer for layer in network.weighted if isinstance(layer, Dense)]
    ties = np.zeros(len(hidden), np.int64)
    seen: list[list[npt.NDArray[np.uint8]]] = [[] for _ in hidden]  # of each neuron: ever 0, ever 1
    with console.progress("comparing every bit with golden", total=len(x)) as bar:
        for start in range(0, len(x), STEP):
            part = x[start : start + STEP]
            golden = evaluate(network, part)
            bits, scores = model.trace(torch.from_numpy(part))
            assert golden.scores is not None
            given = part.reshape(len(part), *network.layers[0].shape_in)
            values += golden.scores.size
            differ += int((scores.numpy() != golden.scores).sum())
            for layer, ours, theirs in zip(network.layers[:-1], bits, golden.bits, strict=True):
                values += theirs.size
                differ += int((ours.numpy() != theirs).sum())
                if isinstance(layer, Dense):
                    i = hidden.index(layer)
                    if start == 0:  # one step's sums, for they are computed once more
                        at = patches(layer.window, given) if isinstance(layer, Conv) else given
                        sums = layer_sums(layer, at.reshape(-1, layer.inputs))
                        ties[i] += (sums == layer.threshold).sum()
                    each = theirs.reshape(-1, layer.neurons)
                    seen[i].append(np.stack([each.min(0), each.max(0)]))
                given = theirs
            bar.advance(len(part))
    lively = [np.mean(np.min(s, 0)[0] != np.max(s, 0)[1]) for s in seen]
    return Found(
        images=len(x),
        values=values,
        differ=differ,
        ties=tuple(int(n) for n in ties),
        lively=tuple(float(share) for share in lively),
    )


def records(case: AgreementCase, data: Dataset) -> list[Record]:
    """Compare, and say what was met."""
    form = data.input_format(case.bits)
    if len(data.x_test) < case.images:
        raise InputError(f"{data.name} has {len(data.x_test)} test samples, not {case.images}")
    some = torch.from_numpy(form.quantize(data.x_train[:1000]))
    model = hard_network(case.topology, form, some, norm=case.norm)
    found = compared(model, export(model, form), form.quantize(data.x_test[: case.images]))
    how = f"torch in eval mode against golden, {case.norm} norm, {case.bits}-bit inputs"
    told = {
        "images": found.images,
        "values": found.values,
        "mismatches": found.differ,
        "ties_least": min(found.ties),
        "lively_least": min(found.lively),
    }
    return [
        Record(
            name=name,
            value=value,
            unit="1",
            kind="measured",
            how=how,
            on=f"{data.name}, {processor()}",
            tools={"torch": torch.__version__, "numpy": np.__version__},
            seed=SEED,
            commit=commit(),
        )
        for name, value in told.items()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    args = new_parser("agreement", __doc__, data=True).parse_args(arguments)
    return ended("benchmarks.agreement", lambda: _work(args), debug=args.debug)


def _work(args: argparse.Namespace) -> int:
    rows, differ = [], 0.0
    for case in chosen(CASES, args.only):
        found = records(case, load(case.data, args.data_dir))
        if args.keep:
            keep(f"agreement-{case.name}", found)
        rows.append(_row(case, found))
        differ += sum(float(r.value) for r in found if r.name == "mismatches")
    console.show(console.table("torch against golden, every bit of every layer", HEADS, rows))
    return FAILED if differ else DONE


HEADS = ("network", "norm", "inputs", "test images", "bits and scores", "on their threshold",
         "neurons that go either way", "differ")  # fmt: skip


def _row(case: AgreementCase, found: Sequence[Record]) -> tuple[str, ...]:
    value = {record.name: float(record.value) for record in found}
    return (
        case.topology,
        case.norm,
        f"{case.bits} bit{'s'[: case.bits > 1]}",
        f"{value['images']:,.0f} of {found[0].on.partition(',')[0]}",
        f"{value['values']:,.0f}",
        f"{value['ties_least']:,.0f} or more",
        f"{value['lively_least']:.0%} or more",
        f"{value['mismatches']:,.0f}",
    )


def table() -> str:
    """The kept records; the columns with "or more" are of the layer that has fewest."""
    rows = [(case, kept(f"agreement-{case.name}")) for case in CASES]
    return markdown(HEADS, [_row(case, found) for case, found in rows if found])


if __name__ == "__main__":
    sys.exit(main())
