"""The same network in software: C kernels, bits in numpy, float32 in torch; and what times them."""

from .runner import BACKENDS, Result, Runner

__all__ = ["BACKENDS", "Result", "Runner"]
