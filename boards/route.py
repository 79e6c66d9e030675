"""Place and route: nextpnr on a core in its harness; clock, critical path, sites, bitstream."""

__all__ = ["CriticalPath", "Route", "route"]

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any

from bnnhw import console
from bnnhw.errors import ToolError
from bnnhw.tools import Found, find, run_tool

from .harness import harness_cells
from .netlist import Cell, Netlist
from .targets import Target

# What nextpnr calls the places for LUTs and for flip-flops; in an iCE40 logic cell they are one.
SITES = {"ecp5": "TRELLIS_COMB", "ice40": "ICESTORM_LC"}
FFS = {"ecp5": "TRELLIS_FF"}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CriticalPath:
    """The longest path from register to register.

    Parameters
    ----------
    start, end : str
        Cells it begins and ends at, without the harness's `core.` before them.
    owner : str
        Innermost instance that holds all of it: `layer_fc1.grid`; empty for the top, `harness`
        where it touches no cell of the core.
    logic_ns, routing_ns : float
        Time in cells (clock-to-output and setup with them) and in wires.
    cells : tuple of str
        All cells along it.
    """

    start: str
    end: str
    owner: str
    logic_ns: float
    routing_ns: float
    cells: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One run of nextpnr.

    Parameters
    ----------
    seed : int
    goal_hz : float
        What nextpnr was told to reach.
    clock_hz : float
        What it reached.
    path : CriticalPath
    used, available : dict
        nextpnr's kind of site to number: all that is used, harness included, and what there is.
    packed_sites : int
        LUT sites (iCE40: logic cells, those used for a flip-flop only included) that nextpnr made
        of the core: all minus the harness's.
    packed_ffs : int or None
        Flip-flops of the core; None where they are no sites of their own (iCE40).
    bitstream : str
        Name of the file; empty where it was not made.
    """

    seed: int
    goal_hz: float
    clock_hz: float
    path: CriticalPath
    used: dict[str, int]
    available: dict[str, int]
    packed_sites: int
    packed_ffs: int | None
    bitstream: str = ""

    @property
    def share(self) -> float:
        """Of the device's LUT sites, those the core takes, 0 to 1."""
        (there,) = [self.available[kind] for kind in SITES.values() if kind in self.available]
        return self.packed_sites / there

    def to_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "share": self.share}


def route(
    target: Target,
    joined: Netlist,
    *,
    folder: Path,
    seed: int,
    freq_mhz: float,
    pack: Found | None,
    keep_log: Path,
) -> Route:
    """Place and route `routed.json` in `folder`; with `pack` also make the bitstream."""
    found = find(target.about.nextpnr)
    report, log = folder / f"report-{seed}.json", folder / f"{target.about.nextpnr}-{seed}.log"
    layout, image = _layout_files(target, seed)
    with console.progress(f"{found.tool.name}, seed {seed}") as bar:
        try:
            run_tool(
                found,
                [
                    *target.nextpnr_options(),
                    *(["--lpf-allow-unconstrained"] if target.family == "ecp5" else []),
                    *["--json", "routed.json", "--report", report.name],
                    *["--textcfg" if target.family == "ecp5" else "--asc", layout],
                    *["--freq", f"{freq_mhz:g}", "--seed", str(seed), "--timing-allow-fail"],
                ],
                cwd=folder,
                log=log,
                keep_log=keep_log,
                on_line=lambda line: _show(bar, line),
            )
        except ToolError:
            _check_room(log, target, keep_log)
            raise
        _check_global_clock(log, keep_log)
        try:
            reported = json.loads(report.read_text())
            utilisation = reported["utilization"]
            ((clock, reached),) = reported["fmax"].items()
            path = _critical_path(reported["critical_paths"], f"posedge {clock}")
        except (OSError, ValueError, KeyError, StopIteration) as error:
            raise ToolError(f"{found.tool.name}'s report is not whole ({error!r})") from None
        bar.advance(0, note=f"{reached['achieved']:.1f} MHz")
    used = {kind: sites["used"] for kind, sites in utilisation.items()}
    harness = harness_cells(joined)
    sites, ffs = SITES[target.family], FFS.get(target.family)
    return Route(
        seed=seed,
        goal_hz=freq_mhz * 1e6,
        clock_hz=reached["achieved"] * 1e6,
        path=path,
        used=used,
        available={kind: sites["available"] for kind, sites in utilisation.items()},
        packed_sites=used[sites] - _harness_sites(target.family, joined, harness),
        packed_ffs=None if ffs is None else used[ffs] - sum(c.type == ffs for c in harness),
        bitstream=_pack(pack, folder, layout, image, keep_log) if pack else "",
    )


