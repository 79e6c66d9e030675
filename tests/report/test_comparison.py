"""`compare`: figures out of records, a table without mixed columns, files whole or not at all."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from networks import random_network

from bnnhw import cli
from bnnhw.errors import InputError
from bnnhw.record import Record, write_records
from bnnhw.report import comparison
from bnnhw.report.comparison import Comparison, compare, compare_rows
from bnnhw.report.fpga import fpga_rows
from bnnhw.report.rows import COLUMNS, Gap, Row
from bnnhw.report.table import bytes_text, rate_text, seconds_text
from bnnhw.sw.bench import Timing

NETWORK = random_network((100, 32, 10), bits=4)  # 3,520 weights: 440 bytes of bits


def record(name: str, value: float, unit: str = "1", on: str = "LFE5U-45F", **more: Any) -> Record:
    return Record(name=name, value=value, unit=unit, kind="measured", how="counted", on=on, **more)


TIMINGS = [
    Timing(
        runs="bits, numpy",
        weight_bits=1,
        one=record("time", 2e-4, "s", "a CPU"),
        many=record("time", 0.4096, "s", "a CPU"),
    ),
    Timing(
        runs="float32, torch",
        weight_bits=32,
        one=record("time", 5e-5, "s", "a CPU"),
        many=record("time", 0.004096, "s", "a CPU"),
    ),
]
MANIFEST = {
    "model_sha256": NETWORK.sha256,
    "output": "class",
    "output_beats": 1,
    "input": {"bits": 4, "size": 100, "pixels_per_beat": 3, "beats": 34},
    "layers": [{"folding": {"rows": 8}}, {"folding": {"rows": 9, "positions": 1}}],
}
CLOCK = record("clock", 200e6, "Hz", seed=1, tools={"nextpnr-ecp5": "0.11"})
CYCLES = [
    record("mismatches", 0, on="verilator"),
    record("interval_cycles", 50.0, on="verilator", tools={"verilator": "5.48"}),
    record("latency_cycles", 120, on="verilator"),
]


def build(
    folder: Path,
    *,
    manifest: object = MANIFEST,
    cycles: list[Record] | None = CYCLES,
    ecp5: list[Record] | None = None,
) -> Path:
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    if cycles is not None:
        write_records(folder / "simulation" / "records.json", cycles)
    if ecp5 is not None:
        write_records(folder / "synth-ecp5" / "records.json", ecp5)
    return folder


def test_the_fpga_runs_at_its_clock_over_the_counted_cycles(tmp_path: Path) -> None:
    (row,) = fpga_rows(NETWORK, build(tmp_path / "b", ecp5=[record("lut_sites", 9), CLOCK]))
    assert row.device == "LFE5U-45F"
    assert row.value("measured_latency") == 120 / 200e6
    assert row.value("measured_rate_1") == row.value("measured_rate_4096") == 200e6 / 50
    cell = row.cell("measured_rate_1")
    assert isinstance(cell, Record)
    assert cell.tools == {"nextpnr-ecp5": "0.11", "verilator": "5.48"}
    assert cell.how == "200.00 MHz, counted; 50 cycles, counted"
    assert row.value("moved") == 34 * 3 + 4


def test_of_several_seeds_the_median_clock_counts(tmp_path: Path) -> None:
    clocks = [record("clock", f, "Hz", seed=i) for i, f in enumerate((1e8, 3e8, 2e8))]
    folder = build(tmp_path / "b", ecp5=[*clocks, record("clock_median", 2e8, "Hz")])
    assert fpga_rows(NETWORK, folder)[0].value("measured_rate_1") == 2e8 / 50


def test_there_is_a_row_for_each_target(tmp_path: Path) -> None:
    folder = build(tmp_path / "b", ecp5=[CLOCK])
    other = [record("clock", 5e7, "Hz", "iCE40HX8K")]
    write_records(folder / "synth-ice40" / "records.json", other)
    rows = fpga_rows(NETWORK, folder)
    assert [(r.device, r.value("measured_rate_1")) for r in rows] == [
        ("LFE5U-45F", 4e6),
        ("iCE40HX8K", 1e6),
    ]


@pytest.mark.parametrize(
    ("changes", "bytes_an_image"),
    [
        ({}, 34 * 3 + 4),
        ({"input": {"bits": 1, "pixels_per_beat": 12, "beats": 9}}, 9 * 2 + 4),
        ({"output": "scores", "output_beats": 10}, 34 * 3 + 40),
        ({"output": "bits", "output_beats": 2}, 34 * 3 + 2 * 2),
        (
            {
                "output": "bits",
                "output_beats": 6,
                "layers": [{"folding": {"rows": 6, "positions": 4}}],
            },
            34 * 3 + 6 * 3,
        ),
    ],
    ids=["class", "bits in", "scores", "bits out", "bits of positions out"],
)
def test_bytes_through_the_streams(
    changes: dict[str, Any], bytes_an_image: int, tmp_path: Path
) -> None:
    folder = build(tmp_path / "b", manifest=MANIFEST | changes, ecp5=[CLOCK])
    assert fpga_rows(NETWORK, folder)[0].value("moved") == bytes_an_image


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({}, "bnnhw synth BUILD --target ecp5 --route gives it"),
        (
            {"ecp5": [record("lut_sites", 9)]},
            "not routed: bnnhw synth with --route gives the clock",
        ),
        (
            {"ecp5": [CLOCK], "cycles": None},
            "bnnhw simulate BUILD --vectors 100, without stalls, counts it",
        ),
        (
            {"ecp5": [CLOCK], "cycles": [record("mismatches", 0)]},
            "bnnhw simulate BUILD --vectors 100, without stalls, counts it",
        ),
    ],
    ids=["not synthesized", "not routed", "not simulated", "simulated with stalls"],
)
def test_a_missing_figure_says_what_gives_it(
    parts: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    folder = build(tmp_path / "b", **parts)
    (row,) = fpga_rows(NETWORK, folder)
    assert row.cell("measured_rate_1") == Gap(reason.replace("BUILD", str(folder)))
    assert row.cell("measured_latency") == row.cell("measured_rate_1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_sha256": "0" * 64}, "BUILD was generated from another network; generate it again"),
        ({"input": {}}, "BUILD: its manifest lacks 'pixels_per_beat'; generate it again"),
    ],
    ids=["another network", "a field missing"],
)
def test_a_build_folder_that_does_not_fit_is_refused(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    folder = build(tmp_path / "b", manifest=MANIFEST | change, ecp5=[CLOCK])
    with pytest.raises(InputError) as raised:
        fpga_rows(NETWORK, folder)
    assert str(raised.value) == message.replace("BUILD", str(folder))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "BUILD is no build folder: it holds no manifest.json"),
        ("{", r"BUILD/manifest.json: not a readable manifest \(.+\)"),
        ("[]", r"BUILD/manifest.json: not a readable manifest \(no JSON object\)"),
    ],
    ids=["none", "no JSON", "no object"],
)
def test_an_unreadable_manifest_is_refused(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError) as raised:
        fpga_rows(NETWORK, tmp_path)
    assert re.fullmatch(message.replace("BUILD", re.escape(str(tmp_path))), str(raised.value))


def test_cycles_of_a_simulation_that_failed_are_not_taken(tmp_path: Path) -> None:
    folder = build(tmp_path / "b", ecp5=[CLOCK], cycles=[record("mismatches", 1), *CYCLES[1:]])
    with pytest.raises(InputError, match="the simulation differed from golden"):
        fpga_rows(NETWORK, folder)


def rows(tmp_path: Path) -> list[Row]:
    folder = build(tmp_path / "b", ecp5=[CLOCK])
    return compare_rows(NETWORK, fpga_rows(NETWORK, folder), TIMINGS)


def test_every_row_has_its_figures(tmp_path: Path) -> None:
    found = {(r.device, r.runs): r for r in rows(tmp_path)}
    assert len(found) == 1 + 2 + 4 * 3
    bits, floats = found["a CPU", "bits, numpy"], found["a CPU", "float32, torch"]
    assert (bits.value("measured_latency"), bits.value("measured_rate_1")) == (2e-4, 5000)
    assert bits.value("measured_rate_4096") == pytest.approx(10_000)
    assert floats.value("measured_rate_4096") == pytest.approx(1e6)
    assert (bits.value("weights"), floats.value("weights")) == (440, 32 * 440)
    assert (bits.value("weights_less"), floats.value("weights_less")) == (32, 1)
    assert floats.value("moved_less") == 1
    fpga = found["LFE5U-45F", "bits, bnnhw"]
    assert (fpga.value("weights"), fpga.value("moved")) == (440, 106)
    moved = floats.value("moved")
    assert moved == 4 * (3520 + 100 + 32 + 32 + 10)
    assert fpga.value("moved_less") == moved / 106


def test_gpus_without_a_published_rate_have_a_gap_that_says_so(tmp_path: Path) -> None:
    found = {(r.device, r.runs): r for r in rows(tmp_path)}
    for name, device in (("T4", "NVIDIA T4"), ("H100", "NVIDIA H100 SXM5")):
        cell = found[device, "1 bit"].cell("estimated_rate_4096")
        assert cell == Gap(f"NVIDIA publishes no 1-bit rate of the {name}")
    assert found["NVIDIA A100 SXM4 80 GB", "1 bit"].value("estimated_rate_4096")


def test_no_column_mixes_measured_and_estimated(tmp_path: Path) -> None:
    found = rows(tmp_path)
    for column in COLUMNS:
        cells = [row.cell(column.key) for row in found]
        kinds = {cell.kind for cell in cells if isinstance(cell, Record)}
        assert kinds == {column.kind}
    with pytest.raises(AssertionError):
        Row(device="d", runs="r", cells={"estimated_rate_1": record("x", 1, "images/s")})


def test_the_three_forms_of_the_table_say_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bnnhw import console

    compared = Comparison(network=NETWORK, name="net", rows=tuple(rows(tmp_path)))
    console.show(compared.table())
    terminal = capsys.readouterr().out
    markdown = compared.markdown()
    tables = [line for line in markdown.splitlines() if line.startswith("| ")][2:]
    assert len(tables) == 15
    for line in tables:
        _, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert " ".join(c for c in cells if c) in re.sub(r" +", " ", terminal)
    for text in (terminal, markdown):
        assert "net: 100-32-10, 4-bit inputs" in text
        assert "[1] NVIDIA publishes no 1-bit rate of the T4" in text
        assert "…" not in text
    assert (
        "| LFE5U-45F | bits, bnnhw | 600 ns | 4,000,000 | 4,000,000 |  |  |  | 440 B |" in markdown
    )
    assert "NVIDIA T4 Tensor Core GPU datasheet" in markdown
    stated = json.loads(json.dumps(compared.to_json()))
    assert [len(row["cells"]) for row in stated["rows"]] == [len(COLUMNS)] * 15
    assert stated["rows"][0]["cells"]["measured_rate_1"]["value"] == 4e6
    assert stated["rows"][0]["cells"]["estimated_rate_1"] == {"missing": ""}


@pytest.mark.parametrize("with_fpga", [True, False])
def test_the_chart_is_a_picture_and_the_same_each_time(with_fpga: bool, tmp_path: Path) -> None:
    some = tuple(rows(tmp_path)[0 if with_fpga else 1 :])
    compared = Comparison(network=NETWORK, name="net", rows=some)
    picture = compared.png()
    assert picture.startswith(b"\x89PNG\r\n")
    assert picture == compared.png()


def test_a_chart_of_rooflines_alone_can_be_drawn() -> None:
    compared = Comparison(network=NETWORK, name="net", rows=tuple(compare_rows(NETWORK, [], [])))
    assert compared.png().startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        (seconds_text, 1.5e-8, "15 ns"),
        (seconds_text, 9.994e-7, "999 ns"),
        (seconds_text, 9.996e-7, "1 us"),
        (seconds_text, 2.5e-4, "250 us"),
        (seconds_text, 0.0123, "12.3 ms"),
        (seconds_text, 3.0, "3 s"),
        (rate_text, 9.876, "9.88"),
        (rate_text, 98765, "98,800"),
        (rate_text, 1.234e9, "1,230,000,000"),
        (bytes_text, 788, "788 B"),
        (bytes_text, 999.9, "1 kB"),
        (bytes_text, 33_600, "33.6 kB"),
        (bytes_text, 1_075_200, "1.08 MB"),
        (bytes_text, 2.5e9, "2.5 GB"),
    ],
)
def test_figures_are_told_in_three_digits(text: Any, value: float, expected: str) -> None:
    assert text(value) == expected


def quick(network: object, seed: int = 0) -> list[Timing]:
    return TIMINGS


def test_the_command_writes_three_files_and_prints_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "measure", quick)
    NETWORK.save(tmp_path / "net.safetensors")
    folder = build(tmp_path / "b", ecp5=[CLOCK])
    command = ["compare", str(tmp_path / "net.safetensors"), "--build", str(folder)]
    command += ["-o", str(tmp_path / "out")]
    assert cli.main(command) == 0
    assert "LFE5U-45F" in capsys.readouterr().out
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["compare.json", "compare.md", "compare.png"]
    assert cli.main([*command, "--json"]) == 0  # replaces its own folder
    assert json.loads(capsys.readouterr().out) == json.loads(
        (tmp_path / "out" / "compare.json").read_text()
    )


def test_a_folder_that_is_not_ours_is_left_alone_and_told_before_timing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def timed(network: object, seed: int = 0) -> list[Timing]:
        raise AssertionError("timed first")

    monkeypatch.setattr(comparison, "measure", timed)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match=r"is not empty and holds no compare\.json"):
        compare(NETWORK, out=tmp_path / "mine")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(network: object, seed: int = 0) -> list[Timing]:
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison, "measure", interrupted)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        compare(NETWORK, out=tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before
