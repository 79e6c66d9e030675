"""CIFAR-10 and SVHN, in small: files of the same form, whole and damaged."""

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from scipy.io import savemat

from bnnhw import cifar10, datasets, svhn
from bnnhw.datasets import load
from bnnhw.errors import InputError

BATCH = 20


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 20 images; nothing to be had from outside."""
    monkeypatch.setattr(cifar10, "BATCH", BATCH)
    monkeypatch.setattr(cifar10, "URLS", ("http://127.0.0.1:9/",))
    monkeypatch.setattr(svhn, "URL", "http://127.0.0.1:9/")
    monkeypatch.setattr(datasets, "CIFAR10_VALIDATION", 10)
    monkeypatch.setattr(datasets, "SVHN_VALIDATION", 8)


def batches() -> dict[str, npt.NDArray[np.uint8]]:
    """Each file's records; every class twice in each."""
    rng = np.random.default_rng(0)
    made = {}
    for names in cifar10.BATCHES.values():
        for name in names:
            made[name] = rng.integers(0, 256, (BATCH, cifar10.RECORD), np.uint8)
            made[name][:, 0] = rng.permutation(np.arange(BATCH) % 10)
    return made


def write(folder: Path, made: dict[str, npt.NDArray[np.uint8]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in made.items():
        records.tofile(folder / name)


@pytest.mark.parametrize("inner", ["", cifar10.FOLDER])
def test_cifar10_is_read_plane_by_plane(tmp_path: Path, inner: str) -> None:
    made = batches()
    write(tmp_path / inner, made)
    data = load("cifar10", tmp_path)
    assert (data.name, data.shape, data.classes) == ("cifar10-other", (32, 32, 3), 10)
    assert [len(data.part(p)[1]) for p in ("train", "valid", "test")] == [90, 10, 20]
    record = made["test_batch.bin"][3]
    for c in range(3):
        plane = record[1 + 1024 * c : 1 + 1024 * (c + 1)].reshape(32, 32)
        assert np.array_equal(data.x_test[3, :, :, c], plane)
    assert data.y_test[3] == record[0]


def test_batches_of_other_pixels_are_not_called_cifar10(tmp_path: Path) -> None:
    made = batches()
    write(tmp_path, made)
    assert load("cifar10", tmp_path).name == "cifar10-other"
    # Values of one image do not change its class, so that each class still has its tenth.
    for name, head in cifar10.ORIGINAL.items():
        at = int(np.argmax(made[name][:, 0] == head[0]))
        made[name][[0, at]] = made[name][[at, 0]]
        made[name][0, : len(head)] = list(head)
    write(tmp_path, made)
    assert load("cifar10", tmp_path).name == "cifar10"


def archive(made: dict[str, npt.NDArray[np.uint8]]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for name, content in {**made, "../evil.bin": np.zeros(9, np.uint8)}.items():
            member = tarfile.TarInfo(f"{cifar10.FOLDER}/{name}")
            member.size = content.nbytes
            file.addfile(member, io.BytesIO(content.tobytes()))
    return packed.getvalue()


def test_cifar10_is_unpacked_from_its_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = archive(batches())
    monkeypatch.setattr(cifar10, "ARCHIVE_MD5", hashlib.md5(content).hexdigest())
    (tmp_path / "data" / "cifar10").mkdir(parents=True)
    (tmp_path / "data" / "cifar10" / cifar10.ARCHIVE).write_bytes(content)  # as if downloaded
    data = load("cifar10", tmp_path / "data")
    assert data.y_test.tolist() == batches()["test_batch.bin"][:, 0].tolist()
    found = (tmp_path / "data" / cifar10.FOLDER).iterdir()
    assert sorted(path.name for path in found) == sorted(batches())
    assert not list(tmp_path.rglob("evil.bin"))


def jpegs(made: dict[str, npt.NDArray[np.uint8]]) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for part, names in cifar10.BATCHES.items():
        records = np.concatenate([made[name] for name in names])
        blobs = []
        for record in records:
            pixels = np.full((32, 32, 3), record[1:4])  # one colour: JPEG keeps it, nearly
            opened = io.BytesIO()
            Image.fromarray(pixels).save(opened, "JPEG", quality=95)
            blobs.append(opened.getvalue())
        arrays[f"{part}_jpeg"] = np.frombuffer(b"".join(blobs), np.uint8)
        arrays[f"{part}_offsets"] = np.cumsum([0, *map(len, blobs)])
        arrays[f"{part}_labels"] = records[:, 0]
    return arrays


def test_an_archive_of_jpegs_says_that_it_is_one(tmp_path: Path) -> None:
    made = batches()
    np.savez(tmp_path / cifar10.JPEGS, **jpegs(made))
    data = load("cifar10", tmp_path)
    assert data.name == "cifar10-jpeg"
    wanted = made["test_batch.bin"][:, 1:4].astype(int)
    assert np.abs(data.x_test[:, 7, 7].astype(int) - wanted).max() < 12
    assert data.y_test.tolist() == made["test_batch.bin"][:, 0].tolist()


@pytest.mark.parametrize("what", ["short", "missing", "label", "twice", "nothing"])
def test_a_damaged_cifar10_is_one_line_that_names_the_file(what: str, tmp_path: Path) -> None:
    made = batches()
    write(tmp_path, made)
    bad = tmp_path / "data_batch_3.bin"
    size = BATCH * cifar10.RECORD
    if what == "short":
        bad.write_bytes(bad.read_bytes()[:-1])
        message = f"{bad}: must have {size:,} bytes, 20 records, not {size - 1:,}"
    elif what == "missing":
        bad.unlink()
        message = f"{bad}: cannot be read (No such file or directory)"
    elif what == "label":
        made[bad.name][5, 0] = 10
        write(tmp_path, made)
        message = f"{bad}: labels must be 0 to 9, not 10"
    elif what == "twice":
        made[bad.name][:, 0] = 4
        write(tmp_path, made)
        message = (
            f"{tmp_path}: data_batch_1.bin to 5: each class must have 10 images, and class 0 has 8"
        )
    else:
        for path in tmp_path.iterdir():
            path.unlink()
        message = (
            f"cifar10: cifar-10-binary.tar.gz is not in {tmp_path} and cannot be downloaded "
            "(no connection); put CIFAR-10's files there, or name their folder with --data-dir"
        )
    with pytest.raises(InputError) as raised:
        load("cifar10", tmp_path)
    assert str(raised.value) == message


@pytest.mark.parametrize("what", ["torn picture", "lacks", "no zip", "counts",
                                  "label -1", "label 10", "label 0.5"])  # fmt: skip
def test_a_damaged_archive_of_jpegs_is_one_line(what: str, tmp_path: Path) -> None:
    path = tmp_path / cifar10.JPEGS
    arrays = jpegs(batches())
    if what == "torn picture":
        blob = arrays["test_jpeg"].copy()
        start = arrays["test_offsets"][4]
        blob[start : start + 20] = 0
        arrays["test_jpeg"] = blob
        message = f"{path}: image 4 is damaged ("
    elif what == "lacks":
        del arrays["test_labels"]
        message = f"{path}: lacks the array test_labels"
    elif what.startswith("label"):
        wrong = {"label -1": -1, "label 10": 10, "label 0.5": 0.5}[what]
        arrays["test_labels"] = np.where(arrays["test_labels"] == 3, wrong, arrays["test_labels"])
        message = f"{path}: test_labels must be integers, 0 to 9"
    elif what == "counts":
        arrays["test_labels"] = arrays["test_labels"][:-1]
        message = f"{path}: test must have 20 images"
    np.savez(path, **arrays)
    if what == "no zip":
        path.write_bytes(path.read_bytes()[:100])
        message = f"{path}: not a readable .npz file ("
    with pytest.raises(InputError) as raised:
        load("cifar10", tmp_path)
    assert str(raised.value).startswith(message) and "\n" not in str(raised.value)


@pytest.fixture
def mats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """An SVHN of 50 and 15 images, in tmp_path and taken for the real one."""
    rng = np.random.default_rng(0)
    made, files = {}, {}
    for part, count in (("train", 50), ("test", 15)):
        made[part] = {
            "X": rng.integers(0, 256, (32, 32, 3, count), np.uint8),
            "y": rng.permutation(np.arange(count) % 10 + 1).astype(np.uint8)[:, None],
        }
        path = tmp_path / svhn.FILES[part][0]
        savemat(path, made[part])
        files[part] = (path.name, hashlib.md5(path.read_bytes()).hexdigest())
    monkeypatch.setattr(svhn, "FILES", files)
    return made


@pytest.mark.parametrize("inner", ["", "svhn"])
def test_svhn_puts_samples_first_and_ten_is_the_digit_zero(
    mats: dict[str, dict[str, Any]], inner: str, tmp_path: Path
) -> None:
    (tmp_path / inner).mkdir(exist_ok=True)
    for path in tmp_path.glob("*.mat"):
        path.rename(tmp_path / inner / path.name)
    data = load("svhn", tmp_path)
    assert [len(data.part(p)[1]) for p in ("train", "valid", "test")] == [42, 8, 15]
    assert np.array_equal(data.x_test[4], mats["test"]["X"][:, :, :, 4])
    assert data.y_test.tolist() == [int(v) % 10 for v in mats["test"]["y"][:, 0]]


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0 MAT-file" + bytes(200), None])
def test_what_is_not_svhns_file_is_refused_unparsed(
    mats: dict[str, dict[str, Any]], content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "test_32x32.mat"
    if content is None:
        savemat(path, mats["test"] | {"y": np.ones((15, 1), np.uint8)})
    else:
        path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        load("svhn", tmp_path)
    assert str(raised.value).startswith(f"{path}: is not SVHN's file, whose MD5 is ")
