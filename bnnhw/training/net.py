"""The binarized network in torch, from a topology."""

__all__ = ["BinaryNet", "Classifier"]

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn

from ..errors import InputError
from .distributed import Processes
from .layers import (
    EXACT,
    Binarization,
    BinaryAffine,
    BinaryConv,
    BinaryLinear,
    BinaryOutput,
    Block,
    MaxPool,
    flat,
)
from .norm import NORMS, Norm
from .topology import ConvStage, DenseStage, PoolStage, Topology


class Classifier(nn.Module):
    """What the loop trains: real scores for the loss, classes for people.

    Inputs are uint8 tensors (N, K) as `InputFormat.quantize` gives them; `input_bits` says how
    many of their bits count. `widest` is how many values the largest layer gives for one.
    """

    def __init__(self, topology: Topology, shape: tuple[int, ...], input_bits: int) -> None:
        super().__init__()
        self.input_bits, self.shape, self.maps = input_bits, shape, topology.has_maps
        self.widest = max(map(math.prod, topology.shapes(shape)))

    @abstractmethod
    def prepare(self, x: Tensor) -> Tensor:
        """Inputs as float32, (N, K), or (N, C, H, W) where maps are wanted."""

    @abstractmethod
    def scores(self, a: Tensor) -> Tensor:
        """Scores (N, classes) of prepared inputs: in training real, for the loss."""

    def forward(self, x: Tensor) -> Tensor:
        """Scores of inputs, uint8 (N, K)."""
        return self.scores(self.prepare(x))

    def arranged(self, x: Tensor) -> Tensor:
        """(N, K), channels last, to (N, C, H, W) where there are convolutions."""
        if not self.maps:
            return x
        h, w, c = self.shape
        return x.view(-1, h, w, c).permute(0, 3, 1, 2)

    @abstractmethod
    def classes(self, x: Tensor) -> Tensor:
        """int64 (N,): the class of each sample, in eval mode."""

    def binarized(self) -> list[BinaryAffine]:
        """The layers of whose weights only the sign counts."""
        return []

    def clip(self) -> None:
        """After a step of the optimizer: bring the parameters back to where they may be."""

    def join(self, processes: Processes) -> None:
        """Take norms' statistics over several processes."""
        if processes.count > 1:
            for module in self.modules():
                if isinstance(module, Norm):
                    module.total = processes.sum


class BinaryNet(Classifier):
    """A binarized network: hidden layers of bits, then integer scores.

    The first layer takes the integers x in 0 to 2^B - 1 as they are: the norm behind it absorbs
    any scaling of them, and any shift of them too. So its sums are exact in float32.

    Parameters
    ----------
    topology : Topology
    shape : tuple of int
        Of a sample: (K,) or (H, W, C).
    classes : int
    input_bits : int
        B, 1 to 8; with 1 even the inputs are -1 and +1.
    how : Binarization
    norm : "batch" or "shift"
    init : "uniform" or "glorot"
        First weights: from -1 to 1, or Glorot and Bengio's (2010) range for the layer.
    class_scales : bool
        A scale for each class; else one for all.
    generator : torch.Generator
        Draws the first weights.
    """

    def __init__(
        self,
        topology: Topology,
        shape: tuple[int, ...],
        classes: int,
        *,
        input_bits: int,
        how: Binarization,
        norm: str = "batch",
        init: str = "uniform",
        class_scales: bool = False,
        generator: torch.Generator,
    ) -> None:
        super().__init__(topology, shape, input_bits)
        shapes = topology.shapes(shape)
        self.hidden = nn.ModuleList()
        bits = input_bits
        for stage, taken in zip(topology.stages, shapes, strict=False):
            if isinstance(stage, PoolStage):
                pool = MaxPool(stage)
                if stage.of_sums:
                    last = self.hidden[-1]
                    assert isinstance(last, Block)
                    last.pool = pool
                else:
                    self.hidden.append(pool)
                continue
            affine: BinaryAffine
            if isinstance(stage, DenseStage):
                affine = BinaryLinear(math.prod(taken), stage.neurons, how)
            else:
                assert isinstance(stage, ConvStage)
                affine = BinaryConv(stage, taken[2], how, pad=-1.0 if bits == 1 else 0.0)
            if (reach := affine.inputs * ((1 << bits) - 1)) >= EXACT:
                raise InputError(f"inputs times 2^bits - 1 must be below {EXACT}, not {reach}")
            affine.draw(init, generator)
            self.hidden.append(Block(affine, NORMS[norm](stage.neurons), how))
            bits = 1
        self.output = BinaryOutput(math.prod(shapes[-1]), classes, class_scales, how)
        self.output.linear.draw(init, generator)

    def prepare(self, x: Tensor) -> Tensor:
        """The integers themselves, or -1 and +1 where they have one bit."""
        x = x.to(self.output.bias.dtype)
        return self.arranged(x * 2 - 1 if self.input_bits == 1 else x)

    def scores(self, a: Tensor) -> Tensor:
        """In training float32; in eval mode the integers of the Network, int64."""
        for layer in self.hidden:
            a = layer(a)
        return self.output(flat(a))

    @torch.no_grad()
    def trace(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """In eval mode: the bits of each layer that `export` makes, uint8 (N, *shape), channels
        last, and the scores, int64."""
        assert not self.training
        found: list[Tensor] = []
        a = self.prepare(x)
        for layer in self.hidden:
            if isinstance(layer, Block):
                found += layer.stages(a)
            else:
                found.append(layer(a))
            a = found[-1]
        if a.dim() > 2:
            found.append(flat(a))
        bits = [_channels_last(b > 0).to(torch.uint8) for b in found]
        return bits, self.output(flat(a))

    @torch.no_grad()
    def classes(self, x: Tensor) -> Tensor:
        assert not self.training
        scores: Tensor = self(x)
        return scores.argmax(1)  # the first of equal ones

    def binarized(self) -> list[BinaryAffine]:
        return [m for m in self.modules() if isinstance(m, BinaryAffine)]

    @torch.no_grad()
    def clip(self) -> None:
        for layer in self.binarized():
            layer.weight.clamp_(-1, 1)
        if self.output.scale.numel() == 1:
            self.output.scale.clamp_(min=1e-3)  # one scale can be divided out only above 0


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1) if x.dim() == 4 else x
