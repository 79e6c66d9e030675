"""Which network and which folding a core is made of, out of what the user says."""

__all__ = ["choose"]

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import InputError
from .folding import CLOCK_HZ, Folding, LayerFolding
from .network import Network
from .network_file import load
from .proposal import Budget, proposed, within_budget
from .synthetic import bits_input, random_conv, random_layer
from .technology import Technology
from .window import Window


def choose(
    *,
    model: Path | None = None,
    layer: str | None = None,
    inputs: int | None = None,
    neurons: int | None = None,
    input_bits: int | None = None,
    shape: Sequence[int] | None = None,
    kernel: Sequence[int] | None = None,
    stride: Sequence[int] | None = None,
    padding: Sequence[int] | None = None,
    folding: Path | None = None,
    grid: dict[str, Any] | None = None,
    target_fps: float | None = None,
    clock_hz: float = CLOCK_HZ,
    budget: Budget | None = None,
    technology: Technology | None = None,
    output: str | None = None,
    seed: int = 0,
) -> tuple[Network, Folding]:
    """A network and its folding.

    Either `model`, all of it or the one `layer`; or a random layer of `inputs` and `neurons`, or a
    random convolution of a map's `shape`, `neurons` and `kernel`; and either a `folding` file, or
    for one layer its `grid` (rows, cols, lanes, planes, weights, positions), or a proposal for
    `target_fps` at `clock_hz`, or for a `budget` of the technology's family. Raises InputError
    where they do not fit together.
    """
    grid = {name: value for name, value in (grid or {}).items() if value is not None}
    sizes = {"shape": shape, "kernel": kernel, "stride": stride, "padding": padding}
    window = {name: tuple(size) for name, size in sizes.items() if size is not None}
    goal = target_fps is not None or budget is not None
    if folding is not None and (goal or grid):
        raise InputError(
            "--folding says it all: leave out --target-fps, --budget and the grid's sizes"
        )
    if grid and goal:
        raise InputError("give either the grid's sizes or --target-fps or --budget")
    if target_fps is not None and budget is not None:
        raise InputError("give either --target-fps or --budget")

    if model is None:
        if layer is not None:
            raise InputError("--layer names a layer of a model, and no model is named")
        network = _random(inputs, neurons, window, 1 if input_bits is None else input_bits, seed)
    else:
        if window or {inputs, neurons, input_bits} != {None}:
            raise InputError("a model has its own sizes: leave out --inputs, --map, --neurons, ...")
        network = load(model)
        if layer is not None:
            network = alone(network, layer)
    if grid:
        if len(network.weighted) > 1:
            raise InputError(
                f"the grid's sizes are for one layer, and {model} has {len(network.weighted)}: "
                "name one by --layer, or give a --folding"
            )
        chosen = Folding(layers=(LayerFolding(name=network.weighted[0].name, **grid),))
        list(chosen.pairs(network))  # refuses what does not fit
        return network, chosen
    if folding is not None:
        return network, Folding.load(folding, network)
    output = output or network.gives
    if budget is not None:
        return network, within_budget(network, budget, technology or Technology(), output=output)
    return network, proposed(network, target_fps=target_fps, clock_hz=clock_hz, output=output)


def _random(
    inputs: int | None, neurons: int | None, window: dict[str, Any], input_bits: int, seed: int
) -> Network:
    """A random layer of the sizes given, dense or a convolution."""
    if inputs is not None and window:
        raise InputError("--inputs is of a dense layer, --map and --kernel of a convolution")
    if window and not {"shape", "kernel"} <= set(window):
        raise InputError("a convolution's size needs --map and --kernel")
    if neurons is None or (inputs is None and not window):
        raise InputError(
            "name a model, or a layer's size by --inputs and --neurons, or by --map, --kernel and "
            "--neurons"
        )
    if inputs is None:
        return random_conv(Window(**window), neurons, input_bits=input_bits, seed=seed)
    return random_layer(inputs, neurons, input_bits=input_bits, seed=seed)


def alone(network: Network, name: str) -> Network:
    """One layer of a network as a network of its own, its inputs their own raw values."""
    for layer in network.weighted:
        if layer.name == name:
            form = network.input
            if layer is not network.layers[0]:
                form = bits_input(layer.shape_in, layer.input_bits)
            return dataclasses.replace(
                network, input=form, layers=(layer,), training={"layer_of": network.sha256},
                accuracy={},
            )  # fmt: skip
    known = ", ".join(layer.name for layer in network.weighted)
    raise InputError(f"there is no layer {name!r}; there are {known}")
