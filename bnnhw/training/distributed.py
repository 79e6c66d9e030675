"""Several processes as one: sums and means over all of them, with their gradients.

`torchrun --nproc-per-node 2 -m bnnhw train ...` starts the processes and tells each its number.
"""

__all__ = ["Processes"]

import os
from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.distributed

# Its functions keep the group that there is when they are first imported (as torch's optimizers
# import them) as a default: with an early import that is none, and a group's threads end with it.
import torch.distributed.nn
from torch import Tensor

from ..errors import InputError


class _Sum(torch.autograd.Function):
    """A sum over the processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        torch.distributed.all_reduce(total)
        return total


class Processes:
    """The processes of a training; alone, all of this does nothing.

    Parameters
    ----------
    device : str
        cpu (gloo) or cuda (nccl, each process on a GPU of its own).
    """

    def __init__(self, device: str) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self.device = device
        if self.count == 1:
            return
        if device == "cuda":
            local = int(os.environ.get("LOCAL_RANK", "0"))
            if local >= torch.cuda.device_count():
                raise InputError(
                    f"{self.count} processes need as many GPUs; there are "
                    f"{torch.cuda.device_count()}"
                )
            torch.cuda.set_device(local)
        torch.distributed.init_process_group("nccl" if device == "cuda" else "gloo")

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and shows."""
        return self.rank == 0

    def share(self, chosen: Tensor) -> Tensor:
        """This process's part of a batch."""
        return chosen if self.count == 1 else chosen[self.rank :: self.count]

    def sum(self, x: Tensor) -> Tensor:
        """Summed over the processes, gradients too."""
        if self.count == 1:
            return x
        result: Tensor = _Sum.apply(x)
        return result

    def add_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Add up what the processes' losses gave each parameter."""
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                torch.distributed.all_reduce(parameter.grad)

    def first_does(self, work: Callable[[], None]) -> None:
        """The first does it, while the others wait; a mistake that it finds all of them raise."""
        told: list[str | None] = [None]
        if self.first:
            try:
                work()
            except InputError as error:
                told = [str(error)]
        if self.count > 1:
            torch.distributed.broadcast_object_list(told, src=0)
        if told[0] is not None:
            raise InputError(told[0])

    def wait(self) -> None:
        """Until all are here."""
        if self.count > 1:
            torch.distributed.barrier()

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        if self.count > 1:
            torch.distributed.destroy_process_group()
