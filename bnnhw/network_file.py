"""Reads the one file that holds a network, and trusts nothing in it."""

__all__ = ["load"]

import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .network import (
    METADATA_KEY,
    SCHEMA,
    Dense,
    InputFormat,
    Network,
    Output,
    pack_bits,
    unpack_bits,
)

STORED_DTYPES: dict[type, str] = {np.uint8: "U8", np.int16: "I16", np.int32: "I32"}


def load(path: Path | str) -> Network:
    """Read a network from a .safetensors file.

    Nothing is unpickled and nothing is allocated on the file's word alone. Raises InputError,
    one line that names the file and what is wrong with it.
    """
    path = Path(path)
    try:
        return _parse(path)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _parse(path: Path) -> Network:
    from safetensors import SafetensorError, safe_open

    try:
        # Whatever else than a file stands there: a pipe would make us wait for ever.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError("is a folder, not a network file")
        if not stat.S_ISREG(mode):
            raise InputError("is no regular file")
        with path.open("rb") as raw, safe_open(path, framework="numpy") as file:
            # safetensors has found the header sound, but takes the last of two equal names.
            _json(raw.read(int.from_bytes(raw.read(8), "little")), "header")
            metadata = file.metadata() or {}
            if METADATA_KEY not in metadata:
                raise InputError(f"holds no {METADATA_KEY} metadata, so it is not our network")
            names = list(file.keys())
            described = _described(metadata[METADATA_KEY])
            return _build(described, names, file)
    except FileNotFoundError:
        raise InputError("no such file") from None
    except (SafetensorError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"not a readable safetensors file ({reason})") from None


def _json(text: str | bytes, what: str) -> Any:
    """JSON as its standard has it: no NaN, no name twice in one object."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON number")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(found := dict(pairs)) != len(pairs):
            raise ValueError("a name stands twice in one object")
        return found

    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is not JSON ({error})") from None


def _described(text: str) -> dict[str, Any]:
    """The metadata as JSON, its schema known."""
    described = _json(text, "metadata")
    if not isinstance(described, dict):
        raise InputError("metadata must be a JSON object")
    if type(described.get("schema")) is not int or described["schema"] != SCHEMA:
        raise InputError(
            f"schema must be {SCHEMA}, not {described.get('schema')!r}; "
            "another version of bnnhw wrote this file"
        )
    return described


def _field(record: Any, name: str, kind: type | tuple[type, ...], where: str) -> Any:
    """`record[name]`, checked to be there and of the kind named."""
    if not isinstance(record, dict) or name not in record:
        raise InputError(f"metadata: {where} lacks {name!r}")
    value = record[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InputError(f"metadata: {where} {name!r} has the wrong type, {type(value).__name__}")
    return value


def _build(described: dict[str, Any], names: list[str], file: Any) -> Network:
    """A Network out of checked metadata and an open safetensors file."""
    stated = _field(described, "input", dict, "the file")
    shape = _field(stated, "shape", list, "input")
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in shape):
        raise InputError("metadata: input shape must be a list of integers")
    try:
        numbers = {
            n: float(_field(stated, n, (int, float), "input"))
            for n in ("lo", "hi", "threshold")
            if n in stated
        }
    except OverflowError:
        raise InputError("metadata: input lo, hi and threshold must fit float64") from None
    bits = _field(stated, "bits", int, "input")
    form = InputFormat(shape=tuple(shape), bits=bits, **numbers)

    layers: list[Dense | Output] = []
    expected: set[str] = set()
    for i, stated_layer in enumerate(_field(described, "layers", list, "the file")):
        where = f"layer {i}"
        kind = _field(stated_layer, "kind", str, where)
        if kind != "dense":
            raise InputError(f"{where}: kind must be dense, not {kind!r}")
        gives = _field(stated_layer, "gives", str, where)
        if gives not in ("bits", "scores"):
            raise InputError(f"{where}: gives must be bits or scores, not {gives!r}")
        inputs = _field(stated_layer, "inputs", int, where)
        neurons = _field(stated_layer, "neurons", int, where)
        if inputs < 1 or neurons < 1:
            raise InputError(f"{where}: sizes must be at least 1, not {inputs} and {neurons}")
        wanted: dict[str, tuple[type, tuple[int, ...]]]
        wanted = {"weight": (np.uint8, (neurons, -(-inputs // 8)))}
        if gives == "bits":
            wanted["threshold"] = (np.int32, (neurons,))
        else:
            wanted["scale"] = (np.int16, (neurons,))
            wanted["bias"] = (np.int32, (neurons,))
        tensors = {
            n: _tensor(file, names, f"layers.{i}.{n}", dtype, size)
            for n, (dtype, size) in wanted.items()
        }
        expected |= {f"layers.{i}.{n}" for n in wanted}
        packed = tensors.pop("weight")
        weight = unpack_bits(packed, inputs)
        if not np.array_equal(pack_bits(weight), packed):
            raise InputError(f"layers.{i}.weight: spare bits of the last byte must be 0")
        kind_of_layer = Dense if gives == "bits" else Output
        layers.append(
            kind_of_layer(
                name=_field(stated_layer, "name", str, where),
                weight=weight,
                input_bits=form.bits if i == 0 else 1,
                **tensors,
            )
        )
    if surplus := sorted(set(names) - expected):
        raise InputError(f"holds a tensor that no layer has, {surplus[0]!r}")
    return Network(
        input=form,
        layers=tuple(layers),
        training=_field(described, "training", dict, "the file"),
        accuracy=_field(described, "accuracy", dict, "the file"),
    )


def _tensor(
    file: Any, names: list[str], name: str, dtype: type, shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """One tensor, its shape and dtype checked before it is read."""
    if name not in names:
        raise InputError(f"lacks the tensor {name}")
    stored = file.get_slice(name)
    found = tuple(stored.get_shape())
    if found != shape:
        raise InputError(f"{name}: shape must be {shape}, not {found}")
    if stored.get_dtype() != STORED_DTYPES[dtype]:
        raise InputError(f"{name}: dtype must be {STORED_DTYPES[dtype]}, not {stored.get_dtype()}")
    return np.asarray(file.get_tensor(name))
