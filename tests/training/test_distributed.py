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

options = json.loads(sys.argv[1])
config = TrainConfig(batch=37, epochs=6, warmup=1, **options)
torch.set_num_threads(1)
with Processes("cpu") as processes:
    data = load("digits")
    model = BinaryNet(
        Topology.parse(config.topology), data.shape, 10, input_bits=4, how=Binarization(),
        norm=config.norm, generator=torch.Generator().manual_seed(0),
    )
    if sys.argv[2] == "float64":
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
    if processes.first:
        print(json.dumps(told))
# One that is left with a tensor while Python ends ends the process with SIGABRT.
left = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
assert not [name for name in left if "gloo" in name], left
"""


def steps(count: int, options: dict[str, Any], dtype: str, tmp_path: Path) -> Any:
    (tmp_path / "steps.py").write_text(STEPS)
    command = [sys.executable]
    if count > 1:
        command += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    done = subprocess.run(
        [*command, str(tmp_path / "steps.py"), json.dumps(options), dtype],
        capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "options",
    [
        {"topology": "32-16", "shift": 1, "flip": True},
        {
            "topology": "32-16",
            "norm": "shift",
            "optimizer": "shift_adamax",
            "loss": "cross_entropy",
        },
        {"topology": "6C3-MP2-8", "average": 0.5, "shift": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_processes_train_as_one(options: dict[str, Any], dtype: str, tmp_path: Path) -> None:
    one, two = (steps(count, options, dtype, tmp_path) for count in (1, 2))
    first = [{name: np.array(told) for name, told in run[0].items()} for run in (one, two)]
    np.testing.assert_allclose(first[0]["loss"], first[1]["loss"], rtol=1e-5)
    np.testing.assert_allclose(first[0]["gradients"], first[1]["gradients"], rtol=1e-5, atol=1e-5)
    if dtype == "float64":
        for ours, theirs in zip(one, two, strict=True):
            for name, told in ours.items():
                np.testing.assert_allclose(told, theirs[name], rtol=1e-5, atol=1e-5)
        return
    # A gradient that is 0 but for rounding, that of an input's weight for instance where the input
    # is the same in all samples of the batch, which its norm takes out again, gets a whole step
    # from Adam, this way or that; and where a sign turns by it, all steps behind it are others.
    apart = ~np.isclose(first[0]["parameters"], first[1]["parameters"], rtol=1e-5, atol=1e-5)
    assert np.abs(first[0]["gradients"][apart]).max(initial=0) < 1e-5
    assert apart.mean() < 0.02


def test_two_processes_write_one_run(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"),
        *("-m", "bnnhw", "train", "--topology", "16", "--epochs", "2", "--json"),
        *("-o", str(tmp_path / "run")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)  # by the first process alone
    assert told["finished"]
    assert told["accuracy"] == load(tmp_path / "run" / "model.safetensors").accuracy
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) == 3
    # A mistake is said once, by the first.
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if line.startswith("bnnhw: ")]
    assert said == [
        f"bnnhw: {tmp_path / 'run'} holds a training already; --resume goes on with it, "
        "--overwrite replaces it"
    ]


def test_a_teacher_and_calibrated_norms_are_the_same_for_two_processes(tmp_path: Path) -> None:
    train = ["-m", "bnnhw", "train", "--topology", "16", "--epochs", "1", "--warmup", "0"]
    train += [
        "--distill",
        "0.5",
        "--calibrate",
        "--input-dropout",
        "0",
        "--rate",
        "1e-6",
        "--norm-rate",
        "1e-6",
        "--json",
    ]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    told = []
    for name, launch in (("one", []), ("two", launcher)):
        folder = tmp_path / name
        command = [sys.executable, *launch, *train, "-o", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
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
