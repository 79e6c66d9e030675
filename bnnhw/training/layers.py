"""The binarized layers in torch: sums of signs, their norm and sign, and the scores."""

__all__ = [
    "EXACT",
    "Binarization",
    "BinaryAffine",
    "BinaryConv",
    "BinaryLinear",
    "BinaryOutput",
    "Block",
    "MaxPool",
    "flat",
]

import dataclasses
from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from .binarize import binarize
from .fold import output_integers
from .norm import Norm
from .topology import ConvStage, PoolStage

EXACT = 1 << 24  # float32 holds every integer up to here


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Binarization:
    """How signs are taken in training; in eval mode they are deterministic.

    Parameters
    ----------
    window : "box" or "triangle"
        Of the activations' gradient, see `binarize`. Weights are clipped to where the box is open.
    stochastic_activations, stochastic_weights : bool
    dropout : float
        p, the share of a hidden layer's activations q that are 0 (Srivastava et al. 2014):
        q' = q m / (1 - p), with m = 1 with probability 1 - p, else 0, for each q of each sample.
    """

    window: str = "box"
    stochastic_activations: bool = False
    stochastic_weights: bool = False
    dropout: float = 0.0


class BinaryAffine(nn.Module):
    """s = W x with W = sign(r), no bias.

    The real weight r only collects gradients and is clipped after each step of the optimizer, by
    d_t (Courbariaux et al. 2016, algorithm 1):

        r_t = clip(r_(t-1) - d_t, -1, 1)

    Beyond that it would grow without any effect on its sign, and so the window never closes for
    it. With `real` set it is taken as it is, for the first stage of a training in two.
    """

    weight: nn.Parameter
    inputs: int
    fans: tuple[int, int]

    def __init__(self, how: Binarization) -> None:
        super().__init__()
        self.how = how
        self.real = False

    def draw(self, init: str, generator: torch.Generator) -> None:
        """The first weights, even over [-1, 1], or with Glorot and Bengio's (2010) limit:

            |r| <= sqrt(6 / (fan_in + fan_out))

        The fans of a convolution are its kernel's size times C and times M.
        """
        limit = 1.0 if init == "uniform" else (6 / sum(self.fans)) ** 0.5
        nn.init.uniform_(self.weight, -limit, limit, generator=generator)

    @property
    def rate_scale(self) -> float:
        """1 over Glorot and Bengio's coefficient: by what the paper scales a layer's steps,
        sqrt((fan_in + fan_out) / 1.5)."""
        return (sum(self.fans) / 1.5) ** 0.5

    def signs(self) -> Tensor:
        """W."""
        if self.real and self.training:
            return self.weight
        stochastic = self.how.stochastic_weights and self.training
        return binarize(self.weight, "open", stochastic=stochastic)

    @abstractmethod
    def rows(self) -> Tensor:
        """The real weights as the network file has them: (M, K), channels last."""


class BinaryLinear(BinaryAffine):
    """Vectors (N, K) to sums (N, M)."""

    def __init__(self, inputs: int, neurons: int, how: Binarization) -> None:
        super().__init__(how)
        self.inputs = inputs
        self.fans = inputs, neurons
        self.weight = nn.Parameter(torch.empty(neurons, inputs))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.signs())

    def rows(self) -> Tensor:
        return self.weight


class BinaryConv(BinaryAffine):
    """Maps (N, C, H, W) to sums (N, M, OH, OW).

    Parameters
    ----------
    stage : ConvStage
    channels : int
        C.
    pad : float
        What stands beyond the map's edge: -1 for bits, 0 for pixels.
    """

    def __init__(self, stage: ConvStage, channels: int, how: Binarization, *, pad: float) -> None:
        super().__init__(how)
        self.stage, self.pad = stage, pad
        high, wide = stage.kernel
        self.inputs = high * wide * channels
        self.fans = self.inputs, high * wide * stage.neurons
        self.weight = nn.Parameter(torch.empty(stage.neurons, channels, high, wide))

    def forward(self, x: Tensor) -> Tensor:
        padding, step = self.stage.padding, self.stage.stride
        if padding and self.pad:
            x, padding = functional.pad(x, [padding] * 4, value=self.pad), 0
        if self.training:
            return functional.conv2d(x, self.signs(), stride=step, padding=padding)
        # Here sums are compared with a threshold, and are to be exact.
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            return functional.conv2d(x, self.signs(), stride=step, padding=padding)

    def rows(self) -> Tensor:
        return self.weight.permute(0, 2, 3, 1).flatten(1)


class MaxPool(nn.Module):
    """The largest in each window; windows that do not fit are dropped."""

    def __init__(self, stage: PoolStage) -> None:
        super().__init__()
        self.stage = stage

    def forward(self, x: Tensor) -> Tensor:
        return functional.max_pool2d(x, self.stage.kernel, self.stage.stride)


class Block(nn.Module):
    """bits = sign(norm(max pool(W x))), the pooling where there is one: a hidden layer."""

    def __init__(self, affine: BinaryAffine, norm: Norm, how: Binarization) -> None:
        super().__init__()
        self.affine = affine
        self.pool: MaxPool | None = None
        self.norm = norm
        self.how = how

    def forward(self, x: Tensor) -> Tensor:
        """In -1, +1, but for dropout. In eval mode bit for bit what hardware does."""
        s = self.affine(flat(x) if isinstance(self.affine, BinaryLinear) else x)
        if self.pool is not None:
            s = self.pool(s)
        if not self.training:
            return self.norm.decide(s.round())
        stochastic = self.how.stochastic_activations
        bits = binarize(self.norm(s), self.how.window, stochastic=stochastic)
        return functional.dropout(bits, self.how.dropout) if self.how.dropout else bits

    def stages(self, x: Tensor) -> list[Tensor]:
        """In eval mode, each layer that the file has for this one: a flattening, the sums' signs
        before a pooling, and behind it."""
        found = []
        if isinstance(self.affine, BinaryLinear) and x.dim() == 4:
            found.append(flat(x))
            x = found[-1]
        if self.pool is not None:
            found.append(self.norm.decide(self.affine(x).round()))
        return [*found, self(x)]


class BinaryOutput(nn.Module):
    """Scores: a_j * s_j + b_j; one a for all classes, or one for each."""

    def __init__(self, inputs: int, classes: int, class_scales: bool, how: Binarization) -> None:
        super().__init__()
        self.linear = BinaryLinear(inputs, classes, how)
        # Sums of K bipolar products have a deviation of about sqrt(K).
        self.scale = nn.Parameter(torch.full((classes if class_scales else 1,), inputs**-0.5))
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, x: Tensor) -> Tensor:
        """In training real, for the loss; in eval mode the integers of the Network, int64."""
        s = self.linear(x)  # (N, M)
        if self.training:
            return s * self.scale + self.bias
        a = self.scale.detach().double().expand_as(self.bias).cpu().numpy()
        b = self.bias.detach().double().cpu().numpy()
        scale, bias = (
            torch.from_numpy(v).to(s.device, torch.int64)
            for v in output_integers(a, b, self.linear.inputs)
        )
        return scale * s.round().long() + bias


def flat(x: Tensor) -> Tensor:
    """Maps (N, C, H, W) as vectors, channels last; vectors as they are."""
    return x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x
