"""A binary layer as an operator of torch, for torch.compile and CUDA graphs: importing this
registers `torch.ops.bnnhw.binary_dense`."""

__all__ = ["binary_dense"]

import functools

import torch
from torch import Tensor

from ..layout import TILE_GROUP
from .gpu import Gpu
from .network import dense

_gpu = functools.cache(Gpu)


@torch.library.custom_op("bnnhw::binary_dense", mutates_args=(), device_types="cuda")
def binary_dense(
    rows: Tensor, ones: Tensor, weights: Tensor, limit: Tensor
) -> tuple[Tensor, Tensor]:
    """A dense layer of bits on tensor cores, thresholds applied and bits packed.

    Parameters
    ----------
    rows : Tensor of uint8, (N, 16 * chunks)
        Bits in the order of `layout.tile_order`.
    ones : Tensor of uint8, (N, chunks)
        How many bits are set in each 16 bytes of a row.
    weights : Tensor of int32, (groups * 128, 4 * chunks)
    limit : Tensor of int32, (2, groups * 128)
        As `layout.Tiled` has them.

    Returns
    -------
    Tensors of uint8, (N, 16 * groups) and (N, groups)
        The next layer's `rows` and `ones`.
    """
    gpu = _gpu(rows.device.index)
    return dense(
        gpu,
        f"{gpu.architecture.product}_bits",
        rows.contiguous(),
        ones.contiguous(),
        weights=weights.contiguous(),
        limit=limit.contiguous(),
    )


@binary_dense.register_fake
def _(rows: Tensor, ones: Tensor, weights: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
    groups = len(weights) // TILE_GROUP
    return rows.new_empty(len(rows), 16 * groups), rows.new_empty(len(rows), groups)
