"""Devices, the Yosys and nextpnr flows, and what they say about a core."""

__all__ = [
    "Counts",
    "Route",
    "Synthesis",
    "Target",
    "made_for",
    "synth",
    "synth_popcount",
    "target",
]

from .count import Counts
from .flow import Synthesis, synth, synth_popcount
from .route import Route
from .source import made_for
from .targets import Target, target
