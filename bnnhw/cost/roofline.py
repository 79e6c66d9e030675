"""The least time a network can take on a device: the larger of its arithmetic and its traffic.

A roofline (Williams, Waterman, Patterson 2009) over each layer: neither the peak rate nor the
memory can be exceeded, and a layer waits for the one before. Launching kernels, synchronizing and
moving inputs from the host are left out, so a real run is slower, at batch 1 by far. Of what its
windows overlap a convolution reads each value once, and a pooling is part of the layer before it.
"""

__all__ = ["layer_bytes", "layer_operations", "least_time_s", "moved_bytes", "weight_bytes"]

import math

from ..layers import Layer, Output
from ..network import Network
from .devices import Device
from .precision import BITS, Precision

SCORE_BYTES = 4


def weight_bytes(network: Network, precision: Precision) -> int:
    """Bytes of all weights, packed; thresholds and biases, a thousandth of that, are left out."""
    bits = sum(layer.weight.size for layer in network.weighted) * precision.bits
    return -(-bits // 8)


def layer_operations(layer: Layer, precision: Precision, batch: int) -> int:
    """Operations of a layer: `layer.operations` a sample; on bits, that for each bit-plane of its
    inputs."""
    planes = layer.input_bits if precision is BITS else 1
    return layer.operations * planes * batch


def layer_bytes(layer: Layer, precision: Precision, batch: int, values: int | None = None) -> float:
    """Bytes that a layer reads and writes: its weights once, a batch's inputs and outputs once.

    Inputs of the network in int8 are a byte each, and on bits B bits each; scores are 32 bits.

    Parameters
    ----------
    values : int, optional
        That it writes a sample, where a pooling leaves fewer than it computes.
    """
    weights = layer.weight.size * precision.bits / 8
    input_bits = max(layer.input_bits, precision.bits)
    inputs = math.prod(layer.shape_in) * input_bits / 8
    outputs = (values or math.prod(layer.shape_out)) * (precision.bits / 8)
    if isinstance(layer, Output):
        outputs = layer.neurons * SCORE_BYTES
    return weights + batch * (inputs + outputs)


def moved_bytes(network: Network, precision: Precision, batch: int) -> float:
    """Bytes moved an image, at a batch: the layers' sum, shared out."""
    return sum(_bytes(network, precision, batch)) / batch


def _bytes(network: Network, precision: Precision, batch: int) -> list[float]:
    """Of each layer with weights: it writes what the next one reads."""
    layers = network.weighted
    read = [*(math.prod(layer.shape_in) for layer in layers[1:]), None]
    return [
        layer_bytes(layer, precision, batch, values)
        for layer, values in zip(layers, read, strict=True)
    ]


def least_time_s(
    network: Network, device: Device, precision: Precision, batch: int
) -> float | None:
    """Seconds a batch takes at least; None where the device's rate is not published.

    Parameters
    ----------
    batch : int
        Images at a time, at least 1.
    """
    rate = device.operations_per_s.get(precision)
    if rate is None:
        return None
    return sum(
        max(
            layer_operations(layer, precision, batch) / rate,
            moved / device.memory_bytes_per_s,
        )
        for layer, moved in zip(network.weighted, _bytes(network, precision, batch), strict=True)
    )
