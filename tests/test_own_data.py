"""The user's own data: arrays in a file, pictures in folders, and what can be wrong with them."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bnnhw.classify import run
from bnnhw.datasets import load
from bnnhw.errors import InputError
from bnnhw.training import TrainConfig, train


def arrays(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    made: dict[str, Any] = {"x_train": rng.normal(size=(30, 5)), "x_test": rng.normal(size=(9, 5))}
    made |= {"y_train": rng.integers(0, 3, 30), "y_test": rng.integers(0, 3, 9)}
    return {n: v for n, v in (made | changes).items() if v is not None}


def test_an_npz_file_gives_parts_and_limits(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", **arrays())
    data = load(str(tmp_path / "mine.npz"))
    assert [len(data.part(p)[0]) for p in ("train", "valid", "test")] == [25, 5, 9]
    assert (data.name, data.shape, data.classes) == ("mine", (5,), 3)
    form = data.input_format(3)
    assert (form.lo, form.hi) == (data.x_train.min(), data.x_train.max())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": None}, "lacks the array y_test"),
        ({"x_valid": np.ones((3, 5))}, "lacks the array y_valid"),
        ({"y_valid": np.zeros(3, int)}, "lacks the array x_valid"),
        (
            {"y_train": np.zeros(29, int)},
            "y_train must have one label a sample, shape (30,), not (29,)",
        ),
        (
            {"y_train": np.zeros((30, 1), int)},
            "y_train must have one label a sample, shape (30,), not (30, 1)",
        ),
        (
            {"y_test": np.zeros((3, 3), int)},
            "y_test must have one label a sample, shape (9,), not (3, 3)",
        ),
        (
            {"x_train": np.ones((30, 5))},
            "values of the training samples must differ, and by a finite step; they are 1.0 to 1.0",
        ),
        (
            {"x_train": np.repeat([[-1e308], [1e308]], 15, 0) * np.ones(5)},
            "values of the training samples must differ, and by a finite step; they are -1e+308 to",
        ),
        (
            {
                "x_train": np.array([[0.0], [1.0]]),
                "y_train": np.arange(2),
                "x_test": np.ones((9, 1)),
                "y_test": np.arange(9) % 2,
            },
            "values of the training samples must differ",  # one of the two is for validation
        ),
        (
            {
                "x_train": np.arange(5)[None],
                "y_train": np.zeros(1, int),
                "y_test": np.zeros(9, int),
            },
            "x_train must have at least 2 samples, not 1",
        ),
        (
            {"x_train": np.ones(30)},
            "x_train must have shape (N, K), (N, H, W) or (N, H, W, C), not (30,)",
        ),
        (
            {"x_train": np.ones((30, 1, 2, 3, 4))},
            "x_train must have shape (N, K), (N, H, W) or (N, H, W, C), not (30, 1, 2, 3, 4)",
        ),
        (
            {"x_test": np.ones((9, 4))},
            "x_test must have shape (N, 5) as x_train has, not (9, 4)",
        ),
        (
            {"x_valid": np.ones((3, 5, 1)), "y_valid": np.zeros(3, int)},
            "x_valid must have shape (N, 5) as x_train has, not (3, 5, 1)",
        ),
        (
            {"y_test": np.full(9, 3)},
            "labels in y_test must be 0 to 2 as in y_train, not 3 to 3",
        ),
        (
            {"x_valid": np.ones((3, 5)), "y_valid": np.full(3, -1)},
            "labels in y_valid must be 0 to 2 as in y_train, not -1 to -1",
        ),
        ({"x_train": np.array(1.0)}, "x_train is empty or no list"),
        ({"x_train": np.full((30, 5), np.nan)}, "x_train must hold finite numbers"),
        ({"x_test": np.full((9, 5), np.inf)}, "x_test must hold finite numbers"),
        ({"y_train": np.full(30, -1)}, "labels in y_train must be 0 to 65,535, not -1 to -1"),
        (
            {"y_train": np.full(30, 10**10)},
            "labels in y_train must be 0 to 65,535, not 1000",
        ),
        ({"x_train": np.full((30, 5), "a")}, "x_train must be numbers, not <U1"),
        ({"y_train": np.zeros((30, 1))}, "y_train must be numbers, not float64"),
        ({"x_test": np.ones((0, 5))}, "x_test is empty or no list"),
    ],
)
def test_an_npz_file_that_is_wrong_is_one_line(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays(**changes))
    with pytest.raises(InputError) as raised:
        load(str(path))
    assert str(raised.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1)], ids=str)
def test_images_without_an_axis_of_channels_have_one(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    x = np.arange(60 * 20).reshape(60, *shape)
    given = arrays(x_train=x[:30], x_test=x[30:39], x_valid=x[39:42], y_valid=np.arange(3))
    np.savez(tmp_path / "mine.npz", **given)
    data = load(str(tmp_path / "mine.npz"))
    assert data.shape == (4, 5, 1)
    assert data.x_train.tobytes() == x[:30].tobytes()
    assert [data.part(p)[0].shape for p in ("valid", "test")] == [(3, 4, 5, 1), (9, 4, 5, 1)]


def test_a_class_whose_samples_are_all_drawn_for_validation_is_one_still(tmp_path: Path) -> None:
    drawn = int(np.random.RandomState(0).permutation(30)[0])
    y = np.zeros(30, int)
    y[drawn] = 7
    np.savez(tmp_path / "mine.npz", **arrays(y_train=y))
    data = load(str(tmp_path / "mine.npz"))
    assert data.classes == 8 and 7 in data.y_valid and 7 not in data.y_train


def test_a_single_array_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    with path.open("wb") as file:
        np.save(file, np.ones((30, 5)))
    with pytest.raises(InputError, match=r"mine\.npz: not a readable \.npz file"):
        load(str(path))


@settings(deadline=None, max_examples=200)
@given(share=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flipped_byte_is_data_or_one_clear_line(
    tmp_path_factory: pytest.TempPathFactory, share: float, flip: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "flipped.npz"
    np.savez_compressed(path, **arrays())
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= flip
    path.write_bytes(content)
    try:
        load(str(path))
    except InputError as error:
        assert "\n" not in str(error)


def test_an_npz_file_is_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays(x_train=np.array([[Bomb()]], dtype=object)))
    with pytest.raises(InputError, match=r"not a readable \.npz file"):
        load(str(path))


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("unpickled",)


def test_an_array_larger_than_memory_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    head = io.BytesIO()
    form = {"descr": "<f8", "fortran_order": False, "shape": (1 << 50,)}
    np.lib.format.write_array_header_1_0(head, form)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("x_train.npy", head.getvalue() + bytes(800))
    with pytest.raises(InputError, match=r"^\S+mine.npz: [^\n]+$"):
        load(str(path))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"no zip at all", None])
def test_a_file_that_is_no_npz_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        load(str(path))
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


def picture(path: Path, value: int, *, size: tuple[int, int] = (5, 4), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 9)).save(path)


def classes(root: Path, **counts: int) -> None:
    for name, count in counts.items():
        for i in range(count):
            picture(root / name / f"{i:02}.png", 10 * len(name) + i)


def test_a_folder_for_each_class_is_split_the_same_way_each_time(tmp_path: Path) -> None:
    classes(tmp_path / "pets", dog=12, zebra=7)
    (tmp_path / "pets" / "dog" / "notes.txt").write_text("good boys")
    data = load(str(tmp_path / "pets"))
    assert (data.name, data.shape, data.classes) == ("pets", (4, 5, 1), 2)
    assert data.class_names == ("dog", "zebra")
    assert [len(data.part(p)[1]) for p in ("train", "valid", "test")] == [13, 3, 3]
    values, labels = [], []
    for part in ("train", "valid", "test"):
        x, y = data.part(part)
        assert (x == x[:, :1, :1]).all()
        values += x[:, 0, 0, 0].tolist()
        labels += y.tolist()
    assert sorted(zip(values, labels, strict=True)) == sorted(
        [(30 + i, 0) for i in range(12)] + [(50 + i, 1) for i in range(7)]
    )
    assert (
        data.input_format(8).quantize(data.x_test).tolist() == data.x_test.reshape(3, 20).tolist()
    )
    assert np.array_equal(load(str(tmp_path / "pets")).x_train, data.x_train)


def test_parts_may_be_folders_too(tmp_path: Path) -> None:
    classes(tmp_path / "train", a=6, bb=6)
    classes(tmp_path / "test", bb=2)
    data = load(str(tmp_path))
    assert data.y_test.tolist() == [1, 1]
    assert [len(data.part(p)[1]) for p in ("train", "valid", "test")] == [10, 2, 2]
    classes(tmp_path / "valid", a=1)
    data = load(str(tmp_path))
    assert [len(data.part(p)[1]) for p in ("train", "valid", "test")] == [12, 1, 2]


def test_one_picture_with_colours_makes_all_of_them_coloured(tmp_path: Path) -> None:
    classes(tmp_path, a=3, b=3)
    picture(tmp_path / "b" / "01.png", 200, mode="RGB")
    data = load(str(tmp_path))
    x = np.concatenate([data.x_train, data.x_valid, data.x_test])
    assert data.shape == (4, 5, 3)
    assert {tuple(v) for v in x[:, 0, 0].tolist()} >= {(200, 0, 9), (10, 10, 10)}


@pytest.mark.parametrize(
    "name", ["torn", "none", "deep", "wide", "one", "few", "no test", "single", "empty"]
)
def test_a_folder_that_is_wrong_is_one_line_that_names_what(name: str, tmp_path: Path) -> None:
    root = tmp_path / "mine"
    classes(root, a=4, b=4)
    bad = root / "b" / "02.png"
    if name == "torn":
        bad.write_bytes(bad.read_bytes()[:40])
        message = f"{bad}: not a readable picture ("
    elif name == "none":
        bad.write_bytes(b"no picture")
        message = f"{bad}: not a readable picture ("
    elif name == "deep":
        Image.new("I;16", (5, 4)).save(bad)
        message = f"{bad}: pixels must have 8 bits, not mode I;16"
    elif name == "wide":
        picture(bad, 3, size=(6, 4))
        message = ""
    elif name == "one":
        root = root / "a"
        message = f"{root}: must have a folder for each of at least 2 classes"
    elif name == "few":
        classes(root, c=2)
        message = f"{root / 'c'}: must hold at least 3 pictures (.png"
    elif name == "no test":
        root = tmp_path
        classes(root / "train", a=4, b=4)
        message = f"{root}: must have the folders train and test, not only train"
    elif name == "single":
        root = tmp_path
        classes(root / "train", a=1)
        classes(root / "test", a=1, b=1)
        message = f"{root / 'train'}: must hold at least 2 pictures, one for validation"
    else:
        root = tmp_path
        classes(root / "train", a=4, b=4)
        (root / "test" / "a").mkdir(parents=True)
        message = f"{root / 'test'}: holds no pictures (.png"
    with pytest.raises(InputError) as raised:
        load(str(root))
    said = str(raised.value)
    if name == "wide":  # or any other of the first size, where the wide one is the first
        assert re.fullmatch(r"\S+: must be \d x 4 pixels as \S+ is, not \d x 4", said)
        assert str(bad) in said
    else:
        assert said.startswith(message)
    assert "\n" not in said


def test_a_trained_network_knows_classes_by_their_folders_names(tmp_path: Path) -> None:
    classes(tmp_path / "pets", ant=6, dog=6, zebra=6)
    config = TrainConfig(data=str(tmp_path / "pets"), topology="4", epochs=1, warmup=0, batch=4)
    model = train(config, tmp_path / "run").model
    told = run(model, images=[tmp_path / "pets" / "dog" / "00.png"])
    assert [told.name(0), told.name(1), told.name(2)] == ["ant", "dog", "zebra"]
    # Another folder numbers them in another way.
    classes(tmp_path / "farm", dog=6, zebra=12)
    labels = run(model, data=str(tmp_path / "farm")).labels
    assert labels is not None and labels.tolist() == [1, 2, 2]
    classes(tmp_path / "farm", cow=3)
    with pytest.raises(InputError, match=r"^\S+/farm has the class cow, which \S+ does not know$"):
        run(model, data=str(tmp_path / "farm"))
