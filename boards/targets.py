"""The devices bnnhw synthesizes for: one `Target` a family, with the options of its tools."""

__all__ = ["FAMILIES", "Target", "target"]

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from bnnhw.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """What a family's devices have in common.

    Parameters
    ----------
    name : str
    synth : str
        The Yosys command that maps to its cells. Without pads: figures are of the core. Without the
        multiplexers behind LUTs (`-nowidelut`) where a LUT has 4 inputs, so that a LUT is a site.
    cells : str
        Yosys's models of its cells, for Verilog that names them.
    packages : dict
        Device to package, where it can be routed; the first is the default.
    speeds : tuple of str
        Speed grades that nextpnr takes; the first is the default. Empty where the device says it.
    nextpnr : str
        Tool that places and routes it; empty where bnnhw does not route it yet.
    device_option : str
        What nextpnr calls its devices, `{}` being the device.
    pack : str
        Tool that makes the bitstream.
    freq_mhz : float
        What nextpnr is told to reach, above what is expected of a grid, else it stops trying.
    place : tuple of str
        Options for its placer.
    """

    name: str
    synth: str
    cells: str
    packages: Mapping[str, str]
    speeds: tuple[str, ...] = ()
    nextpnr: str = ""
    device_option: str = "--{}"
    pack: str = ""
    freq_mhz: float = 0
    place: tuple[str, ...] = ()


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            Family(
                name="ecp5",
                synth="synth_ecp5 -nowidelut",
                cells="+/ecp5/cells_sim.v",
                packages={
                    "85k": "CABGA756",
                    "45k": "CABGA554",
                    "25k": "CABGA381",
                    "12k": "CABGA381",
                    "um-85k": "CABGA756",
                    "um-45k": "CABGA554",
                    "um-25k": "CABGA381",
                    "um5g-85k": "CABGA756",
                    "um5g-45k": "CABGA554",
                    "um5g-25k": "CABGA381",
                },
                speeds=("6", "7", "8"),
                nextpnr="nextpnr-ecp5",
                pack="ecppack",
                freq_mhz=300,
                # The placer weighs a wire's length against its slack, and by default (10) too
                # little for a grid, whose wires are short by themselves but for a few. 16x16 cells
                # with seeds 11, 12, 13: 60 gave 208, 211, 225 MHz, 120 gave 264, 237, 231.
                place=("--placer-heap-timingweight", "120"),
            ),
            Family(
                name="ice40",
                # Fewer flip-flops than two tiles have take no clock enable of their own: a tile has
                # one, and each is a net to place a tile by (docs/timing.md).
                synth="synth_ice40 -dffe_min_ce_use 16",
                cells="+/ice40/cells_sim.v",
                packages={
                    "hx8k": "ct256",
                    "hx4k": "tq144",
                    "hx1k": "tq144",
                    "lp8k": "ct256",
                    "lp1k": "qn84",
                    "up5k": "sg48",
                },
                nextpnr="nextpnr-ice40",
                pack="icepack",
                freq_mhz=250,
                # As for ecp5. 8x8 cells, seeds 11, 12, 13: 10 gave 170, 154, 138, 60 gave 201, 199,
                # 195.
                place=("--placer-heap-timingweight", "60"),
            ),
            Family(
                name="gowin",
                synth="synth_gowin -family gw2a -nowidelut -noiopads",
                cells="+/gowin/cells_sim.v",
                packages={"gw2a-18": ""},
            ),
            Family(
                name="nexus",
                synth="synth_nexus -nowidelut -noiopad",
                cells="+/nexus/cells_sim.v",
                packages={"lifcl-40": ""},
            ),
            Family(
                name="xilinx7",
                synth="synth_xilinx -family xc7 -flatten -noiopad -noclkbuf",
                cells="+/xilinx/cells_sim.v",
                packages={"xc7": ""},
            ),
        )
    }
)

ICE40_SYNTH_DEVICE = {"hx": "hx", "lp": "lp", "up": "u"}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One device of a family: what synthesis and routing are for.

    Parameters
    ----------
    family : str
        A key of `FAMILIES`.
    device : str
        For example `85k`; empty for the family's default.
    speed : str
        Speed grade; empty for the default.
    package : str
        Empty for the device's usual one.
    """

    family: str
    device: str = ""
    speed: str = ""
    package: str = ""

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise InputError(f"target must be one of {', '.join(FAMILIES)}, not {self.family!r}")
        family = FAMILIES[self.family]
        device = self.device or next(iter(family.packages))
        if device not in family.packages:
            raise InputError(
                f"{self.family} device must be one of {', '.join(family.packages)}, not {device!r}"
            )
        speed = self.speed or next(iter(family.speeds), "")
        if speed and speed not in family.speeds:
            known = ", ".join(family.speeds) or "left out"
            raise InputError(f"{self.family} speed must be {known}, not {speed!r}")
        object.__setattr__(self, "device", device)
        object.__setattr__(self, "speed", speed)
        object.__setattr__(self, "package", self.package or family.packages[device])

    @property
    def about(self) -> Family:
        return FAMILIES[self.family]

    @property
    def name(self) -> str:
        """`ecp5 85k speed 6 CABGA756`: what a record is `on`."""
        speed = f"speed {self.speed}" if self.speed else ""
        return " ".join(part for part in (self.family, self.device, speed, self.package) if part)

    @property
    def routable(self) -> bool:
        return bool(self.about.nextpnr)

    def synth_command(self, top: str) -> str:
        """The Yosys command that maps module `top` to this device's cells."""
        device = ""
        if self.family == "ice40":
            device = f" -device {ICE40_SYNTH_DEVICE[self.device[:2]]}"
        return f"{self.about.synth}{device} -top {top}"

    def nextpnr_options(self) -> list[str]:
        """What tells nextpnr the device, and how to place."""
        speed = ["--speed", self.speed] if self.speed else []
        return [
            self.about.device_option.format(self.device),
            *speed,
            "--package",
            self.package,
            *self.about.place,
        ]


def target(family: str, *, device: str = "", speed: str = "", package: str = "") -> Target:
    """A `Target`, checked; empty options are the family's defaults."""
    return Target(family=family, device=device, speed=speed, package=package)
