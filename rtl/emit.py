"""Writes a network's Verilog, its manifest and its test vectors: a build folder."""

__all__ = ["MANIFEST", "SCHEMA", "TOP", "generate", "to_verilog"]

import dataclasses
import hashlib
import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

from .. import __version__
from ..dataflow import MapWords
from ..errors import InputError
from ..files import new_folder, write_bytes, write_text
from ..folding import Folding, layer_cycles
from ..golden import evaluate
from ..layers import Conv, Output
from ..maps import Pool
from ..network import Network
from ..network_file import load
from ..proposal import proposed
from ..technology import Technology
from ..timing import network_latency
from ..vectors import edge_vectors, random_vectors

MANIFEST = "manifest.json"
TOP = "bnnhw_core"
TWINS = "bnnhw_cells.v"
SCHEMA = 4


def to_verilog(component: Any, top: str) -> str:
    """A component as Verilog, its top module named `top`; the same bytes on every machine.

    Amaranth's own Yosys (from PyPI, pinned) writes it, so that a Yosys on the user's PATH cannot
    change a byte; sources' paths stay out.
    """
    from amaranth.back import verilog

    before = os.environ.get("AMARANTH_USE_YOSYS")
    os.environ["AMARANTH_USE_YOSYS"] = "builtin"
    try:
        return str(verilog.convert(component, name=top, emit_src=False, strip_internal_attrs=True))
    finally:
        if before is None:
            del os.environ["AMARANTH_USE_YOSYS"]
        else:
            os.environ["AMARANTH_USE_YOSYS"] = before


def generate(
    model: Network | Path | str,
    build: Path | str,
    *,
    folding: Folding | Path | str | None = None,
    technology: Technology | None = None,
    output: str | None = None,
    vectors: int = 64,
    seed: int = 0,
) -> dict[str, Any]:
    """Write Verilog for a network, with all that simulation and synthesis need beside it.

    Parameters
    ----------
    model : Network, or the path of one
    build : Path
        The folder to write: `bnnhw_core.v`, `manifest.json`, `model.safetensors`,
        `folding.toml`, `vectors.safetensors`. Replaced if it is such a folder already.
    folding : Folding, or the path of one, optional
        By default `proposal.proposed`.
    technology : Technology, optional
        By default plain Verilog for any tool. For a family, `bnnhw_cells.v` holds behavioural twins
        of the cells that the Verilog names, for simulation.
    output : "class", "scores" or "bits", optional
        By default the class, or bits where the network ends in bits.
    vectors : int
        Random test vectors, after those at the edges (`vectors.edge_vectors`).
    seed : int
        Of the test vectors.

    Returns
    -------
    dict
        The manifest.
    """
    network = model if isinstance(model, Network) else load(model)
    if vectors < 0:
        raise InputError(f"vectors must be at least 0, not {vectors}")
    if output is None:
        output = network.gives
    if isinstance(folding, Path | str):
        folding = Folding.load(folding, network)
    if folding is None:
        folding = proposed(network, output=output)

    from .core import Core

    with new_folder(Path(build), marker=MANIFEST) as folder:
        core = Core(network, folding, output, technology)
        write_text(folder / f"{TOP}.v", to_verilog(core, TOP))
        if not core.technology.generic:
            write_text(folder / TWINS, twins_verilog(core.technology.family))
        network.save(folder / "model.safetensors")
        core.folding.save(folder / "folding.toml")
        write_bytes(folder / "vectors.safetensors", _vectors(network, vectors, seed))
        manifest = _manifest(core, output)
        manifest["files"] = [
            {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for path in sorted(folder.iterdir())
        ]
        write_text(folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    return manifest


def twins_verilog(family: str) -> str:
    """Verilog of the behavioural twins of a family's cells."""
    return (resources.files(__package__) / "families" / f"{family}.v").read_text(encoding="utf-8")


def _vectors(network: Network, count: int, seed: int) -> bytes:
    """Inputs, and all that golden says of them, as a safetensors file."""
    import numpy as np
    from safetensors.numpy import save

    x = np.concatenate([edge_vectors(network, seed), random_vectors(network, count, seed)])
    trace = evaluate(network, x)
    tensors: dict[str, Any] = {"x": x}
    tensors |= {f"bits.{i}": bits for i, bits in enumerate(trace.bits)}
    if trace.scores is not None:
        tensors |= {"scores": trace.scores, "classes": trace.classes}
    return bytes(save(tensors))


def _pool(stage: Pool, words: MapWords) -> dict[str, Any]:
    """What a pooling's words are, in a layer's terms."""
    channels = stage.window.shape[2]
    return {
        "name": stage.name,
        "neurons": channels,
        "vectors": stage.window.positions,
        "row": stage.window.cols,
        "tap": {
            "valid": f"pool_{stage.name}.tap_valid",
            "data": f"pool_{stage.name}.tap_data",
            "positions": words.columns.at_once if words.columns else 1,
            "rows": words.channels,
            "width": 1,
            "words": channels // words.channels,
        },
    }


def _manifest(core: Any, output: str) -> dict[str, Any]:
    network, folding = core.network, core.folding
    latency = None
    if network.is_dense:
        latency = network_latency(network, folding, output, core.technology)
    layers = []
    for i, plan in enumerate(core.plans):
        layer, fold = plan.layer, plan.fold
        layers.append(
            {
                "name": layer.name,
                "inputs": layer.inputs,
                "neurons": layer.neurons,
                "vectors": layer.vectors,
                "row": layer.window.cols if isinstance(layer, Conv) else layer.vectors,
                "input_bits": layer.input_bits,
                "gives": "scores" if isinstance(layer, Output) else "bits",
                "folding": fold.resolved(layer),
                "cycles": layer_cycles(layer, fold),
                "latency": latency and latency.layers[i],
                "weight_bits": layer.weight.size,
                "tap": {
                    "valid": f"layer_{layer.name}.tap_valid",
                    "data": f"layer_{layer.name}.tap_data",
                    "positions": fold.positions,
                    "rows": fold.rows,
                    "width": plan.word_width,
                    "words": plan.neuron_folds,
                },
            }
        )
    pools = [stage for stage in network.layers if isinstance(stage, Pool)]
    return {
        "schema": SCHEMA,
        "bnnhw": __version__,
        "model_sha256": network.sha256,
        "top": TOP,
        "technology": dataclasses.asdict(core.technology),
        "twins": [] if core.technology.generic else [TWINS],
        "output": output,
        "ports": [
            {"name": name, "dir": member.flow.name.lower(), "width": member.shape}
            for name, member in core.signature.members.items()
        ],
        "input": {
            "bits": network.input.bits,
            "size": network.input.size,
            "pixels_per_beat": core.pixels,
            "beats": folding.input_beats(network),
        },
        "queues": [dataclasses.asdict(queue) for queue in core.queues],
        "output_beats": folding.output_beats(network, output),
        "layers": layers,
        "pools": [_pool(stage, core.maps[stage.name]) for stage in pools],
        "interval": folding.interval(network, output),
        "latency": latency and latency.total,
    }
