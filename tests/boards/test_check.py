"""A popcount's netlist in simulation: right on all vectors, and caught where it is not."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw import cli
from bnnhw.boards import check, synth_popcount
from bnnhw.boards.check import RANDOM, Counting, check_popcount
from bnnhw.boards.mapped import read_mapped
from bnnhw.boards.models import LIBRARIES
from bnnhw.boards.netlist import read_netlist
from bnnhw.technology import Technology


@pytest.mark.parametrize("lanes", [1, 2, 7])
def test_vectors_hold_all_corners_and_every_density(lanes: int) -> None:
    a, w = Counting(lanes=lanes, latency=1).vectors()
    assert a.shape == w.shape and a.dtype == w.dtype == np.uint8
    pairs = {(x.tobytes(), y.tobytes()) for x, y in zip(a[:-RANDOM], w[:-RANDOM], strict=True)}
    for still in (np.zeros(lanes, np.uint8), np.ones(lanes, np.uint8)):
        for corner in (still, *(still ^ one for one in np.eye(lanes, dtype=np.uint8))):
            for other in (np.zeros(lanes, np.uint8), np.ones(lanes, np.uint8)):
                assert (corner.tobytes(), other.tobytes()) in pairs
                assert (other.tobytes(), corner.tobytes()) in pairs
    matches = (a == w)[-RANDOM:].sum(axis=1)
    assert set(matches) == set(range(lanes + 1))


def test_vectors_of_constant_weights_match_in_the_corners() -> None:
    weights = np.array([1, 0, 0, 1, 1], np.uint8)
    a, w = Counting(lanes=5, latency=1, weights=weights).vectors()
    assert (w == weights).all()
    match = {x.tobytes() for x in (a == w)[:-RANDOM].astype(np.uint8)}
    for still in (np.zeros(5, np.uint8), np.ones(5, np.uint8)):
        assert still.tobytes() in match
        assert all((still ^ one).tobytes() in match for one in np.eye(5, dtype=np.uint8))


def test_a_check_is_in_the_table_and_in_the_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["synth", "--popcount", "5", "--target", "ecp5", "--check"]
    assert cli.main([*arguments, "--json", "-o", str(tmp_path / "out")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["checked"]["vectors"], told["checked"]["wrong"]) == (RANDOM + 48, 0)
    records = {r["name"]: r for r in told["records"]}
    assert records["vectors_simulated"]["value"] == RANDOM + 48
    assert records["vectors_wrong"]["value"] == 0
    assert records["vectors_wrong"]["how"].startswith("netlist simulated on verilator 5")


@pytest.mark.parametrize("baked", [False, True])
def test_one_wrong_bit_in_a_lut_is_counted(tmp_path: Path, baked: bool) -> None:
    plain = Technology(family="generic", every=1)
    result = synth_popcount(
        6, technology=plain, baked=baked, target="ice40", out=tmp_path / "out", check=True
    )
    assert result.checked is not None and result.checked.failure == ""
    counting = result.source.counting
    assert counting is not None and (counting.weights is not None) == baked
    netlist = read_netlist(tmp_path / "out" / "netlist.json", "popcount")
    path = tmp_path / "out" / "netlist.v"
    text = path.read_text()
    place = re.search(r"LUT_INIT\(16'h(\w{4})\)", text)
    assert place is not None
    flipped = f"{int(place[1], 16) ^ 1:04x}"
    path.write_text(text[: place.start(1)] + flipped + text[place.end(1) :])
    mapped = read_mapped(tmp_path / "out", check=False)
    checked = check_popcount(counting, mapped, netlist, tmp_path / "again")
    assert 0 < checked.wrong < checked.vectors
    said = r"miscounts [\d,]+ of 10,\d+ vectors; first a = \w+, w = \w+ \(hexadecimal\): "
    assert re.search(said + r"\d lanes match, it counts \d", checked.failure)


@pytest.mark.parametrize(("driven", "said"), [("", "1"), ("~", "0")])
def test_a_net_that_nothing_drives_is_seen_whatever_it_happens_to_be(
    tmp_path: Path, driven: str, said: str
) -> None:
    """A count's lowest bit, and an XOR with a loose net that leaves it right at 0, or at 1."""
    result = synth_popcount(3, target="ecp5", out=tmp_path / "out")
    counting = result.source.counting
    assert counting is not None
    path = tmp_path / "out" / "netlist.v"
    text = path.read_text().replace("module popcount(", "module inner(")
    ports = "(input clk, input rst, input [2:0] a, input [2:0] w, output [1:0] count)"
    names = ", ".join(f".{name}({name})" for name in ("clk", "rst", "a", "w"))
    path.write_text(
        f"{text}\nmodule popcount{ports};\n    wire loose;\n    wire [1:0] right;\n"
        f"    inner inner ({names}, .count(right));\n"
        f"    assign count = right ^ {{1'b0, {driven}loose}};\nendmodule\n"
    )
    netlist = read_netlist(tmp_path / "out" / "netlist.json", "popcount")
    mapped = read_mapped(tmp_path / "out", check=False)
    checked = check_popcount(counting, mapped, netlist, tmp_path / "check")
    assert checked.wrong == checked.vectors
    assert checked.failure.endswith(f", with {said} on what nothing drives")


def test_a_popcount_that_is_one_cycle_late_is_wrong(tmp_path: Path) -> None:
    result = synth_popcount(3, target="ecp5", out=tmp_path / "out")
    right = result.source.counting
    assert right is not None
    late = Counting(lanes=3, latency=right.latency + 1)
    netlist = read_netlist(tmp_path / "out" / "netlist.json", "popcount")
    checked = check_popcount(late, read_mapped(tmp_path / "out"), netlist, tmp_path / "check")
    assert checked.wrong > 1000


def test_a_wrong_netlist_is_exit_1_and_check_goes_with_popcount_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["synth", str(tmp_path), "--check"]) == 2
    said = "--check goes with --popcount; `bnnhw simulate --netlist` checks a core"
    assert capsys.readouterr().err == f"bnnhw: {said}\n"
    bench = check._bench

    def wrongly_driven(*given: Any) -> str:
        return bench(*given).replace(".a(a)", ".a(a ^ 1)")

    monkeypatch.setattr(check, "_bench", wrongly_driven)
    arguments = ["synth", "--popcount", "3", "--check", "-o", str(tmp_path / "out")]
    assert cli.main(arguments) == 1
    told = capsys.readouterr()
    assert "bnnhw: the netlist miscounts" in told.err and "wrong" in told.out
    assert (tmp_path / "out" / "check" / "bench.v").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [3, 16, 64])
@pytest.mark.parametrize("family", LIBRARIES)
def test_the_plain_popcount_is_exact_in_every_family(
    tmp_path: Path, family: str, lanes: int
) -> None:
    plain = Technology(family="generic", every=1)
    out = tmp_path / "out"
    result = synth_popcount(lanes, technology=plain, target=family, out=out, check=True)
    assert result.checked is not None and result.checked.failure == ""
    assert result.checked.vectors >= RANDOM + 4 * (lanes + 1)
