"""The optimizer of a training, and the moving average of what it moves."""

__all__ = ["average_of", "optimizer_for"]

from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .config import TrainConfig
from .net import Classifier
from .shift_adamax import ShiftAdaMax


def optimizer_for(model: Classifier, config: TrainConfig) -> torch.optim.Optimizer:
    """With a rate for what is binarized, layer by layer, and one for the rest.

    Adam (Kingma and Ba 2014, algorithm 1), or `ShiftAdaMax`:

        m_t     = beta1 m_(t-1) + (1 - beta1) g_t
        v_t     = beta2 v_(t-1) + (1 - beta2) g_t^2
        theta_t = theta_(t-1) - rate (m_t / (1 - beta1^t)) / (sqrt(v_t / (1 - beta2^t)) + eps)

    with beta1 = 0.9, beta2 = 0.999 and eps = 1e-8.
    """
    layers = model.binarized()
    signs = {id(layer.weight) for layer in layers}
    groups: list[dict[str, Any]] = [
        {
            "params": [layer.weight],
            "rate": config.rate * (layer.rate_scale if config.glorot_rates else 1),
        }
        for layer in layers
    ]
    rest = [p for p in model.parameters() if id(p) not in signs]
    groups.append({"params": rest, "rate": config.norm_rate})
    if config.optimizer == "shift_adamax":
        return ShiftAdaMax(groups, lr=0.0)
    # The fused kernel is one pass over memory instead of ten.
    return torch.optim.Adam(groups, lr=0.0, fused=True)


def average_of(model: Classifier, decay: float) -> AveragedModel | None:
    """A model whose parameters and statistics follow those of `model`; none where decay is 0.

    a_1 = theta_1,   a_t = decay a_(t-1) + (1 - decay) theta_t
    """
    if not decay:
        return None
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
