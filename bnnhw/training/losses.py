"""What a training minimizes, and the schedule of its rate."""

__all__ = ["distillation", "loss_of", "rate_at"]

import math

from torch import Tensor
from torch.nn import functional

LAST = 1e-3  # of the rate, where an exponential schedule ends


def loss_of(scores: Tensor, labels: Tensor, kind: str, smoothing: float = 0.0) -> Tensor:
    """The loss of real scores (N, M) for labels (N,), a mean over the samples.

    Square hinge (Courbariaux et al. 2016, section 2.1, after Tang 2013): with target t_j = +1 for
    the sample's class and -1 for every other, mean of max(0, 1 - t_j * score_j)^2. Cross entropy
    with a smoothed target: 1 - smoothing on the class, and smoothing / M on every class.
    """
    if kind == "cross_entropy":
        return functional.cross_entropy(scores, labels, label_smoothing=smoothing)
    target = functional.one_hot(labels, scores.shape[1]) * 2 - 1
    return (1 - target * scores).clamp(min=0).square().mean()


def distillation(scores: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Divergence of the softened scores from the teacher's (Hinton et al. 2015), times T^2."""
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
