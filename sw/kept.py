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
        batches = {(row.contender, row.batch): row for row in rows}
        both = [row for row in rows if row.batch == BATCH and (row.contender, 1) in batches]
        ours = sorted((row for row in both if row.contender.startswith("CUDA, ")), key=_seconds)
        theirs = [row for row in both if row.contender in WEIGHT_BITS]
        for row in [*ours[:1], *(theirs if ours else [])]:
            found.append(
                Timing(
                    runs=f"{row.contender}, kept",
                    weight_bits=WEIGHT_BITS.get(row.contender, 1),
                    one=batches[row.contender, 1].time,
                    many=row.time,
                )
            )
    return found


def _seconds(row: Row) -> float:
    return float(row.time.value)
