"""All the proofs there are."""

__all__ = ["PROOFS"]

from . import gearbox, popcount
from .proof import Proof

PROOFS: tuple[Proof, ...] = (*gearbox.PROOFS, *popcount.PROOFS)
