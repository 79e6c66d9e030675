"""All the proofs there are."""

__all__ = ["PROOFS"]

from . import (
    argmax,
    cell,
    columns,
    counter,
    edge,
    exit,
    gearbox,
    marks,
    netlist,
    pool,
    popcount,
    replay,
    windows,
)
from .proof import Proof

PROOFS: tuple[Proof, ...] = (
    *counter.PROOFS,
    *gearbox.PROOFS,
    *exit.PROOFS,
    *replay.PROOFS,
    *windows.PROOFS,
    *columns.PROOFS,
    *pool.PROOFS,
    *marks.PROOFS,
    *popcount.PROOFS,
    *cell.PROOFS,
    *edge.PROOFS,
    *argmax.PROOFS,
    *netlist.PROOFS,
)
