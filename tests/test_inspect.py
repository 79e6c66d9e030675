"""`inspect`: its figures by hand, its table, and the folding it proposes."""

import dataclasses
import json
from pathlib import Path

import pytest
from networks import random_conv_network, random_network

from bnnhw import cli, console
from bnnhw.errors import InputError
from bnnhw.folding import Folding, LayerFolding
from bnnhw.inspection import inspect

NETWORK = dataclasses.replace(
    random_network((100, 30, 20, 10), bits=4),
    training={"data": "digits", "seed": 7, "losses": [1, 2], "note": "n" * 41},
    accuracy={"test": 0.9732},
)
FOLDING = Folding(
    layers=(
        LayerFolding(name="fc1", rows=8, cols=2, lanes=16, planes=2),  # 4 folds, 4 in, 2 groups: 32
        LayerFolding(name="fc2", rows=4, cols=1, lanes=7, weights="bram"),  # 5 folds, 5 in: 25
        LayerFolding(name="out", rows=10, cols=1, lanes=20),  # 1 fold, 1 in: 1
    ),
    pixels_per_beat=3,  # 34 beats: the bus binds
)


def test_the_figures_are_those_worked_out_by_hand() -> None:
    seen = inspect(NETWORK, folding=FOLDING, clock_hz=1e8).to_json()
    assert [layer["name"] for layer in seen["layers"]] == ["fc1", "fc2", "out"]
    assert [layer["cycles"] for layer in seen["layers"]] == [32, 25, 1]
    assert [layer["share"] for layer in seen["layers"]] == [32 / 34, 25 / 34, 1 / 34]
    assert [layer["weight_bits"] for layer in seen["layers"]] == [3000, 600, 200]
    assert [layer["operations"] for layer in seen["layers"]] == [6000, 1200, 400]
    assert [layer["input_bits"] for layer in seen["layers"]] == [4, 1, 1]
    assert [layer["gives"] for layer in seen["layers"]] == ["bits", "bits", "scores"]
    assert seen["layers"][0]["folding"] == {
        "rows": 8, "cols": 2, "lanes": 16, "planes": 2, "weights": "baked", "band": 1,
        "positions": 1,
    }  # fmt: skip
    assert seen["layers"][1]["folding"]["weights"] == "bram"
    assert (seen["weight_bits"], seen["operations"]) == (3800, 7600)
    assert (seen["input_beats"], seen["interval"]) == (34, 34)
    assert seen["images_per_s"] == 1e8 / 34
    assert seen["folding"] == "given"


@pytest.mark.parametrize("K", [1, 100, 784])
@pytest.mark.parametrize("gives", ["scores", "bits"])
def test_a_proposed_folding_takes_at_most_1024_cycles_an_image(K: int, gives: str) -> None:
    seen = inspect(random_network((K, 256, 10), bits=8, gives=gives))
    assert not seen.given
    assert seen.speed["interval"] <= 1024


