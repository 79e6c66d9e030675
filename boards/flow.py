"""Synthesis, and place and route: from Verilog to figures with their provenance."""

__all__ = ["Synthesis", "synth", "synth_popcount"]

import dataclasses
import functools
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from bnnhw import console
from bnnhw.errors import InputError, MissingToolError
from bnnhw.files import new_folder, write_text
from bnnhw.record import Record, commit, write_records
from bnnhw.technology import GENERIC, Technology
from bnnhw.tools import Found, find, run_tool

from .carry import end_carries
from .check import Checked, check_popcount
from .count import Counts, count
from .gowin import to_timed_cells
from .harness import HARNESS, harness_verilog
from .mapped import Mapped, write_mapped
from .netlist import read_netlist
from .rewrite import JsonModule, rewritten
from .route import Route, route
from .scripts import core_script, harness_script
from .source import Source, popcount_source, read_build
from .targets import FAMILIES, Target

RECORDS = "records.json"
# What a family's joined netlist needs before nextpnr takes it as it shall.
REWRITES: Mapping[str, Callable[[JsonModule], object]] = {
    "ecp5": end_carries, "nexus": end_carries, "gowin": to_timed_cells,
}  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What synthesis, and routing where it was asked for, gave.

    Parameters
    ----------
    source : Source
    target : Target
    folder : Path
        Logs, scripts, netlists, `records.json`, and of a routed one reports and bitstreams.
    counts : Counts
        Of the core's netlist.
    routes : tuple of Route
        One a seed; empty if not routed.
    tools : dict
        Tool to version.
    checked : Checked, optional
        Of a popcount: how its netlist did in simulation, where that was asked for.
    """

    source: Source
    target: Target
    folder: Path
    counts: Counts
    routes: tuple[Route, ...]
    tools: dict[str, str]
    checked: Checked | None = None

    @property
    def clock_hz(self) -> float | None:
        """Median of the seeds' clocks; None if not routed."""
        return statistics.median(r.clock_hz for r in self.routes) if self.routes else None

    @property
    def packed_sites(self) -> int | None:
        """What nextpnr makes of the core's LUT sites (median of the seeds); None if not routed."""
        if not self.routes:
            return None
        return statistics.median_low(r.packed_sites for r in self.routes)

    @functools.cached_property
    def records(self) -> list[Record]:
        """Every figure with its provenance."""
        record = functools.partial(
            Record, kind="measured", on=self.target.name, tools=self.tools, commit=commit()
        )
        counted = functools.partial(
            record, unit="1", how=f"counted on Yosys's netlist of {self.source.about}"
        )
        names = ("lut_sites", "luts", "carry_sites", "memory_sites", "ffs", "block_rams", "dsps")
        records = [counted(name=name, value=getattr(self.counts, name)) for name in names]
        for name in ("block_ram_bits", "lut_ram_bits"):
            records.append(counted(name=name, value=getattr(self.counts, name), unit="bit"))
        if self.checked is not None:
            how = f"netlist simulated on {self.checked.simulator}, compared with numpy"
            simulated = functools.partial(record, unit="1", how=how)
            records.append(simulated(name="vectors_simulated", value=self.checked.vectors))
            records.append(simulated(name="vectors_wrong", value=self.checked.wrong))
        if self.clock_hz is None:
            return records
        how = f"routed by {self.target.about.nextpnr} behind a harness, {self.source.about}"
        for one in self.routes:
            records.append(
                record(name="clock", value=one.clock_hz, unit="Hz", how=how, seed=one.seed)
            )
            records.append(
                record(
                    name="critical_path",
                    value=round((one.path.logic_ns + one.path.routing_ns) * 1e-9, 13),
                    unit="s",
                    how=f"{one.path.owner or 'top'}: {one.path.start} to {one.path.end}, of it "
                    f"{one.path.routing_ns:.1f} ns in wires; {how}",
                    seed=one.seed,
                )
            )
            less = f"{how}; the harness's own subtracted"
            records.append(
                record(
                    name="packed_sites",
                    value=one.packed_sites,
                    unit="1",
                    how=less,
                    seed=one.seed,
                )
            )
        if len(self.routes) > 1:
            clocks = [one.clock_hz for one in self.routes]
            seeds = ", ".join(str(one.seed) for one in self.routes)
            for name, value in (
                ("clock_median", self.clock_hz),
                ("clock_lowest", min(clocks)),
                ("clock_highest", max(clocks)),
            ):
                records.append(
                    record(name=name, value=value, unit="Hz", how=f"{how}; seeds {seeds}")
                )
        return records

    def table(self) -> Table:
        """What a person wants to see."""
        counts = self.counts
        rows: list[tuple[str, object]] = [
            ("LUT sites", counts.lut_sites),
            ("  LUT cells", counts.luts),
            ("  carry", counts.carry_sites),
            ("  memory in LUTs", counts.memory_sites),
            ("flip-flops", counts.ffs),
            ("block RAM", f"{counts.block_rams} ({counts.block_ram_bits / 1024:g} kbit)"),
            ("multipliers", counts.dsps),
        ]
        if self.checked is not None:
            rows.append(("vectors simulated", f"{self.checked.vectors:,}"))
            rows.append(("  wrong", f"{self.checked.wrong:,}"))
        for one in self.routes:
            slow = one.path
            rows += [
                (f"clock, seed {one.seed}", f"{one.clock_hz / 1e6:.1f} MHz"),
                ("  packed LUT sites", f"{one.packed_sites} ({one.share:.1%} of the device)"),
                ("  critical path", f"{slow.logic_ns:.2f} logic + {slow.routing_ns:.2f} wires ns"),
                ("    in", slow.owner or self.source.top),
                ("    from", slow.start),
                ("    to", slow.end),
            ]
        if len(self.routes) > 1 and self.clock_hz is not None:
            clocks = [one.clock_hz / 1e6 for one in self.routes]
            rows.append(("clock, median", f"{self.clock_hz / 1e6:.1f} MHz"))
            rows.append(("clock, spread", f"{min(clocks):.1f} to {max(clocks):.1f} MHz"))
        edited = ", EDITED" if self.source.edited else ""
        title = f"{self.source.about}{edited} on {self.target.name}"
        return console.table(title, ("what", "measured"), rows)

    def to_json(self) -> dict[str, Any]:
        """All of it; `lut_sites`, `clock_hz` and the like at the top."""
        counts = dataclasses.asdict(self.counts)
        return {
            "target": self.target.family,
            "device": self.target.name,
            "top": self.source.top,
            "about": self.source.about,
            "verilog_sha256": self.source.sha256,
            "model_sha256": self.source.model_sha256,
            "edited": self.source.edited,
            "folder": str(self.folder),
            "lut_sites": self.counts.lut_sites,
            **counts,
            "clock_hz": self.clock_hz,
            "packed_sites": self.packed_sites,
            "checked": self.checked and dataclasses.asdict(self.checked),
            "routes": [one.to_json() for one in self.routes],
            "tools": self.tools,
            "records": [record.to_json() for record in self.records],
        }


