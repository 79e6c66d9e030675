"""A training's state between two epochs: one safetensors file, from which it goes on exactly."""

__all__ = ["Checkpoint"]

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from ..files import write_bytes

SCHEMA = 1
KEY = "bnnhw-checkpoint"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of each parameter


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """All that the next epoch depends on. Random numbers are none of it: each epoch seeds its own.

    Parameters
    ----------
    config : dict
        Of the training; another one cannot go on from here.
    history : list of dict
        A row for each epoch done, see `fit.Epoch`.
    model, best : dict of str to Tensor
        The model's state now, and in the best epoch.
    moments : dict of str to Tensor
        Adam's, by parameter.
    """

    config: dict[str, Any]
    history: list[dict[str, Any]]
    model: dict[str, Tensor]
    best: dict[str, Tensor]
    moments: dict[str, Tensor]

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        from safetensors.torch import save

        tensors = {
            f"{group}/{name}": tensor.detach().cpu().contiguous()
            for group in ("model", "best", "moments")
            for name, tensor in getattr(self, group).items()
        }
        text = json.dumps({"schema": SCHEMA, "config": self.config, "history": self.history})
        write_bytes(path, save(tensors, {KEY: text}))

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """Read a file that `save` wrote; InputError where it is none."""
        from safetensors import SafetensorError, safe_open

        groups: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "moments": {}}
        try:
            with safe_open(path, framework="pt") as file:
                described = json.loads((file.metadata() or {})[KEY])
                for key in file.keys():  # noqa: SIM118 (not a dict)
                    group, name = key.split("/", 1)
                    groups[group][name] = file.get_tensor(key)
            if described["schema"] != SCHEMA:
                raise ValueError(f"schema {described['schema']}")
            return cls(config=described["config"], history=described["history"], **groups)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: not a checkpoint of a training ({error})") from None


def moments_of(model: torch.nn.Module, adam: torch.optim.Adam) -> dict[str, Tensor]:
    """Adam's state by the parameters' names."""
    state = adam.state
    return {
        f"{name}/{m}": state[p][m]
        for name, p in model.named_parameters()
        if p in state
        for m in MOMENTS
    }


def restore_moments(
    model: torch.nn.Module, adam: torch.optim.Adam, moments: dict[str, Tensor]
) -> None:
    """The inverse of `moments_of`, for a fresh optimizer."""
    for name, p in model.named_parameters():
        adam.state[p] = {m: moments[f"{name}/{m}"].to(p.device) for m in MOMENTS}
