"""What the simulation tests share: tiny cores, and the simulators that are there."""

from pathlib import Path

import pytest
from networks import random_network

from bnnhw.errors import MissingToolError
from bnnhw.folding import Folding, LayerFolding
from bnnhw.network import Network
from bnnhw.rtl.emit import generate
from bnnhw.tools import find

__all__ = ["SIMULATORS", "fold", "grid", "make", "need"]

PROGRAMS = {"icarus": ("iverilog",), "verilator": ("verilator", "g++", "make", "perl")}
SIMULATORS = tuple(PROGRAMS)


def need(simulator: str) -> str:
    """The simulator's name; skips the test where it is missing, with what installs it."""
    try:
        for program in PROGRAMS[simulator]:
            find(program)
    except MissingToolError as error:
        pytest.skip(str(error))
    return simulator


def grid(name: str, rows: int, cols: int, lanes: int, planes: int = 1) -> LayerFolding:
    return LayerFolding(name=name, rows=rows, cols=cols, lanes=lanes, planes=planes)


def fold(network: Network, *grids: tuple[int, ...], pixels: int | None = None) -> Folding:
    """A folding out of (rows, cols, lanes, planes) for each layer."""
    layers = [grid(n.name, *sizes) for n, sizes in zip(network.layers, grids, strict=True)]
    return Folding(layers=tuple(layers), pixels_per_beat=pixels)


def make(
    folder: Path,
    sizes: tuple[int, ...],
    *grids: tuple[int, ...],
    bits: int = 1,
    gives: str = "scores",
    output: str | None = None,
    seed: int = 0,
    vectors: int = 32,
    pixels: int | None = None,
) -> Path:
    """Generate a random network's build folder."""
    network = random_network(sizes, bits=bits, gives=gives, seed=seed)
    folding = fold(network, *grids, pixels=pixels)
    generate(network, folder, folding=folding, output=output, vectors=vectors, seed=seed)
    return folder