def synth(
    build: Path,
    *,
    target: Target | str | None = None,
    route: bool = False,
    freq_mhz: float | None = None,
    seeds: Sequence[int] = (1,),
    out: Path | None = None,
    allow_edited: bool = False,
) -> Synthesis:
    """Synthesize the core of a build folder, and place and route it.

    Parameters
    ----------
    build : Path
        Folder that `bnnhw generate` wrote.
    target : Target or str
        A device, or a family for its default device; by default the one it was generated for, and
        ecp5 for a generic core.
    route : bool
        Also place and route it behind a harness (all but xilinx7).
    freq_mhz : float
        What nextpnr shall try to reach; by default above what a grid reaches on the family.
    seeds : list of int
        nextpnr is run once with each.
    out : Path
        Folder to write; by default `synth-<family>` in the build folder. Replaced when all is done.
    allow_edited : bool
        Take Verilog that is not what the manifest says.

    Raises
    ------
    InputError
        No build folder, edited Verilog, no such device, a family that is not routed.
    MissingToolError, ToolError
    """
    source = read_build(Path(build), allow_edited=allow_edited)
    device = _device(source.made_for if target is None else target)
    out = out or Path(build) / f"synth-{device.family}"
    return _run(source, device, routed=route, freq_mhz=freq_mhz, seeds=seeds, out=out)


def synth_popcount(
    lanes: int,
    *,
    technology: Technology | None = None,
    baked: bool = False,
    check: bool = False,
    target: Target | str = "ecp5",
    route: bool = False,
    freq_mhz: float | None = None,
    seeds: Sequence[int] = (1,),
    out: Path | None = None,
) -> Synthesis:
    """Synthesize one XNOR-popcount; the other parameters as `synth`.

    Parameters
    ----------
    technology : Technology
        By default the target's family, with the fewest LUT sites: no registers inside, one line.
    baked : bool
        Constant weights instead of weights at run time.
    check : bool
        Simulate the netlist on corners and random vectors: `Synthesis.checked`.
    """
    device = _device(target)
    technology = technology or Technology(family=device.family, every=0, line=0)
    out = out or Path("build") / f"popcount{lanes}-{device.family}"
    source = popcount_source(lanes, technology, baked=baked)
    return _run(source, device, routed=route, freq_mhz=freq_mhz, seeds=seeds, out=out, check=check)


