"""Place and route: the harness's own is subtracted, the clock is a global net, reports are read."""

import itertools
import json
import re
import shutil
from pathlib import Path

import pytest
from designs import write_build

from bnnhw import cli
from bnnhw.boards import synth
from bnnhw.boards.route import GLOBAL_CLOCK, _check_global_clock, _critical_path
from bnnhw.errors import ToolError

REGISTERS = """
module top(input aclk, input [15:0] a, output reg [15:0] y);
  reg [15:0] x;
  always @(posedge aclk) begin x <= a; y <= x; end
endmodule
"""
# Outputs straight from LUTs: on iCE40 the harness's registers go into the core's logic cells.
GATES = """
module top(input aclk, input [15:0] a, b, output [15:0] y);
  reg [15:0] x;
  always @(posedge aclk) x <= a;
  assign y = x & b;
endmodule
"""
# 16 words of four bits in LUTs, written and read.
MEMORY = """
module top(input aclk, input we, input [3:0] wa, ra, d, output reg [3:0] y);
  (* ram_style = "distributed" *) reg [3:0] words [0:15];
  always @(posedge aclk) begin
    if (we) words[wa] <= d;
    y <= words[ra];
  end
endmodule
"""
# nextpnr makes constants 0 and 1 in LUTs of their own, needed or not: 1 on ECP5, 2 on iCE40. On
# Gowin the site of each flip-flop is taken.
PACKED = {  # design, target: LUT sites, packed sites, packed flip-flops
    ("registers", "ecp5"): (0, 0 + 1, 32),
    ("gates", "ecp5"): (16, 16 + 1, 16),
    ("registers", "ice40"): (0, 32 + 2, None),
    ("gates", "ice40"): (16, 32 + 2, None),
    ("registers", "nexus"): (0, 0, 32),
    ("gates", "nexus"): (16, 16, 16),
    ("registers", "gowin"): (0, 32, 32),
    ("gates", "gowin"): (16, 32, 16),
    ("memory", "ecp5"): (6, 6 + 1, 4),
    ("memory", "nexus"): (6, 6, 4),
    ("memory", "gowin"): (6, 6 + 4, 4),
}
# nextpnr's names of pins, and of LUT sites.
PINS = {"ecp5": "TRELLIS_IO", "ice40": "SB_IO", "nexus": "SEIO33_CORE", "gowin": "IOB"}
SITES = {"ecp5": "TRELLIS_COMB", "ice40": "ICESTORM_LC", "nexus": "OXIDE_COMB", "gowin": "LUT4"}


@pytest.mark.slow
@pytest.mark.parametrize(("design", "family"), PACKED)
def test_what_is_left_without_the_harness_is_the_core(
    design: str, family: str, tmp_path: Path
) -> None:
    verilog = {"registers": REGISTERS, "gates": GATES, "memory": MEMORY}[design]
    result = synth(write_build(tmp_path / "build", verilog), target=family, route=True)
    (routed,) = result.routes
    seen = (result.counts.lut_sites, routed.packed_sites, routed.packed_ffs)
    assert seen == PACKED[design, family]
    assert routed.used[PINS[family]] == 3


