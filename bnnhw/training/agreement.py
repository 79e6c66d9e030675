"""An exported network against the one it came from: every bit of every layer."""

__all__ = ["check"]

import numpy as np
import numpy.typing as npt
import torch

from .. import console
from ..errors import ToolError
from ..golden import evaluate
from ..network import Network
from .net import BinaryNet

IMAGES = 1000
OPERATIONS = 120e9  # in all: as many images as that allows, 1,000 of `cnv`
STEP = 20


def check(model: BinaryNet, network: Network, values: npt.NDArray[np.generic]) -> int:
    """Compare torch in eval mode with golden; how many samples were compared.

    Parameters
    ----------
    model : BinaryNet, in eval mode
    network : Network
        What `export` made of it.
    values : ndarray, (N, *shape)
        Raw samples. The first 1,000 are compared, fewer of a large network.

    Raises
    ------
    ToolError
        A bit or a score that differs: a bug, and it says where.
    """
    count = int(min(IMAGES, len(values), max(1, OPERATIONS // network.operations)))
    device = next(model.parameters()).device
    with console.progress("comparing every bit with golden", total=count) as bar:
        for start in range(0, count, STEP):
            x = network.input.quantize(values[start : min(start + STEP, count)])
            golden = evaluate(network, x)
            bits, scores = model.trace(torch.from_numpy(x).to(device))
            assert golden.scores is not None
            for layer, ours, theirs in zip(
                network.layers, [*bits, scores], [*golden.bits, golden.scores], strict=True
            ):
                differ = np.argwhere(ours.cpu().numpy() != theirs)
                if len(differ):
                    sample, *place = (int(v) for v in differ[0])
                    raise ToolError(
                        f"this is a bug: {layer.name} of sample {start + sample} differs between "
                        f"torch and integers, first at {place}, in {len(differ)} values of {STEP} "
                        "samples"
                    )
            bar.advance(len(x))
    return count
