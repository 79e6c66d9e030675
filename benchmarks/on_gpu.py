"""All that wants a GPU, in slices: what is ours is built, checked and timed, and networks trained.

    python -m benchmarks.on_gpu --minutes 9 --copy DIR                  the same again goes on
    python -m benchmarks.on_gpu --minutes 9 --copy DIR --data-dir DATA  then MNIST and CIFAR-10 too

One after the other: the C kernels where bnnhw is not installed; the tests that need a GPU; `bnnhw
bench --backend cuda --suite paper`, with the instruction rates; with data all scores of MNIST's
test set (`benchmarks.exactness`); some tests under compute-sanitizer, where there is one; and the
large trainings (`benchmarks.accuracy --gpu`). What is done is not done again, what failed is. After
every slice records, networks so far, a log and what is done go to DIR, as one archive, and on a
machine that has nothing yet the work goes on from there, but for trainings. It takes a checkout and
Python with torch for CUDA, cuda-bindings, numpy, safetensors, rich, scikit-learn, Pillow,
matplotlib, pytest, hypothesis and a C compiler; no Amaranth, no toolkit, no network. Where git does
not tell the commit, BNNHW_COMMIT does.
"""

__all__ = ["Step", "build_kernels", "steps", "work"]

import argparse
import contextlib
import dataclasses
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path

from bnnhw import console
from bnnhw.errors import ToolError
from bnnhw.exits import DONE, FAILED, ended
from bnnhw.files import write_text
from bnnhw.record import commit
from bnnhw.sw.native import available

from .exactness import CASES
from .store import RECORDS

