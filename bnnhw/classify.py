"""Run a network on a data set or on pictures, by golden: classes, and how many are right."""

__all__ = ["RunResult", "classify", "read_image", "run"]

import dataclasses
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import console
from .datasets import Dataset
from .datasets import load as load_data
from .errors import InputError
from .golden import Trace, evaluate
from .input_format import InputFormat
from .machine import cores
from .network import Network
from .network_file import load
from .pictures import Header, pixels

if TYPE_CHECKING:
    from .sw import Runner

STEP = 100  # samples at a time
WARM_UP = 64


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RunResult:
    """What a network said.

    Parameters
    ----------
    model : Path
    classes : ndarray[uint16], (N,)
    scores : ndarray[int32], (N, M)
    images : tuple of Path
        The pictures, where pictures were given.
    labels : ndarray[int64], (N,), or None where nobody knows the right classes
    names : tuple of str
        Of the classes, where the network's file has them.
    seconds : float
        That classifying took, the inputs quantized already; first of all a few went through, to
        warm up.
    how : str
        What it ran on, `cpu: avx512, 2 threads` for example.
    """

    model: Path
    classes: npt.NDArray[np.uint16]
    scores: npt.NDArray[np.integer[Any]]
    images: tuple[Path, ...] = ()
    labels: npt.NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()
    seconds: float
    how: str

    def name(self, number: int) -> str:
        """A class as people call it: its name, or else its number."""
        return self.names[number] if self.names else str(number)

    @property
    def correct(self) -> int | None:
        """Samples classified rightly."""
        return None if self.labels is None else int((self.classes == self.labels).sum())

    @property
    def accuracy(self) -> float | None:
        """Share of samples classified rightly."""
        return None if self.correct is None else self.correct / len(self.classes)

    def to_json(self) -> dict[str, Any]:
        result: dict[str, Any] = {
            "model": str(self.model),
            "samples": len(self.classes),
            "seconds": self.seconds,
            "how": self.how,
        }
        if self.labels is not None:
            return result | {"correct": self.correct, "accuracy": self.accuracy}
        shown = zip(self.images, self.classes, self.scores, strict=True)
        return result | {
            "images": [
                {"image": str(i), "class": int(c), "name": self.name(c), "scores": s.tolist()}
                for i, c, s in shown
            ]
        }


def run(
    model: Path | str,
    *,
    data: str | None = None,
    data_dir: Path | str = "data",
    part: str = "test",
    images: Sequence[Path | str] = (),
    backend: str = "golden",
    threads: int | None = None,
    isa: str | None = None,
) -> RunResult:
    """Classify a part of a data set, or pictures.

    Parameters
    ----------
    model : Path
        Network file.
    data : str
        Data set, see `bnnhw.datasets.load`; or else
    images : paths of pictures
        Of the size of the network's input; made grey where that is. Black to white stand for the
        input's lo to hi; with inputs of one bit the pixels, 0 to 255, are the raw values.
    part : "train", "valid" or "test"
    backend : str
        "golden", or what `bnnhw.sw.Runner` knows: the same scores, faster.
    threads, isa
        As `bnnhw.sw.Runner` takes them.

    Raises
    ------
    InputError
        A network without classes, data or a picture that does not fit it or cannot be read.
    """
    network = load(model)
    if network.output is None:
        raise InputError(f"{model}: gives bits, not classes")
    if (data is None) == (not images):
        raise InputError("name either a data set or pictures")
    made = _runner(network, backend, threads, isa)
    if data is None:
        paths = tuple(Path(path) for path in images)
        values = _raw(network.input, [read_image(path, network.input.shape) for path in paths])
        names = _names(network.training.get("class_names"), network.output.neurons)
        return _run(model, network, values, made, images=paths, names=names)
    if part not in ("train", "valid", "test"):
        raise InputError(f"part must be train, valid or test, not {part!r}")
    source = load_data(data, data_dir)
    samples, labels = source.part(part)
    if source.shape != network.input.shape:
        raise InputError(
            f"{data} has samples of shape {source.shape}, but {model} takes {network.input.shape}"
        )
    names = _names(network.training.get("class_names"), network.output.neurons)
    if names and source.class_names:
        labels = _known(labels, source, names, data, str(model))
    elif source.classes > network.output.neurons:
        raise InputError(
            f"{data} has {source.classes} classes, but {model} knows {network.output.neurons}"
        )
    return _run(model, network, samples, made, labels=labels, names=names)


