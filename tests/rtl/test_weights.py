"""Where weights are kept: by what it costs, unless the user says."""

import pytest

from bnnhw.folding import Folding, LayerFolding
from bnnhw.rtl.families import FAMILIES
from bnnhw.rtl.weights import Form, form_of, settled
from bnnhw.synthetic import random_layer
from bnnhw.technology import Technology

# Lanes, words, and what is smaller of so many LUTs and (half) a block RAM.
CHOICES = [
    ("ecp5", 16, 1, "constant"),
    ("ecp5", 16, 4, "columns"),
    ("ecp5", 16, 8, "fused"),
    ("ecp5", 16, 16, "table"),
    ("ecp5", 16, 128, "table"),  # 128 LUTs: half a RAM is worth 201
    ("ecp5", 16, 256, "ram"),
    ("ecp5", 16, 1000, "ram"),
    ("ecp5", 4, 256, "table"),  # 68 LUTs
    ("ecp5", 20, 128, "table"),  # two ports, a whole RAM
    ("ecp5", 36, 256, "ram"),
    ("gowin", 16, 400, "table"),  # 400 LUTs of 16 words, multiplexers for nothing: a RAM is 450
    ("gowin", 16, 512, "ram"),
    ("ice40", 16, 128, "table"),  # multiplexers of LUTs, too
    ("ice40", 16, 160, "ram"),
    ("nexus", 16, 160, "table"),
    ("nexus", 16, 200, "ram"),
    ("xilinx7", 16, 5, "table"),  # a LUT holds 5 words of two lanes
    ("xilinx7", 16, 512, "table"),  # 128 LUTs of 64 words: half a RAM is worth 208
    ("xilinx7", 16, 1000, "ram"),
]


@pytest.mark.parametrize(("family", "lanes", "words", "form"), CHOICES)
def test_auto_takes_what_costs_less(family: str, lanes: int, words: int, form: Form) -> None:
    technology = Technology(family=family)
    network = random_layer(lanes * words, 1)
    folding = Folding(layers=(LayerFolding(name="fc", lanes=lanes),))
    chosen = settled(network, folding, technology)
    assert form_of(network.dense[0], chosen.layers[0], technology) == form


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("weights", ["baked", "bram"])
def test_the_users_choice_stands(family: str, weights: str) -> None:
    network = random_layer(640, 1)
    folding = Folding(layers=(LayerFolding(name="fc", lanes=16, weights=weights),))
    assert settled(network, folding, Technology(family=family)) == folding
