"""bnnhw: binarized neural networks from data to hardware, with open tools, bit for bit.

Each command is a function here: `train`, `inspect`, `run`, `generate`, `simulate`, `synth`,
`compare`, `doctor`; and `predict`, which runs the generated Verilog. They are imported when they
are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .boards import synth
    from .classify import run
    from .diagnosis import doctor
    from .folding import Folding, LayerFolding
    from .input_format import InputFormat
    from .inspection import inspect
    from .layers import Conv, Dense, Output
    from .maps import Flatten, Pool
    from .network import Network
    from .network_file import load
    from .proposal import Budget
    from .report.comparison import compare
    from .rtl.emit import generate
    from .sim import predict, simulate
    from .training.export import export
    from .training.train import train
    from .window import Window

__version__ = "0.1.0"

_HOMES = {
    "Budget": "proposal",
    "Conv": "layers",
    "Dense": "layers",
    "Flatten": "maps",
    "Folding": "folding",
    "InputFormat": "input_format",
    "LayerFolding": "folding",
    "Network": "network",
    "Output": "layers",
    "Pool": "maps",
    "Window": "window",
    "compare": "report.comparison",
    "doctor": "diagnosis",
    "export": "training",
    "generate": "rtl.emit",
    "inspect": "inspection",
    "load": "network_file",
    "predict": "sim",
    "run": "classify",
    "simulate": "sim",
    "synth": "boards",
    "train": "training",
}

__all__ = [
    "Budget",
    "Conv",
    "Dense",
    "Flatten",
    "Folding",
    "InputFormat",
    "LayerFolding",
    "Network",
    "Output",
    "Pool",
    "Window",
    "compare",
    "doctor",
    "export",
    "generate",
    "inspect",
    "load",
    "predict",
    "run",
    "simulate",
    "synth",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
