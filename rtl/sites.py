"""Where in the Verilog a weight or a threshold lies: for those who want to break it."""

__all__ = ["Site", "faulty_threshold", "threshold_site", "weight_site"]

import dataclasses

from ..errors import InputError
from ..folding import Folding
from ..layers import Dense
from ..network import Network
from .layer import of_position
from .plan import LayerPlan
from .table import Table


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """One bit of a memory in the simulated design.

    Parameters
    ----------
    path : str
        The memory array's hierarchical name below the top: `layer_fc1.grid.cell_0_0.rom`.
    word, bit : int
    width : int
        Bits of a word.
    """

    path: str
    word: int
    bit: int
    width: int


def _plan(network: Network, folding: Folding, index: int, position: int) -> LayerPlan:
    pairs = list(folding.pairs(network))
    if not 0 <= index < len(pairs):
        raise InputError(f"layer must be 0 to {len(pairs) - 1}, not {index}")
    plan = LayerPlan(*pairs[index])
    if not 0 <= position < plan.fold.positions:
        raise InputError(f"{plan.name}: position must be 0 to {plan.fold.positions - 1}")
    return plan


def weight_site(
    network: Network, folding: Folding, layer: int, neuron: int, k: int, *, position: int = 0
) -> Site:
    """The bit that holds weight k of a neuron, in the grid of one of the positions at once.

    Raises InputError where the cell's ROM has but one word: then it is no memory but wires.
    """
    plan = _plan(network, folding, layer, position)
    fold = plan.fold
    if not (0 <= neuron < plan.layer.neurons and 0 <= k < plan.layer.inputs):
        raise InputError(f"{plan.name}: there is no weight {k} of neuron {neuron}")
    if plan.depth == 1:
        raise InputError(f"{plan.name}: weights of a single fold are constants, not memories")
    neuron_fold, row = divmod(neuron, fold.rows)
    input_fold, lane = divmod(k, fold.simd)
    col, bit = divmod(lane, fold.lanes)
    return Site(
        path=f"layer_{plan.name}.grid{of_position(position)}.cell_{row}_{col}.rom",
        word=neuron_fold * plan.input_folds + input_fold,
        bit=bit,
        width=fold.lanes,
    )


def threshold_site(
    network: Network, folding: Folding, layer: int, neuron: int, bit: int, *, position: int = 0
) -> Site:
    """A bit of the word that holds a neuron's threshold (its negative, in two's complement).

    Raises InputError where there is no such bit, or all neurons of the row are in one fold.
    """
    plan = _plan(network, folding, layer, position)
    if not isinstance(plan.layer, Dense):
        raise InputError(f"{plan.name}: gives scores, and has no thresholds")
    if not 0 <= neuron < plan.layer.neurons:
        raise InputError(f"{plan.name}: there is no neuron {neuron}")
    if plan.neuron_folds == 1:
        raise InputError(f"{plan.name}: thresholds of a single fold are constants, not memories")
    word, row = divmod(neuron, plan.fold.rows)
    table = Table(plan.offsets[row].tolist())
    if not 0 <= bit < table.width:
        raise InputError(f"{plan.name}: a threshold of row {row} has bits 0 to {table.width - 1}")
    memory, word = table.place("offset", word)
    path = f"layer_{plan.name}.edge{of_position(position)}_{row}.{memory}"
    return Site(path=path, word=word, bit=bit, width=table.width)


def faulty_threshold(network: Network, folding: Folding, layer: int, neuron: int, bit: int) -> int:
    """The threshold that a neuron has when that bit of `threshold_site` is flipped."""
    site = threshold_site(network, folding, layer, neuron, bit)
    plan = _plan(network, folding, layer, 0)
    row = neuron % plan.fold.rows
    words = Table(plan.offsets[row].tolist()).words
    flipped = words[neuron // plan.fold.rows] ^ (1 << bit)
    offset = flipped - ((flipped >> (site.width - 1)) << site.width)
    return -offset - int(plan.lift[neuron])
