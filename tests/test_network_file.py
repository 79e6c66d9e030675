"""The network file: the same bytes again, and one clear line for every way to be malformed."""

import contextlib
import json
import os
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import random_conv_network, random_network

from bnnhw import cli
from bnnhw.errors import InputError
from bnnhw.input_format import InputFormat
from bnnhw.network import Network
from bnnhw.network_file import load

Tensors = dict[str, Any]
Described = dict[str, Any]

# The network that the malformed files are made from: 11 inputs of 3 bits, so 5 spare bits a row.
GOOD = random_network((11, 9, 4), bits=3, seed=1)


def header_of(text: bytes, length: int | None = None) -> bytes:
    """A header alone; `length` is what it claims to be."""
    return struct.pack("<Q", len(text) if length is None else length) + text


def parts(content: bytes) -> tuple[Described, Tensors, Described]:
    """A file as its header, its tensors' bytes and the network's description."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    body = content[8 + length :]
    described = json.loads(header.pop("__metadata__")["bnnhw"])
    tensors = {n: body[slice(*entry["data_offsets"])] for n, entry in header.items()}
    return header, tensors, described


def assembled(header: Described, tensors: Tensors, metadata: dict[str, str] | None) -> bytes:
    """The inverse of `parts`, in any state of disrepair."""
    body, entries = b"", {}
    for name, content in tensors.items():
        offsets = [len(body), len(body) + len(content)]
        entries[name] = header[name] | {"data_offsets": offsets}
        body += content
    if metadata is not None:
        entries["__metadata__"] = metadata
    text = json.dumps(entries).encode()
    return header_of(text) + body


def changed(change: Callable[[Described, Tensors, Described], None]) -> bytes:
    """GOOD's file after `change(header, tensors, described)`."""
    header, tensors, described = parts(GOOD.to_bytes())
    change(header, tensors, described)
    return assembled(header, tensors, {"bnnhw": json.dumps(described)})


def described_as(text: str) -> bytes:
    """GOOD's file with this text for its description."""
    header, tensors, _ = parts(GOOD.to_bytes())
    return assembled(header, tensors, {"bnnhw": text})


def describing(old: str, new: str) -> bytes:
    """GOOD's file with one piece of its description's JSON replaced."""
    _, _, described = parts(GOOD.to_bytes())
    text = json.dumps(described, separators=(",", ":"))
    assert text.count(old) == 1, text
    return described_as(text.replace(old, new))


def with_tensor(name: str, dtype: str, shape: list[int], content: bytes) -> bytes:
    """GOOD's file with one tensor replaced or added."""

    def change(header: Described, tensors: Tensors, described: Described) -> None:
        header[name], tensors[name] = {"dtype": dtype, "shape": shape}, content

    return changed(change)


def with_values(name: str, value: int, at: int) -> bytes:
    """GOOD's file with one number of a tensor of int32 or uint8 replaced."""

    def change(header: Described, tensors: Tensors, described: Described) -> None:
        values = np.frombuffer(
            tensors[name], {"I32": "<i4", "I16": "<i2", "U8": "u1"}[header[name]["dtype"]]
        ).copy()
        values[at] = value
        tensors[name] = values.tobytes()

    return changed(change)


def without(name: str) -> bytes:
    def change(header: Described, tensors: Tensors, described: Described) -> None:
        del header[name], tensors[name]

    return changed(change)


def alter(*path: str | int, to: Any) -> bytes:
    """GOOD's file with one value of its description replaced."""

    def change(header: Described, tensors: Tensors, described: Any) -> None:
        for key in path[:-1]:
            described = described[key]
        described[path[-1]] = to

    return changed(change)


def drop(*path: str | int) -> bytes:
    """GOOD's file with one value of its description missing."""

    def change(header: Described, tensors: Tensors, described: Any) -> None:
        for key in path[:-1]:
            described = described[key]
        del described[path[-1]]

    return changed(change)


