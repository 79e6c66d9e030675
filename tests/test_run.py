"""`bnnhw run`: data sets and pictures through golden, and what it says of those it cannot read."""

import dataclasses
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import input_format, random_network
from PIL import Image

from bnnhw import cli
from bnnhw.classify import read_image, run
from bnnhw.datasets import load
from bnnhw.errors import InputError
from bnnhw.golden import evaluate
from bnnhw.input_format import InputFormat
from bnnhw.network import Network

HEIGHT, WIDTH = 6, 5


def network(channels: int, form: InputFormat | None = None) -> Network:
    shape = (HEIGHT, WIDTH, channels)
    form = form or InputFormat(shape=shape, bits=8, lo=0, hi=255)
    layers = random_network([form.size, 12, 4], bits=form.bits).layers
    return Network(input=form, layers=layers)


@pytest.fixture
def grey(tmp_path: Path) -> Path:
    network(1).save(tmp_path / "grey.safetensors")
    return tmp_path / "grey.safetensors"


def picture(path: Path, mode: str = "L", size: tuple[int, int] = (WIDTH, HEIGHT)) -> Any:
    channels = {"L": (), "RGB": (3,)}[mode]
    pixels = np.random.default_rng(len(path.name)).integers(0, 256, (*size[::-1], *channels))
    Image.fromarray(pixels.astype(np.uint8), mode).save(path)
    return pixels.astype(np.uint8)


