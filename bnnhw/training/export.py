"""From a trained BinaryNet to a Network: signs to bits, norms to integer thresholds."""

__all__ = ["export"]

from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..errors import InputError
from ..input_format import InputFormat
from ..layers import Conv, Dense, Output
from ..maps import Flatten, Pool
from ..network import Network, Stage
from .fold import output_integers, thresholds
from .layers import BinaryConv, Block, MaxPool
from .net import BinaryNet


def export(
    model: BinaryNet,
    form: InputFormat,
    *,
    training: dict[str, Any] | None = None,
    accuracy: dict[str, float] | None = None,
) -> Network:
    """The integer network that computes what `model` does in eval mode, bit for bit.

    A pooling of sums becomes one of bits: their OR, and their AND where gamma is negative, for
    there the largest sum, its weights negated, is the smallest.

    Parameters
    ----------
    model : BinaryNet
    form : InputFormat
        How raw values become the model's inputs.
    training, accuracy : dict
        Kept in the network, see `Network`.

    Raises
    ------
    InputError
        A parameter that is not finite, or scores that cannot be made to fit 32 bits.
    """
    layers: list[Stage] = []
    names = {"conv": 0, "pool": 0, "fc": 0}

    def name(kind: str) -> str:
        names[kind] += 1
        return f"{kind}{names[kind]}"

    shape: tuple[int, ...] = form.shape if model.maps else (form.size,)
    bits = form.bits
    for block in model.hidden:
        if isinstance(block, MaxPool):
            layers.append(_pool(name("pool"), block, shape, np.zeros(shape[2], np.uint8)))
            shape = layers[-1].shape_out
            continue
        assert isinstance(block, Block)
        if isinstance(block.affine, BinaryConv):
            layer, flip = _hidden(name("conv"), block, bits, shape)
        else:
            if len(shape) == 3:
                layers.append(_flatten(shape))
            layer, flip = _hidden(name("fc"), block, bits)
        layers.append(layer)
        shape, bits = layer.shape_out, 1
        if block.pool is not None:
            layers.append(_pool(name("pool"), block.pool, shape, flip.astype(np.uint8)))
            shape = layers[-1].shape_out
    if len(shape) == 3:
        layers.append(_flatten(shape))
    layers.append(_output(name("fc"), model))
    return Network(
        input=form, layers=tuple(layers), training=training or {}, accuracy=accuracy or {}
    )


def _hidden(
    name: str, block: Block, input_bits: int, shape: tuple[int, ...] | None = None
) -> tuple[Dense, npt.NDArray[np.bool_]]:
    """A hidden layer, a convolution on maps of `shape`; neurons with a negative gamma, which are
    told, have their weights negated."""
    weight = _bits(name, block.affine.rows())
    try:
        norm = block.norm.folded()
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    threshold, flip = thresholds(norm, weight.shape[1], input_bits)
    weight = weight ^ flip[:, None]
    if shape is None:
        return Dense(name=name, weight=weight, threshold=threshold, input_bits=input_bits), flip
    assert isinstance(block.affine, BinaryConv)
    window = block.affine.stage.window(_map(shape))
    conv = Conv(name=name, weight=weight, threshold=threshold, input_bits=input_bits, window=window)
    return conv, flip


def _pool(
    name: str, pool: MaxPool, shape: tuple[int, ...], pool_and: npt.NDArray[np.uint8]
) -> Pool:
    return Pool(name=name, window=pool.stage.window(_map(shape)), pool_and=pool_and)


def _flatten(shape: tuple[int, ...]) -> Flatten:
    return Flatten(name="flatten", shape=_map(shape))


def _output(name: str, model: BinaryNet) -> Output:
    last = model.output
    bias = _array(last.bias).astype(np.float64)
    scale = np.broadcast_to(_array(last.scale).astype(np.float64), bias.shape)
    weight = _bits(name, last.linear.rows())
    int_scale, int_bias = output_integers(scale, bias, weight.shape[1])
    return Output(name=name, weight=weight, scale=int_scale, bias=int_bias)


def _map(shape: tuple[int, ...]) -> tuple[int, int, int]:
    high, wide, channels = shape
    return high, wide, channels


def _bits(name: str, weight: Tensor) -> npt.NDArray[np.uint8]:
    """1 where the real weight is at least 0."""
    real = _array(weight)
    if not np.isfinite(real).all():
        raise InputError(f"{name}: weights must be finite; {(~np.isfinite(real)).sum()} are not")
    return (real >= 0).astype(np.uint8)


def _array(tensor: Tensor) -> npt.NDArray[np.float32]:
    return tensor.detach().cpu().numpy()
