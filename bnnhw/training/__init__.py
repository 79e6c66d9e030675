"""Training, the only room that knows torch: `train` makes a network file, `export` folds."""

__all__ = [
    "BinaryNet",
    "Epoch",
    "FloatNet",
    "Topology",
    "TrainConfig",
    "TrainResult",
    "export",
    "train",
]

from .config import TrainConfig
from .export import export
from .fit import Epoch
from .float_net import FloatNet
from .net import BinaryNet
from .topology import Topology
from .train import TrainResult, train
