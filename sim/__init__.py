"""Simulation of the generated Verilog: cocotb on Verilator or Icarus, checked against golden."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .result import Prediction, Simulation
    from .simulation import predict, simulate

__all__ = ["Prediction", "Simulation", "predict", "simulate"]


def __getattr__(name: str) -> Any:
    # Not imported above: the simulator's own process needs only the bench, and cocotb is optional.
    if name in ("predict", "simulate"):
        from . import simulation

        return getattr(simulation, name)
    if name in __all__:
        from . import result

        return getattr(result, name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
