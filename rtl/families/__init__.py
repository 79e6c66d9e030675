"""How each family of devices writes a planned counter: its LUTs, its carry cells, their twins."""

__all__ = ["FAMILIES", "Family"]

from .ecp5 import Ecp5
from .family import Family
from .gowin import Gowin
from .ice40 import Ice40
from .nexus import Nexus
from .xilinx7 import Xilinx7

FAMILIES: dict[str, Family] = {
    one.name: one for one in (Ecp5(), Gowin(), Ice40(), Nexus(), Xilinx7())
}