@pytest.mark.parametrize(
    ("told", "first"),
    [
        (["ant", "bee", "cow", "dog"], "ant"),
        (["ant", "bee", "cow"], "0"),
        (["ant", "bee", "cow", 3], "0"),
        (["a\x1b[2J", "bee", "cow", "dog"], "0"),
        ("abcd", "0"),
        (None, "0"),
    ],
)
def test_classes_are_called_by_the_names_that_the_file_has(
    tmp_path: Path, told: object, first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "n.safetensors"
    dataclasses.replace(network(1), training={"class_names": told}).save(path)
    picture(tmp_path / "a.png")
    result = run(path, images=[tmp_path / "a.png"])
    assert result.name(0) == first
    code, out, _ = command(path, "--images", str(tmp_path / "a.png"), capsys=capsys)
    assert (code, out) == (0, f"{tmp_path / 'a.png'}: {result.name(int(result.classes[0]))}\n")


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
@pytest.mark.parametrize("ending", ["png", "bmp", "tiff"])
def test_pictures_are_classified_as_golden_does(
    tmp_path: Path, mode: str, channels: int, ending: str
) -> None:
    model = network(channels)
    model.save(tmp_path / "n.safetensors")
    paths = [tmp_path / f"{'x' * i}.{ending}" for i in (1, 2, 3)]
    pixels = np.stack([picture(path, mode).reshape(-1) for path in paths])
    golden = evaluate(model, pixels)
    assert golden.classes is not None and golden.scores is not None
    result = run(tmp_path / "n.safetensors", images=paths)
    assert np.array_equal(result.classes, golden.classes)
    assert np.array_equal(result.scores, golden.scores)
    assert (result.images, result.accuracy) == (tuple(paths), None)


def test_a_colour_picture_is_made_grey_and_a_grey_one_three_channels(tmp_path: Path) -> None:
    picture(tmp_path / "rgb.png", "RGB")
    pixels = picture(tmp_path / "grey.png")
    assert read_image(tmp_path / "rgb.png", (HEIGHT, WIDTH, 1)).shape == (HEIGHT, WIDTH, 1)
    three = read_image(tmp_path / "grey.png", (HEIGHT, WIDTH, 3))
    assert all(np.array_equal(three[:, :, c], pixels) for c in range(3))


def test_black_to_white_stand_for_the_limits_of_the_input(tmp_path: Path) -> None:
    form = InputFormat(shape=(HEIGHT, WIDTH, 1), bits=4, lo=0, hi=15)
    model = network(1, form)
    model.save(tmp_path / "n.safetensors")
    pixels = picture(tmp_path / "a.png")
    x = np.rint(pixels.reshape(1, -1) / 17).astype(np.uint8)
    golden = evaluate(model, x)
    result = run(tmp_path / "n.safetensors", images=[tmp_path / "a.png"])
    assert golden.scores is not None and np.array_equal(result.scores, golden.scores)


def command(*arguments: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli.main(["run", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err.splitlines()[-1] if said.err else ""


def test_the_accuracy_on_digits_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load("digits")
    model = random_network([64, 10], bits=4)
    model = Network(input=data.input_format(4), layers=model.layers)
    path = tmp_path / "n.safetensors"
    model.save(path)
    classes = evaluate(model, model.input.quantize(data.x_test)).classes
    right = int(np.sum(classes == data.y_test))
    code, out, _ = command(path, "--data", "digits", capsys=capsys)
    assert (code, out) == (0, f"digits test: {right / 599:.2%}, {right} of 599 right\n")
    code, out, _ = command(path, "--data", "digits", "--json", capsys=capsys)
    told = json.loads(out)
    assert 0 < told.pop("seconds") < 100
    assert told == {
        "model": str(path), "samples": 599, "correct": right, "accuracy": right / 599,
        "how": "golden",
    }  # fmt: skip
    code, out, _ = command(path, "--data", "digits", "--part", "valid", capsys=capsys)
    assert code == 0 and out.startswith("digits valid: ") and out.endswith(" of 200 right\n")


def test_the_class_of_each_picture_is_printed(
    tmp_path: Path, grey: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in paths:
        picture(path)
    code, out, _ = command(grey, "--images", *paths, "--json", capsys=capsys)
    result = json.loads(out)
    assert code == 0 and result["samples"] == 2
    assert [r["image"] for r in result["images"]] == [str(p) for p in paths]
    assert all(r["class"] == int(np.argmax(r["scores"])) for r in result["images"])
    code, out, _ = command(grey, "--images", *paths, capsys=capsys)
    assert (code, out.splitlines()) == (
        0,
        [f"{r['image']}: {r['class']}" for r in result["images"]],
    )


def chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def png(width: int, height: int, body: bytes, bits: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


ROWS = zlib.compress(bytes((WIDTH + 1) * HEIGHT))
NOISE = zlib.compress(b"".join(b"\0" + bytes(range(5 * i, 5 * i + WIDTH)) for i in range(HEIGHT)))
BAD = {
    "empty": (b"", "not a readable picture ("),
    "text": (b"hello", "not a readable picture ("),
    "truncated": (png(WIDTH, HEIGHT, ROWS)[:-20], "not a readable picture ("),
    "cut": (png(WIDTH, HEIGHT, NOISE[:20]), "not a readable picture ("),
    "corrupt": (png(WIDTH, HEIGHT, b"\0" * 20), "not a readable picture ("),
    "large": (
        png(7, 6, zlib.compress(bytes(48))),
        f"must be {WIDTH} x {HEIGHT} pixels, not 7 x 6; resize it",
    ),
    "bomb": (png(60_000, 60_000, zlib.compress(bytes(1000))), "not a readable picture ("),
    "small bomb": (png(10_000, 10_000, zlib.compress(bytes(1000))), "not a readable picture ("),
    "deep": (
        png(WIDTH, HEIGHT, zlib.compress(bytes((2 * WIDTH + 1) * HEIGHT)), bits=16),
        "pixels must have 8 bits, not mode I;16",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_one_line_that_names_it(
    tmp_path: Path, grey: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, message = BAD[name]
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    code = cli.main(["run", str(grey), "--images", str(path)])
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.startswith(f"bnnhw: {path}: {message}")
    assert said.err.count("\n") == 1


def test_a_sound_picture_made_by_hand_is_read(tmp_path: Path) -> None:
    (tmp_path / "ok.png").write_bytes(png(WIDTH, HEIGHT, ROWS))
    assert read_image(tmp_path / "ok.png", (HEIGHT, WIDTH, 1)).shape == (HEIGHT, WIDTH, 1)


def test_what_does_not_fit_the_network_is_one_line(tmp_path: Path, grey: Path) -> None:
    flat = tmp_path / "flat.safetensors"
    Network(input=input_format(4, 64), layers=random_network([64, 3], bits=4).layers).save(flat)
    bits = tmp_path / "bits.safetensors"
    random_network([64, 3], gives="bits").save(bits)
    narrow = tmp_path / "narrow.safetensors"
    form = InputFormat(shape=(8, 8, 1), bits=4, lo=0, hi=15)
    Network(input=form, layers=random_network([64, 3], bits=4).layers).save(narrow)
    picture(tmp_path / "a.png")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"model": bits, "data": "digits"}, f"{bits}: gives bits, not classes"),
        (
            {"model": grey, "data": "digits"},
            f"digits has samples of shape (8, 8, 1), but {grey} takes (6, 5, 1)",
        ),
        ({"model": narrow, "data": "digits"}, f"digits has 10 classes, but {narrow} knows 3"),
        ({"model": grey}, "name either a data set or pictures"),
        ({"model": grey, "data": "digits", "images": ["a"]}, "name either a data set or pictures"),
        (
            {"model": grey, "data": "x"},
            "data must be digits, mnist, cifar10, svhn, a .npz file or a folder of pictures, "
            "not 'x'",
        ),
        (
            {"model": narrow, "data": "digits", "part": "all"},
            "part must be train, valid or test, not 'all'",
        ),
        ({"model": grey, "images": ["no.png"]}, "no.png: no such file"),
        (
            {"model": flat, "images": [tmp_path / "a.png"]},
            "the network takes samples of shape (64,), which no picture has",
        ),
    ]
    for arguments, message in cases:
        with pytest.raises(InputError) as raised:
            run(**arguments)
        assert str(raised.value) == message
