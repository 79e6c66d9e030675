"""The Yosys scripts: a core to a mapped netlist, and that netlist behind its harness."""

__all__ = ["LINKS", "core_script", "harness_script"]

from .targets import Target

LINKS = ("a_link", "addr_link", "ps_link")  # registers between the cells of a grid
CELL_MODULES = "*cell_*"  # the modules that hold them


def core_script(target: Target, *, sources: list[str], top: str) -> str:
    """Yosys script from Verilog files to `netlist.json`, `netlist.v` and `core.il`.

    The registers between a grid's cells must stay apart: those on an anti-diagonal always hold
    the same value, `opt_merge` would make one of them, and its wires would cross the chip (164
    instead of 223 MHz at 16x16 cells). So the flip-flops that drive the wires `LINKS` in modules
    called `cell_...`, and any register that the Verilog marks `(* keep = 1 *)`, are marked as soon
    as `proc` has made them. `keep` itself, which also holds on to flip-flops that nothing reads,
    comes only when the flat design has been swept of those, by passes that merge nothing: the last
    row's links, for one, go nowhere.
    """
    names = " ".join(f"{CELL_MODULES}/w:{link}" for link in LINKS)
    unions = " %u" * (len(LINKS) - 1)
    return "\n".join(
        [
            f"read_verilog -lib {target.about.cells}",
            *(f"read_verilog {source}" for source in sources),
            f"hierarchy -check -top {top}",
            "proc",
            # %ci1:+[Q]: also the cells whose port Q drives a wire of the set
            f"select -set links {names}{unions} %ci1:+[Q] t:$*dff* %i",
            "select -set marked w:* a:keep %i %ci1:+[Q] t:$*dff* %i",
            "setattr -set bnnhw_link 1 @links @marked",
            "setattr -unset keep w:* a:keep %i",  # which would also hold what nothing reads
            "flatten",
            "opt_expr",
            "opt_clean",
            "wreduce",
            "opt_clean",
            "setattr -set keep 1 t:$*dff* a:bnnhw_link %i",
            target.synth_command(top),
            f"select -assert-none {top}/t:$* {top}/t:$scopeinfo %d",
            "write_json netlist.json",
            "write_verilog -noattr netlist.v",
            "write_rtlil core.il",
            "",
        ]
    )


def harness_script(target: Target, *, harness: str, core: str) -> str:
    """Yosys script that maps `harness.v`, and puts the core's finished netlist into it.

    The core is a black box while the harness is mapped, so what is routed is the netlist that was
    counted, cell for cell, and all its cells are called `core....`.
    """
    return "\n".join(
        [
            "read_verilog harness.v",
            target.synth_command(harness, pads=True),
            f"delete ={core}",
            "read_rtlil core.il",
            f"hierarchy -check -top {harness}",
            "flatten",
            "write_json routed.json",
            "",
        ]
    )
