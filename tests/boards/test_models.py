"""Our twins of cells: equal to the shipped model where there is one, else to plain Verilog."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bnnhw.boards.models import CELLS, LIBRARIES, cell_models, share_folder, shipped_models
from bnnhw.boards.netlist import read_netlist
from bnnhw.boards.scripts import core_script
from bnnhw.boards.targets import Target
from bnnhw.errors import ToolError
from bnnhw.tools import find, run_tool

needs_icarus = pytest.mark.skipif(
    not shutil.which("iverilog"), reason="needs: apt-get install iverilog"
)

# Every twin that stands in for a shipped model, and the parameter sets for which it is proved.
PROVED = {("gowin", "ALU"): [{"ALU_MODE": mode} for mode in range(10)]}


def test_every_twin_of_a_shipped_model_is_in_the_table_of_proofs() -> None:
    assert {(f, cell) for f, lib in LIBRARIES.items() for cell in lib.proved} == set(PROVED)


def proof(folder: Path, family: str, cell: str, twin: str) -> bool:
    """Whether Yosys proves that the twin is the shipped model, for all its sets of parameters."""
    shipped = shipped_models(share_folder(), family)[1][cell]
    (folder / "gold.v").write_text(shipped.replace(f"module {cell}", "module gold"))
    (folder / "gate.v").write_text(twin.replace(f"module {cell}", "module gate"))
    lines = []
    for parameters in PROVED[family, cell]:
        sets = " ".join(f"-set {name} {value}" for name, value in parameters.items())
        lines += [
            "design -reset",
            "read_verilog gold.v gate.v",
            f"chparam {sets} gold gate",
            "proc",
            "miter -equiv -flatten gold gate miter",
            "hierarchy -top miter",
            "sat -verify -prove trigger 0 -set-def-inputs miter",
        ]
    (folder / "prove.ys").write_text("\n".join(lines))
    try:
        run_tool(find("yosys"), ["-s", "prove.ys"], cwd=folder, log=folder / "log")
    except ToolError as error:
        assert "proof did fail" in (folder / "log").read_text(), error
        return False
    return True


@pytest.mark.parametrize(("family", "cell"), PROVED)
def test_a_twin_is_proved_equal_to_the_shipped_model(
    tmp_path: Path, family: str, cell: str
) -> None:
    assert proof(tmp_path, family, cell, cell_models(family, [cell]))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("ALU_MODE == 5 ? I1", "ALU_MODE == 5 ? I0"),
        ("I0 ^ I1 ^ !I3 ", "I0 ^ I1 ^ I3 "),
        ("s ? CIN : c", "c ? CIN : s"),
    ],
)
def test_a_broken_twin_fails_its_proof(tmp_path: Path, right: str, wrong: str) -> None:
    twin = cell_models("gowin", ["ALU"])
    assert right in twin
    assert not proof(tmp_path, "gowin", "ALU", twin.replace(right, wrong))


# Memories that together make Yosys use every block RAM cell in every width, and multipliers. `one`
# has a single port, which reads the old word where it writes; `two` writes its halves separately.
MEMORIES = [
    ("rom", 1024, 9), ("rom", 512, 18), ("rom", 512, 36), ("rom", 2048, 4), ("rom", 300, 40),
    ("ram", 512, 36), ("ram", 1024, 18), ("ram", 2048, 9), ("ram", 4096, 4),
    ("ram", 8192, 2), ("ram", 16384, 1), ("ram", 512, 72), ("ram", 600, 20), ("one", 1024, 16),
    ("two", 1024, 18), ("mul", 0, 9), ("mul", 0, 14), ("mul", 0, 30),
]  # fmt: skip
USED = {
    "ecp5": {"DP16KD", "MULT18X18D"},
    "gowin": {"SP", "SPX9", "SDPX9B", "DPB", "DPX9B", "MULT9X9", "MULT18X18", "MULT36X36"},
    "nexus": {"PDPSC16K"},
    "xilinx7": {"RAMB18E1", "RAMB36E1"},
}


def memories() -> str:
    """A module with all of MEMORIES; `pick` chooses whose word is shown."""
    lines = [
        "module top(input clk, input [13:0] ra, wa, input we, input [71:0] d,",
        "           input [4:0] pick, output reg [71:0] q);",
        "integer i;",
    ]
    for i, (kind, depth, width) in enumerate(MEMORIES):
        if kind == "mul":
            words = f"$signed(d[{width - 1}:0]) * $signed(d[36 +: {width}])"
            lines += [
                f"reg signed [{2 * width - 1}:0] q{i};",
                f"always @(posedge clk) q{i} <= {words};",
            ]
            continue
        top = (depth - 1).bit_length() - 1
        style = "rom" if kind == "rom" else "ram"
        lines.append(f'(* {style}_style = "block" *) reg [{width - 1}:0] m{i} [0:{depth - 1}];')
        lines.append(f"reg [{width - 1}:0] q{i};")
        word = "(i * 64'd2654435761 ^ (i * 64'd40503 << 13)) >> 7"
        lines.append(f"initial for (i = 0; i < {depth}; i = i + 1) m{i}[i] = {word};")
        if kind == "two":
            half = f"m{i}[wa[{top}:0]][{width // 2 - 1}:0] <= d"
            lines.append(f"always @(posedge clk) if (we) {half};")
            half = f"m{i}[wa[{top}:0]][{width - 1}:{width // 2}] <= d[40 +: {width // 2}]"
            lines.append(f"always @(posedge clk) if (ra[3]) {half};")
        elif kind != "rom":
            lines.append(f"always @(posedge clk) if (we) m{i}[wa[{top}:0]] <= d;")
        address = "wa" if kind == "one" else "ra"
        lines.append(f"always @(posedge clk) q{i} <= m{i}[{address}[{top}:0]];")
    shown = " ".join(f"{i}: q = q{i};" for i in range(len(MEMORIES)))
    return "\n".join(
        [*lines, f"always @* case (pick) {shown} default: q = 0; endcase", "endmodule"]
    )


CYCLES = 1000  # at most; the first wrong word ends it
BENCH = f"""
module bench;
  reg clk = 0, we = 0;
  reg [13:0] ra = 0, wa = 0;
  reg [71:0] d = 0;
  reg [4:0] pick = 0;
  wire [71:0] q1, q2;
  integer seed = 7, i, j, bad = 0, known = 0;
  gold g(.clk(clk), .ra(ra), .wa(wa), .we(we), .d(d), .pick(pick), .q(q1));
  top t(.clk(clk), .ra(ra), .wa(wa), .we(we), .d(d), .pick(pick), .q(q2));
  initial begin
    for (i = 0; i < {CYCLES} && bad == 0; i = i + 1) begin
      #5 clk = 1;
      for (j = 0; j < {len(MEMORIES)}; j = j + 1) begin
        pick = j;
        #1 if (^q1 !== 1'bx) known = known + 1;
        if (^q1 !== 1'bx && q1 !== q2) bad = bad + 1;
      end
      clk = 0;
      ra = $random(seed);
      wa = $random(seed);
      we = $random(seed);
      if (i % 4 != 0) begin  // in a corner, where words are read again and clash
        ra = ra % 16;
        wa = wa % 16;
      end
      d = {{$random(seed), $random(seed), $random(seed)}};
    end
    $display("%0d wrong of %0d", bad, known);
    $finish;
  end
endmodule
"""


def said_by_bench(folder: Path, netlist: str, models: str) -> str:
    gold = memories().replace("module top", "module gold")
    (folder / "all.v").write_text("\n".join([BENCH, gold, netlist, models]))
    compile_it = ["iverilog", "-g2005", "-s", "bench", "-o", "all.vvp", "all.v"]
    subprocess.run(compile_it, cwd=folder, check=True, capture_output=True)
    run = ["vvp", "all.vvp"]
    return subprocess.run(run, cwd=folder, check=True, capture_output=True, text=True).stdout


def mapped(folder: Path, family: str) -> tuple[str, set[str]]:
    """The memories' netlist for a family, and its cells."""
    (folder / "top.v").write_text(memories())
    script = core_script(Target(family=family), sources=["top.v"], top="top")
    (folder / "core.ys").write_text(script)
    run_tool(find("yosys"), ["-s", "core.ys"], cwd=folder, log=folder / "log")
    cells = set(read_netlist(folder / "netlist.json", "top").types)
    return (folder / "netlist.v").read_text(), cells


@pytest.mark.slow
@needs_icarus
@pytest.mark.parametrize("family", USED)
def test_memories_and_multipliers_made_of_the_twins_do_what_plain_verilog_does(
    tmp_path: Path, family: str
) -> None:
    netlist, cells = mapped(tmp_path, family)
    assert cells & set(LIBRARIES[family].written) == USED[family]
    said = said_by_bench(tmp_path, netlist, cell_models(family, cells))
    assert said.startswith("0 wrong of ")
    # Not of all: a plain memory of 300 words has none at higher addresses.
    assert int(said.split()[-1]) > 0.95 * CYCLES * len(MEMORIES)


BROKEN = {
    "a byte's write enable": ("we_a[g]", "we_a[0]"),
    "a word's first byte": ("ad - ad % slots(width)", "ad"),
    "a bit's place": ("mem[ad / 8][first(width, ad) % 8 + k]", "mem[ad / 8][k]"),
    "the clash of two ports": ("we[g]\n", "1\n"),
}


@pytest.mark.slow
@needs_icarus
def test_a_broken_block_ram_is_seen(tmp_path: Path) -> None:
    netlist, cells = mapped(tmp_path, "ecp5")
    models = cell_models("ecp5", cells)
    assert (CELLS / "block_ram.v").is_file()
    for what, (right, wrong) in BROKEN.items():
        assert right in models, what
        said = said_by_bench(tmp_path, netlist, models.replace(right, wrong))
        assert not said.startswith("0 wrong"), what


def test_a_cell_without_a_model_is_one_line() -> None:
    with pytest.raises(ToolError, match=r"no simulation model of ecp5's EHXPLLL, PDPW16KD"):
        cell_models("ecp5", ["LUT4", "PDPW16KD", "EHXPLLL"])


@pytest.mark.parametrize("family", LIBRARIES)
def test_a_familys_models_are_plain_verilog_and_whole(family: str, tmp_path: Path) -> None:
    library = LIBRARIES[family]
    shipped = shipped_models(share_folder(), family)[1]
    for cell in library.proved:
        assert cell in shipped
    for cell in library.written:
        assert "always" not in shipped.get(cell, "") and "assign" not in shipped.get(cell, "")
    text = cell_models(family, [*library.proved, *library.written, *BASIC[family]])
    assert "specify" not in text and text.count("`if") == text.count("`endif")


BASIC = {
    "ecp5": ("LUT4", "CCU2C", "TRELLIS_FF", "TRELLIS_DPR16X4", "PFUMX", "L6MUX21"),
    "ice40": ("SB_LUT4", "SB_CARRY", "SB_DFFESR", "SB_RAM40_4K"),
    "gowin": ("LUT4", "ALU", "DFFRE", "RAM16SDP4"),
    "nexus": ("LUT4", "CCU2", "FD1P3IX", "DPR16X4", "WIDEFN9"),
    "xilinx7": ("LUT6", "LUT6_2", "CARRY4", "FDRE", "RAM32M", "SRL16E", "MUXF7"),
}


def test_a_native_yosys_has_its_models_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = share_folder()
    program = tmp_path / "bin" / "yosys"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho Yosys 0.70\n")
    program.chmod(0o755)
    monkeypatch.setenv("YOSYS", str(program))
    with pytest.raises(ToolError, match="no cell models beside it"):
        share_folder()
    config = program.with_name("yosys-config")
    config.write_text(f"#!/bin/sh\necho {share}\n")
    config.chmod(0o755)
    assert share_folder() == share
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "yosys").symlink_to(share)
    assert share_folder() == tmp_path / "share" / "yosys"