def _device(target: Target | str) -> Target:
    return Target(family=target) if isinstance(target, str) else target


def _run(
    source: Source,
    target: Target,
    *,
    routed: bool,
    freq_mhz: float | None,
    seeds: Sequence[int],
    out: Path,
    check: bool = False,
) -> Synthesis:
    out = Path(out)
    freq_mhz = target.about.freq_mhz if freq_mhz is None else freq_mhz
    if source.family not in (GENERIC, target.family):
        raise InputError(
            f"{source.about} names {source.family}'s cells, so the target is not {target.family}; "
            "generate it for that, or for generic"
        )
    _check(target, routed, freq_mhz, seeds)
    found = [find(name) for name in ["yosys", *([target.about.nextpnr] if routed else [])]]
    pack = _pack_tool(target) if routed else None
    if pack:
        found.append(pack)
    # A failed run's folder is thrown away: its log is kept beside it.
    keep_log = out.parent / f"{out.name}-failed.log"
    with new_folder(out, marker=RECORDS) as folder:
        for name, content in source.files.items():
            (folder / name).write_bytes(content)
        script = core_script(target, sources=list(source.files), top=source.top)
        _yosys(folder, "core", script, f"Yosys, {target.family}", keep_log)
        netlist = read_netlist(folder / "netlist.json", source.top)
        mapped = Mapped(
            folder=folder,
            target=target.family,
            device=target.name,
            top=source.top,
            verilog_sha256=source.sha256,
            cells=tuple(sorted(netlist.types)),
        )
        write_mapped(mapped)
        checked = None
        if check and source.counting is not None:
            with console.progress("simulating the netlist"):
                checked = check_popcount(
                    source.counting, mapped, netlist, folder / "check", keep_log
                )
        routes = []
        if routed:
            write_text(folder / "harness.v", harness_verilog(netlist))
            script = harness_script(target, harness=HARNESS, core=source.top)
            _yosys(folder, "harness", script, "Yosys, harness", keep_log)
            if target.family in REWRITES:
                with rewritten(folder / "routed.json", HARNESS) as module:
                    REWRITES[target.family](module)
            joined = read_netlist(folder / "routed.json", HARNESS)
            for seed in seeds:
                routes.append(
                    route(
                        target,
                        joined,
                        folder=folder,
                        seed=seed,
                        freq_mhz=freq_mhz,
                        pack=pack,
                        keep_log=keep_log,
                    )
                )
        for name in source.files:
            (folder / name).unlink()  # the build folder has it, and the result its hash
        result = Synthesis(
            source=source,
            target=target,
            folder=out,
            counts=count(netlist, target.family),
            routes=tuple(routes),
            tools={one.tool.name: one.version for one in found},
            checked=checked,
        )
        write_records(folder / RECORDS, result.records)
    keep_log.unlink(missing_ok=True)
    return result


def _pack_tool(target: Target) -> Found | None:
    """What makes the bitstream; no figure needs it, so without it there is only no bitstream."""
    try:
        return find(target.about.pack[0])
    except MissingToolError as error:
        console.remark(f"no bitstream: {error}")
        return None


def _check(target: Target, routed: bool, freq_mhz: float, seeds: Sequence[int]) -> None:
    if routed and not target.routable:
        raise InputError(
            f"{target.family} has no open place and route as a wheel: --route takes "
            f"{', '.join(name for name in FAMILIES if FAMILIES[name].nextpnr)}; leave it out"
        )
    if routed and not freq_mhz > 0:
        raise InputError(f"freq must be above 0 MHz, not {freq_mhz:g}")
    if not seeds or len(set(seeds)) < len(seeds):
        raise InputError(f"seeds must be one or more different numbers, not {list(seeds)}")
    if min(seeds) < 0:
        raise InputError(f"seed must be at least 0, not {min(seeds)}")


def _yosys(folder: Path, name: str, script: str, what: str, keep_log: Path) -> None:
    """Run one Yosys script in `folder`; `<name>.ys` and `<name>.log` stay there."""
    write_text(folder / f"{name}.ys", script)
    with console.progress(what) as bar:

        def show(line: str) -> None:
            step = re.match(r"[\d.]+\. Executing (\w+) pass", line)
            if step:
                bar.advance(0, note=step.group(1))

        run_tool(
            find("yosys"),
            ["-l", f"{name}.log", "-s", f"{name}.ys"],
            cwd=folder,
            log=folder / f"{name}.log",
            writes_log=True,  # the output of Yosys in WebAssembly ends with the first call of ABC
            keep_log=keep_log,
            on_line=show,
        )
        bar.advance(0, note="")
