"""The training loop: shuffle, step, validate, keep the best epoch, save, go on."""

__all__ = ["Epoch", "Fit", "fit"]

import contextlib
import copy
import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from .. import console
from ..errors import InputError
from ..files import write_text
from .augment import flipped, shifted
from .calibrate import calibrate
from .checkpoint import Checkpoint, moments_of, restore_moments
from .config import TrainConfig
from .distributed import Processes
from .losses import distillation, loss_of, rate_at
from .net import BinaryNet, Classifier
from .optimizer import average_of, optimizer_for
from .tensors import Tensors, accuracy

CHECKPOINT, METRICS = "checkpoint.safetensors", "metrics.csv"
SAVE_S = 30.0  # between two checkpoints: of a large network one takes longer than its epoch


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Epoch:
    """One row of metrics.csv.

    Parameters
    ----------
    epoch : int
    loss : float
        The mean of the steps.
    valid : float
        Accuracy on the validation part.
    flips : float
        Share of the weights whose sign is another than an epoch before: where it is 0 nothing is
        learned any more.
    rate : float
        Of the weights, in the last step.
    seconds : float
    """

    epoch: int
    loss: float
    valid: float
    flips: float
    rate: float
    seconds: float


class Fit:
    """A training under way: a model, its optimizer and what its next epoch depends on.

    Parameters
    ----------
    model : Classifier
    data : Tensors
    config : TrainConfig
    processes : Processes
    teacher : Classifier, in eval mode
        Whose scores count for `config.distill` of the loss.
    """

    def __init__(
        self,
        model: Classifier,
        data: Tensors,
        config: TrainConfig,
        processes: Processes,
        teacher: Classifier | None = None,
    ) -> None:
        self.model, self.data, self.config = model, data, config
        self.processes, self.teacher = processes, teacher
        model.join(processes)
        self.optimizer = optimizer_for(model, config)
        self.averaged = average_of(model, config.average)
        self.history: list[Epoch] = []
        self.best = copy.deepcopy(self.validated.state_dict())

    @property
    def validated(self) -> Classifier:
        """What is put on the validation part: the model, or its moving average."""
        if self.averaged is None:
            return self.model
        assert isinstance(self.averaged.module, Classifier)
        return self.averaged.module

    @property
    def top(self) -> float:
        """The best accuracy on the validation part so far."""
        return max((row.valid for row in self.history), default=0.0)

    def epoch(self) -> Epoch:
        """Train for one more, validate, and remember the model if it is the best."""
        started = time.perf_counter()
        number = len(self.history) + 1
        before = [layer.weight >= 0 for layer in self.model.binarized()]
        loss = self._train(number)
        if not math.isfinite(loss):
            raise InputError(f"the loss is {loss} in epoch {number}; lower the rate")
        if self.config.calibrate and isinstance(self.validated, BinaryNet):
            calibrate(self.validated, self.data.x_train)
        valid = accuracy(self.validated, self.data.x_valid, self.data.y_valid)
        if valid >= self.top:
            self.best = copy.deepcopy(self.validated.state_dict())
        flips = [
            (old != (layer.weight >= 0)).sum()
            for old, layer in zip(before, self.model.binarized(), strict=True)
        ]
        total = sum(old.numel() for old in before)
        row = Epoch(
            epoch=number,
            loss=loss,
            valid=valid,
            flips=float(sum(flips)) / total if total else 0.0,
            rate=self.optimizer.param_groups[0]["lr"],
            seconds=round(time.perf_counter() - started, 3),
        )
        self.history.append(row)
        return row

    def _train(self, number: int) -> float:
        """One pass over the training part; its mean loss."""
        config = self.config
        # Seeded anew for each epoch, so that one that goes on after a break draws the same numbers.
        seed = config.seed * 1_000_003 + number
        generator = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed * self.processes.count + self.processes.rank)
        device = self.data.x_train.device
        count = len(self.data.x_train)
        steps = max(1, count // config.batch)
        order = torch.randperm(count, generator=generator).to(device)
        if device.type != "cpu":  # what a step draws is drawn there
            generator = torch.Generator(device).manual_seed(seed)
        total = torch.zeros((), device=device)
        self.model.train()
        for layer in self.model.binarized():
            layer.real = number <= config.real_epochs
        for step, chosen in enumerate(order.tensor_split(steps)):
            factor = rate_at(
                (number - 1) * steps + step,
                config.epochs * steps,
                config.warmup * steps,
                config.schedule,
            )
            for group in self.optimizer.param_groups:
                group["lr"] = factor * group["rate"]
            total += self.step(chosen, generator)
        return float(self.processes.sum(total)) / steps

    def step(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """One step on the samples of those numbers, shared among the processes; this one's loss."""
        x, y = self.data.x_train[chosen], self.data.y_train[chosen]
        if self.config.shift:
            x = shifted(x, self.data.shape, self.config.shift, generator)
        if self.config.flip:
            x = flipped(x, self.data.shape, generator)
        x, y = self.processes.share(x), self.processes.share(y)
        loss = self.loss(x, y) * (len(x) / len(chosen))
        self.optimizer.zero_grad()
        loss.backward()
        self.processes.add_gradients(self.model.parameters())
        self.optimizer.step()
        self.model.clip()
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)
        return loss.detach()

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Of samples, uint8 (N, K), and their labels.

        Inputs are dropped as activations are, see `Binarization`. With a teacher and d the share
        that is asked for, L = (1 - d) L_labels + d L_teacher, see `loss_of` and `distillation`.
        """
        config, device = self.config, x.device.type
        a = self.model.prepare(x)
        if config.input_dropout:
            a = functional.dropout(a, config.input_dropout)
        narrow = config.precision == "bfloat16"
        with torch.autocast(device, torch.bfloat16) if narrow else contextlib.nullcontext():
            scores = self.model.scores(a).to(a.dtype)
        loss = loss_of(scores, y, config.loss, config.smoothing)
        if self.teacher is not None:
            with torch.no_grad():
                wanted = self.teacher(x)
            taught = distillation(scores, wanted, config.temperature)
            loss = (1 - config.distill) * loss + config.distill * taught
        return loss

    def save(self, folder: Path) -> None:
        """The checkpoint, whole or not at all."""
        rows = [dataclasses.asdict(row) for row in self.history]
        Checkpoint(
            config=self.config.to_json(),
            history=rows,
            model=self.model.state_dict(),
            best=self.best,
            moments=moments_of(self.model, self.optimizer),
            average={} if self.averaged is None else dict(self.averaged.state_dict()),
        ).save(folder / CHECKPOINT)

    def tell(self, folder: Path) -> None:
        """The metrics of all epochs so far."""
        names = [field.name for field in dataclasses.fields(Epoch)]
        rows = (",".join(str(getattr(row, name)) for name in names) for row in self.history)
        write_text(folder / METRICS, "\n".join([",".join(names), *rows]) + "\n")

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint; InputError where it is of another training."""
        state = Checkpoint.load(path)
        try:
            if TrainConfig.from_json(state.config) != self.config:
                raise ValueError("of other options")
            self.history = [Epoch(**row) for row in state.history]
            self.model.load_state_dict(state.model)
            self.best = state.best
            restore_moments(self.model, self.optimizer, state.moments)
            if self.averaged is not None:
                self.averaged.load_state_dict(state.average)
        except (ValueError, TypeError, KeyError, RuntimeError) as error:
            raise InputError(
                f"{path}: does not fit this training ({str(error).splitlines()[0]})"
            ) from None


def fit(
    model: Classifier,
    data: Tensors,
    config: TrainConfig,
    folder: Path,
    *,
    what: str,
    processes: Processes,
    teacher: Classifier | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    until: float = math.inf,
) -> list[Epoch]:
    """Train a model; leave it, in eval mode, as it was in the epoch best on validation.

    Of equally good epochs the later one wins: the learning rate was lower there. metrics.csv grows
    with each epoch; a checkpoint is written every half a minute, and at the end. Where one lies in
    the folder already the training goes on from it, and ends as if it had never stopped.

    Parameters
    ----------
    what : str
        What is trained, for the progress bar.
    teacher : Classifier, in eval mode
        Whose scores count for `config.distill` of the loss.
    on_epoch : function of an Epoch
        Called after each.
    until : float
        Of `time.monotonic`: after the first, no epoch is begun that would end later than that.
    """
    run = Fit(model, data, config, processes, teacher)
    saved = folder / CHECKPOINT
    if saved.exists():
        run.restore(saved)
    processes.wait()
    with console.progress(what, total=config.epochs) as bar:
        begun = len(run.history)
        bar.advance(begun)
        saved_s, took = time.monotonic(), 0.0
        while len(run.history) < config.epochs:
            started = time.monotonic()
            if len(run.history) > begun and _late(started + took > until, run, processes):
                break
            row = run.epoch()
            if processes.first:
                last = len(run.history) == config.epochs
                if last or time.monotonic() - saved_s > SAVE_S:
                    run.save(folder)
                    saved_s = time.monotonic()
                run.tell(folder)
            took = time.monotonic() - started
            note = f"loss {row.loss:.4f}  validation {row.valid:.2%}  best {run.top:.2%}"
            bar.advance(note=note)
            if on_epoch:
                on_epoch(row)
    if processes.first and begun < len(run.history) < config.epochs:
        run.save(folder)
    model.load_state_dict(run.best)
    model.eval()
    return run.history


def _late(late: bool, run: Fit, processes: Processes) -> bool:
    """Whether the next epoch would take too long for one of the processes."""
    return bool(processes.sum(torch.tensor(float(late), device=run.data.x_train.device)))
