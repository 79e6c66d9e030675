"""Small layers on small grids."""

__all__ = ["dense_plan", "output_plan"]

from typing import Any

import numpy as np

from bnnhw.folding import LayerFolding
from bnnhw.layers import Output
from bnnhw.rtl.plan import LayerPlan
from bnnhw.synthetic import random_layer
from bnnhw.technology import GENERIC, Technology


def dense_plan(
    inputs: int,
    neurons: int,
    *,
    bits: int = 1,
    family: str = GENERIC,
    open_tables: bool = False,
    parts: int = 1,
    **folding: Any,
) -> LayerPlan:
    """A layer with weights and thresholds out of a seed, on its grid; one lane by default.

    A fold's inputs come in so many `parts`.

    A family's cells are their twins, which the tests prove equal to Yosys's models.
    """
    layer = random_layer(inputs, neurons, input_bits=bits, seed=inputs + neurons).dense[0]
    fold = LayerFolding(name=layer.name, **{"lanes": 1, **folding})
    technology = Technology(family=family, open_tables=open_tables)
    return LayerPlan(layer, fold, technology, simulated=True, parts=parts)


def output_plan(
    inputs: int, neurons: int, *, bits: int = 1, scales: tuple[int, ...] = (1,), **folding: Any
) -> LayerPlan:
    """A last layer: weights out of a seed, the scales over and over, small biases."""
    layer = Output(
        name="out",
        weight=random_layer(inputs, neurons, seed=inputs + neurons).dense[0].weight,
        input_bits=bits,
        scale=np.resize(np.array(scales, dtype=np.int16), neurons),
        bias=np.arange(neurons, dtype=np.int32) % 3 - 1,
    )
    return LayerPlan(layer, LayerFolding(name="out", **{"lanes": 1, **folding}))
