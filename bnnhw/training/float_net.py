"""The float twin of a binarized network: the same shape, real weights."""

__all__ = ["FloatNet"]

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from .layers import flat
from .net import Classifier
from .norm import BatchNorm
from .topology import ConvStage, PoolStage, Topology


class FloatNet(Classifier):
    """The float twin: the same shape, ReLU for sign, real weights; what binarization is held
    against, and the teacher where there is one.

    Parameters
    ----------
    topology, shape, classes, input_bits, generator
        As for `BinaryNet`.
    dropout : float
        Share of a hidden layer's activations that are 0 in training.
    """

    def __init__(
        self,
        topology: Topology,
        shape: tuple[int, ...],
        classes: int,
        *,
        input_bits: int,
        dropout: float = 0.0,
        generator: torch.Generator,
    ) -> None:
        super().__init__(topology, shape, input_bits)
        shapes = topology.shapes(shape)
        self.layers = nn.Sequential(*_float_layers(topology, shapes, dropout))
        last = nn.Linear(math.prod(shapes[-1]), classes)
        self.layers.extend([*([Flat()] if len(shapes[-1]) == 3 and self.maps else []), last])
        for module in self.layers:
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, nonlinearity="relu", generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def prepare(self, x: Tensor) -> Tensor:
        """Inputs from -1 to +1."""
        return self.arranged(x.float() / ((1 << self.input_bits) - 1) * 2 - 1)

    def scores(self, a: Tensor) -> Tensor:
        scores: Tensor = self.layers(a)
        return scores

    @torch.no_grad()
    def classes(self, x: Tensor) -> Tensor:
        scores: Tensor = self(x)
        return scores.argmax(1)


class Flat(nn.Module):
    """Maps to vectors, channels last."""

    def forward(self, x: Tensor) -> Tensor:
        return flat(x)


def _float_layers(
    topology: Topology, shapes: list[tuple[int, ...]], dropout: float
) -> Iterator[nn.Module]:
    """Each stage with batch norm, ReLU and dropout; a pooling of sums ahead of them."""

    def norm(neurons: int) -> list[nn.Module]:
        drop = [nn.Dropout(dropout)] if dropout else []
        return [BatchNorm(neurons), nn.ReLU(), *drop]

    waiting: list[nn.Module] = []
    for stage, taken in zip(topology.stages, shapes, strict=False):
        if isinstance(stage, PoolStage):
            pool = nn.MaxPool2d(stage.kernel, stage.stride)
            yield from [pool] if stage.of_sums else [*waiting, pool]
            waiting = waiting if stage.of_sums else []
            continue
        yield from waiting
        if isinstance(stage, ConvStage):
            size, step, pad = stage.kernel, stage.stride, stage.padding
            yield nn.Conv2d(taken[2], stage.neurons, size, step, pad, bias=False)
            waiting = norm(stage.neurons)
        else:
            if len(taken) == 3 and topology.has_maps:
                yield Flat()
            yield nn.Linear(math.prod(taken), stage.neurons, bias=False)
            waiting = norm(stage.neurons)
    yield from waiting
