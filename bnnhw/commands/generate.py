"""Write Verilog for a trained network, or for one layer of a chosen size.

bnnhw generate model.safetensors --target-fps 100000 -o build
bnnhw generate model.safetensors --folding folding.toml -o build
bnnhw generate model.safetensors --target ecp5 -o build
bnnhw generate model.safetensors --target ecp5 --budget 20000,56 -o build
bnnhw generate model.safetensors --layer fc1 --rows 16 --cols 2 --lanes 16 -o build
bnnhw generate --inputs 784 --neurons 256 --rows 16 --cols 2 --lanes 16 -o build
bnnhw generate --map 32x32x3 --kernel 3 --neurons 64 --input-bits 8 --planes 8 -o build
"""

import argparse
from pathlib import Path
from typing import Any

from ..technology import GENERIC, LINE, TECHNOLOGIES, Technology

GRID = ("rows", "cols", "lanes", "planes", "weights", "band", "positions")
HELP = "write Verilog for a network, or for one layer of a chosen size"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, nargs="?", help="network file (.safetensors)")
    parser.add_argument(
        "-o", dest="build", type=Path, default=Path("build"), metavar="DIR",
        help="folder to write (default: build)",
    )  # fmt: skip
    parser.add_argument(
        "--output", choices=("class", "scores", "bits"),
        help="what the core gives (default: class; bits where the network ends in bits)",
    )  # fmt: skip
    parser.add_argument(
        "--vectors", type=int, default=64, metavar="N",
        help="random test vectors beside those at the edges (default: 64)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, default=0, help="of random weights and test vectors (default: 0)"
    )
    folded = parser.add_argument_group("how a network is folded")
    folded.add_argument("--folding", type=Path, metavar="FILE", help="folding file (.toml)")
    folded.add_argument(
        "--target-fps", type=float, metavar="F",
        help="the smallest core that gives F images a second (default: one in 1,024 cycles)",
    )  # fmt: skip
    folded.add_argument(
        "--clock-mhz", type=float, default=150.0, metavar="C",
        help="the clock at which it does (default: 150)",
    )  # fmt: skip
    folded.add_argument(
        "--budget", metavar="LUTS[,RAMS]",
        help="the fastest core of about so many of the target's LUT sites, and block RAMs",
    )  # fmt: skip
    written = parser.add_argument_group("what it is written for")
    written.add_argument(
        "--target", choices=TECHNOLOGIES, default=GENERIC,
        help="a family, whose carry cells and LUTs are then used; or any (default: generic)",
    )  # fmt: skip
    written.add_argument(
        "--every", type=int, default=1, metavar="N",
        help="a register after every N operations of a counter: more are slower and smaller "
        "(default: 1; 0: only at its end)",
    )  # fmt: skip
    written.add_argument(
        "--line", type=int, default=LINE, metavar="N",
        help=f"slots of the longest carry line; 0: no limit (default: {LINE})",
    )  # fmt: skip
    written.add_argument(
        "--open-tables", action="store_true",
        help="no register behind weights in LUTs: a flip-flop a lane less, and slower",
    )  # fmt: skip
    layer = parser.add_argument_group("one layer of a chosen size")
    layer.add_argument("--layer", metavar="NAME", help="this layer of the model alone")
    layer.add_argument("--inputs", type=int, metavar="K", help="a random layer's inputs")
    layer.add_argument("--neurons", type=int, metavar="M", help="and its neurons")
    layer.add_argument(
        "--map", dest="shape", type=_sizes, metavar="HxWxC", help="a random convolution's map"
    )
    layer.add_argument("--kernel", type=_both, metavar="K|KHxKW", help="and its kernel")
    layer.add_argument("--stride", type=_both, metavar="S|SYxSX", help="its stride (default: 1)")
    layer.add_argument(
        "--padding", type=_both, metavar="P|PYxPX",
        help="positions of padding on each side (default: 0)",
    )  # fmt: skip
    layer.add_argument("--input-bits", type=int, metavar="B", help="bits an input (default: 1)")
    layer.add_argument("--rows", type=int, metavar="R", help="neurons at a time (default: 1)")
    layer.add_argument("--cols", type=int, metavar="C", help="cells side by side (default: 1)")
    layer.add_argument("--lanes", type=int, metavar="L", help="inputs a cell (default: 16)")
    layer.add_argument(
        "--planes", type=int, choices=(1, 2, 4, 8), help="bit-planes at a time (default: 1)"
    )
    layer.add_argument(
        "--weights", choices=("auto", "baked", "bram"),
        help="constants in LUTs, or block RAM (default: auto)",
    )  # fmt: skip
    layer.add_argument(
        "--band", type=int, metavar="R", help="rows that one register serves (default: 1)"
    )
    layer.add_argument(
        "--positions", type=int, metavar="Q",
        help="windows of a convolution at a time, each on a grid of its own (default: 1)",
    )  # fmt: skip