LEAST_S = 30.0  # a step is not begun with less left
RESULTS, LOG, STATE, ARCHIVE = "results", "on_gpu.log", "tried.json", "on_gpu"
FINISHED = 1 << 30  # times a step was tried that has done all
TESTS = (
    "tests/test_runner.py",
    "tests/test_packed.py",
    "tests/gpu/test_gpu.py",
    "tests/gpu/test_training.py",
)
SANITIZED = "tests/gpu/test_gpu.py", "-k", "convolutions or graph or operator"
SANITIZERS = ("memcheck", "synccheck", "racecheck")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One command of many.

    Parameters
    ----------
    name : str
    command : tuple of str
    slices : bool
        Takes --minutes and goes on the next time; it has done all if it ends before they are over.
    endless : bool
        Never counts as done: it says itself what there is left to do.
    """

    name: str
    command: tuple[str, ...]
    slices: bool = False
    endless: bool = False


def steps(out: Path, data_dir: Path | None) -> list[Step]:
    """What is to be done on this machine, in its order."""
    python = (sys.executable, "-m")
    test = (*python, "pytest", "-q", "-p", "no:cacheprovider", "-m", "gpu")
    found = [Step(name=path, command=(*test, path)) for path in TESTS]
    bench = ("bnnhw", "bench", "--backend", "cuda", "--suite", "paper")
    results = out / RESULTS
    records = str(results / "gpu.json")
    found.append(Step(name="bench", command=(*python, *bench, "-o", records), slices=True))
    if data_dir:
        given = ("--data-dir", str(data_dir), "-o")
        exact = (*python, "benchmarks.exactness", "--keep", *given, str(out / "exactness"))
        found += [
            Step(name=f"exactness of {case.name}", command=(*exact, "--only", case.name))
            for case in CASES
        ]
    sanitizer = _sanitizer()
    if sanitizer:
        command = (sanitizer, "--error-exitcode", "9", "--tool")
        found += [
            Step(name=tool, command=(*command, tool, *test, *SANITIZED)) for tool in SANITIZERS
        ]
    else:
        console.remark("compute-sanitizer is not installed; its checks are left out")
    if data_dir:
        train = (*python, "benchmarks.accuracy", "--gpu", "--copy", str(results), *given,
                 str(out / "accuracy"))  # fmt: skip
        found.append(Step(name="accuracy", command=train, slices=True, endless=True))
    return found


def build_kernels(sources: Path, library: Path) -> None:
    """The C kernels where bnnhw is not installed. Raises ToolError if they do not compile."""
    command = ["gcc", "-O3", "-std=gnu11", "-shared", "-fPIC", "-o", str(library)]
    command += sorted(map(str, sources.glob("*.c")))
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolError("gcc is not installed, and the C kernels are not built") from None
    if done.returncode:
        raise ToolError("the C kernels do not compile", tail=done.stderr)


def _sanitizer() -> str | None:
    places = sorted(map(str, Path("/usr/local").glob("cuda*/bin")))
    return shutil.which("compute-sanitizer", path=os.pathsep.join([os.environ["PATH"], *places]))


def work(todo: Sequence[Step], out: Path, minutes: float = math.inf) -> int:
    """Do what is not done yet, until the time is over; 1 if anything failed.

    A step that would outlast the time is stopped and begun again the next time. What was stopped
    or failed comes behind what was not tried as often, so that it keeps nothing from its turn.
    """
    until, failed = time.monotonic() + 60 * minutes, []
    (out / RESULTS).mkdir(parents=True, exist_ok=True)
    state = out / RESULTS / STATE
    tried: dict[str, int] = json.loads(state.read_text()) if state.exists() else {}
    for step in sorted(todo, key=lambda step: (step.endless, tried.get(step.name, 0))):
        left = until - time.monotonic()
        if tried.get(step.name, 0) == FINISHED or left < LEAST_S:
            continue
        began = time.monotonic()
        said = _run(step, out, left)
        console.remark(f"{step.name}: {said}, {time.monotonic() - began:.0f} s")
        if said.startswith("failed"):
            failed.append(step.name)
        if said == "done" and not step.endless:
            tried[step.name] = FINISHED
        elif said != "goes on":
            tried[step.name] = tried.get(step.name, 0) + 1
        write_text(state, json.dumps(tried, indent=2))
    missing = [step.name for step in todo if tried.get(step.name) != FINISHED]
    if missing:
        console.remark(f"not done yet: {', '.join(missing)}; the same command goes on")
    return FAILED if failed else DONE


def _run(step: Step, out: Path, left: float) -> str:
    """How it ended: done, goes on, was stopped or failed."""
    command = list(step.command)
    slice_s = left - LEAST_S  # what has begun may end
    if step.slices and left < math.inf:
        command += ["--minutes", f"{slice_s / 60:.2f}"]
    started = time.monotonic()
    with (out / RESULTS / LOG).open("a") as log:
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        try:
            # A session of its own, so that all that it starts ends with it.
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        except FileNotFoundError:
            return f"failed: {command[0]} is not installed"
        try:
            code = process.wait(None if left == math.inf else left)
        except subprocess.TimeoutExpired:
            return "stopped, as it would outlast the time"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if code:
        return f"failed, exit code {code}; see {LOG}"
    return "goes on" if step.slices and time.monotonic() - started >= slice_s else "done"


def main(arguments: Sequence[str] | None = None) -> int:
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.on_gpu", description=__doc__, formatter_class=about
    )
    parser.add_argument("--minutes", type=float, default=math.inf, metavar="M", help="of a slice")
    parser.add_argument("--copy", type=Path, metavar="DIR", help="the archive goes there")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where data sets lie")
    parser.add_argument("-o", dest="out", type=Path, default=Path("build/on_gpu"), metavar="DIR")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    args = parser.parse_args(arguments)
    return ended("benchmarks.on_gpu", lambda: _work(args), debug=args.debug)


def _work(args: argparse.Namespace) -> int:
    if not commit():
        console.remark("no git here: BNNHW_COMMIT names the commit in records")
    out = args.out / (commit() or "unknown")  # of other kernels nothing is taken over
    results = out / RESULTS
    archive = args.copy and args.copy / f"{ARCHIVE}.tar.gz"
    if archive and archive.exists() and not results.exists():
        with tarfile.open(archive) as kept:
            kept.extractall(out, filter="data")
    if not available():
        build_kernels(Path("sw/cpu"), Path("sw/_kernels.so"))
    try:
        return work(steps(out, args.data_dir), out, args.minutes)
    finally:
        if args.copy and results.exists():
            for case in CASES:
                shutil.copy2(RECORDS / f"exactness-{case.name}.json", results)
            args.copy.mkdir(parents=True, exist_ok=True)
            made = shutil.make_archive(str(out / ARCHIVE), "gztar", out, RESULTS)
            shutil.move(made, args.copy / f"{ARCHIVE}.tar.gz")


if __name__ == "__main__":
    sys.exit(main())
