"""Reads the one file that holds a network, and trusts nothing in it."""

__all__ = ["load"]

import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .bits import pack_bits, unpack_bits
from .errors import InputError
from .input_format import InputFormat
from .layers import Conv, Dense, Output
from .maps import Flatten, Pool
from .network import METADATA_KEY, SCHEMA, Network, Stage
from .window import Window

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

    stated_layers = _field(described, "layers", list, "the file")
    parser = _Layers(file=file, names=names)
    layers = tuple(parser.layer(i, stated, form.bits) for i, stated in enumerate(stated_layers))
    if surplus := sorted(set(names) - parser.used):
        raise InputError(f"holds a tensor that no layer has, {surplus[0]!r}")
    return Network(
        input=form,
        layers=layers,
        training=_field(described, "training", dict, "the file"),
        accuracy=_field(described, "accuracy", dict, "the file"),
    )


class _Layers:
    """Builds the layers of an open file, each tensor checked before it is read."""

    def __init__(self, *, file: Any, names: list[str]) -> None:
        self.file = file
        self.names = names
        self.used: set[str] = set()
        self.weights_seen = False

    def layer(self, i: int, stated: Any, bits: int) -> Stage:
        """The i-th layer; `bits` is what an input of the network has."""
        where = f"layer {i}"
        kind = _field(stated, "kind", str, where)
        name = _field(stated, "name", str, where)
        if kind == "flatten":
            return Flatten(name=name, shape=_three(stated, "shape", where))
        if kind == "pool":
            window = self._window(stated, where)
            pool_and = self._tensor(i, "pool_and", np.uint8, (window.shape[2],))
            return Pool(name=name, window=window, pool_and=pool_and)
        if kind not in ("dense", "conv"):
            raise InputError(f"{where}: kind must be dense, conv, pool or flatten, not {kind!r}")
        input_bits = 1 if self.weights_seen else bits
        self.weights_seen = True
        neurons = _field(stated, "neurons", int, where)
        if kind == "conv":
            window = self._window(stated, where)
            weight = self._weight(i, neurons, window.size, where)
            threshold = self._tensor(i, "threshold", np.int32, (neurons,))
            return Conv(name=name, weight=weight, input_bits=input_bits, threshold=threshold,
                        window=window)  # fmt: skip
        gives = _field(stated, "gives", str, where)
        if gives not in ("bits", "scores"):
            raise InputError(f"{where}: gives must be bits or scores, not {gives!r}")
        weight = self._weight(i, neurons, _field(stated, "inputs", int, where), where)
        if gives == "bits":
            threshold = self._tensor(i, "threshold", np.int32, (neurons,))
            return Dense(name=name, weight=weight, input_bits=input_bits, threshold=threshold)
        scale = self._tensor(i, "scale", np.int16, (neurons,))
        bias = self._tensor(i, "bias", np.int32, (neurons,))
        return Output(name=name, weight=weight, input_bits=input_bits, scale=scale, bias=bias)

    def _window(self, stated: Any, where: str) -> Window:
        sizes = {
            name: tuple(_field(stated, name, list, where))
            for name in ("shape", "kernel", "stride", "padding")
        }
        try:
            return Window(**sizes)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    def _weight(self, i: int, neurons: int, inputs: int, where: str) -> npt.NDArray[np.uint8]:
        """Weights (M, K), unpacked."""
        if inputs < 1 or neurons < 1:
            raise InputError(f"{where}: sizes must be at least 1, not {inputs} and {neurons}")
        packed = self._tensor(i, "weight", np.uint8, (neurons, -(-inputs // 8)))
        weight = unpack_bits(packed, inputs)
        if not np.array_equal(pack_bits(weight), packed):
            raise InputError(f"layers.{i}.weight: spare bits of the last byte must be 0")
        return weight

    def _tensor(self, i: int, name: str, dtype: type, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """One tensor, its shape and dtype checked before it is read."""
        name = f"layers.{i}.{name}"
        if name not in self.names:
            raise InputError(f"lacks the tensor {name}")
        self.used.add(name)
        stored = self.file.get_slice(name)
        found = tuple(stored.get_shape())
        if found != shape:
            raise InputError(f"{name}: shape must be {shape}, not {found}")
        if stored.get_dtype() != STORED_DTYPES[dtype]:
            raise InputError(
                f"{name}: dtype must be {STORED_DTYPES[dtype]}, not {stored.get_dtype()}"
            )
        return np.asarray(self.file.get_tensor(name))


def _three(stated: Any, name: str, where: str) -> tuple[int, int, int]:
    sizes = tuple(_field(stated, name, list, where))
    if len(sizes) != 3:
        raise InputError(f"{where}: {name} must be 3 integers, not {list(sizes)}")
    return sizes
