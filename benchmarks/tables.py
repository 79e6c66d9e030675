"""The kept records as tables of the docs."""

__all__ = [
    "LANES",
    "bound",
    "clock_table",
    "hardware_table",
    "least_per_lane",
    "lut_sites",
    "model_table",
    "packed_table",
    "popcount_table",
    "proofs_table",
    "scaling_table",
    "sites_per_lane",
]

from collections.abc import Iterable, Sequence
from statistics import median

from bnnhw.record import Record

from . import scaling
from .cases import CASES, FAMILIES, ModelCase
from .markdown import markdown
from .store import figures, kept

LANES = (8, 16, 32, 64, 128, 256, 512)
# LUT sites a lane that a family's structures tend to for many lanes.
LIMITS = {"nexus": 4 / 3, "gowin": 2.0, "ice40": 2.25}


def bound(family: str, lanes: int) -> float:
    """LUT sites that no structure of the family's class goes below, weights at run time.

    Of ecp5 and xilinx7; the others have `LIMITS`.
    """
    bits = lanes.bit_length()
    if family == "ecp5":
        return lanes - bits + lanes // 2
    carries = lanes // 2
    return carries + -(-(carries - (bits - 1)) // 2)


def lut_sites(name: str) -> int | None:
    """Of a kept record; None if it is not there."""
    return next((int(r.value) for r in kept(name) if r.name == "lut_sites"), None)


def sites_per_lane(family: str, kind: str) -> dict[int, float | None]:
    """Measured LUT sites a lane by lanes; `kind` is a popcount's, "-baked-plain" for example."""
    sites = {n: lut_sites(f"popcount-{n}{kind}-{family}") for n in LANES}
    return {n: None if count is None else count / n for n, count in sites.items()}


def least_per_lane(family: str) -> list[float]:
    """The bound or the limit, weights at run time, for each of `LANES`."""
    return [LIMITS.get(family) or bound(family, n) / n for n in LANES]


def popcount_table() -> str:
    """LUT sites a lane, measured, for all families and sizes; the bound is computed."""
    rows = []
    for family in FAMILIES:
        for what, suffix in (("run time", ""), ("constant", "-baked")):
            for kind, plain in (("", ""), (", plain", "-plain")):
                values = sites_per_lane(family, f"{suffix}{plain}").values()
                name = f"{family}, {what}{kind}"
                rows.append(_row(name if plain else f"**{name}**", values, plain == ""))
            if not suffix:
                name = f"{family}, {'limit' if family in LIMITS else 'bound'}"
                rows.append(_row(name, least_per_lane(family), False))
    return markdown(["", *(f"{n} lanes" for n in LANES)], rows)


def packed_table() -> str:
    """LUT sites of 64 lanes on Yosys's netlist, and what nextpnr makes of them, where it routes."""
    rows = []
    for family in FAMILIES:
        values = [figures(kept(f"popcount-64{kind}-{family}")) for kind in ("", "-plain")]
        if all("packed_sites" in value for value in values):
            cells = [f"{value[n]:.0f}" for value in values for n in ("lut_sites", "packed_sites")]
            rows.append([family, *cells])
    return markdown(["64 lanes", "LUT sites", "packed", "plain: LUT sites", "packed"], rows)


def hardware_table() -> str:
    """The registered popcount of 64 lanes and the demo core on every family."""
    heads = ["target", "64-lane XNOR-popcount: LUT sites", "FFs", "clock, MHz",
             "demo core: LUT sites", "FFs", "block RAM", "clock, MHz"]  # fmt: skip
    rows = []
    for family in FAMILIES:
        count, demo = kept(f"popcount-64-registered-{family}"), kept(f"demo-{family}")
        if count and demo:
            cells = [
                family,
                *(f"{figures(count)[name]:,.0f}" for name in ("lut_sites", "ffs")),
                _clocks(count),
                *(f"{figures(demo)[name]:,.0f}" for name in ("lut_sites", "ffs", "block_rams")),
                _clocks(demo),
            ]
            rows.append(cells)
    return markdown(heads, rows)


def _clocks(records: Sequence[Record]) -> str:
    """`327 (326 to 332)`: the median, lowest and highest in MHz."""
    clocks = [float(record.value) / 1e6 for record in records if record.name == "clock"]
    if not clocks:
        return ""
    return f"{median(clocks):.0f} ({min(clocks):.0f} to {max(clocks):.0f})"


def proofs_table() -> str:
    """Each proof's solver time, and the wall times of `make prove` and `make prove-all`."""
    rows = []
    quick, whole = kept("proofs"), kept("proofs-all")
    for record in whole:
        if record.name != "wall":
            rows.append((f"`{record.name}`", record.how, f"{float(record.value):.0f}"))
    for name, records in (("make prove", quick), ("make prove-all", whole)):
        for record in records:
            if record.name == "wall":
                what = f"{record.how}, {record.on}"
                rows.append((f"**{name}**", what, f"**{float(record.value):.0f}**"))
    return markdown(("proof", "how", "seconds"), rows)


def _row(name: str, values: Iterable[float | None], bold: bool) -> list[str]:
    mark = "**" if bold else ""
    return [name, *("" if value is None else f"{mark}{value:.2f}{mark}" for value in values)]


def path_owner(how: str) -> str:
    """Whose the path of a record is: an instance's, or from one to another."""
    owner, path = how.split(": ", 1)
    if owner != "top":
        return f"`{owner}`"
    ends = path.split(",")[0].split(" to ")
    return " to ".join(dict.fromkeys(f"`{_instance(end)}`" for end in ends))


def _instance(cell: str) -> str:
    if cell.startswith("harness_"):
        return "harness"
    return cell.rpartition(".")[0] or "top"


def clock_table() -> str:
    """What was routed: sites, clock over the seeds, and who owns the longest path of each seed."""
    heads = ["design", "on", "LUT sites", "packed", "FFs", "block RAM", "MHz", "seeds", "limit"]
    rows = []
    for case in CASES:
        records = kept(case.name)
        if not case.routed or not records:
            continue
        value = figures(records)
        paths = [r for r in records if r.name == "critical_path"]
        owners = dict.fromkeys(path_owner(r.how) for r in paths)
        cells = [
            case.name.removesuffix(f"-{case.family}"),
            records[0].on,
            *(f"{value[name]:,.0f}" for name in ("lut_sites", "packed_sites", "ffs", "block_rams")),
            f"**{value['clock_median'] / 1e6:.0f}**",
            ", ".join(f"{float(r.value) / 1e6:.0f}" for r in records if r.name == "clock"),
            ", ".join(owners),
        ]
        rows.append(cells)
    return markdown(heads, rows)


def model_table() -> str:
    """The networks: images a second at the routed clock, latency, operations a LUT site."""
    heads = ["core", "LUT sites", "FFs", "block RAM", "clock", "images/s", "latency",
             "operations/s a LUT site"]  # fmt: skip
    rows = []
    for case in CASES:
        value = figures(kept(case.name))
        if isinstance(case, ModelCase) and value:
            cells = [
                case.name,
                *(f"{value[name]:,.0f}" for name in ("lut_sites", "ffs", "block_rams")),
                f"{value['clock_median'] / 1e6:.0f} MHz",
                f"{value['throughput'] / 1e6:.2f} M",
                f"{value['latency'] * 1e6:.2f} us",
                f"{value['operations_per_lut_site'] / 1e6:.1f} M",
            ]
            rows.append(cells)
    return markdown(heads, rows)


def scaling_table() -> str:
    """Processor seconds and memory of the tools, by grid size."""
    sizes = [f"{n}x{n}" for n in scaling.SIZES]
    rows, records = [], kept("scaling")
    for stage in scaling.STAGES:
        for name, unit, scale in (("cpu", "s", 1.0), ("peak_memory", "MB", 1e6)):
            found = [
                next(
                    f"{float(r.value) / scale:.0f} {unit}"
                    for r in records
                    if r.name == name and r.how.startswith(f"{stage}, {size} ")
                )
                for size in sizes
                if records
            ]
            rows.append([stage, *found])
    return markdown(["", *(f"{size} cells" for size in sizes)], rows)
