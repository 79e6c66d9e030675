"""Digits and MNIST: the splits, files that are damaged, downloads."""

import dataclasses
import functools
import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw import datasets, mnist
from bnnhw.datasets import load
from bnnhw.errors import InputError


def test_digits_are_split_as_stated() -> None:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    x_rest, x_test, _, y_test = train_test_split(x, y, test_size=1 / 3, stratify=y, random_state=0)
    data = load("digits")
    assert np.array_equal(data.x_test.reshape(-1, 64), x_test)
    assert np.array_equal(data.y_test, y_test)
    assert [len(data.part(p)[0]) for p in ("train", "valid", "test")] == [998, 200, 599]
    rest = np.concatenate([data.x_train, data.x_valid]).reshape(-1, 64)
    assert sorted(map(tuple, rest)) == sorted(map(tuple, x_rest))
    assert min(np.bincount(data.y_valid)) >= 19
    assert (data.shape, data.classes) == ((8, 8, 1), 10)


def test_digits_have_the_input_formats_of_the_design() -> None:
    data = load("digits")
    four = data.input_format(4)
    assert (four.bits, four.lo, four.hi) == (4, 0, 15)
    assert np.array_equal(four.quantize(data.x_test), data.x_test.clip(0, 15).reshape(-1, 64))
    assert data.input_format(1).threshold == 8


# --- MNIST, in small: files of the same form, with hashes of their own

SIZES = {"x_train": 60, "y_train": 60, "x_test": 10, "y_test": 10}


@pytest.fixture
def contents(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the four files hold; `datasets` is told their hashes."""
    rng = np.random.default_rng(0)
    made, table = {}, {}
    for part, file in mnist.FILES.items():
        shape = (SIZES[part], 784) if part[0] == "x" else (SIZES[part],)
        values = rng.integers(0, 256 if part[0] == "x" else 10, shape, np.uint8)
        raw = bytes(file.header) + values.tobytes()
        made[file.name] = raw
        table[part] = dataclasses.replace(
            file,
            size=len(raw),
            sha256=hashlib.sha256(raw).hexdigest(),
            md5_gz=hashlib.md5(gzip.compress(raw, mtime=0)).hexdigest(),
        )
    monkeypatch.setattr(mnist, "FILES", table)
    monkeypatch.setattr(datasets, "MNIST_VALIDATION", 10)
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/",))  # nobody listens
    return made


def write(folder: Path, contents: dict[str, bytes], *, packed: bool = True) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in contents.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(raw))
        else:
            (folder / name).write_bytes(raw)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("inner", ["", "mnist"])
def test_mnist_is_read_packed_or_plain_from_either_folder(
    tmp_path: Path, contents: dict[str, bytes], packed: bool, inner: str
) -> None:
    write(tmp_path / inner, contents, packed=packed)
    data = load("mnist", tmp_path)
    assert [len(data.part(p)[0]) for p in ("train", "valid", "test")] == [50, 10, 10]
    assert data.shape == (28, 28, 1) and data.x_train.dtype == np.uint8
    raw = contents["train-images-idx3-ubyte"][16:]
    rows = np.frombuffer(raw, np.uint8).reshape(60, 784)
    both = np.concatenate([data.x_train, data.x_valid]).reshape(60, 784)
    assert sorted(map(bytes, both)) == sorted(map(bytes, rows))  # a partition
    labels = dict(zip(map(bytes, rows), contents["train-labels-idx1-ubyte"][8:], strict=True))
    for part in ("train", "valid"):
        x, y = data.part(part)
        assert [labels[bytes(v)] for v in x.reshape(-1, 784)] == y.tolist()
    again = load("mnist", tmp_path)
    assert np.array_equal(data.x_valid, again.x_valid)


def test_mnist_has_the_input_formats_of_the_design(
    tmp_path: Path, contents: dict[str, bytes]
) -> None:
    write(tmp_path, contents)
    data = load("mnist", tmp_path)
    eight, one = data.input_format(8), data.input_format(1)
    assert np.array_equal(eight.quantize(data.x_test), data.x_test.reshape(-1, 784))
    assert np.array_equal(one.quantize(data.x_test), data.x_test.reshape(-1, 784) >= 128)


def test_the_validation_part_of_mnist_never_changes() -> None:
    order = np.random.RandomState(datasets.SPLIT_SEED).permutation(60_000)
    assert np.sort(order[: datasets.MNIST_VALIDATION])[:5].tolist() == [17, 18, 24, 28, 50]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: gzip.compress(raw)[:-20], "cannot be read ("),
        (lambda raw: b"", "is not MNIST's file: the SHA-256 of its content must be "),
        (lambda raw: b"<html>404</html>", "cannot be read ("),
        (lambda raw: gzip.compress(raw)[:40] + b"\0" * 4000, "cannot be read ("),
        (lambda raw: gzip.compress(raw[:-1] + b"?"), "is not MNIST's file: the SHA-256"),
        (lambda raw: gzip.compress(raw + b"\0" * 50_000_000), "is not MNIST's file: the SHA-256"),
    ],
)
def test_a_damaged_file_is_one_line_that_names_it(
    tmp_path: Path, contents: dict[str, bytes], damage: Any, message: str
) -> None:
    write(tmp_path, contents)
    bad = tmp_path / "t10k-images-idx3-ubyte.gz"
    bad.write_bytes(damage(contents["t10k-images-idx3-ubyte"]))
    with pytest.raises(InputError) as raised:
        load("mnist", tmp_path)
    assert str(raised.value).startswith(f"{bad}: {message}")
    assert "\n" not in str(raised.value) and str(raised.value).endswith("delete it and try again")
    assert bad.exists()  # it is the user's to delete


def test_no_file_and_no_network_is_one_line(tmp_path: Path, contents: dict[str, bytes]) -> None:
    with pytest.raises(InputError) as raised:
        load("mnist", tmp_path)
    message = str(raised.value)
    assert message == (
        f"mnist: train-images-idx3-ubyte.gz is not in {tmp_path} and cannot be downloaded "
        "(no connection); put MNIST's four files there, or name their folder with --data-dir"
    )
    assert not list(tmp_path.iterdir())


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder served over HTTP, which `mnist` takes for MNIST's mirror."""
    served = tmp_path / "served"
    served.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(served))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/", address))
        yield served
        server.shutdown()


def test_missing_files_are_downloaded_once(
    tmp_path: Path, contents: dict[str, bytes], mirror: Path
) -> None:
    for name, raw in contents.items():
        (mirror / f"{name}.gz").write_bytes(gzip.compress(raw, mtime=0))
    first = load("mnist", tmp_path / "data")
    assert len(list((tmp_path / "data" / "mnist").iterdir())) == 4
    for file in mirror.iterdir():
        file.unlink()
    assert np.array_equal(load("mnist", tmp_path / "data").x_test, first.x_test)


def test_a_wrong_download_is_refused_and_not_kept(
    tmp_path: Path, contents: dict[str, bytes], mirror: Path
) -> None:
    for name in contents:
        (mirror / f"{name}.gz").write_bytes(gzip.compress(b"something else"))
    with pytest.raises(InputError, match="cannot be downloaded"):
        load("mnist", tmp_path / "data")
    assert not list((tmp_path / "data").rglob("*.gz"))


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(InputError) as raised:
        load("imagenet")
    assert str(raised.value) == (
        "data must be digits, mnist, cifar10, svhn, a .npz file or a folder of pictures, "
        "not 'imagenet'"
    )
