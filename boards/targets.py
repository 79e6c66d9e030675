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
        The Yosys command that maps to its cells. Without the multiplexers behind LUTs
        (`-nowidelut`) where a LUT has 4 inputs, so that a LUT is a site.
    no_pads : str
        Its option that makes no pads: figures are of the core. Empty where it makes none.
    cells : str
        Yosys's models of its cells, for Verilog that names them.
    packages : dict
        Device to package, where it can be routed; the first is the default.
    speeds : tuple of str
        Speed grades that nextpnr takes; the first is the default. Empty where the device says it.
    nextpnr : str
        Tool that places and routes it; empty where bnnhw does not route it.
    options : tuple of str
        Options that tell it the device, with `{device}`, `{speed}` and `{package}` for the
        target's, and how to place.
    pins : str
        Constraints for the harness's three pins, `pins.txt` among the options; empty where nextpnr
        chooses them.
    layout : tuple of str
        Its option for the placed and routed design that the bitstream is made of, and how the names
        of that and of the bitstream end.
    pack : tuple of str
        Tool that makes the bitstream, and its arguments with `{layout}` and `{image}`.
    freq_mhz : float
        What nextpnr is told to reach, above what is expected of a grid, else it stops trying.
    sites, ffs : str
        What nextpnr calls its places for LUTs and for flip-flops; in an iCE40 logic cell they are
        one.
    """

    name: str
    synth: str
    cells: str
    packages: Mapping[str, str]
    no_pads: str = ""
    speeds: tuple[str, ...] = ()
    nextpnr: str = ""
    options: tuple[str, ...] = ()
    pins: str = ""
    layout: tuple[str, str, str] = ("", "", "")
    pack: tuple[str, ...] = ()
    freq_mhz: float = 0
    sites: str = ""
    ffs: str = ""


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
                # The placer weighs a wire's length against its slack, and by default (10) too
                # little for a grid, whose wires are short by themselves but for a few. 16x16 cells
                # with seeds 11, 12, 13: 60 gave 208, 211, 225 MHz, 120 gave 264, 237, 231.
                options=(
                    *("--{device}", "--speed", "{speed}", "--package", "{package}"),
                    *("--placer-heap-timingweight", "120", "--lpf-allow-unconstrained"),
                ),
                layout=("--textcfg", "config", "bit"),
                pack=("ecppack", "--input", "{layout}", "--bit", "{image}"),
                freq_mhz=300,
                sites="TRELLIS_COMB",
                ffs="TRELLIS_FF",
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
                # As for ecp5. 8x8 cells, seeds 11, 12, 13: 10 gave 170, 154, 138, 60 gave 201, 199,
                # 195.
                options=(
                    *("--{device}", "--package", "{package}"),
                    *("--placer-heap-timingweight", "60"),
                ),
                layout=("--asc", "asc", "bin"),
                pack=("icepack", "{layout}", "{image}"),
                freq_mhz=250,
                sites="ICESTORM_LC",
            ),
            Family(
                name="gowin",
                synth="synth_gowin -family gw2a -nowidelut",
                no_pads="-noiopads",
                cells="+/gowin/cells_sim.v",
                packages={"gw2a-18": "PG256"},
                speeds=("C8/I7",),
                nextpnr="nextpnr-himbaechel-gowin",
                options=(
                    *("--device", "GW2A-LV18{package}{speed}", "--vopt", "family=GW2A-18"),
                    *("--vopt", "cst=pins.txt"),
                ),
                pins='IO_LOC "pin_clock" H11;\nIO_LOC "pin_in" T10;\nIO_LOC "pin_out" C13;\n',
                layout=("--write", "json", "fs"),
                pack=("gowin_pack", "-d", "GW2A-18", "-o", "{image}", "{layout}"),
                freq_mhz=250,
                sites="LUT4",
                ffs="DFF",
            ),
            Family(
                name="nexus",
                synth="synth_nexus -nowidelut",
                no_pads="-noiopad",
                cells="+/nexus/cells_sim.v",
                packages={"lifcl-40": "BG400C"},
                speeds=("7", "8", "9"),
                nextpnr="nextpnr-nexus",
                options=("--device", "LIFCL-40-{speed}{package}", "--pdc", "pins.txt"),
                # From most pins nextpnr's router finds no way to the clock's driver.
                pins="".join(
                    f"ldc_set_location -site {{{site}}} [get_ports pin_{port}]\n"
                    for port, site in (("clock", "D10"), ("in", "G14"), ("out", "E17"))
                ),
                layout=("--fasm", "fasm", "bit"),
                pack=("prjoxide", "pack", "{layout}", "{image}"),
                freq_mhz=250,
                sites="OXIDE_COMB",
                ffs="OXIDE_FF",
            ),
            Family(
                name="xilinx7",
                synth="synth_xilinx -family xc7 -flatten -noclkbuf",
                no_pads="-noiopad",
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
        usual = family.packages[device]
        if family.pins and self.package not in ("", usual):
            raise InputError(
                f"{self.family} {device} is routed in package {usual} only, not {self.package!r}"
            )
        object.__setattr__(self, "device", device)
        object.__setattr__(self, "speed", speed)
        object.__setattr__(self, "package", self.package or usual)

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

    def synth_command(self, top: str, *, pads: bool = False) -> str:
        """The Yosys command that maps module `top` to this device's cells.

        With `pads`, where nextpnr does not make them.
        """
        options = [self.about.synth]
        if self.family == "ice40":
            options.append(f"-device {ICE40_SYNTH_DEVICE[self.device[:2]]}")
        if self.about.no_pads and not pads:
            options.append(self.about.no_pads)
        return " ".join([*options, "-top", top])

    def nextpnr_options(self) -> list[str]:
        """What tells nextpnr the device, and how to place."""
        given = {"device": self.device, "speed": self.speed, "package": self.package}
        return [option.format(**given) for option in self.about.options]


def target(family: str, *, device: str = "", speed: str = "", package: str = "") -> Target:
    """A `Target`, checked; empty options are the family's defaults."""
    return Target(family=family, device=device, speed=speed, package=package)
