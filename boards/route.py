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
from bnnhw.files import write_text
from bnnhw.tools import Found, find, run_tool

from .count import count
from .harness import core_of, harness_of
from .netlist import Cell, Netlist, read_netlist
from .targets import Target

PLACED = "top"  # what nextpnr calls the module that it writes
# Of a 16x4 memory: all, and those that take its writing, which nextpnr counts for ECP5 only.
MEMORY_SITES, WRITING_SITES = 6, 2
GLOBAL_CLOCK = (
    r"[Pp]romoting (clock net )?'?pin_clock|'pin_clock\S* net was routed using global resources"
)


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
        LUT sites (iCE40 and Gowin: those used for a flip-flop only included) that nextpnr made of
        the core: all minus the harness's.
    packed_ffs : int or None
        Flip-flops of the core; None where they are no sites of their own (iCE40).
    share : float
        Of the device's LUT sites, those the core takes, 0 to 1.
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
    share: float
    bitstream: str = ""

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


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
    family = target.about
    found = find(family.nextpnr)
    report, log = folder / f"report-{seed}.json", folder / f"{family.nextpnr}-{seed}.log"
    option, *ends = family.layout
    layout, image = (
        f"{name}-{seed}.{end}" for name, end in zip(("layout", "harness"), ends, strict=True)
    )
    if family.pins:
        write_text(folder / "pins.txt", family.pins)
    with console.progress(f"{found.tool.name}, seed {seed}") as bar:
        try:
            run_tool(
                found,
                [
                    *target.nextpnr_options(),
                    *["--json", "routed.json", "--report", report.name],
                    *[option, layout],
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
    if pack:
        arguments = [one.format(layout=layout, image=image) for one in family.pack[1:]]
        log = folder / f"{pack.tool.name}.log"
        run_tool(pack, arguments, cwd=folder, log=log, keep_log=keep_log)
    used = {kind: sites["used"] for kind, sites in utilisation.items()}
    memories = count(joined, target.family).memory_sites // MEMORY_SITES
    if target.family == "gowin":
        # Where a flip-flop has no LUT before it, one passes its input through; a memory's words lie
        # in LUTs beside its cell.
        placed = count(core_of(read_netlist(folder / layout, PLACED)), target.family)
        packed = placed.luts + placed.carry_sites + WRITING_SITES * memories
    else:
        packed = used[family.sites] - _harness_sites(joined, target.family)
        packed += WRITING_SITES * memories if target.family == "nexus" else 0
    ffs = used[family.ffs] - count(harness_of(joined), target.family).ffs if family.ffs else None
    return Route(
        seed=seed,
        goal_hz=freq_mhz * 1e6,
        clock_hz=reached["achieved"] * 1e6,
        path=path,
        used=used,
        available={kind: sites["available"] for kind, sites in utilisation.items()},
        packed_sites=packed,
        packed_ffs=ffs,
        share=packed / utilisation[family.sites]["available"],
        bitstream=image if pack else "",
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
    if not re.search(GLOBAL_CLOCK, log.read_text()):
        shutil.copyfile(log, keep_log)
        raise ToolError("nextpnr put the clock on no global net: no figure", log=keep_log)


def _harness_sites(joined: Netlist, family: str) -> int:
    """LUT sites or logic cells that are the harness's.

    On iCE40 a flip-flop shares the logic cell of the LUT that drives it and nothing else: one in
    the harness that is driven by a LUT of the core in that way takes no cell of its own.
    """
    harness = harness_of(joined)
    sites = count(harness, family).lut_sites
    if family == "ice40":
        ffs = (cell for cell in harness.cells if cell.type.startswith("SB_DFF"))
        sites += sum(not _shares_lut(joined, ff) for ff in ffs)
    return sites


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
