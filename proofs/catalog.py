"""All the proofs there are."""

__all__ = ["PROOFS"]

from . import counter, exit, gearbox, popcount
from .proof import Proof

PROOFS: tuple[Proof, ...] = (
    *counter.PROOFS,
    *gearbox.PROOFS,
    *exit.PROOFS,
    *popcount.PROOFS,
)