@pytest.mark.slow
@pytest.mark.parametrize("family", SITES)
def test_several_seeds_give_a_median_and_the_clock_is_on_a_global_net(
    family: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = write_build(tmp_path / "build")
    arguments = ["synth", str(build), "--target", family, "--route", "--seeds", "3,1,2", "--json"]
    assert cli.main([*arguments, "--freq", "123"]) == 0
    seen = json.loads(capsys.readouterr().out)
    clocks = [one["clock_hz"] for one in seen["routes"]]
    assert [one["seed"] for one in seen["routes"]] == [3, 1, 2]
    assert all(one["goal_hz"] == 123e6 for one in seen["routes"])
    assert seen["clock_hz"] == sorted(clocks)[1] and 50e6 < seen["clock_hz"] < 1e9
    figures = {r["name"]: r["value"] for r in seen["records"] if r["name"].startswith("clock_")}
    assert figures == {
        "clock_median": sorted(clocks)[1],
        "clock_lowest": min(clocks),
        "clock_highest": max(clocks),
    }
    folder = Path(seen["folder"])
    for one in seen["routes"]:
        (log,) = folder.glob(f"nextpnr-*{family}-{one['seed']}.log")
        assert re.search(GLOBAL_CLOCK, log.read_text())
        path = one["path"]
        nanoseconds = path["logic_ns"] + path["routing_ns"]
        assert one["share"] == one["packed_sites"] / one["available"][SITES[family]]
        assert nanoseconds == pytest.approx(1e9 / one["clock_hz"], abs=0.01)
        assert (folder / one["bitstream"]).stat().st_size > 100_000


# A line of CCU2s whose carry comes from a register, and one that adds what no slot stops.
CARRIES = """
module top(input aclk, input [7:0] a, b, input c, output reg [8:0] y, output reg [7:0] z);
  reg [7:0] x, w; reg ci;
  wire [7:0] s; wire [4:0] k;
  assign k[0] = ci;
  genvar i;
  for (i = 0; i < 4; i = i + 1) begin
    CCU2 #(.INJECT("NO"), .INIT0("0x96AA"), .INIT1("0x96AA")) slots (
      .CIN(k[i]), .A0(x[2 * i]), .B0(w[2 * i]), .C0(1'b0), .D0(1'b1),
      .A1(x[2 * i + 1]), .B1(w[2 * i + 1]), .C1(1'b0), .D1(1'b1),
      .S0(s[2 * i]), .S1(s[2 * i + 1]), .COUT(k[i + 1]));
  end
  always @(posedge aclk) begin x <= a; w <= b; ci <= c; y <= x + w; z <= s; end
endmodule
"""


@pytest.mark.slow
def test_a_carry_line_of_nexus_is_fed(tmp_path: Path) -> None:
    result = synth(write_build(tmp_path / "build", CARRIES), target="nexus", route=True)
    (routed,) = result.routes
    sites = result.counts.lut_sites
    assert result.counts.carry_sites >= 8
    assert routed.packed_sites == sites + 2 + 1  # a CCU2 before the own line; a constant


@pytest.mark.slow
def test_a_core_that_does_not_fit_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = REGISTERS.replace("[15:0]", "[999:0]")
    build = write_build(tmp_path / "build", wide)
    options = ["--target", "ice40", "--device", "hx1k", "--route"]
    assert cli.main(["synth", str(build), *options]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert re.match(
        r"bnnhw: too big for ice40 hx1k tq144: with its harness it takes "
        r"ICESTORM_LC \d{4} of 1280; the log is .*synth-ice40-failed\.log$",
        said,
    )
    assert sorted(p.name for p in build.iterdir()) == [
        *("manifest.json", "synth-ice40-failed.log", "top.v")
    ]


def step(kind: str, delay: float, begin: str, end: str) -> dict[str, object]:
    return {"type": kind, "delay": delay, "from": {"cell": begin}, "to": {"cell": end}}


PATHS = [
    (["core.fc1.grid.cell_0_0.a", "core.fc1.grid.cell_0_1.b"], "fc1.grid"),
    (
        ["core.fc1.grid.cell_0_0.a", "$nextpnr_LC_2", "core.fc1.grid.cell_0_0.b"],
        "fc1.grid.cell_0_0",
    ),
    (["core.fc1.a", "core.fc2.b"], ""),
    (["harness_in_7", "core.fc1.b"], "fc1"),
    (["harness_seen_7", "harness_shift_2"], "harness"),
]


@pytest.mark.parametrize(("cells", "owner"), PATHS)
def test_a_critical_path_belongs_to_the_innermost_instance_that_holds_it(
    cells: list[str], owner: str
) -> None:
    steps = [step("clk-to-q", 0.5, cells[0], cells[0])]
    for begin, end in itertools.pairwise(cells):
        steps += [step("routing", 1.25, begin, end), step("logic", 0.25, end, end)]
    other = {"from": "<async>", "to": "posedge clk", "path": [step("source", 9, "pin", "pin")]}
    path = _critical_path(
        [other, {"from": "posedge clk", "to": "posedge clk", "path": steps}], "posedge clk"
    )
    assert path.owner == owner
    assert path.cells == tuple(cell.removeprefix("core.") for cell in cells)
    assert (path.start, path.end) == (path.cells[0], path.cells[-1])
    assert (path.logic_ns, path.routing_ns) == (
        0.5 + 0.25 * (len(cells) - 1),
        1.25 * (len(cells) - 1),
    )


def test_a_clock_that_was_not_promoted_gives_no_figure(tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    log.write_text("Info: Promoting globals...\nInfo:     promoting clock net other to global\n")
    with pytest.raises(ToolError, match="no global net"):
        _check_global_clock(log, kept)
    assert kept.read_text() == log.read_text()
    shutil.copyfile(log, kept)
    log.write_text("Info: promoting pin_clock$SB_IO_IN (fanout 82)\n")
    _check_global_clock(log, kept)
