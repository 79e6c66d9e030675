"""Rooflines against sums done by hand, and the device table against itself."""

import numpy as np
import pytest
from networks import random_conv_network, random_network

from bnnhw.cost.devices import DEVICES, Device
from bnnhw.cost.precision import BITS, FLOAT32, INT8, PRECISIONS
from bnnhw.cost.roofline import (
    layer_bytes,
    layer_operations,
    least_time_s,
    moved_bytes,
    weight_bytes,
)

NETWORK = random_network((100, 30, 10), bits=4)  # 3,000 and 300 weights

# One operation a second and endless memory, or the other way round: the sums themselves.
SLOW_SUMS = Device(
    name="sums",
    operations_per_s={FLOAT32: 1.0, INT8: 1.0, BITS: 1.0},
    memory_bytes_per_s=1e30,
    source="",
)
SLOW_MEMORY = Device(
    name="memory",
    operations_per_s={FLOAT32: 1e30, INT8: 1e30, BITS: 1e30},
    memory_bytes_per_s=1.0,
    source="",
)


@pytest.mark.parametrize(
    ("precision", "count"), [(FLOAT32, 13_200), (INT8, 3_300), (BITS, 413)], ids=str
)
def test_bytes_of_weights(precision: object, count: int) -> None:
    assert weight_bytes(NETWORK, precision) == count  # type: ignore[arg-type]


def test_weights_are_32_times_smaller_on_bits() -> None:
    network = random_network((64, 128, 8))
    assert weight_bytes(network, FLOAT32) == 32 * weight_bytes(network, BITS)


@pytest.mark.parametrize("batch", [1, 7])
def test_time_of_the_sums_alone(batch: int) -> None:
    once = batch * 2 * (3000 + 300)
    assert least_time_s(NETWORK, SLOW_SUMS, FLOAT32, batch) == once
    assert least_time_s(NETWORK, SLOW_SUMS, INT8, batch) == once
    # Four bit-planes in the first layer, one in the second.
    assert least_time_s(NETWORK, SLOW_SUMS, BITS, batch) == batch * 2 * (4 * 3000 + 300)


@pytest.mark.parametrize("batch", [1, 7])
def test_time_of_the_memory_alone(batch: int) -> None:
    # Weights once; 100 inputs, 30 values written and read again, 10 scores of 4 bytes an image.
    expected = {
        FLOAT32: 13_200 + batch * (400 + 120 + 120 + 40),
        INT8: 3_300 + batch * (100 + 30 + 30 + 40),
        BITS: 3_300 / 8 + batch * (50 + 30 / 8 + 30 / 8 + 40),
    }
    for precision, count in expected.items():
        assert least_time_s(NETWORK, SLOW_MEMORY, precision, batch) == pytest.approx(count)
        assert moved_bytes(NETWORK, precision, batch) == pytest.approx(count / batch)


def test_a_convolutions_maps_move_once_and_what_a_pooling_drops_does_not() -> None:
    stages = [("conv", 6, 3, 1, 0), ("pool", 0, 2, 2, 0)]
    network = random_conv_network((8, 8, 2), stages, bits=4, classes=5)
    assert network.sizes == "8x8x2-6C3x4-P2x3-5"
    # Kernels of 24 weights on 6 x 5 windows; of their 180 bits 36 are written and read.
    weights, planes = 6 * 24 + 36 * 5, 4
    assert weight_bytes(network, FLOAT32) == 4 * weights
    operations = 2 * 30 * 6 * 24, 2 * 36 * 5
    assert least_time_s(network, SLOW_SUMS, FLOAT32, 3) == 3 * sum(operations)
    assert least_time_s(network, SLOW_SUMS, BITS, 3) == 3 * (planes * operations[0] + operations[1])
    values = 128 + 36 + 36 + 5
    assert least_time_s(network, SLOW_MEMORY, FLOAT32, 3) == 4 * weights + 3 * 4 * values
    assert moved_bytes(network, BITS, 1) == (weights + 128 * planes + 36 + 36) / 8 + 4 * 5


def test_each_layer_waits_for_its_slower_half() -> None:
    # The first layer does 20 operations a byte at this batch, the second 5: one bound each.
    batch, (first, last) = 64, NETWORK.dense
    intensity = [
        layer_operations(one, FLOAT32, batch) / layer_bytes(one, FLOAT32, batch)
        for one in (first, last)
    ]
    between = float(np.sqrt(intensity[0] * intensity[1]))
    device = Device(
        name="even",
        operations_per_s={FLOAT32: between, INT8: 1.0, BITS: 1.0},
        memory_bytes_per_s=1.0,
        source="",
    )
    expected = layer_operations(first, FLOAT32, batch) / between + layer_bytes(last, FLOAT32, batch)
    assert intensity[0] > between > intensity[1]
    assert least_time_s(NETWORK, device, FLOAT32, batch) == pytest.approx(expected)


@pytest.mark.parametrize("device", DEVICES, ids=lambda d: d.name)
def test_a_rate_is_there_with_a_source_or_missing_with_a_reason(device: Device) -> None:
    assert device.source
    for precision in PRECISIONS:
        time_s = least_time_s(NETWORK, device, precision, 1)
        if precision in device.unpublished:
            assert time_s is None and device.unpublished[precision]
        else:
            assert time_s is not None and time_s > 0


@pytest.mark.parametrize("device", DEVICES, ids=lambda d: d.name)
def test_rates_have_the_size_of_a_gpu(device: Device) -> None:
    rates = device.operations_per_s
    assert 1e12 < rates[FLOAT32] < 1e14
    assert 5 < rates[INT8] / rates[FLOAT32] < 50
    assert 1e11 < device.memory_bytes_per_s < 1e13
    if BITS in rates:
        assert rates[BITS] == 8 * rates[INT8]


def test_the_table_has_the_four_devices() -> None:
    assert [d.name.split()[1] for d in DEVICES] == ["T4", "RTX", "A100", "H100"]
