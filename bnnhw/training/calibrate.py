"""Norms' statistics as evaluation meets them, instead of those that were met while training."""

__all__ = ["calibrate"]

import dataclasses

import torch
from torch import Tensor

from .layers import BinaryAffine, Block
from .net import BinaryNet
from .norm import MOMENTUM, Norm

SAMPLES = 10_000
STEP = 1000


@torch.no_grad()
def calibrate(model: BinaryNet, x: Tensor) -> None:
    """Set every norm's mean and variance to those over samples as they are evaluated.

    In training they are a moving average over steps in which weights changed, and inputs were
    moved or dropped and signs drawn; the thresholds that come of them are a little off. Here
    nothing is drawn. (Precise batch norm, Wu and Johnson 2021, arXiv:2105.07576.)

    Parameters
    ----------
    x : Tensor[uint8], (N, K)
        Training samples, of which 10,000 are taken, the same ones each time, in steps of 1,000.
    """
    norms = [module for module in model.modules() if isinstance(module, Norm)]
    drawn = [module for module in model.modules() if isinstance(module, Block | BinaryAffine)]
    ways = [module.how for module in drawn]
    was_training = model.training
    model.train()
    for module in drawn:
        module.how = dataclasses.replace(
            module.how, stochastic_activations=False, stochastic_weights=False
        )
    # In any order but that of a file, in which classes may come one after the other.
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:SAMPLES]
    for number, chosen in enumerate(order.to(x.device).split(STEP), start=1):
        for norm in norms:
            norm.momentum = 1 / number  # the mean of all steps so far
        model(x[chosen])
    for norm in norms:
        norm.momentum = MOMENTUM
    for module, how in zip(drawn, ways, strict=True):
        module.how = how
    model.train(was_training)
