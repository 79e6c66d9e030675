"""Multilayer perceptrons in torch: the binarized one, and its float twin of the same shape."""

__all__ = ["Classifier", "FloatMlp", "Mlp"]

import itertools
from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import InputError
from .binarize import binarize
from .fold import output_integers

EXACT = 1 << 24  # float32 holds every integer up to here


class Classifier(nn.Module):
    """What the loop trains: real scores for the loss, classes for people.

    Inputs are uint8 tensors (N, K) as `InputFormat.quantize` gives them; `input_bits` says how
    many of their bits count.
    """

    input_bits: int

    def prepare(self, x: Tensor) -> Tensor:
        """Inputs as float32: the integers themselves, or -1 and +1 where they have one bit."""
        return x.float() * 2 - 1 if self.input_bits == 1 else x.float()

    @abstractmethod
    def classes(self, x: Tensor) -> Tensor:
        """int64 (N,): the class of each sample, in eval mode."""

    def binarized(self) -> list[nn.Parameter]:
        """The parameters of which only the sign counts."""
        return []

    def clip(self) -> None:
        """After a step of the optimizer: bring the parameters back to where they may be."""


class BinaryLinear(nn.Module):
    """s = x W^T with W = sign(weight), no bias.

    The real weight only collects gradients and is clipped to [-1, 1] after each step
    (Courbariaux et al. 2016, algorithm 1): beyond that it would grow without any effect on its
    sign, and so the window never closes for it.
    """

    def __init__(self, inputs: int, neurons: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(neurons, inputs))  # (M, K)
        nn.init.uniform_(self.weight, -1, 1, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, binarize(self.weight))


class BinaryLayer(nn.Module):
    """bits = sign(batch norm(x W^T)): a hidden layer."""

    def __init__(self, inputs: int, neurons: int, window: str, generator: torch.Generator) -> None:
        super().__init__()
        self.linear = BinaryLinear(inputs, neurons, generator)
        self.norm = nn.BatchNorm1d(neurons)
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        """In -1, +1. In eval mode bit for bit what hardware does: see `fold.Norm`."""
        s = self.linear(x)  # (N, M)
        if self.training:
            return binarize(self.norm(s), self.window)
        n = self.norm
        assert n.running_mean is not None and n.running_var is not None
        gamma, beta, mean, var = (
            p.double() for p in (n.weight, n.bias, n.running_mean, n.running_var)
        )
        y = gamma * (s.round().double() - mean) / torch.sqrt(var + n.eps) + beta
        return torch.where(y >= 0, 1.0, -1.0)


class BinaryOutput(nn.Module):
    """Scores: a_j * s_j + b_j; one a for all classes, or one for each."""

    def __init__(
        self, inputs: int, classes: int, class_scales: bool, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.linear = BinaryLinear(inputs, classes, generator)
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
            for v in output_integers(a, b, self.linear.weight.shape[1])
        )
        return scale * s.round().long() + bias


class Mlp(Classifier):
    """A binarized multilayer perceptron: hidden layers of bits, then integer scores.

    The first layer takes the integers x in 0 to 2^B - 1 as they are: the norm behind it absorbs
    any scaling of them, and any shift of them too. So its sums are exact in float32.

    Parameters
    ----------
    sizes : tuple of int
        K, the neurons of each hidden layer, the number of classes.
    input_bits : int
    window : str
        Of the hidden signs, see `binarize`.
    class_scales : bool
    generator : torch.Generator
        Draws the first weights.
    """

    def __init__(
        self,
        sizes: tuple[int, ...],
        *,
        input_bits: int,
        window: str = "box",
        class_scales: bool = False,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        reach = ((1 << input_bits) - 1) * sizes[0]
        if max(reach, *sizes) >= EXACT:
            raise InputError(f"inputs times 2^bits - 1 must be below {EXACT}, not {reach}")
        self.input_bits = input_bits
        self.hidden = nn.ModuleList(
            BinaryLayer(k, m, window, generator) for k, m in itertools.pairwise(sizes[:-1])
        )
        self.output = BinaryOutput(sizes[-2], sizes[-1], class_scales, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Inputs, uint8 (N, K), to scores, (N, classes): float32, or int64 in eval mode."""
        a = self.prepare(x)
        for layer in self.hidden:
            a = layer(a)
        return self.output(a)

    @torch.no_grad()
    def trace(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """In eval mode: each hidden layer's bits, uint8 (N, M), and the scores, int64."""
        assert not self.training
        bits, a = [], self.prepare(x)
        for layer in self.hidden:
            a = layer(a)
            bits.append((a > 0).to(torch.uint8))
        return bits, self.output(a)

    @torch.no_grad()
    def classes(self, x: Tensor) -> Tensor:
        assert not self.training
        scores: Tensor = self(x)
        return scores.argmax(1)  # the first of equal ones

    def binarized(self) -> list[nn.Parameter]:
        return [m.weight for m in self.modules() if isinstance(m, BinaryLinear)]

    @torch.no_grad()
    def clip(self) -> None:
        for weight in self.binarized():
            weight.clamp_(-1, 1)
        if self.output.scale.numel() == 1:
            self.output.scale.clamp_(min=1e-3)  # one scale can be divided out only above 0


class FloatMlp(Classifier):
    """The float twin: the same shape, ReLU for sign, real weights; what binarization is held
    against, and the teacher where there is one."""

    def __init__(
        self, sizes: tuple[int, ...], *, input_bits: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.input_bits = input_bits
        self.layers = nn.Sequential()
        for k, m in itertools.pairwise(sizes):
            linear = nn.Linear(k, m)
            nn.init.kaiming_uniform_(linear.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(linear.bias)
            self.layers.append(linear)
            if len(self.layers) < 3 * len(sizes) - 5:
                self.layers.append(nn.BatchNorm1d(m))
                self.layers.append(nn.ReLU())

    def prepare(self, x: Tensor) -> Tensor:
        """Inputs from -1 to +1."""
        return x.float() / ((1 << self.input_bits) - 1) * 2 - 1

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.layers(self.prepare(x))
        return scores

    @torch.no_grad()
    def classes(self, x: Tensor) -> Tensor:
        scores: Tensor = self(x)
        return scores.argmax(1)
