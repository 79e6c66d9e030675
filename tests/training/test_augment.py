"""Moved and mirrored images are whole ones."""

import torch

from bnnhw.training.augment import flipped, shifted


def test_shifted_images_are_moved_whole() -> None:
    shape = (4, 5, 2)
    x = torch.arange(1, 41, dtype=torch.uint8).repeat(200, 1)
    moved = shifted(x, shape, 1, torch.Generator().manual_seed(0)).view(-1, *shape)
    image = x[0].view(shape)
    seen = set()
    for one in moved:
        match = [
            (dy, dx)
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
            if torch.equal(one, _moved(image, dy, dx))
        ]
        assert len(match) == 1
        seen.add(match[0])
    assert len(seen) == 9


def _moved(image: torch.Tensor, dy: int, dx: int) -> torch.Tensor:
    h, w, _ = image.shape
    result = torch.zeros_like(image)
    for y in range(h):
        for x in range(w):
            if 0 <= y + dy < h and 0 <= x + dx < w:
                result[y, x] = image[y + dy, x + dx]
    return result


def test_flipped_images_are_mirrored_left_to_right_or_left_alone() -> None:
    shape = (2, 3, 2)
    x = torch.arange(12, dtype=torch.uint8).repeat(100, 1)
    mirrored = x[0].view(shape)[:, [2, 1, 0]].flatten()
    found = flipped(x, shape, torch.Generator().manual_seed(0))
    turned = (found == mirrored).all(1)
    assert 30 < turned.sum() < 70
    assert ((found == x[0]).all(1) ^ turned).all()