def _show(bar: console.Bar, line: str) -> None:
    step = re.match(r"Info: ((?:\w+ing|HeAP|Router\d)\b[\w /-]*)", line)
    if step:
        bar.advance(0, note=step.group(1))


def _check_room(log: Path, target: Target, keep_log: Path) -> None:
    """Say it in words where nextpnr failed because the device is too small."""
    needed = re.findall(r"^Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s+\d+%$", log.read_text(), re.MULTILINE)
    over = [f"{kind} {used} of {there}" for kind, used, there in needed if int(used) > int(there)]
    if over:
        raise ToolError(
            f"too big for {target.name}: with its harness it takes {', '.join(over)}", log=keep_log
        ) from None


def _check_global_clock(log: Path, keep_log: Path) -> None:
    """A clock in the fabric would give a figure that no board ever shows."""
    if not re.search(r"[Pp]romoting (clock net )?pin_clock\S* ", log.read_text()):
        shutil.copyfile(log, keep_log)
        raise ToolError("nextpnr put the clock on no global net: no figure", log=keep_log)


def _harness_sites(family: str, joined: Netlist, harness: list[Cell]) -> int:
    """LUT sites or logic cells that are the harness's.

    On iCE40 a flip-flop shares the logic cell of the LUT that drives it and nothing else: one in
    the harness that is driven by a LUT of the core in that way takes no cell of its own.
    """
    if family == "ecp5":
        return sum(cell.type == "LUT4" for cell in harness)
    luts = sum(cell.type == "SB_LUT4" for cell in harness)
    ffs = [cell for cell in harness if cell.type.startswith("SB_DFF")]
    return luts + sum(not _shares_lut(joined, ff) for ff in ffs)


def _shares_lut(joined: Netlist, ff: Cell) -> bool:
    net = ff.bit("D")
    driver, _ = joined.drivers.get(net, (None, ""))
    return driver is not None and driver.type == "SB_LUT4" and joined.readers[net] == 1


def _critical_path(paths: list[dict[str, Any]], edge: str) -> CriticalPath:
    steps = next(path["path"] for path in paths if path["from"] == path["to"] == edge)
    cells = list(dict.fromkeys(step[end]["cell"] for step in steps for end in ("from", "to")))
    wires = sum(step["delay"] for step in steps if step["type"] == "routing")
    return CriticalPath(
        start=_plain(cells[0]),
        end=_plain(cells[-1]),
        owner=_owner(cells),
        logic_ns=round(sum(step["delay"] for step in steps) - wires, 3),
        routing_ns=round(wires, 3),
        cells=tuple(_plain(cell) for cell in cells),
    )


def _plain(cell: str) -> str:
    return cell.removeprefix("core.")


def _owner(cells: list[str]) -> str:
    """What the instances of the core's cells have in common, read off their names."""
    owners = [cell.split(".")[1:-1] for cell in cells if cell.startswith("core.")]
    if not owners:
        return "harness"
    common = []
    for parts in zip(*owners, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return ".".join(common)


def _layout_files(target: Target, seed: int) -> tuple[str, str]:
    if target.family == "ecp5":
        return f"layout-{seed}.config", f"harness-{seed}.bit"
    return f"layout-{seed}.asc", f"harness-{seed}.bin"


def _pack(pack: Found, folder: Path, layout: str, image: str, keep_log: Path) -> str:
    """The bitstream's name."""
    ecppack = pack.tool.name == "ecppack"
    arguments = ["--input", layout, "--bit", image] if ecppack else [layout, image]
    log = folder / f"{pack.tool.name}.log"
    run_tool(pack, arguments, cwd=folder, log=log, keep_log=keep_log)
    return image
