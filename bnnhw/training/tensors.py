"""A data set on the device, and how many of its samples a network classifies rightly."""

__all__ = ["Tensors", "accuracy"]

import dataclasses

import torch
from torch import Tensor

from ..datasets import Dataset
from .config import TrainConfig
from .net import Classifier

MOST_VALUES = 1 << 25  # of a layer at a time


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Tensors:
    """A data set's training and validation parts, quantized, resident on the device.

    Parameters
    ----------
    shape : tuple of int
        Of one sample.
    x_train, x_valid : Tensor[uint8], (N, K)
    y_train, y_valid : Tensor[int64], (N,)
    """

    shape: tuple[int, ...]
    x_train: Tensor
    y_train: Tensor
    x_valid: Tensor
    y_valid: Tensor

    @classmethod
    def of(cls, data: Dataset, config: TrainConfig) -> "Tensors":
        """Quantize a data set for the training."""
        form = data.input_format(config.input_bits)
        parts = {}
        for part in ("train", "valid"):
            x, y = data.part(part)
            parts[f"x_{part}"] = torch.from_numpy(form.quantize(x)).to(config.device)
            parts[f"y_{part}"] = torch.from_numpy(y).to(config.device)
        return cls(shape=data.shape, **parts)


def accuracy(model: Classifier, x: Tensor, y: Tensor) -> float:
    """Share of samples classified rightly, in eval mode: for binarized ones by their integers."""
    model.eval()
    step = max(1, min(1024, MOST_VALUES // model.widest))
    right = sum(
        (model.classes(xs) == ys).sum() for xs, ys in zip(x.split(step), y.split(step), strict=True)
    )
    return int(right) / len(x)