def twice(content: bytes) -> bytes:
    """The file with its first tensor's entry standing twice in the header."""
    (length,) = struct.unpack("<Q", content[:8])
    text = content[8 : 8 + length].rstrip()
    name, entry = next(
        (n, e) for n, e in json.loads(text).items() if n.startswith("layers.0.weight")
    )
    text = text[:-1] + f",{json.dumps(name)}:{json.dumps(entry)}".encode() + b"}"
    return header_of(text) + content[8 + length :]


def int8_as_bits() -> bytes:
    _, tensors, _ = parts(GOOD.to_bytes())
    return with_tensor("layers.0.weight", "I8", [9, 2], tensors["layers.0.weight"])


WHOLE = GOOD.to_bytes()
CONVOLUTIONS = random_conv_network((6, 7, 2), [("conv", 3, 3, 1, 1), ("pool", 0, 2, 2, 0)], bits=3)
LOW, HIGH = GOOD.layers[0].threshold_limits  # type: ignore[union-attr]
NOT_SAFETENSORS = r"not a readable safetensors file \(.+\)"

MALFORMED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", NOT_SAFETENSORS),
    "seven bytes": (WHOLE[:7], NOT_SAFETENSORS),
    "cut in the header": (WHOLE[:100], NOT_SAFETENSORS),
    "cut in the tensors": (WHOLE[:-1], NOT_SAFETENSORS),
    "a byte too many": (WHOLE + b"\0", NOT_SAFETENSORS),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), NOT_SAFETENSORS),
    "a pickle": (b"\x80\x04\x95" + bytes(100), NOT_SAFETENSORS),
    "a header of 10 GB": (header_of(b"{}", length=10 * 10**9), NOT_SAFETENSORS),
    "a header of 2^64 - 1": (header_of(b"{}", length=2**64 - 1), NOT_SAFETENSORS),
    "a header that is no JSON": (header_of(b"{,,}"), NOT_SAFETENSORS),
    "a header 5,000 deep": (header_of(b'{"a":' * 5000 + b"1" + b"}" * 5000), NOT_SAFETENSORS),
    "a tensor of 2^62 numbers": (
        header_of(b'{"x":{"dtype":"U8","shape":[4611686018427387904],"data_offsets":[0,4]}}')
        + bytes(4),
        NOT_SAFETENSORS,
    ),
    "no metadata": (
        assembled(*parts(WHOLE)[:2], metadata=None),
        "holds no bnnhw metadata, so it is not our network",
    ),
    "another's metadata": (
        assembled(*parts(WHOLE)[:2], metadata={"format": "pt"}),
        "holds no bnnhw metadata, so it is not our network",
    ),
    "metadata that is no JSON": (described_as("{"), r"metadata is not JSON \(.+\)"),
    "metadata 100,000 deep": (
        described_as('{"a":' * 100_000),
        r"metadata is not JSON \(maximum recursion depth exceeded.*\)",
    ),
    "a list for metadata": (described_as("[]"), "metadata must be a JSON object"),
    "NaN": (describing('"lo":0.0', '"lo":NaN'), r"metadata is not JSON \(NaN is no JSON number\)"),
    "infinity": (
        describing('"hi":7.0', '"hi":Infinity'),
        r"metadata is not JSON \(Infinity is no JSON number\)",
    ),
    "infinity, less plainly": (
        describing('"hi":7.0', '"hi":1e999'), "input hi must be finite, not inf"
    ),
    "an integer beyond floats": (
        describing('"hi":7.0', '"hi":1' + "0" * 400),
        "metadata: input lo, hi and threshold must fit float64",
    ),
    "an integer of 10,000 digits": (
        describing('"hi":7.0', '"hi":1' + "0" * 10_000), r"metadata is not JSON \(.+\)"
    ),
    "a name twice in one object": (
        describing('"schema":1', '"schema":1,"schema":1'),
        r"metadata is not JSON \(a name stands twice in one object\)",
    ),
    "NaN in the training record": (
        describing('"training":{}', '"training":{"loss":NaN}'),
        r"metadata is not JSON \(NaN is no JSON number\)",
    ),
    "no schema": (
        drop("schema"), "schema must be 1, not None; another version of bnnhw wrote this file"
    ),
    "schema 2": (
        alter("schema", to=2), "schema must be 1, not 2; another version of bnnhw wrote this file"
    ),
    "schema true": (
        alter("schema", to=True),
        "schema must be 1, not True; another version of bnnhw wrote this file",
    ),
    "no input": (drop("input"), "metadata: the file lacks 'input'"),
    "input a number": (
        alter("input", to=3), "metadata: the file 'input' has the wrong type, int"
    ),
    "9 bits": (alter("input", "bits", to=9), "input bits must be 1 to 8, not 9"),
    "0 bits": (alter("input", "bits", to=0), "input bits must be 1 to 8, not 0"),
    "bits true": (
        alter("input", "bits", to=True), "metadata: input 'bits' has the wrong type, bool"
    ),
    "other bits": (
        alter("input", "bits", to=1), "an input of 1 bits has threshold, not hi and lo"
    ),
    "no lo": (drop("input", "lo"), "an input of 3 bits has hi and lo, not hi"),
    "lo a word": (alter("input", "lo", to="0"), "metadata: input 'lo' has the wrong type, str"),
    "lo above hi": (
        alter("input", "lo", to=8),
        "input lo must be below hi, by a finite step, not 8.0 and 7.0",
    ),
    "lo endlessly far below hi": (
        describing('"hi":7.0,"lo":0.0', '"hi":1e308,"lo":-1e308'),
        r"input lo must be below hi, by a finite step, not -1e\+308 and 1e\+308",
    ),
    "shape a number": (
        alter("input", "shape", to=11), "metadata: input 'shape' has the wrong type, int"
    ),
    "shape of fractions": (
        alter("input", "shape", to=[11.0]),
        "metadata: input shape must be a list of integers",
    ),
    "shape of two": (
        alter("input", "shape", to=[1, 11]),
        r"input shape must be \(K,\) or \(H, W, C\) of sizes >= 1, not \(1, 11\)",
    ),
    "shape of another size": (alter("input", "shape", to=[12]), "fc1: inputs must be 12, not 11"),
    "no layers": (
        alter("layers", to=[]), r"holds a tensor that no layer has, 'layers\.0\.threshold'"
    ),
    "nothing": (
        assembled({}, {}, {"bnnhw": json.dumps(parts(WHOLE)[2] | {"layers": []})}),
        "a network must have at least 1 layer, not 0",
    ),
    "layers a word": (
        alter("layers", to="dense"), "metadata: the file 'layers' has the wrong type, str"
    ),
    "a layer a word": (alter("layers", 0, to="dense"), "metadata: layer 0 lacks 'kind'"),
    "an unknown kind": (
        alter("layers", 1, "kind", to="lstm"),
        "layer 1: kind must be dense, conv, pool or flatten, not 'lstm'",
    ),
    "gives what": (
        alter("layers", 1, "gives", to="classes"),
        "layer 1: gives must be bits or scores, not 'classes'",
    ),
    "scores in the middle": (
        alter("layers", 0, "gives", to="scores"), r"lacks the tensor layers\.0\.scale"
    ),
    "a size of 0": (
        alter("layers", 0, "neurons", to=0), "layer 0: sizes must be at least 1, not 11 and 0"
    ),
    "a size of 10^18": (
        alter("layers", 0, "neurons", to=10**18),
        r"layers\.0\.weight: shape must be \(1000000000000000000, 2\), not \(9, 2\)",
    ),
    "a size of 10^18 inputs": (
        alter("layers", 0, "inputs", to=10**18),
        r"layers\.0\.weight: shape must be \(9, 125000000000000000\), not \(9, 2\)",
    ),
    "a few inputs fewer": (
        alter("layers", 0, "inputs", to=10),
        r"layers\.0\.weight: spare bits of the last byte must be 0",
    ),
    "a few inputs more": (alter("layers", 0, "inputs", to=16), "fc1: inputs must be 11, not 16"),
    "a name with a line feed": (
        alter("layers", 0, "name", to="a\nb"), r"layer name must be an identifier, not 'a\\nb'"
    ),
    "a name twice": (
        alter("layers", 1, "name", to="fc1"), "layer names must differ, but two are fc1"
    ),
    "training a list": (
        alter("training", to=[]), "metadata: the file 'training' has the wrong type, list"
    ),
    "no accuracy": (drop("accuracy"), "metadata: the file lacks 'accuracy'"),
    "accuracy a word": (
        alter("accuracy", to={"test": "good"}),
        "accuracy on 'test' must be a number 0 to 1, not 'good'",
    ),
    "accuracy in percent": (
        alter("accuracy", to={"te\nst": 97}),
        r"accuracy on 'te\\nst' must be a number 0 to 1, not 97",
    ),
    "a tensor missing": (without("layers.0.threshold"), r"lacks the tensor layers\.0\.threshold"),
    "a tensor too many": (
        with_tensor("layers.0.\nbias", "I32", [1], bytes(4)),
        r"holds a tensor that no layer has, 'layers\.0\.\\nbias'",
    ),
    "weights of 8 signed bits": (int8_as_bits(), r"layers\.0\.weight: dtype must be U8, not I8"),
    "weights in floats": (
        with_tensor("layers.0.weight", "F32", [9, 2], bytes(72)),
        r"layers\.0\.weight: dtype must be U8, not F32",
    ),
    "thresholds in a type numpy lacks": (
        with_tensor("layers.0.threshold", "BF16", [9], bytes(18)),
        r"layers\.0\.threshold: dtype must be I32, not BF16",
    ),
    "thresholds of 64 bits": (
        with_tensor("layers.0.threshold", "I64", [9], bytes(72)),
        r"layers\.0\.threshold: dtype must be I32, not I64",
    ),
    "scales of 32 bits": (
        with_tensor("layers.1.scale", "I32", [4], bytes(16)),
        r"layers\.1\.scale: dtype must be I16, not I32",
    ),
    "thresholds in a column": (
        with_tensor("layers.0.threshold", "I32", [9, 1], bytes(36)),
        r"layers\.0\.threshold: shape must be \(9,\), not \(9, 1\)",
    ),
    "a threshold too few": (
        with_tensor("layers.0.threshold", "I32", [8], bytes(32)),
        r"layers\.0\.threshold: shape must be \(9,\), not \(8,\)",
    ),
    "a row of weights too many": (
        with_tensor("layers.1.weight", "U8", [5, 2], bytes(10)),
        r"layers\.1\.weight: shape must be \(4, 2\), not \(5, 2\)",
    ),
    "a threshold below always": (
        with_values("layers.0.threshold", LOW - 1, 2),
        rf"fc1: thresholds must be {LOW} to {HIGH}, not {LOW - 1}",
    ),
    "a threshold above never": (
        with_values("layers.0.threshold", HIGH + 1, 8),
        rf"fc1: thresholds must be {LOW} to {HIGH}, not {HIGH + 1}",
    ),
    "a spare bit": (
        with_values("layers.0.weight", 1 << 3, -1),  # bit 11 of the last neuron
        r"layers\.0\.weight: spare bits of the last byte must be 0",
    ),
    "a score beyond 32 bits": (
        with_values("layers.1.bias", 2**31 - 1, 0),
        r"out: scores must fit 32 bits, but reach -?\d+ to \d+",
    ),
    "a tensor twice": (
        twice(WHOLE), r"header is not JSON \(a name stands twice in one object\)"
    ),
}  # fmt: skip