@pytest.mark.parametrize("fps", [1.0, 1e5, 1e6, 7.7e6, 150e6])
def test_a_proposed_folding_reaches_its_target(fps: float) -> None:
    assert inspect(NETWORK, target_fps=fps).speed["images_per_s"] >= fps


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"target_fps": 2e8},
            "200,000,000 images/s is out of reach at 150 MHz; the best is 150,000,000, "
            "an interval of 1 cycles",
        ),
        ({"target_fps": 0}, "the target must be above 0 images/s and finite, not 0"),
        ({"target_fps": float("nan")}, "the target must be above 0 images/s and finite, not nan"),
        ({"clock_hz": -1.0}, "the clock must be above 0 Hz and finite, not -1.0"),
        ({"clock_hz": float("inf")}, "the clock must be above 0 Hz and finite, not inf"),
        (
            {"folding": Folding(layers=FOLDING.layers[:2])},
            "the folding must name the layers fc1, fc2, out, in this order, not fc1, fc2",
        ),
    ],
    ids=str,
)
def test_inspect_refuses(options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as raised:
        inspect(NETWORK, **options).to_json()  # type: ignore[arg-type]
    assert str(raised.value) == message


def test_the_command_prints_the_table_and_nothing_cut_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    NETWORK.save(tmp_path / "n.safetensors")
    FOLDING.save(tmp_path / "f.toml")
    command = ["inspect", str(tmp_path / "n.safetensors"), "--folding", str(tmp_path / "f.toml")]
    assert cli.main([*command, "--clock-mhz", "100"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "fc1 100 -> 30 4 -> 1 6,000 8 x 2 x 16 2 baked 32 94%" in lines
    assert "fc2 30 -> 20 1 -> 1 1,200 4 x 1 x 7 1 bram 25 74%" in lines
    assert "out 20 -> 10 1 -> 32 400 10 x 1 x 20 1 baked 1 3%" in lines
    assert "all 7,600 34" in lines
    assert "input 100 values of 4 bits (0 to 15), 3 a beat: 34 beats" in lines
    assert "weights 3,800 bits, 475 bytes" in lines
    assert "speed an image in 34 cycles: 2,941,176 images/s at 100 MHz" in lines
    assert "accuracy test 97.32%" in lines
    assert "training data digits, seed 7" in lines
    assert "…" not in out


def test_the_table_of_bits_without_training_is_short(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console.show(inspect(random_network((64, 8), gives="bits")).table())
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "input 64 values of 1 bit (1 from 0.5 on), 8 a beat: 8 beats" in lines
    assert "fc1 64 -> 8 1 -> 1 1,024 1 x 1 x 16 1 baked 32 100%" in lines
    assert not [line for line in lines if line.startswith(("accuracy", "training"))]


def test_json_is_one_object_alone_on_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    NETWORK.save(tmp_path / "n.safetensors")
    folding = tmp_path / "proposed.toml"
    command = ["inspect", str(tmp_path / "n.safetensors"), "--json"]
    assert cli.main([*command, "--write-folding", str(folding)]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads(json.dumps(inspect(NETWORK).to_json()))
    assert err == f"wrote {folding}\n"
    assert Folding.load(folding) == inspect(NETWORK).folding
    assert cli.main([*command, "--folding", str(folding)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again | {"folding": "proposed"} == json.loads(out)


def test_the_folding_of_another_network_is_one_line_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    NETWORK.save(tmp_path / "n.safetensors")
    Folding(layers=FOLDING.layers[:1]).save(tmp_path / "f.toml")
    command = ["inspect", str(tmp_path / "n.safetensors"), "--folding", str(tmp_path / "f.toml")]
    assert cli.main(command) == 2
    assert capsys.readouterr().err == (
        f"bnnhw: {tmp_path / 'f.toml'}: the folding must name the layers fc1, fc2, out, "
        "in this order, not fc1\n"
    )


def test_a_network_with_convolutions_is_shown_with_its_maps_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = [("conv", 6, 3, 2, 1), ("pool", 0, 2, 2, 0)]
    random_conv_network((9, 8, 3), stages, bits=8).save(tmp_path / "n.safetensors")
    model = str(tmp_path / "n.safetensors")
    assert cli.main(["inspect", model]) == 0
    shown = capsys.readouterr().out
    for words in ("9 x 8 x 3 -> 5 x 4 x 6", "3 x 4 /2 +1", "5 x 4 x 6 -> 2 x 1 x 6", "8 -> 1"):
        assert words in shown
    # 3 x 4 positions for each of 5 x 4 windows, a channel at a time: no more than 1,024 cycles.
    assert "720 x 1" in shown
    assert cli.main(["inspect", model, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [layer["kind"] for layer in told["layers"]] == ["conv", "pool", "flatten", "dense"]
    assert told["layers"][0]["operations"] == 2 * (3 * 4 * 3) * 6 * (5 * 4)
    assert told["layers"][0]["cycles"] <= told["interval"] <= 1024
    assert not told["layers"][0]["whole_windows"]
    # A line of 8 positions a word, and for each of 5 rows of windows a word before and one behind.
    assert cli.main(["inspect", model, "--target-fps", "1.01e7"]) == 2
    assert "out of reach at 150 MHz; the best is 10,000,000, an interval of 15" in (
        capsys.readouterr().err
    )
    given = ["--target-fps", "1e7", "--write-folding", str(tmp_path / "f.toml"), "--json"]
    assert cli.main(["inspect", model, *given]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["interval"] == 15 and told["layers"][0]["whole_windows"]
    assert told["layers"][0]["folding"]["positions"] == 4
    assert Folding.load(tmp_path / "f.toml").layers[0].name == "conv0"
