"""Small layers on small grids."""

__all__ = ["dense_plan"]

from bnnhw.folding import LayerFolding
from bnnhw.rtl.plan import LayerPlan
from bnnhw.synthetic import random_layer


def dense_plan(
    inputs: int,
    neurons: int,
    *,
    bits: int = 1,
    rows: int = 1,
    cols: int = 1,
    lanes: int = 1,
    planes: int = 1,
    weights: str = "auto",
) -> LayerPlan:
    """A layer with weights out of a seed, on its grid."""
    network = random_layer(inputs, neurons, input_bits=bits, seed=inputs + neurons)
    fold = LayerFolding(
        name="fc", rows=rows, cols=cols, lanes=lanes, planes=planes, weights=weights
    )
    return LayerPlan(network.layers[0], fold)