def _runner(
    network: Network, backend: str, threads: int | None, isa: str | None
) -> "Runner | None":
    """None for the golden model."""
    if backend == "golden":
        if threads is not None or isa is not None:
            raise InputError("threads and isa are for other backends than golden")
        return None
    from .sw import Runner

    return Runner(network, backend, threads=threads, isa=isa)


def _run(
    model: Path | str,
    network: Network,
    values: npt.NDArray[Any],
    runner: "Runner | None",
    **told: Any,
) -> RunResult:
    """Classify raw samples on a backend, or by golden, and say how long it took."""
    scores: npt.NDArray[np.integer[Any]]
    if runner is None:
        started = time.perf_counter()
        scores, classes = classify(network, values)
        seconds, how = time.perf_counter() - started, "golden"
    else:
        x = network.input.quantize(values)
        runner.run_quantized(x[:WARM_UP])
        started = time.perf_counter()
        found = runner.run_quantized(x)
        seconds, how = time.perf_counter() - started, f"{runner.backend}: {runner.how}"
        scores, classes = found.scores, found.classes
    return RunResult(
        model=Path(model), classes=classes, scores=scores, seconds=seconds, how=how, **told
    )


def _known(
    labels: npt.NDArray[np.int64], source: Dataset, names: tuple[str, ...], data: str, model: str
) -> npt.NDArray[np.int64]:
    """Labels as the network numbers classes of these names."""
    for name in source.class_names:
        if name not in names:
            raise InputError(f"{data} has the class {name}, which {model} does not know")
    return np.array([names.index(name) for name in source.class_names])[labels]


def _names(told: object, classes: int) -> tuple[str, ...]:
    """The training record's names of the classes; none if that is not what it tells."""
    names = tuple(told) if isinstance(told, list) else ()
    fit = len(names) == classes and all(isinstance(n, str) and n.isprintable() for n in names)
    return names if fit else ()


def _raw(form: InputFormat, pixels: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float64]:
    """Pixels as the raw values that the network's input format takes."""
    values = np.stack(pixels).astype(np.float64)
    if form.lo is None or form.hi is None:
        return values
    return form.lo + values * (form.hi - form.lo) / 255


def classify(
    network: Network, values: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint16]]:
    """Scores and classes of raw samples, some at a time on each core."""
    scores, classes = [], []

    def traced(start: int) -> Trace:
        return evaluate(network, network.input.quantize(values[start : start + STEP]))

    # numpy lets go of the interpreter's lock while it counts, so threads do.
    with (
        console.progress("classifying", total=len(values)) as bar,
        ThreadPoolExecutor(cores()) as pool,
    ):
        for trace in pool.map(traced, range(0, len(values), STEP)):
            assert trace.scores is not None and trace.classes is not None
            scores.append(trace.scores)
            classes.append(trace.classes)
            bar.advance(len(trace.classes))
    return np.concatenate(scores), np.concatenate(classes)


def read_image(path: Path | str, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """A picture's pixels, 0 to 255, of the shape (height, width, 1 or 3) that is asked for.

    Raises
    ------
    InputError
        A file that is no picture, is damaged, or has another size; a shape that no picture has.
    """
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise InputError(f"the network takes samples of shape {shape}, which no picture has")
    size = Header(high=shape[0], wide=shape[1], coloured=shape[2] == 3)
    return pixels(path, coloured=size.coloured, size=size)
