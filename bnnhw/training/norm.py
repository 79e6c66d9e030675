"""Norms of sums: batch norm, and the shift-based one that multiplies with powers of two only."""

__all__ = ["MOMENTUM", "NORMS", "BatchNorm", "Norm", "ShiftNorm", "alone"]

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .fold import BatchNormFold, NormFold, ShiftNormFold
from .power import ap2

EPS = 1e-5
MOMENTUM = 0.1
FUSED = ("cuda",)  # devices where a single process takes torch's own batch norm


class _Normalize(torch.autograd.Function):
    """Batch norm by the batch's own statistics, which it tells too.

    What is summed over the batch is summed in float64: sums of integers are exact then, and so a
    mean does not depend on how the batch is shared among processes. (A sum that is the mean has a
    sign; the float32 rounding of a mean would decide it.)
    """

    @staticmethod
    def forward(
        ctx: Any, s: Tensor, gamma: Tensor, beta: Tensor, total: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mean, count = _mean(s, total)
        c = s - _broad(mean, s)
        var = total(_sum(c.square())) / count
        root = (var + EPS).rsqrt()
        ctx.save_for_backward(c, root, gamma, count)
        ctx.total = total
        ctx.mark_non_differentiable(mean, var, count)
        return c.mul(_broad(root * gamma, s)).add_(_broad(beta, s)), mean, var, count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        c, root, gamma, count = ctx.saved_tensors
        g = gradients[0]
        g_beta, g_gamma = _sum(g), _sum(g * c) * root
        all_beta, all_gamma = ctx.total(torch.stack([g_beta, g_gamma])) / count
        g_s = (g - _broad(all_beta, g)).sub_(c * _broad(root * all_gamma, g))
        g_s.mul_(_broad(root * gamma, g))
        return g_s, g_gamma.to(gamma.dtype), g_beta.to(gamma.dtype), None


def _sum(x: Tensor) -> Tensor:
    """Over all but the channels: float64, (M,)."""
    return x.sum([d for d in range(x.dim()) if d != 1], dtype=torch.float64)


def _mean(x: Tensor, total: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Over the batch of all processes, (M,), and how many values that is of."""
    sums = _sum(x)
    both = total(torch.cat([sums, sums.new_full((1,), x.numel() / len(sums))]))
    return both[:-1] / both[-1], both[-1].detach()


def _broad(values: Tensor, x: Tensor) -> Tensor:
    """Values (M,) in the type of x, shaped to go with it."""
    return values.to(x.dtype).view(-1, *[1] * (x.dim() - 2))


class Norm(nn.Module):
    """Sums (N, M) or (N, M, H, W) to zero mean and unit variance in each of M channels.

    In training by the batch's statistics, over all processes; in eval mode by running ones, and
    only the sign counts: `decide`.

    Parameters
    ----------
    neurons : int
        M.

    Attributes
    ----------
    total : function of a Tensor
        Its sum over all processes.
    momentum : float
        Of the newest batch in the running statistics.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, neurons: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(neurons))  # gamma
        self.bias = nn.Parameter(torch.zeros(neurons))  # beta
        self.register_buffer("running_mean", torch.zeros(neurons))
        self.register_buffer("running_var", torch.ones(neurons))
        self.total: Callable[[Tensor], Tensor] = alone
        self.momentum = MOMENTUM

    @abstractmethod
    def forward(self, s: Tensor) -> Tensor:
        """y of a batch, in training."""

    @abstractmethod
    def decide(self, s: Tensor) -> Tensor:
        """The signs, float32 in {-1, +1}, of exact sums: bit for bit what hardware does.

        y(s) in float64 on the stored float32 parameters, from left to right: see `fold`.
        """

    @abstractmethod
    def folded(self) -> NormFold:
        """The parameters as `fold.thresholds` takes them."""

    @torch.no_grad()
    def _keep(self, mean: Tensor, var: Tensor) -> None:
        """Blend a batch's statistics into the running ones."""
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(var.to(self.running_var.dtype), self.momentum)

    def _doubles(self, s: Tensor) -> tuple[Tensor, ...]:
        """gamma, beta, mean and var in float64, shaped to go with sums."""
        given = (self.weight, self.bias, self.running_mean, self.running_var)
        return tuple(_broad(p.detach(), s.double()) for p in given)


class BatchNorm(Norm):
    """Batch norm (Ioffe and Szegedy 2015; Courbariaux et al. 2016, algorithm 2):

    y = gamma * (s - mean) / sqrt(var + eps) + beta.
    """

    def forward(self, s: Tensor) -> Tensor:
        training = self.training
        if not training or (s.device.type in FUSED and self.total is alone):
            # Of a float network; or one kernel for a dozen, where launches take the time.
            stored = (self.running_mean, self.running_var, self.weight, self.bias)
            momentum = self.momentum
            return functional.batch_norm(s, *stored, training, momentum=momentum, eps=EPS)
        y, mean, var, count = _Normalize.apply(s, self.weight, self.bias, self.total)
        self._keep(mean, var * (count / (count - 1)))  # unbiased, as is usual
        result: Tensor = y
        return result

    def decide(self, s: Tensor) -> Tensor:
        gamma, beta, mean, var = self._doubles(s)
        y = gamma * (s.double() - mean) / torch.sqrt(var + EPS) + beta
        return torch.where(y >= 0, 1.0, -1.0)

    def folded(self) -> BatchNormFold:
        return BatchNormFold(**_arrays(self), eps=EPS)


class ShiftNorm(Norm):
    """Shift-based batch norm (Courbariaux et al. 2016, algorithm 3):

    c = s - mean,   var = mean(c * AP2(c)),
    y = AP2(gamma) * (c * AP2(1 / sqrt(var + eps))) + beta.

    Every product is with a power of two, so a shift. AP2's gradient is taken for 1.
    """

    def forward(self, s: Tensor) -> Tensor:
        s = s.to(self.weight.dtype)  # not bfloat16
        mean, count = _mean(s, self.total)
        c = s - _broad(mean, s)
        var = self.total(_sum(c * ap2(c))) / count
        self._keep(mean, var)
        scaled = c * _broad(ap2((var + EPS).rsqrt()), s)
        return _broad(ap2(self.weight), s) * scaled + _broad(self.bias, s)

    def decide(self, s: Tensor) -> Tensor:
        gamma, beta, mean, var = self._doubles(s)
        scaled = (s.double() - mean) * ap2(1 / torch.sqrt(var + EPS))
        return torch.where(ap2(gamma) * scaled + beta >= 0, 1.0, -1.0)

    def folded(self) -> ShiftNormFold:
        return ShiftNormFold(**_arrays(self), eps=EPS)


NORMS: dict[str, type[Norm]] = {"batch": BatchNorm, "shift": ShiftNorm}


def alone(x: Tensor) -> Tensor:
    """The total over one process."""
    return x


def _arrays(norm: Norm) -> dict[str, Any]:
    given = {
        "gamma": norm.weight,
        "beta": norm.bias,
        "mean": norm.running_mean,
        "var": norm.running_var,
    }
    return {name: tensor.detach().cpu().numpy() for name, tensor in given.items()}
