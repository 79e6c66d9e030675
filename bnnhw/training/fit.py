"""The training loop: shuffle, step, validate, keep the best epoch, save, go on."""

__all__ = ["Epoch", "Tensors", "fit"]

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
from ..datasets import Dataset
from ..errors import InputError
from ..files import write_text
from .checkpoint import Checkpoint, moments_of, restore_moments
from .config import TrainConfig
from .mlp import Classifier

CHECKPOINT, METRICS = "checkpoint.safetensors", "metrics.csv"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Epoch:
    """One row of metrics.csv: the mean loss of the steps, accuracy on the validation part."""

    epoch: int
    loss: float
    valid: float
    seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Tensors:
    """A data set's training and validation parts, quantized, resident on the device.

    Parameters
    ----------
    shape : tuple of int
        Of one sample.
    x_train, x_valid : Tensor[uint8], (N, K)
    y_train, y_valid : Tensor[int64], (N,)
    """

    shape: tuple[int, ...]
    x_train: Tensor
    y_train: Tensor
    x_valid: Tensor
    y_valid: Tensor

    @classmethod
    def of(cls, data: Dataset, config: TrainConfig) -> "Tensors":
        """Quantize a data set for the training."""
        form = data.input_format(config.input_bits)
        parts = {}
        for part in ("train", "valid"):
            x, y = data.part(part)
            parts[f"x_{part}"] = torch.from_numpy(form.quantize(x)).to(config.device)
            parts[f"y_{part}"] = torch.from_numpy(y).to(config.device)
        return cls(shape=data.shape, **parts)


def loss_of(scores: Tensor, labels: Tensor, kind: str) -> Tensor:
    """The loss of real scores (N, M) for labels (N,).

    Square hinge (Courbariaux et al. 2016, section 2.1, after Tang 2013): with target t_j = +1 for
    the sample's class and -1 for every other, mean of max(0, 1 - t_j * score_j)^2.
    """
    if kind == "cross_entropy":
        return functional.cross_entropy(scores, labels)
    target = functional.one_hot(labels, scores.shape[1]) * 2 - 1
    return (1 - target * scores).clamp(min=0).square().mean()


