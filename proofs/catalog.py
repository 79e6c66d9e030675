"""All the proofs there are."""

__all__ = ["PROOFS"]

from . import counter, exit, gearbox, popcount, replay
from .proof import Proof

PROOFS: tuple[Proof, ...] = (
    *counter.PROOFS,
    *gearbox.PROOFS,
    *exit.PROOFS,
    *replay.PROOFS,
    *popcount.PROOFS,
)
