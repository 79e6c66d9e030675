"""A Gowin netlist in the cells whose delays nextpnr knows."""

__all__ = ["to_timed_cells"]


from .rewrite import JsonCell, JsonModule, new_cell, next_net, readers

LUTS = ("LUT1", "LUT2", "LUT3", "LUT4")
INIT = "INIT"


def to_timed_cells(module: JsonModule) -> int:
    """Write all LUTs as LUT4, and put one before each flip-flop that has none of its own.

    nextpnr's timing analysis leaves out every path through a LUT1, LUT2 or LUT3, and through the
    LUTs that nextpnr itself puts before flip-flops, which are reached in no other way, when all is
    placed. A LUT is a flip-flop's own if nothing else reads it.

    Parameters
    ----------
    module : dict
        Flat, of Yosys's JSON; changed in place.

    Returns
    -------
    int
        LUTs that were put in.
    """
    cells = module["cells"]
    read, free = readers(module), next_net(module)
    of_luts = set()
    for cell in cells.values():
        if cell["type"] in LUTS:
            contents = cell["parameters"][INIT]
            cell["type"], cell["parameters"][INIT] = "LUT4", contents * (16 // len(contents))
            of_luts.add(cell["connections"]["F"][0])
    put: dict[str, JsonCell] = {}
    for name, cell in cells.items():
        if not cell["type"].startswith("DFF"):
            continue
        (net,) = cell["connections"]["D"]
        if isinstance(net, int) and not (net in of_luts and read[net] == 1):
            own = free + len(put)
            cell["connections"]["D"] = [own]
            put[f"{name}_way"] = new_cell("LUT4", {"I0": net}, {"F": own}, INIT="10" * 8)
    cells.update(put)
    return len(put)
