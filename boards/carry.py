"""Ends of ECP5's and Nexus' carry lines as nextpnr wants them."""

__all__ = ["end_carries"]

from collections import Counter
from typing import Any

from .rewrite import JsonCell, JsonModule, new_cell, next_net, readers

OPEN = ["x"]
CARRIES = ("CCU2C", "CCU2")
CONSTANTS = {"VLO": "0", "VHI": "1"}


def end_carries(module: JsonModule) -> tuple[int, int]:
    """Open the ends of carry lines where nothing depends on them; feed the others where it must be.

    For ECP5 nextpnr puts a CCU2C of its own before each line whose carry in is connected, be it to
    a constant, and one behind each whose carry out is a net, be it one that nobody reads: four LUT
    sites a line. A carry in makes no difference where a slot never lets it through and nobody reads
    the sums up to it; Yosys writes 0 there (for Nexus: a net that a VLO drives), and nextpnr takes
    "x" for not connected. For Nexus nextpnr feeds no line: here each other one gets a CCU2 for it.

    Parameters
    ----------
    module : dict
        Flat, of Yosys's JSON; changed in place.

    Returns
    -------
    int, int
        Connections that were taken away, and cells that were put in.
    """
    cells = module["cells"]
    read = readers(module)
    constants: dict[int | str, str] = {"0": "0", "1": "1"}
    carries = set()
    for cell in cells.values():
        if cell["type"] in CONSTANTS:
            constants[cell["connections"]["Z"][0]] = CONSTANTS[cell["type"]]
        elif cell["type"] in CARRIES:
            carries.add(cell["connections"].get("COUT", OPEN)[0])
    taken, unfed = 0, []
    for name, cell in cells.items():
        if cell["type"] not in CARRIES:
            continue
        pins = cell["connections"]
        if not read[pins.get("COUT", OPEN)[0]] and pins.get("COUT", OPEN) != OPEN:
            pins["COUT"] = OPEN
            taken += 1
        (carry_in,) = pins.get("CIN", OPEN)
        if constants.get(carry_in) == "0" and _no_carry_enters(cell, read, constants):
            pins["CIN"] = OPEN
            taken += 1
        elif cell["type"] == "CCU2" and [carry_in] != OPEN and carry_in not in carries:
            unfed.append(name)
    if unfed:
        one = next_net(module)
        cells["carry_one"] = new_cell("VHI", {}, {"Z": one})
        for net, name in enumerate(unfed, one + 1):
            cells[f"{name}_feed"] = _feed(cells[name], net, one)
    return taken, len(unfed)


def _no_carry_enters(
    cell: JsonCell, read: Counter[int | str], constants: dict[int | str, str]
) -> bool:
    """Whether a slot stops the carry, and nobody reads a sum up to it.

    A slot stops it whose C and D are 1, and its LUT 0 there.
    """
    pins = cell["connections"]
    for slot in "01":
        if read[pins.get(f"S{slot}", OPEN)[0]]:
            return False
        text = cell["parameters"][f"INIT{slot}"]
        contents = int(text, 16 if text.startswith("0x") else 2)
        ones = all(constants.get(pins[f"{pin}{slot}"][0]) == "1" for pin in "CD")
        if ones and contents >> 12 == 0:
            return True
    return False


def _feed(cell: JsonCell, net: int, one: int) -> JsonCell:
    """A CCU2 whose carry is what `cell` has for its carry in; it is put before that, by `net`."""
    inputs: dict[str, Any] = {f"{pin}{slot}": one for slot in "01" for pin in "ABCD"}
    (inputs["A1"],), cell["connections"]["CIN"] = cell["connections"]["CIN"], [net]
    # The second LUT is 0 with B, C and D 1, and its lower half then is A.
    return new_cell("CCU2", inputs, {"COUT": net}, INJECT="NO", INIT0="0x0000", INIT1="0x00AA")
