"""Writes Verilog that is the same on every machine."""

__all__ = ["to_verilog"]

import os
from typing import Any


def to_verilog(component: Any, top: str) -> str:
    """A component as Verilog, its top module named `top`.

    Amaranth's own Yosys (from PyPI, pinned) writes it, so that a Yosys on the user's PATH cannot
    change a byte; sources' paths and hashes stay out.
    """
    from amaranth.back import verilog

    before = os.environ.get("AMARANTH_USE_YOSYS")
    os.environ["AMARANTH_USE_YOSYS"] = "builtin"
    try:
        return str(verilog.convert(component, name=top, emit_src=False, strip_internal_attrs=True))
    finally:
        if before is None:
            del os.environ["AMARANTH_USE_YOSYS"]
        else:
            os.environ["AMARANTH_USE_YOSYS"] = before
