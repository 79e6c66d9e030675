"""The netlist that `bnnhw synth` made of a core, in the core's place in a simulation."""

__all__ = ["netlist_core", "netlist_folder"]

import dataclasses
from pathlib import Path

from ..errors import InputError
from .core import Core


def netlist_folder(core: Core, folder: Path | None) -> Path:
    """The folder of a core's netlist: the one named, or the only one in the build folder."""
    if folder is not None:
        return folder
    from ..boards.mapped import FACTS

    found = sorted(path.parent for path in core.folder.glob(f"synth-*/{FACTS}"))
    if not found:
        raise InputError(
            f"{core.folder}: no netlist in it; `bnnhw synth {core.folder}` makes one, or name "
            "its folder"
        )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise InputError(f"{core.folder}: has several netlists ({names}); name the folder of one")
    return found[0]


def netlist_core(core: Core, folder: Path, *, check: bool = True) -> Core:
    """The core with its netlist and the models of the cells in place of its Verilog.

    Parameters
    ----------
    folder : Path
        What `bnnhw synth` wrote.
    check : bool
        Compare the files' hashes: the netlist is as Yosys wrote it, and of this core's Verilog.

    Raises
    ------
    InputError
        No such folder, or the netlist of something else.
    """
    from ..boards.mapped import read_mapped
    from ..boards.models import cell_models
    from ..boards.source import read_build

    mapped = read_mapped(folder, check=check)
    if check and mapped.verilog_sha256 != read_build(core.folder).sha256:
        raise InputError(
            f"{folder}: its netlist is not of the Verilog in {core.folder}; "
            f"`bnnhw synth {core.folder} --target {mapped.target}` makes one"
        )
    return dataclasses.replace(
        core,
        verilog=(mapped.verilog,),
        netlist=mapped.device,
        models=cell_models(mapped.target, mapped.cells),
    )
