"""A harness of three pins around a core, so that a core of any width can be placed and routed.

Every input of the core comes from a register of one long shift register, every output goes into a
register, and those are XORed into a second shift register: nothing of the core is left out, every
path from and to it begins and ends at a register. The only pins are clock, data in, data out. The
clock comes in by a pin and is put on a global net by nextpnr, as on a board.
"""

__all__ = ["HARNESS", "core_of", "harness_of", "harness_verilog"]

import dataclasses

from bnnhw.errors import InputError

from .netlist import Netlist

HARNESS = "bnnhw_harness"
CLOCKS = ("aclk", "clk")
FIRST_STAGES = 8  # between the pin and the first input: the pin's place shall not matter
CORE_PREFIXES = ("core.", "$flatten\\core.")


def harness_verilog(netlist: Netlist) -> str:
    """Verilog of the harness, with the core as a black box called `core` in it."""
    clock = next((name for name in CLOCKS if name in netlist.ports), None)
    if clock is None:
        raise InputError(f"{netlist.top}: no clock port; it must be called {' or '.join(CLOCKS)}")
    inputs: list[tuple[str, int]] = []
    outputs: list[tuple[str, int]] = []
    for name, (direction, bits) in netlist.ports.items():
        if direction not in ("input", "output"):
            raise InputError(f"{netlist.top}: port {name} is {direction}; in and out can be routed")
        if name != clock:
            (inputs if direction == "input" else outputs).append((name, len(bits)))
    if not outputs:
        raise InputError(f"{netlist.top}: no outputs, so there is nothing to route")
    width_in = FIRST_STAGES + sum(width for _, width in inputs)
    width_out = sum(width for _, width in outputs)
    stub = ", ".join(
        [
            f"input {clock}",
            *(f"input [{width - 1}:0] \\{name} " for name, width in inputs),
            *(f"output [{width - 1}:0] \\{name} " for name, width in outputs),
        ]
    )
    slices = [f".{clock}(pin_clock)"]
    for vector, first, ports in (
        ("harness_in", FIRST_STAGES, inputs),
        ("harness_out", 0, outputs),
    ):
        low = first
        for name, width in ports:
            slices.append(f".\\{name} ({vector}[{low + width - 1}:{low}])")
            low += width
    connections = ",\n    ".join(slices)
    shifted = f"{{harness_shift[{width_out - 2}:0], 1'b0}}" if width_out > 1 else "1'b0"
    return f"""\
(* blackbox *)
module {netlist.top}({stub});
endmodule

module {HARNESS}(input pin_clock, input pin_in, output pin_out);
  reg [{width_in - 1}:0] harness_in;
  wire [{width_out - 1}:0] harness_out;
  reg [{width_out - 1}:0] harness_seen;
  reg [{width_out - 1}:0] harness_shift;
  assign pin_out = harness_shift[{width_out - 1}];
  always @(posedge pin_clock) begin
    harness_in <= {{harness_in[{width_in - 2}:0], pin_in}};
    harness_seen <= harness_out;
    harness_shift <= {shifted} ^ harness_seen;
  end
  {netlist.top} core(
    {connections}
  );
endmodule
"""


def core_of(joined: Netlist) -> Netlist:
    """The core's cells of a core in its harness, joined or placed."""
    return _part(joined, core=True)


def harness_of(joined: Netlist) -> Netlist:
    """The harness's own cells."""
    return _part(joined, core=False)


def _part(joined: Netlist, *, core: bool) -> Netlist:
    cells = (cell for cell in joined.cells if cell.name.startswith(CORE_PREFIXES) == core)
    return dataclasses.replace(joined, cells=tuple(cells))
