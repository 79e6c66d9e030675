"""Training, the only room that knows torch: `train` makes a network file, `export` folds."""

__all__ = ["Epoch", "FloatMlp", "Mlp", "TrainConfig", "TrainResult", "export", "train"]

from .config import TrainConfig
from .export import export
from .fit import Epoch
from .mlp import FloatMlp, Mlp
from .train import TrainResult, train