def _sizes(text: str) -> tuple[int, ...]:
    """`28x28x1` as (28, 28, 1)."""
    if not all(part.isdecimal() for part in text.split("x")):
        raise argparse.ArgumentTypeError(f"must be sizes such as 3x3, not {text!r}")
    return tuple(map(int, text.split("x")))


def _both(text: str) -> tuple[int, ...]:
    """`3x2` as (3, 2), `3` as (3, 3)."""
    sizes = _sizes(text)
    return sizes * 2 if len(sizes) == 1 else sizes


def run(args: argparse.Namespace) -> dict[str, Any]:
    import warnings

    from amaranth.hdl import UnusedElaboratable

    from .. import console
    from ..generation import choose
    from ..proposal import Budget
    from ..rtl.emit import generate

    # Ctrl-C leaves components without a use, and Amaranth would warn of each as it goes.
    warnings.simplefilter("ignore", UnusedElaboratable)
    technology = Technology(
        family=args.target, every=args.every, line=args.line, open_tables=args.open_tables
    )
    network, folding = choose(
        model=args.model,
        layer=args.layer,
        inputs=args.inputs,
        neurons=args.neurons,
        input_bits=args.input_bits,
        shape=args.shape,
        kernel=args.kernel,
        stride=args.stride,
        padding=args.padding,
        folding=args.folding,
        grid={name: getattr(args, name) for name in GRID},
        target_fps=args.target_fps,
        clock_hz=args.clock_mhz * 1e6,
        budget=Budget.parse(args.budget) if args.budget is not None else None,
        technology=technology,
        output=args.output,
        seed=args.seed,
    )
    with console.progress(f"Generating {args.build}"):
        manifest = generate(
            network,
            args.build,
            folding=folding,
            technology=technology,
            output=args.output,
            vectors=args.vectors,
            seed=args.seed,
        )
    if not args.json:
        console.out.print(_told(manifest, args.build, args.clock_mhz * 1e6))
    return manifest


def _told(manifest: dict[str, Any], build: Path, clock_hz: float) -> str:
    """What was made, in four lines."""
    from ..inspection import told_grid

    several = any(layer["folding"]["positions"] > 1 for layer in manifest["layers"])
    sizes = "rows x cols x lanes" + (", before them positions at once" if several else "")
    grids = [f"{layer['name']} {told_grid(layer['folding'], 'x')}" for layer in manifest["layers"]]
    interval, latency = manifest["interval"], manifest["latency"]
    until = "" if latency is None else f", {latency:,} from first beat to result"
    family = manifest["technology"]["family"]
    target = "any tool" if family == GENERIC else f"{family}'s cells"
    return "\n".join(
        [
            f"core      {build / manifest['top']}.v, for {target}",
            f"grids     {', '.join(grids)} ({sizes})",
            f"cycles    {interval:,} an image{until}",
            f"speed     {clock_hz / interval:,.0f} images/s at {clock_hz / 1e6:g} MHz",
        ]
    )
