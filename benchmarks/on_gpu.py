"""All that wants a GPU, in slices: what is ours is built, checked and timed, and networks trained.

    python -m benchmarks.on_gpu --minutes 9 --copy DIR                  the same again goes on
    python -m benchmarks.on_gpu --minutes 9 --copy DIR --data-dir DATA  then MNIST and CIFAR-10 too

One after the other: the C kernels where bnnhw is not installed; the tests that need a GPU; some of
them under compute-sanitizer, where there is one; `bnnhw bench --backend cuda --suite paper`, with
the instruction rates; and with data all scores of MNIST's test set (`benchmarks.exactness`) and the
large trainings (`benchmarks.accuracy --gpu`). What is done is not done again, what failed is. After
every slice records, networks so far, and a log go to DIR, as one archive. It takes a checkout and
Python with torch for CUDA, cuda-bindings, numpy, safetensors, rich, scikit-learn, Pillow,
matplotlib, pytest, hypothesis and a C compiler; no Amaranth, no toolkit, no network. Where git does
not tell the commit, BNNHW_COMMIT does.
"""

__all__ = ["Step", "steps", "work"]

import argparse
import dataclasses
import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bnnhw import console
from bnnhw.exits import DONE, FAILED, ended
from bnnhw.files import write_text
from bnnhw.sw.native import available

from .exactness import CASES
from .store import RECORDS

LEAST_S = 30.0  # a step is not begun with less left
RESULTS, LOG, FINISHED = "results", "on_gpu.log", "done.json"
TESTS = ("tests/test_runner.py", "tests/test_packed.py", "tests/gpu/test_gpu.py")
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
    found = []
    if not available():
        flags = ("-O3", "-std=gnu11", "-shared", "-fPIC", "-o", "sw/_kernels.so")
        sources = sorted(map(str, Path("sw/cpu").glob("*.c")))
        found.append(Step(name="C kernels", command=("gcc", *flags, *sources)))
    found += [Step(name=path, command=(*test, path)) for path in TESTS]
    sanitizer = _sanitizer()
    if sanitizer:
        found += [
            Step(name=tool, command=(sanitizer, "--tool", tool, "--error-exitcode", "9", *test,
                                     *SANITIZED))
            for tool in SANITIZERS
        ]  # fmt: skip
    else:
        console.remark("compute-sanitizer is not installed; its checks are left out")
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
        train = (*python, "benchmarks.accuracy", "--gpu", "--copy", str(results), *given,
                 str(out / "accuracy"))  # fmt: skip
        found.append(Step(name="accuracy", command=train, slices=True, endless=True))
    return found


def _sanitizer() -> str | None:
    places = sorted(map(str, Path("/usr/local").glob("cuda*/bin")))
    return shutil.which("compute-sanitizer", path=os.pathsep.join([os.environ["PATH"], *places]))


def work(todo: Sequence[Step], out: Path, minutes: float = math.inf) -> int:
    """Do what is not done yet, until the time is over; 1 if anything failed.

    A step that would outlast the time is stopped, and begun again the next time.
    """
    until, failed = time.monotonic() + 60 * minutes, []
    state = out / FINISHED
    done = set(json.loads(state.read_text())) if state.exists() else set()
    (out / RESULTS).mkdir(parents=True, exist_ok=True)
    for step in todo:
        left = until - time.monotonic()
        if step.name in done or left < LEAST_S:
            continue
        code, whole = _run(step, out, left)
        took = f"{60 * minutes - (until - time.monotonic()):.0f} s" if minutes < math.inf else ""
        console.remark(f"{step.name}: {_said(code, whole)} {took}".rstrip())
        if code:
            failed.append(step.name)
        elif whole and not step.endless:
            done.add(step.name)
            write_text(state, json.dumps(sorted(done)))
    missing = [step.name for step in todo if step.name not in done]
    if missing:
        console.remark(f"not done yet: {', '.join(missing)}; the same command goes on")
    return FAILED if failed else DONE


def _run(step: Step, out: Path, left: float) -> tuple[int, bool]:
    """Its exit code, 0 if it was stopped; and whether it did all that it has to."""
    command = list(step.command)
    slice_s = left - LEAST_S  # what has begun may end
    if step.slices and left < math.inf:
        command += ["--minutes", f"{slice_s / 60:.2f}"]
    started = time.monotonic()
    with (out / RESULTS / LOG).open("a") as log:
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        limit = None if left == math.inf else left
        try:
            code = subprocess.run(
                command, stdout=log, stderr=subprocess.STDOUT, timeout=limit, check=False
            ).returncode
        except FileNotFoundError:
            log.write(f"{command[0]} is not installed\n")
            return 127, False
        except subprocess.TimeoutExpired:
            return 0, False
    return code, not step.slices or time.monotonic() - started < slice_s


def _said(code: int, whole: bool) -> str:
    if code:
        return f"failed, exit code {code}; see {LOG}"
    return "done" if whole else "its time was over"


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
    try:
        return work(steps(args.out, args.data_dir), args.out, args.minutes)
    finally:
        if args.copy:
            results = args.out / RESULTS
            for path in RECORDS.glob("exactness-*.json"):
                shutil.copy2(path, results)
            shutil.make_archive(str(args.copy / "on_gpu"), "gztar", results)


if __name__ == "__main__":
    sys.exit(main())
