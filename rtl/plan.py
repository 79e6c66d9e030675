"""What the hardware of one layer must know, derived once from the layer and its folding."""

__all__ = ["LayerPlan"]

import dataclasses
import functools

import numpy as np
import numpy.typing as npt

from ..folding import LayerFolding
from ..layers import Dense, Layer, Output
from ..technology import Technology

RING = 4  # vectors a replay buffer holds: one being read, one being written, two of slack


@dataclasses.dataclass(frozen=True)
class LayerPlan:
    """A layer on its grid: sizes, constants in the order the hardware reads them.

    The datapath computes `acc = sum over planes b and inputs k of 2^b xnor(x_kb, w_k)`. For
    inputs of one bit that is p. For inputs of B bits, `B' = planes * ceil(B / planes)` of them
    computed, it is `s + (2^B' - 1) z`, z the number of 0 bits among the neuron's weights: lanes
    with w = 1 contribute x, lanes with w = 0 contribute `2^B' - 1 - x`. Padding lanes hold x = 0,
    w = 1 and contribute nothing.

    Parameters
    ----------
    layer : Dense or Output
    fold : LayerFolding
    technology : Technology
    simulated : bool
        Twins stand for a family's cells.
    parts : int
        Words in which the inputs of one input fold come; divides `cols`.
    """

    layer: Layer
    fold: LayerFolding
    technology: Technology = dataclasses.field(default_factory=Technology)
    simulated: bool = False
    parts: int = 1

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def input_folds(self) -> int:
        return self.fold.input_folds(self.layer)

    @property
    def neuron_folds(self) -> int:
        return self.fold.neuron_folds(self.layer)

    @property
    def plane_groups(self) -> int:
        return self.fold.plane_groups(self.layer)

    @property
    def steps(self) -> int:
        """Cycles a neuron fold."""
        return self.fold.steps(self.layer)

    @property
    def depth(self) -> int:
        """Words of a cell's weight ROM; word `nf * input_folds + i` is fold nf, input fold i."""
        return self.fold.depth(self.layer)

    @property
    def bus(self) -> int:
        """Inputs a word in which a vector comes."""
        return self.fold.simd // self.parts

    @property
    def bits_computed(self) -> int:
        """B', the planes that pass through the grid; those from B on hold 0."""
        return self.fold.planes * self.plane_groups

    @property
    def gives_scores(self) -> bool:
        return isinstance(self.layer, Output)

    @functools.cached_property
    def weight_words(self) -> npt.NDArray[np.uint8]:
        """Weights as the cells read them: ndarray[uint8], (rows, cols, depth, lanes), 0/1."""
        fold, layer = self.fold, self.layer
        padded = np.ones(
            (self.neuron_folds * fold.rows, self.input_folds * fold.simd), dtype=np.uint8
        )
        padded[: layer.neurons, : layer.inputs] = layer.weight
        words = padded.reshape(
            self.neuron_folds, fold.rows, self.input_folds, fold.cols, fold.lanes
        )
        return words.transpose(1, 3, 0, 2, 4).reshape(fold.rows, fold.cols, self.depth, fold.lanes)

    @functools.cached_property
    def lift(self) -> npt.NDArray[np.int64]:
        """`acc - s` (or `acc - p`) of each neuron: ndarray[int64], (M,)."""
        if self.layer.input_bits == 1:
            return np.zeros(self.layer.neurons, dtype=np.int64)
        zeros = self.layer.inputs - self.layer.weight.sum(axis=1, dtype=np.int64)
        return ((1 << self.bits_computed) - 1) * zeros

    @property
    def acc_max(self) -> int:
        """The largest acc, padding neurons' too; the least is 0."""
        return ((1 << self.bits_computed) - 1) * self.layer.inputs

    def _by_fold(self, values: npt.NDArray[np.int64], fill: int) -> npt.NDArray[np.int64]:
        """Values of the neurons as the edges read them: (rows, NF), padding neurons `fill`."""
        padded = np.full(self.neuron_folds * self.fold.rows, fill, dtype=np.int64)
        padded[: self.layer.neurons] = values
        return padded.reshape(self.neuron_folds, self.fold.rows).T

    @functools.cached_property
    def offsets(self) -> npt.NDArray[np.int64]:
        """What is added to acc so that its sign says "does not fire": ndarray[int64], (rows, NF).

        Padding neurons never fire.
        """
        assert isinstance(self.layer, Dense)
        return self._by_fold(-(self.layer.threshold + self.lift), -self.acc_max - 1)

    @functools.cached_property
    def score_terms(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """mult and add with `score = mult * acc + add`: two ndarray[int64], (rows, NF)."""
        layer = self.layer
        assert isinstance(layer, Output)
        scale, bias = layer.scale.astype(np.int64), layer.bias.astype(np.int64)
        if layer.input_bits == 1:  # s = 2p - K
            mult, add = 2 * scale, bias - scale * layer.inputs
        else:
            mult, add = scale, bias - scale * self.lift
        # One multiplier for all, padding too, is a shift or a constant in hardware.
        return self._by_fold(mult, int(mult[0])), self._by_fold(add, 0)

    @property
    def score_width(self) -> int:
        """Bits of a score, two's complement, padding neurons' too."""
        mult, add = self.score_terms
        ends = [int(e) for e in (add.min(), add.max())]
        ends += [int((mult * self.acc_max + add).min()), int((mult * self.acc_max + add).max())]
        return max(signed_width(min(ends)), signed_width(max(ends)))

    @property
    def word_width(self) -> int:
        """Bits of one neuron's result in a word: 1, or a score's."""
        return self.score_width if self.gives_scores else 1


def pack(bits: npt.NDArray[np.uint8]) -> int:
    """Bits to an integer, lane k at bit k."""
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def signed_width(value: int) -> int:
    """Bits of the shortest two's complement that holds a value."""
    return (value if value >= 0 else ~value).bit_length() + 1