def distillation(scores: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Divergence of the softened scores from the teacher's (Hinton et al. 2015), times T^2."""
    return (
        functional.kl_div(
            functional.log_softmax(scores / temperature, 1),
            functional.log_softmax(teacher / temperature, 1),
            reduction="batchmean",
            log_target=True,
        )
        * temperature**2
    )


def rate_at(step: int, steps: int, warmup: int) -> float:
    """The factor on the learning rate: linear up to 1 in `warmup` steps, then a cosine to 0."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def shifted(x: Tensor, shape: tuple[int, ...], shift: int, generator: torch.Generator) -> Tensor:
    """Each image (N, H * W * C) moved by -shift to shift pixels both ways; what comes in is 0."""
    h, w, c = shape
    padded = functional.pad(x.view(-1, h, w, c), (0, 0, shift, shift, shift, shift))
    row = (w + 2 * shift) * c
    corner = torch.randint(2 * shift + 1, (2, len(x), 1), generator=generator).to(x.device)
    inside = torch.arange(h)[:, None] * row + torch.arange(w * c)  # (H, W * C)
    index = corner[0] * row + corner[1] * c + inside.flatten().to(x.device)
    return padded.flatten(1).gather(1, index)


def fit(
    model: Classifier,
    data: Tensors,
    config: TrainConfig,
    folder: Path,
    *,
    what: str,
    teacher: Classifier | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> list[Epoch]:
    """Train a model; leave it, in eval mode, as it was in the epoch best on validation.

    Of equally good epochs the later one wins: the learning rate was lower there. After each epoch
    the folder holds a checkpoint and metrics.csv. Where a checkpoint lies there already the
    training goes on from it, and ends as if it had never stopped.

    Parameters
    ----------
    what : str
        What is trained, for the progress bar.
    teacher : Classifier, in eval mode
        Whose scores count for `config.distill` of the loss.
    on_epoch : function of an Epoch
        Called after each.
    """
    adam = _adam(model, config)
    history: list[Epoch] = []
    best = copy.deepcopy(model.state_dict())
    saved = folder / CHECKPOINT
    if saved.exists():
        state = Checkpoint.load(saved)
        try:
            if state.config != config.to_json():
                raise ValueError("of other options")
            history = [Epoch(**row) for row in state.history]
            model.load_state_dict(state.model)
            best = state.best
            restore_moments(model, adam, state.moments)
        except (ValueError, TypeError, KeyError, RuntimeError) as error:
            raise InputError(
                f"{saved}: does not fit this training ({str(error).splitlines()[0]})"
            ) from None
    with console.progress(what, total=config.epochs) as bar:
        top = max((row.valid for row in history), default=0.0)
        bar.advance(len(history))
        for number in range(len(history) + 1, config.epochs + 1):
            started = time.perf_counter()
            loss = _epoch(model, data, config, adam, number=number, teacher=teacher)
            valid = accuracy(model, data.x_valid, data.y_valid)
            if not math.isfinite(loss):
                raise InputError(f"the loss is {loss} in epoch {number}; lower the rate")
            if valid >= top:
                top, best = valid, copy.deepcopy(model.state_dict())
            row = Epoch(
                epoch=number,
                loss=loss,
                valid=valid,
                seconds=round(time.perf_counter() - started, 3),
            )
            history.append(row)
            _save(folder, model, adam, best=best, history=history, config=config)
            bar.advance(note=f"loss {loss:.4f}  validation {valid:.2%}  best {top:.2%}")
            if on_epoch:
                on_epoch(row)
    model.load_state_dict(best)
    model.eval()
    return history


def _adam(model: Classifier, config: TrainConfig) -> torch.optim.Adam:
    """The optimizer, with a rate for what is binarized and one for the rest."""
    signs = {id(p) for p in model.binarized()}
    groups = [
        {"params": [p for p in model.parameters() if (id(p) in signs) == chosen], "rate": rate}
        for chosen, rate in ((True, config.rate), (False, config.norm_rate))
    ]
    # The fused kernel is one pass over memory instead of ten.
    return torch.optim.Adam([g for g in groups if g["params"]], lr=0.0, fused=True)


def _epoch(
    model: Classifier,
    data: Tensors,
    config: TrainConfig,
    adam: torch.optim.Adam,
    *,
    number: int,
    teacher: Classifier | None,
) -> float:
    """One pass over the training part; its mean loss."""
    # Seeded anew for each epoch, so that one that goes on after a break draws the same numbers.
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + number)
    count = len(data.x_train)
    steps = max(1, count // config.batch)
    order = torch.randperm(count, generator=generator).to(data.x_train.device)
    total = torch.zeros((), device=data.x_train.device)
    model.train()
    for step, chosen in enumerate(order.tensor_split(steps)):
        factor = rate_at((number - 1) * steps + step, config.epochs * steps, config.warmup * steps)
        for group in adam.param_groups:
            group["lr"] = factor * group["rate"]
        x, y = data.x_train[chosen], data.y_train[chosen]
        if config.shift:
            x = shifted(x, data.shape, config.shift, generator)
        scores = model(x)
        loss = loss_of(scores, y, config.loss)
        if teacher is not None:
            with torch.no_grad():
                wanted = teacher(x)
            taught = distillation(scores, wanted, config.temperature)
            loss = (1 - config.distill) * loss + config.distill * taught
        adam.zero_grad()
        loss.backward()
        adam.step()
        model.clip()
        total += loss.detach()
    return total.item() / steps


def accuracy(model: Classifier, x: Tensor, y: Tensor) -> float:
    """Share of samples classified rightly, in eval mode: for binarized ones by their integers."""
    model.eval()
    right = sum(
        int((model.classes(xs) == ys).sum())
        for xs, ys in zip(x.split(2048), y.split(2048), strict=True)
    )
    return right / len(x)


def _save(
    folder: Path,
    model: Classifier,
    adam: torch.optim.Adam,
    *,
    best: dict[str, Tensor],
    history: list[Epoch],
    config: TrainConfig,
) -> None:
    """Checkpoint and metrics, each whole or not at all; the checkpoint, which counts, first."""
    rows = [dataclasses.asdict(row) for row in history]
    Checkpoint(
        config=config.to_json(),
        history=rows,
        model=model.state_dict(),
        best=best,
        moments=moments_of(model, adam),
    ).save(folder / CHECKPOINT)
    lines = [",".join(rows[0]), *(",".join(str(v) for v in row.values()) for row in rows)]
    write_text(folder / METRICS, "\n".join(lines) + "\n")
