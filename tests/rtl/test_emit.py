"""The build folder: the same bytes everywhere, and all or nothing."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from networks import random_network
from safetensors.numpy import load_file

from bnnhw.cli import main
from bnnhw.files import sha256_of
from bnnhw.golden import evaluate
from bnnhw.network_file import load
from bnnhw.rtl import emit

SMALL = ["--inputs", "20", "--neurons", "6", "--rows", "2", "--cols", "2", "--lanes", "4"]
CONV = ["--map", "8x8x1", "--kernel", "3", "--neurons", "4"]
# Of the core that `bnnhw generate` makes with SMALL. Changes when the gateware does.
SMALL_SHA256 = "84e7db8cd6a2c5c429076e32eacf08bee4fb2aab4626a1b05e6f5e95967e8fa1"


def generated(folder: Path, *arguments: str) -> dict[str, str]:
    """The files of a build folder by their SHA-256."""
    assert main(["generate", *arguments, "-o", str(folder)]) == 0
    return {path.name: sha256_of(path) for path in folder.iterdir()}


def test_files_are_the_same_in_another_folder_hash_seed_and_locale(tmp_path: Path) -> None:
    here = generated(tmp_path / "a", *SMALL)
    assert here[f"{emit.TOP}.v"] == SMALL_SHA256
    there = tmp_path / "elsewhere" / "b"
    command = [sys.executable, "-m", "bnnhw", "generate", *SMALL, "-o", str(there)]
    environment = {**os.environ, "PYTHONHASHSEED": "77", "LC_ALL": "C.UTF-8", "LANG": "C"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    subprocess.run(command, env=environment, cwd="/", check=True, capture_output=True)
    assert {path.name: sha256_of(path) for path in there.iterdir()} == here


def test_manifest_tells_what_is_there(tmp_path: Path) -> None:
    network = random_network([30, 8, 5], bits=2, seed=1)
    network.save(tmp_path / "m.safetensors")
    assert main(["generate", str(tmp_path / "m.safetensors"), "-o", str(tmp_path / "b")]) == 0
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text())
    assert (
        manifest["model_sha256"] == network.sha256 == load(tmp_path / "b/model.safetensors").sha256
    )
    for file in manifest["files"]:
        content = (tmp_path / "b" / file["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    verilog = (tmp_path / "b" / f"{manifest['top']}.v").read_text()
    for port in manifest["ports"]:
        width = f" [{port['width'] - 1}:0]" if port["width"] > 1 else ""
        assert f"{port['dir']}put{width} {port['name']};" in verilog
    assert [layer["name"] for layer in manifest["layers"]] == ["fc1", "out"]
    assert "tap_valid" in verilog and "tap_data" in verilog


def test_vectors_are_golden_s(tmp_path: Path) -> None:
    network = random_network([12, 5, 4], seed=2)
    emit.generate(network, tmp_path / "b", vectors=9)
    vectors = load_file(tmp_path / "b" / "vectors.safetensors")
    trace = evaluate(network, vectors["x"])
    assert trace.scores is not None and trace.classes is not None
    assert np.array_equal(vectors["bits.0"], trace.bits[0])
    assert np.array_equal(vectors["scores"], trace.scores)
    assert np.array_equal(vectors["classes"], trace.classes)


def test_a_folder_of_the_user_s_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    assert main(["generate", *SMALL, "-o", str(tmp_path)]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "is not empty and holds no manifest.json" in error
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_interrupted_build_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = generated(tmp_path / "b", *SMALL)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(emit, "_vectors", interrupt)
    assert main(["generate", *SMALL, "--seed", "5", "-o", str(tmp_path / "b")]) == 130
    assert {path.name: sha256_of(path) for path in (tmp_path / "b").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a model, or a layer's size by --inputs and --neurons, or by --map, --kernel "
         "and --neurons"),
        (CONV[:4], "name a model, or a layer's size by --inputs and --neurons, or by --map, "
         "--kernel and --neurons"),
        (["--map", "8x8x1", "--neurons", "3"], "a convolution's size needs --map and --kernel"),
        ([*CONV, "--inputs", "4"],
         "--inputs is of a dense layer, --map and --kernel of a convolution"),
        ([*CONV, "--map", "8x8"], "shape must be 3 integers of at least 1, not [8, 8]"),
        ([*CONV, "--kernel", "9"],
         "the kernel must fit the padded map, 8 positions, not be 9"),
        ([*CONV, "--padding", "3"], "padding must be below the kernel, 3, not 3"),
        ([*CONV, "--positions", "4"], "conv: positions must be one of 1, 2, not 4"),
        ([*SMALL, "--positions", "2"],
         "fc: positions must be 1, as it is no convolution, not 2"),
        (["--inputs", "0", "--neurons", "3"], "inputs must be 1 to 1048576, not 0"),
        ([*SMALL[:-1], "0"], "fc: lanes must be 1 to 65536, not 0"),
        (["--inputs", "4", "--neurons", "3", "--input-bits", "9"],
         "input bits must be 1 to 8, not 9"),
        (["--inputs", "4", "--neurons", "3", "--input-bits", "0"],
         "input bits must be 1 to 8, not 0"),
        (["--inputs", "4", "--neurons", "3", "--target-fps", "1e9"],
         "1,000,000,000 images/s is out of reach at 150 MHz; the best is 150,000,000, "
         "an interval of 1 cycles"),
        (["absent.safetensors"], "absent.safetensors: no such file"),
        ([*SMALL, "--folding", "f.toml"],
         "--folding says it all: leave out --target-fps, --budget and the grid's sizes"),
        ([*SMALL, "--budget", "500"], "give either the grid's sizes or --target-fps or --budget"),
        ([*SMALL[:4], "--budget", "500"],
         "a budget is of a family's LUT sites: name the family by --target"),
        ([*SMALL[:4], "--budget", "20", "--target", "ecp5"],
         "a budget of 20 LUT sites is too small; the smallest core takes about 148 LUT sites"),
        ([*SMALL, "--vectors", "-1"], "vectors must be at least 0, not -1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_mistake_is_one_line_and_leaves_nothing(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["generate", *arguments, "-o", str(tmp_path / "b")]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"bnnhw: {message}"
    assert list(tmp_path.iterdir()) == []
