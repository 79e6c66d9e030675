"""What goes into the shim and comes out of it, without a simulator."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sim_bench import make

from bnnhw.errors import InputError
from bnnhw.golden import evaluate
from bnnhw.sim.checker import first_mismatch, result_fields, trace_fields
from bnnhw.sim.core import read_core
from bnnhw.sim.packet import Packet, drive

CASES = [
    # sizes, grids, bits, gives, output
    ((17, 5, 3), ((3, 1, 4), (2, 1, 4)), 4, "scores", "class"),
    ((17, 5, 3), ((3, 1, 4), (2, 1, 4)), 1, "scores", "scores"),
    ((3, 17), ((3, 1, 2),), 8, "bits", None),
]


@pytest.mark.parametrize("case", CASES)
def test_decoding_gives_back_what_was_encoded(tmp_path: Path, case: tuple[Any, ...]) -> None:
    sizes, grids, bits, gives, output = case
    core = read_core(make(tmp_path / "b", sizes, *grids, bits=bits, gives=gives, output=output))
    x = core.vectors()
    trace = evaluate(core.network, x)
    packets = Packet(core).encode(trace, len(x))
    results = Packet(core).decode(packets)
    pairs = zip(trace_fields(core, trace), result_fields(core, results), strict=True)
    for (name, wanted), (same_name, got) in pairs:
        assert name == same_name
        assert np.array_equal(wanted, got)
    for bit in np.flatnonzero(np.unpackbits(Packet(core).mask(), bitorder="little")):
        packets[0, bit // 8] ^= 1 << (bit % 8)
        assert first_mismatch(
            trace_fields(core, trace), result_fields(core, Packet(core).decode(packets))
        )
        packets[0, bit // 8] ^= 1 << (bit % 8)


@pytest.mark.parametrize(("bits", "pixels"), [(1, 8), (1, 5), (3, 4), (8, 17), (8, 3)])
def test_beats_hold_the_first_pixel_lowest_and_zeros_after_the_last(
    tmp_path: Path, bits: int, pixels: int
) -> None:
    core = read_core(make(tmp_path / "b", (17, 2), (1, 1, 4), bits=bits, pixels=pixels))
    x = core.vectors()
    driven = drive(core, x, seed=1)
    beats = np.unpackbits(driven, axis=1, bitorder="little").reshape(
        len(x), core.input_beats, core.input_width
    )
    room = 1 if bits == 1 else 8
    for k in range(core.input_beats * pixels):
        beat, place = divmod(k, pixels)
        found = beats[:, beat, place * room : place * room + bits]
        wanted = x[:, k] if k < 17 else np.zeros(len(x), int)
        assert np.array_equal(found @ (1 << np.arange(bits)), wanted)
    unused = beats[:, 0, bits if room == 8 else pixels :][:, : 8 - bits if room == 8 else None]
    assert unused.size == 0 or 0 < unused.mean() < 1  # noise, for the core to ignore


def test_a_changed_file_is_refused_and_named(tmp_path: Path) -> None:
    build = make(tmp_path / "b", (3, 2), (1, 1, 3))
    verilog = build / "bnnhw_core.v"
    verilog.write_text(verilog.read_text() + "\n")
    with pytest.raises(InputError, match=r"bnnhw_core\.v: changed since it was generated"):
        read_core(build)
    read_core(build, check=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "schema must be 4"),
        ('{"schema": 1}', "schema must be 4"),
        ('{"schema": 4}', "lacks or misstates"),
    ],
)
def test_a_bad_manifest_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    build = make(tmp_path / "b", (3, 2), (1, 1, 3))
    (build / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=rf"manifest\.json: .*{message}"):
        read_core(build)


def test_a_folder_without_a_manifest_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bnnhw generate -o"):
        read_core(tmp_path)
