"""What `bnnhw bench` measured, and is kept in sw/records, as tables of the docs."""

__all__ = ["first_layer_table", "kept_files", "memory_table", "mlp_table", "product_table"]

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bnnhw.record import Record, read_records
from bnnhw.sw.kept import FOLDER
from bnnhw.sw.suite import Row, limits_of, rows_of

from .markdown import markdown

OURS = ("C, ", "CUDA, ")
TORCH = "torch, float32"
TORCHES = (TORCH, "torch, bfloat16", "torch, int8")
LAUNCH = "a launch that does nothing"
Case = tuple[str, int]


def kept_files() -> list[Path]:
    """The files, CPUs first."""
    return sorted(FOLDER.glob("*.json"))


def _cases(
    suits: Callable[[str], bool], files: Sequence[Path] = ()
) -> Iterator[tuple[Case, list[Row]]]:
    """Name and batch of the cases whose name suits, and their rows, file by file."""
    for path in files or kept_files():
        rows = rows_of(read_records(path))
        for case in dict.fromkeys((row.case, row.batch) for row in rows if suits(row.case)):
            yield case, [row for row in rows if (row.case, row.batch) == case]


def product_table() -> str:
    """The matrix product, contender by contender: time, rate, share of its limit and of the one
    that it would have without prefixes, against ours."""
    heads = ["on", "product", "with", "time", "T operations/s", "of its ceiling",
             "of that without prefixes", "ours is faster by"]  # fmt: skip
    table = []
    for path in kept_files():
        records = read_records(path)
        limits, rows = limits_of(records), [row for row in rows_of(records) if "^" in row.case]
        best = min((_seconds(row) for row in rows if row.contender.startswith(OURS)), default=0.0)
        for row in sorted(rows, key=_seconds):
            rate = 2 * float(row.case.removesuffix("^3")) ** 3 / _seconds(row)
            ceilings = [limits.get(f"{row.contender}{way}") for way in ("", ", without prefixes")]
            table.append(
                [
                    row.time.on,
                    row.case,
                    _with(row.contender, row.time),
                    f"{1e3 * _seconds(row):,.1f} ms",
                    f"{rate / 1e12:.3g}",
                    *(f"{rate / limit:.0%}" if limit else "" for limit in ceilings),
                    "" if row.contender.startswith(OURS) else f"{_seconds(row) / best:.1f}",
                ]
            )
    return markdown(heads, table)


def mlp_table() -> str:
    """The MLPs: samples a second of our fastest kernel, how many times those of torch, and where a
    launch or energy was measured, these."""
    heads = ["on", "network", "batch", "with", "samples/s", "caches cold"]
    table, more = [], [*(f"times {kind}" for kind in TORCHES), "times a launch", "uJ a sample"]
    for (case, batch), rows in _cases(_is_mlp):
        ours, named = _best(rows), {row.contender: row for row in rows}
        others = [named.get(kind) for kind in (*TORCHES, LAUNCH)]
        ratios = [_seconds(row) / _seconds(ours) if row else None for row in others]
        if ratios[-1]:
            ratios[-1] = 1 / ratios[-1]
        energy = 1e6 * float(ours.energy.value) / batch if ours.energy else None
        cells = [ours.time.on, case, f"{batch:,}", ours.contender]
        cells += [f"{batch / float(r.value):,.0f}" for r in (ours.time, ours.time_cold)]
        table.append([*cells, *(f"**{v:.1f}**" if v else "" for v in (*ratios, energy))])
    used = [i for i in range(len(heads + more)) if any(cells[i] for cells in table)]
    return markdown(
        [(heads + more)[i] for i in used], ([cells[i] for i in used] for cells in table)
    )


def memory_table() -> str:
    """What an MLP takes as a file and in memory: weights and thresholds, a sample's activations."""
    heads = ["on", "network", "with", "weights", "times less", "activations", "times less"]
    table = []
    for path in kept_files():
        files = {r.how: r for r in read_records(path) if r.name == "file"}
        for (case, batch), rows in _cases(_is_mlp, [path]):
            torch = _torch(rows)
            if batch > 1 or torch is None:
                continue  # the same for all batches
            file = files[f"{case}; the network's file"]
            on = torch.time.on
            table.append([on, case, "its file", *_less(file, torch.weights), "", ""])
            for row in rows:
                if row.weights and row.activations:
                    ours = row.contender.startswith(OURS)  # with all instructions the same
                    name = row.contender.partition(",")[0] if ours else row.contender
                    cells = [*_less(row.weights, torch.weights)]
                    cells += _less(row.activations, torch.activations)
                    table.append([on, case, name, *cells])
    return markdown(heads, list(dict.fromkeys(map(tuple, table))))


def first_layer_table() -> str:
    """A first layer on pixels of 8 bits: as bytes, and the products alone of its bit planes."""
    heads = ["on", "layer", "batch", "with", "bytes", "bit planes", "times"]
    table = []
    for (case, batch), rows in _cases(lambda name: "x" in name and not _is_mlp(name)):
        seconds = {row.contender: _seconds(row) for row in rows}
        for name, taken in seconds.items():
            if (others := seconds.get(f"{name}, bit planes")) is not None:
                cells = [f"{1e3 * taken:,.2f} ms", f"{1e3 * others:,.2f} ms"]
                ratio = f"**{others / taken:.1f}**"
                table.append([rows[0].time.on, case, f"{batch:,}", name, *cells, ratio])
    return markdown(heads, table)


def _is_mlp(name: str) -> bool:
    return "-" in name


def _best(rows: list[Row]) -> Row:
    return min((row for row in rows if row.contender.startswith(OURS)), key=_seconds)


def _torch(rows: list[Row]) -> Row | None:
    return next((row for row in rows if row.contender == TORCH), None)


def _less(ours: Record, theirs: Record | None) -> tuple[str, str]:
    """Bytes, and how many times less than others."""
    ratio = float(theirs.value) / float(ours.value) if theirs else 1.0
    return f"{int(ours.value):,} B", f"{ratio:.1f}" if ratio != 1 else ""


def _with(contender: str, record: Record) -> str:
    """The contender, and torch's version."""
    return ", ".join([contender, *(tool for name, tool in record.tools.items() if name == "torch")])


def _seconds(row: Row) -> float:
    return float(row.time.value)
