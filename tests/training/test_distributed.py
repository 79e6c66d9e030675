"""Two processes train as one does at the same total batch."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw.network_file import load

STEPS = """
import json, sys, torch
from pathlib import Path
from bnnhw.datasets import load
from bnnhw.training import BinaryNet, Topology, TrainConfig
from bnnhw.training.distributed import Processes
from bnnhw.training.fit import Fit
from bnnhw.training.tensors import Tensors
from bnnhw.training.layers import Binarization

torch.set_num_threads(1)
data = load("digits")


def steps(processes, options, dtype):
    config = TrainConfig(batch=37, epochs=6, warmup=1, **options)
    model = BinaryNet(
        Topology.parse(config.topology), data.shape, 10, input_bits=4, how=Binarization(),
        norm=config.norm, generator=torch.Generator().manual_seed(0),
    )
    if dtype == "float64":
        model.double()
    run = Fit(model, Tensors.of(data, config), config, processes)
    for group in run.optimizer.param_groups:
        group["lr"] = group["rate"]
    generator = torch.Generator().manual_seed(1)
    told = []
    for step in range(5):
        model.train()
        chosen = torch.randint(900, (37,), generator=generator)
        loss = float(processes.sum(run.step(chosen, generator)))
        told.append({
            "loss": loss,
            "gradients": torch.cat([p.grad.flatten() for p in model.parameters()]).tolist(),
            "parameters": torch.cat([p.flatten() for p in model.parameters()]).tolist(),
            "buffers": torch.cat([b.flatten() for b in model.buffers()]).tolist(),
        })
    return told


with Processes("cpu") as processes:
    told = [steps(processes, *case) for case in json.loads(sys.argv[1])]
    if processes.first:
        print(json.dumps(told))
# One that is left with a tensor while Python ends ends the process with SIGABRT.
left = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
assert not [name for name in left if "gloo" in name], left
"""


LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
# Whatever is started imports this checkout.
HERE = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
OPTIONS: list[dict[str, Any]] = [
    {"topology": "32-16", "shift": 1, "flip": True},
    {"topology": "32-16", "norm": "shift", "optimizer": "shift_adamax", "loss": "cross_entropy"},
    {"topology": "6C3-MP2-8", "average": 0.5, "shift": 1},
]
CASES = [(options, dtype) for options in OPTIONS for dtype in ("float32", "float64")]


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=HERE)


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    script = tmp_path / "steps.py"
    script.write_text(STEPS)
    told = []
    for launcher in ((), LAUNCHER):  # each once for all cases, as a start takes longer than they do
        done = started(*launcher, str(script), json.dumps(CASES))
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout))
    for case, one, two in zip(CASES, *told, strict=True):
        the_same(case, one, two)


def the_same(case: tuple[dict[str, Any], str], one: Any, two: Any) -> None:
    """Five steps of two processes are those of one."""

    def assert_close(ours: Any, theirs: Any) -> None:
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5, err_msg=str(case))

    assert_close(one[0]["loss"], two[0]["loss"])
    assert_close(one[0]["gradients"], two[0]["gradients"])
    if case[1] == "float64":
        for ours, theirs in zip(one, two, strict=True):
            for name, told in ours.items():
                assert_close(told, theirs[name])
        return
    # A gradient that is 0 but for rounding, that of an input's weight for instance where the input
    # is the same in all samples of the batch, which its norm takes out again, gets a whole step
    # from Adam, this way or that; and where a sign turns by it, all steps behind it are others.
    ours, theirs = (np.array(run[0]["parameters"]) for run in (one, two))
    apart = ~np.isclose(ours, theirs, rtol=1e-5, atol=1e-5)
    assert np.abs(np.array(one[0]["gradients"])[apart]).max(initial=0) < 1e-5, case
    assert apart.mean() < 0.02, case


def test_two_processes_write_one_run(tmp_path: Path) -> None:
    command = [
        *LAUNCHER, "-m", "bnnhw", "train", "--topology", "16", "--epochs", "2", "--json",
        *("-o", str(tmp_path / "run")),
    ]  # fmt: skip
    done = started(*command)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)  # by the first process alone
    assert told["finished"]
    assert told["accuracy"] == load(tmp_path / "run" / "model.safetensors").accuracy
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) == 3
    # A mistake is said once, by the first.
    done = started(*command)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if line.startswith("bnnhw: ")]
    assert said == [
        f"bnnhw: {tmp_path / 'run'} holds a training already; --resume goes on with it, "
        "--overwrite replaces it"
    ]


def test_a_teacher_and_calibrated_norms_are_the_same_for_two_processes(tmp_path: Path) -> None:
    train = [
        *("-m", "bnnhw", "train", "--topology", "16", "--epochs", "1", "--warmup", "0"),
        *("--distill", "0.5", "--calibrate", "--input-dropout", "0"),
        *("--rate", "1e-6", "--norm-rate", "1e-6", "--json"),
    ]
    told = []
    for name, launcher in (("one", ()), ("two", LAUNCHER)):
        folder = tmp_path / name
        done = started(*launcher, *train, "-o", str(folder))
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        rows = [
            (folder / part / "metrics.csv").read_text().splitlines()[1].split(",")[1:3]
            for part in ("", "float")
        ]
        told.append((result, [float(value) for row in rows for value in row]))
    assert told[0][1] == pytest.approx(told[1][1], rel=1e-4)
    for part in ("accuracy", "float_accuracy"):
        assert told[0][0][part] == told[1][0][part]
