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
GROUPS = ("model", "best", "moments", "average")


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
        What the optimizer keeps, by parameter.
    average : dict of str to Tensor
        The moving average's state; empty where there is none.
    """

    config: dict[str, Any]
    history: list[dict[str, Any]]
    model: dict[str, Tensor]
    best: dict[str, Tensor]
    moments: dict[str, Tensor]
    average: dict[str, Tensor]

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        from safetensors.torch import save

        tensors = {
            f"{group}/{name}": tensor.detach().cpu().contiguous()
            for group in GROUPS
            for name, tensor in getattr(self, group).items()
        }
        text = json.dumps({"schema": SCHEMA, "config": self.config, "history": self.history})
        write_bytes(path, save(tensors, {KEY: text}))

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """Read a file that `save` wrote; InputError where it is none."""
        from safetensors import SafetensorError, safe_open

        groups: dict[str, dict[str, Tensor]] = {name: {} for name in GROUPS}
        try:
            with safe_open(path, framework="pt") as file:
                described = json.loads((file.metadata() or {})[KEY])
                for key in file.keys():  # noqa: SIM118 (not a dict)
                    group, name = key.split("/", 1)
                    groups[group][name] = file.get_tensor(key)
            if described["schema"] != SCHEMA:
                raise ValueError(f"schema {described['schema']}")
            return cls(config=described["config"], history=described["history"], **groups)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f"{path}: not a checkpoint of a training ({error})") from None


def moments_of(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimizer's state by the parameters' names."""
    return {
        f"{name}/{moment}": value
        for name, p in model.named_parameters()
        for moment, value in optimizer.state.get(p, {}).items()
    }


def restore_moments(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer, moments: dict[str, Tensor]
) -> None:
    """The inverse of `moments_of`, for a fresh optimizer."""
    named = dict(model.named_parameters())
    for key, value in moments.items():
        name, moment = key.rsplit("/", 1)
        p = named[name]
        # It lies as the parameter does: fused steps go through memory, not through indices.
        # A count of steps is where the step wants it: on the device only if that is fused.
        place = p.device if optimizer.defaults.get("fused") else "cpu"
        like = torch.empty_like(p, dtype=value.dtype) if value.dim() else value.to(place)
        optimizer.state[p][moment] = like.copy_(value)
