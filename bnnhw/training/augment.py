"""Training images, moved and mirrored at random, by a generator on their device."""

__all__ = ["flipped", "shifted"]

import torch
from torch import Tensor
from torch.nn import functional


def shifted(x: Tensor, shape: tuple[int, ...], shift: int, generator: torch.Generator) -> Tensor:
    """Each image (N, H * W * C) moved by -shift to shift pixels both ways; what comes in is 0."""
    h, w, c = shape
    padded = functional.pad(x.view(-1, h, w, c), (0, 0, shift, shift, shift, shift))
    row = (w + 2 * shift) * c
    size = (2, len(x), 1)
    corner = torch.randint(2 * shift + 1, size, generator=generator, device=x.device)
    across = torch.arange(w * c, device=x.device)
    inside = torch.arange(h, device=x.device)[:, None] * row + across  # (H, W * C)
    index = corner[0] * row + corner[1] * c + inside.flatten()
    return padded.flatten(1).gather(1, index)


def flipped(x: Tensor, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Each image (N, H * W * C) mirrored left to right, or not, evenly."""
    images = x.view(-1, *shape)
    chosen = torch.randint(2, (len(x), 1, 1, 1), generator=generator, device=x.device)
    return torch.where(chosen.bool(), images.flip(2), images).flatten(1)
