"""What `bnnhw bench` measured on GPUs that are not here: the records kept in `records/`."""

__all__ = ["FOLDER", "kept_timings"]

from pathlib import Path

from bnnhw.network import Network
from bnnhw.record import read_records

from .bench import BATCH, Timing
from .suite import Row, mlp_name, rows_of

FOLDER = Path(__file__).parent / "records"
WEIGHT_BITS = {"torch, float32": 32, "torch, bfloat16": 16}


def kept_timings(network: Network) -> list[Timing]:
    """Of an MLP of the benchmark's sizes, GPU by GPU: our fastest kernel, and torch.

    Its weights are others, on which no time depends.
    """
    name = mlp_name(network)
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        rows = [row for row in rows_of(read_records(path)) if row.case == name]
        ours = [_fastest(rows, batch) for batch in (1, BATCH)]
        if None in ours:
            continue
        pairs = [ours]
        for name in WEIGHT_BITS:
            pairs.append([_named(rows, batch, name) for batch in (1, BATCH)])
        for one, many in pairs:
            if one and many:
                found.append(
                    Timing(
                        runs=f"{many.contender}, kept",
                        weight_bits=WEIGHT_BITS.get(many.contender, 1),
                        one=one.time,
                        many=many.time,
                    )
                )
    return found


def _fastest(rows: list[Row], batch: int) -> Row | None:
    """Of our kernels: few samples take another one."""
    mine = [row for row in rows if row.batch == batch and row.contender.startswith("CUDA, ")]
    return min(mine, key=_seconds, default=None)


def _named(rows: list[Row], batch: int, name: str) -> Row | None:
    return next((row for row in rows if (row.batch, row.contender) == (batch, name)), None)


def _seconds(row: Row) -> float:
    return float(row.time.value)
