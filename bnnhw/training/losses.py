"""What a training minimizes, and the schedule of its rate."""

__all__ = ["distillation", "loss_of", "rate_at"]

import math

from torch import Tensor
from torch.nn import functional

LAST = 1e-3  # of the rate, where an exponential schedule ends


def loss_of(scores: Tensor, labels: Tensor, kind: str, smoothing: float = 0.0) -> Tensor:
    """The loss of real scores z (N, M) for labels y (N,), a mean over the samples.

    Square hinge (Courbariaux et al. 2016, section 2.1, after Tang 2013):

        L = mean_nj max(0, 1 - t_nj z_nj)^2,   t_nj = +1 if j = y_n else -1

    Cross entropy, its target smoothed by a share e (Szegedy et al. 2016, section 7):

        L = -mean_n sum_j t_nj log softmax(z_n)_j,   t_nj = (1 - e) 1{j = y_n} + e / M
    """
    if kind == "cross_entropy":
        return functional.cross_entropy(scores, labels, label_smoothing=smoothing)
    target = functional.one_hot(labels, scores.shape[1]) * 2 - 1
    return (1 - target * scores).clamp(min=0).square().mean()


def distillation(scores: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Divergence of the softened scores z (N, M) from the teacher's w (Hinton et al. 2015):

        L = T^2 mean_n sum_j p_nj log(p_nj / q_nj),   p_n = softmax(w_n / T), q_n = softmax(z_n / T)

    with T the temperature. T^2 keeps its gradients as large as those of other losses.
    """
    return (
        functional.kl_div(
            functional.log_softmax(scores / temperature, 1),
            functional.log_softmax(teacher / temperature, 1),
            reduction="batchmean",
            log_target=True,
        )
        * temperature**2
    )


def rate_at(step: int, steps: int, warmup: int, schedule: str = "cosine") -> float:
    """The factor on the learning rate: linear up to 1 in `warmup` steps, then as scheduled."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    factors = {
        "cosine": 0.5 * (1 + math.cos(math.pi * done)),
        "linear": 1 - done,
        "exponential": LAST**done,
        "constant": 1.0,
    }
    return factors[schedule]
