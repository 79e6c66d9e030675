"""The optimizer of a training, and the moving average of what it moves."""

__all__ = ["average_of", "optimizer_for"]

from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .config import TrainConfig
from .net import Classifier
from .shift_adamax import ShiftAdaMax


def optimizer_for(model: Classifier, config: TrainConfig) -> torch.optim.Optimizer:
    """With a rate for what is binarized, layer by layer, and one for the rest."""
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
    """A model whose parameters and statistics follow those of `model`; none where decay is 0."""
    if not decay:
        return None
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
