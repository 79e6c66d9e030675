"""Small Verilog designs, and the build folders that hold them."""

__all__ = ["LINKS", "write_build"]

import hashlib
import json
from pathlib import Path

from bnnhw.rtl.emit import SCHEMA

# Two cells fed alike, so all their registers are equal: merged, there are 12 flip-flops, not 24.
# `spare_link` drives nothing. `cell_` and `_link` can be replaced by names without a meaning.
LINKS = """
module cell_a(input aclk, input [3:0] a, input [7:0] ps, output [3:0] a_out, output [7:0] ps_out);
  reg [3:0] a_link;
  reg [7:0] ps_link;
  always @(posedge aclk) begin
    a_link <= a;
    ps_link <= ps + a;
  end
  assign a_out = a_link;
  assign ps_out = ps_link;
endmodule

module top(input aclk, input [3:0] a, input [7:0] ps, output [3:0] x0, x1, output [7:0] y0, y1);
  cell_a cell_0(.aclk(aclk), .a(a), .ps(ps), .a_out(x0), .ps_out(y0));
  cell_a cell_1(.aclk(aclk), .a(a), .ps(ps), .a_out(x1), .ps_out(y1));
  cell_a cell_2(.aclk(aclk), .a(x1), .ps(y1), .a_out(), .ps_out());
endmodule
"""


def write_build(folder: Path, verilog: str = LINKS, top: str = "top") -> Path:
    """A folder as `bnnhw generate` writes it, as far as `synth` looks at it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{top}.v").write_text(verilog)
    manifest = {
        "schema": SCHEMA,
        "top": top,
        "model_sha256": "ab" * 32,
        "files": [
            {"path": f"{top}.v", "sha256": hashlib.sha256(verilog.encode()).hexdigest()},
            {"path": "vectors.safetensors", "sha256": "0" * 64},
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