def test_the_file_that_the_malformed_ones_are_made_from_is_good(tmp_path: Path) -> None:
    (tmp_path / "good.safetensors").write_bytes(changed(lambda *_: None))
    assert load(tmp_path / "good.safetensors").to_bytes() == WHOLE


@pytest.mark.parametrize(("content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_one_line_says_what_is_wrong_with(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        load(path)
    assert re.fullmatch(f"{re.escape(str(path))}: {message}", str(raised.value)), raised.value


@pytest.mark.parametrize("content", [c for c, _ in MALFORMED.values()], ids=MALFORMED)
def test_the_command_line_says_it_in_one_line_of(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    assert cli.main(["inspect", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"bnnhw: {path}: ")
    assert err.count("\n") == 1 and err.endswith("\n")


@pytest.mark.parametrize("cut", range(0, len(WHOLE), 7))
def test_a_file_cut_anywhere_is_refused(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(WHOLE[:cut])
    with pytest.raises(InputError, match=NOT_SAFETENSORS):
        load(path)


@pytest.mark.parametrize("content", [WHOLE, CONVOLUTIONS.to_bytes()], ids=["dense", "conv"])
@settings(deadline=None, max_examples=250)
@given(share=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flipped_byte_is_a_network_or_one_clear_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, share: float, flip: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "flipped.safetensors"
    at = int(share * len(content))
    path.write_bytes(content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :])
    try:
        load(path)
    except InputError as error:
        assert str(error).startswith(f"{path}: ")
        assert "\n" not in str(error)


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("locked", ["file", "folder"])
def test_an_unreadable_file_is_one_line(locked: str, tmp_path: Path) -> None:
    path = tmp_path / "locked" / "net.safetensors"
    GOOD.save(path)
    barred = path if locked == "file" else path.parent
    for parent in tmp_path.parents:  # pytest's own folders are for their owner alone
        if parent.stat().st_uid == os.geteuid() and parent.stat().st_mode & 0o077 == 0:
            parent.chmod(0o711)
    tmp_path.chmod(0o711)
    barred.chmod(0)
    try:
        with as_nobody(), pytest.raises(InputError) as raised:
            load(path)
    finally:
        barred.chmod(0o700)
    assert str(raised.value) == f"{path}: not a readable safetensors file (Permission denied)"


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "below a file", "a long name"])
def test_what_is_no_file_is_one_line(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    message = {
        "missing": "no such file",
        "folder": "is a folder, not a network file",
        "pipe": "is no regular file",
        "below a file": "not a readable safetensors file (Not a directory)",
        "a long name": "not a readable safetensors file (File name too long)",
    }[kind]
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "below a file":
        path.write_bytes(WHOLE)
        path /= "net.safetensors"
    elif kind == "a long name":
        path = tmp_path / ("n" * 300)
    with pytest.raises(InputError) as raised:
        load(path)
    assert str(raised.value) == f"{path}: {message}"


def same(one: Network, other: Network) -> bool:
    """Equal in every field of every layer."""
    pairs = zip(one.layers, other.layers, strict=True)
    fields = ("name", "weight", "input_bits", "threshold", "scale", "bias")
    return (one.input, one.training, one.accuracy) == (
        other.input,
        other.training,
        other.accuracy,
    ) and all(
        type(a) is type(b)
        and all(np.array_equal(getattr(a, f, None), getattr(b, f, None)) for f in fields)  # type: ignore[arg-type]
        for a, b in pairs
    )


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_network_comes_back_from_its_file_and_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "network.safetensors"
    sizes = data.draw(st.lists(st.integers(1, 40), min_size=2, max_size=5))
    plain = random_network(
        sizes,
        bits=data.draw(st.integers(1, 8)),
        gives=data.draw(st.sampled_from(["scores", "bits"])),
        seed=data.draw(st.integers(0, 1000)),
    )
    words = st.text(max_size=5)
    network = Network(
        input=plain.input,
        layers=plain.layers,
        training=data.draw(st.dictionaries(words, st.integers() | words | st.floats(0, 1))),
        accuracy=data.draw(st.dictionaries(words, st.floats(0, 1), max_size=3)),
    )
    network.save(path)
    again = load(path)
    assert same(network, again)
    assert again.to_bytes() == path.read_bytes() == network.to_bytes()
    assert again.sha256 == network.sha256


def test_a_picture_format_and_a_threshold_come_back(tmp_path: Path) -> None:
    network = Network(
        input=InputFormat(shape=(2, 3, 1), bits=1, threshold=127.5),
        layers=random_network((6, 2)).layers,
    )
    network.save(tmp_path / "n.safetensors")
    assert load(tmp_path / "n.safetensors").input == network.input
