"""One interface, the same scores on every backend, and one line for what cannot be."""

import gc
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from networks import random_conv_network, random_network

from bnnhw import cli
from bnnhw.errors import InputError, ToolError
from bnnhw.golden import evaluate
from bnnhw.network_file import load as load_network
from bnnhw.sw import BACKENDS, Runner, native
from bnnhw.sw.cuda.compiler import architecture
from bnnhw.sw.float32 import FloatNetwork
from bnnhw.synthetic import random_mlp
from bnnhw.vectors import random_vectors

SIZES = (1, 31, 32, 33, 63, 64, 65, 100, 1000, 4097)
DIGITS = Path(__file__).parent.parent / "models" / "digits.safetensors"
backends = pytest.mark.parametrize(
    "backend",
    ["auto", *(pytest.param(b, marks=pytest.mark.gpu) if b == "cuda" else b for b in BACKENDS)],
)


@backends
@pytest.mark.parametrize("bits", [1, 8])
def test_every_backend_gives_goldens_scores_and_classes(backend: str, bits: int) -> None:
    for network in (
        random_network((100, 65, 10), bits=bits, seed=1),
        random_conv_network((6, 7, 2), [("conv", 9, 3, 1, 1), ("pool", 0, 2, 2, 0)], bits=bits),
    ):
        runner = Runner(network, backend)
        for count in (1, 3, 200):
            x = random_vectors(network, count, count)
            x[-1] = x[0]
            wanted, found = evaluate(network, x), runner.run(x)
            assert wanted.scores is not None and wanted.classes is not None
            assert np.array_equal(found.scores, wanted.scores)
            assert np.array_equal(found.classes, wanted.classes)
            assert found.classes.dtype == np.uint16


@pytest.mark.slow  # golden takes most of it
@pytest.mark.parametrize("inputs", SIZES)
def test_sizes_around_words_and_batches_around_blocks_equal_golden(inputs: int) -> None:
    ways = [("cpu", isa) for isa in native.available()] + [("numpy", None), ("torch", None)]
    for neurons in SIZES:
        network = random_network((inputs, neurons, 7), bits=8 if neurons % 2 else 1, seed=neurons)
        x = random_vectors(network, 1000, neurons)
        wanted = evaluate(network, x).scores
        assert wanted is not None
        for backend, isa in ways:
            runner = Runner(network, backend, isa=isa)
            for count in (1, 3, 64, 1000):
                assert np.array_equal(runner.run(x[-count:]).scores, wanted[-count:])


def test_auto_takes_the_first_that_runs_and_says_why_not_the_kernels(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = random_network((20, 4))
    assert Runner(network).backend == "cpu"
    assert Runner(network).how.startswith(native.available()[0])
    monkeypatch.setattr(native, "available", tuple)
    capsys.readouterr()
    assert (Runner(network).backend, Runner(network).how) == ("numpy", "1 thread")
    assert "cpu is left out: the CPU kernels were not built; install a C compiler" in (
        capsys.readouterr().err
    )
    with pytest.raises(ToolError, match="install a C compiler"):
        Runner(network, "cpu")


def test_without_a_gpu_that_could_it_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert cli.main(["run", str(DIGITS), "--data", "digits", "--backend", "cuda"]) == 1
    said = capsys.readouterr().err
    assert re.fullmatch(r"bnnhw: torch \S+ (built without CUDA|finds no NVIDIA GPU); .+\n", said)
    with pytest.raises(ToolError, match=r"compute capability 8.0, .* not on this one's 12.0; run"):
        architecture((12, 0))


def test_mistakes_are_one_line() -> None:
    network = random_network((20, 4), bits=8)
    for given, message in (
        ({"backend": "gpu"}, "backend must be auto, cuda, cpu, numpy, torch, not 'gpu'"),
        ({"threads": 0}, "threads must be at least 1, not 0"),
        ({"backend": "numpy", "isa": "avx2"}, "isa is an option of the backend cpu, not of numpy"),
    ):
        with pytest.raises(InputError) as raised:
            Runner(network, **given)
        assert str(raised.value) == message
    with pytest.raises(InputError, match="the network gives bits, not scores"):
        Runner(random_network((20, 4), gives="bits"))
    runner = Runner(network)
    for values, message in (
        (np.zeros((3, 19)), "samples must have shape"),
        (np.zeros((0, 20)), "there must be at least 1 sample, not 0"),
        (np.full((2, 20), np.nan), "samples must be numbers; at least one is NaN"),
        (np.full((2, 20), "a"), "samples must be an array of numbers"),
    ):
        with pytest.raises(InputError, match=message):
            runner.run(values)
    with pytest.raises(InputError, match=r"inputs must be uint8 \(N, 20\), not float64 \(2, 20\)"):
        runner.run_quantized(np.zeros((2, 20)))  # type: ignore[arg-type]


@backends
def test_the_command_says_how_fast_it_was(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", str(DIGITS), "--data", "digits", "--backend", backend]) == 0
    shown = capsys.readouterr()
    right = round(load_network(DIGITS).accuracy["test"] * 599)
    assert shown.out == f"digits test: {right / 599:.2%}, {right} of 599 right\n"
    assert " images/s (" in shown.err


def test_threads_and_instructions_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["run", str(DIGITS), "--data", "digits"]
    assert cli.main([*run, "--backend", "cpu", "--isa", "portable", "--threads", "1"]) == 0
    assert "images/s (cpu: portable, 1 thread)" in capsys.readouterr().err
    for wrong in (["--threads", "2"], ["--backend", "torch", "--isa", "avx2"]):
        assert cli.main([*run, *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_runner_keeps_the_packed_weights_only() -> None:
    network = random_mlp((784, 1024, 1024, 1024, 10), input_bits=8)
    size = native.NativeNetwork(network).weights_bytes
    tracemalloc.start()
    try:
        runner = Runner(random_mlp((784, 1024, 1024, 1024, 10), input_bits=8), "cpu")
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < held < 1.1 * size + 20_000
    assert runner.run_quantized(random_vectors(network, 2, 0)).scores.shape == (2, 10)


def test_memory_that_torch_lacks_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("tried to allocate\nmuch")

    monkeypatch.setattr(FloatNetwork, "run", full)
    runner = Runner(random_network((20, 4)), "torch")
    with pytest.raises(ToolError, match=r"^there is no memory for 4,096 samples in float32; use"):
        runner.run(np.zeros((2, 20)))
