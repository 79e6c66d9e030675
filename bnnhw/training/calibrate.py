"""Norms' statistics as evaluation meets them, instead of those that were met while training."""

__all__ = ["calibrate"]

import dataclasses

import torch
from torch import Tensor

from .layers import BinaryAffine, Block
from .net import BinaryNet
from .norm import Norm, alone

SAMPLES = 10_000
STEP = 1000


@torch.no_grad()
def calibrate(model: BinaryNet, x: Tensor) -> None:
    """Set every norm's mean and variance to those over samples as they are evaluated.

    In training they are a moving average over steps in which weights changed, and inputs were
    moved or dropped and signs drawn; the thresholds that come of them are a little off. Here
    weights stand still and are signs, and nothing is drawn; each step normalizes by its own
    statistics, and what is kept is their mean. (Precise batch norm, Wu and Johnson 2021,
    arXiv:2105.07576.)

    Parameters
    ----------
    x : Tensor[uint8], (N, K)
        Training samples, of which 10,000 are taken, the same ones each time, in steps of 1,000.
    """
    norms = [module for module in model.modules() if isinstance(module, Norm)]
    drawn = [module for module in model.modules() if isinstance(module, Block | BinaryAffine)]
    ways = [(norm.total, norm.momentum) for norm in norms], [module.how for module in drawn]
    real, was_training = [layer.real for layer in model.binarized()], model.training
    model.train()
    for module in drawn:
        module.how = dataclasses.replace(
            module.how, stochastic_activations=False, stochastic_weights=False, dropout=0.0
        )
    for layer in model.binarized():
        layer.real = False
    for norm in norms:
        norm.total = alone  # every process does the same here
    # In any order but that of a file, in which classes may come one after the other.
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:SAMPLES]
    seen = 0
    for chosen in order.to(x.device).tensor_split(-(-len(order) // STEP)):
        seen += len(chosen)
        for norm in norms:
            norm.momentum = len(chosen) / seen  # the mean of all samples so far
        model(x[chosen])
    for norm, (total, momentum) in zip(norms, ways[0], strict=True):
        norm.total, norm.momentum = total, momentum
    for module, how in zip(drawn, ways[1], strict=True):
        module.how = how
    for layer, was_real in zip(model.binarized(), real, strict=True):
        layer.real = was_real
    model.train(was_training)
