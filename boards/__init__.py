"""Devices, the Yosys and nextpnr flows, and what they say about a core."""

__all__ = ["Counts", "Route", "Synthesis", "Target", "synth", "synth_popcount", "target"]

from .count import Counts
from .flow import Synthesis, synth, synth_popcount
from .route import Route
from .targets import Target, target
