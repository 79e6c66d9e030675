"""From a trained Mlp to a Network: signs to bits, norms to integer thresholds."""

__all__ = ["export"]

from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..errors import InputError
from ..input_format import InputFormat
from ..layers import Dense, Output
from ..network import Network
from .fold import Norm, output_integers, thresholds
from .mlp import BinaryLayer, Mlp


def export(
    model: Mlp,
    form: InputFormat,
    *,
    training: dict[str, Any] | None = None,
    accuracy: dict[str, float] | None = None,
) -> Network:
    """The integer network that computes what `model` does in eval mode, bit for bit.

    Parameters
    ----------
    model : Mlp
    form : InputFormat
        How raw values become the model's inputs.
    training, accuracy : dict
        Kept in the network, see `Network`.

    Raises
    ------
    InputError
        A parameter that is not finite, or scores that cannot be made to fit 32 bits.
    """
    layers: list[Dense | Output] = []
    for i, layer in enumerate(model.hidden):
        assert isinstance(layer, BinaryLayer)
        layers.append(_dense(f"fc{i + 1}", layer, form.bits if i == 0 else 1))
    last = model.output
    bias = _array(last.bias).astype(np.float64)
    scale = np.broadcast_to(_array(last.scale).astype(np.float64), bias.shape)
    weight = _bits(f"fc{len(layers) + 1}", last.linear.weight)
    int_scale, int_bias = output_integers(scale, bias, weight.shape[1])
    layers.append(
        Output(name=f"fc{len(layers) + 1}", weight=weight, scale=int_scale, bias=int_bias)
    )
    return Network(
        input=form, layers=tuple(layers), training=training or {}, accuracy=accuracy or {}
    )


def _dense(name: str, layer: BinaryLayer, input_bits: int) -> Dense:
    """A hidden layer; neurons with a negative gamma have their weights negated."""
    n = layer.norm
    assert n.running_mean is not None and n.running_var is not None
    weight = _bits(name, layer.linear.weight)
    try:
        norm = Norm(
            gamma=_array(n.weight),
            beta=_array(n.bias),
            mean=_array(n.running_mean),
            var=_array(n.running_var),
            eps=n.eps,
        )
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    threshold, flip = thresholds(norm, weight.shape[1], input_bits)
    return Dense(
        name=name, weight=weight ^ flip[:, None], threshold=threshold, input_bits=input_bits
    )


def _bits(name: str, weight: Tensor) -> npt.NDArray[np.uint8]:
    """1 where the real weight is at least 0."""
    real = _array(weight)
    if not np.isfinite(real).all():
        raise InputError(f"{name}: weights must be finite; {(~np.isfinite(real)).sum()} are not")
    return (real >= 0).astype(np.uint8)


def _array(tensor: Tensor) -> npt.NDArray[np.float32]:
    return tensor.detach().cpu().numpy()
