"""A training end to end on digits: repeatable, resumable, honest about mistakes."""

import csv
import dataclasses
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import bnnhw.training.fit as loop
from bnnhw import cli
from bnnhw.datasets import load
from bnnhw.errors import InputError
from bnnhw.files import sha256_of
from bnnhw.golden import evaluate
from bnnhw.network_file import load as load_network
from bnnhw.training import BinaryNet, Epoch, Topology, TrainConfig, train
from bnnhw.training.checkpoint import Checkpoint
from bnnhw.training.distributed import Processes
from bnnhw.training.layers import Binarization
from bnnhw.training.tensors import Tensors

SMALL = TrainConfig(topology="16-8", epochs=6, batch=128, warmup=1)


@pytest.fixture(autouse=True)
def a_checkpoint_after_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SAVE_S", 0.0)


def options(**changes: Any) -> TrainConfig:
    return dataclasses.replace(SMALL, **changes)


def small_net() -> BinaryNet:
    return BinaryNet(
        Topology.parse("16-8"), (64,), 10, input_bits=4, how=Binarization(),
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip


def test_options_may_stand_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "o.toml"
    path.write_text('data = "mnist"\ninput-bits = 1\nrate = 1\nflip = true\nepochs = 1')
    config = TrainConfig.load(path, epochs=3, seed=7)
    assert config == TrainConfig.for_data(
        "mnist", input_bits=1, rate=1, flip=True, epochs=3, seed=7
    )
    path.write_text('topology = "4"\nwarmup = 0')
    out = str(tmp_path / "run")
    given = ["train", "--config", str(path), "-o", out]
    assert cli.main([*given, "--epochs", "1", "--json"]) == 0
    stored = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert stored == TrainConfig.for_data(topology="4", warmup=0, epochs=1).to_json()
    capsys.readouterr()
    assert cli.main([*given, "--resume"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_files_topology_may_be_a_list_of_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "o.toml"
    path.write_text('topology = [\n    "2x64C3",\n    "MP2", "512",  # dense\n]')
    assert TrainConfig.load(path) == TrainConfig.for_data(topology="2x64C3-MP2-512")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('topology = ["64C3", 512]', "topology must be of type str, not ['64C3', 512]"),
        ('topology = ["64C3", "PM2"]', "topology: 'PM2' is no layer; write 256, 64C3,"),
        ("topology = []", "topology: '' is no layer; write 256, 64C3,"),
        ("input-bit = 1", "input_bit is no option of a training; did you mean input_bits?"),
        ("epochs = 2.0", "epochs must be of type int, not 2.0"),
        ("flip = 1", "flip must be of type bool, not 1"),
        ("rate = true", "rate must be of type float, not True"),
        ("rate = -1", "rate must be above 0, not -1"),
        ("rate = 1" + "0" * 400, "rate must be of type float, not 1000"),
        ("[train]", "train is no option of a training"),
        ("epochs = ", r"not a readable TOML file"),
    ],
)
def test_a_file_of_options_that_is_wrong_is_one_line(
    text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "o.toml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        TrainConfig.load(path)
    assert str(raised.value).startswith(f"{path}: {message}")
    assert "\n" not in str(raised.value)


def stop_after(epoch: int) -> Any:
    def stop(done: Epoch) -> None:
        if done.epoch == epoch:
            raise KeyboardInterrupt

    return stop


def test_the_same_options_give_the_same_file(tmp_path: Path) -> None:
    first, second = (train(SMALL, tmp_path / n).model.read_bytes() for n in "ab")
    other = train(options(seed=1), tmp_path / "c").model.read_bytes()
    assert first == second != other


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"distill": 0.5, "shift": 1, "class_scales": True},
        {"distill": 0.5, "teacher": "4C3-MP2-8", "loss": "cross_entropy"},
        {
            "activations": "stochastic",
            "weights": "stochastic",
            "input_dropout": 0.1,
            "hidden_dropout": 0.2,
        },
        {"norm": "shift", "optimizer": "shift_adamax", "rate": 2**-6, "average": 0.9},
        {"topology": "4C3p1-MP2-5C3-8", "real_epochs": 2, "flip": True, "glorot_rates": True},
        {"loss": "cross_entropy", "smoothing": 0.1, "precision": "bfloat16", "init": "glorot"},
    ],
    ids=str,
)
def test_a_resumed_training_ends_as_an_uninterrupted_one(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    config = options(**changes)
    whole = train(config, tmp_path / "whole")
    for epoch in (1, 4):
        with pytest.raises(KeyboardInterrupt):
            train(config, tmp_path / "cut", resume=epoch > 1, on_epoch=stop_after(epoch))
        assert not (tmp_path / "cut" / "model.safetensors").exists()
    resumed = train(config, tmp_path / "cut", resume=True)
    assert resumed.model.read_bytes() == whole.model.read_bytes()
    tell = [[(r.epoch, r.loss, r.valid) for r in t.history] for t in (whole, resumed)]
    assert tell[0] == tell[1]
    # A finished run resumes to itself.
    assert train(config, tmp_path / "cut", resume=True).model.read_bytes() == (
        whole.model.read_bytes()
    )


def test_an_option_that_came_later_is_recorded_where_it_is_not_at_its_default(
    tmp_path: Path,
) -> None:
    dropped = options(hidden_dropout=0.2, epochs=1)
    for config, told in ((options(epochs=1), {}), (dropped, {"hidden_dropout": 0.2})):
        folder = tmp_path / str(config.hidden_dropout)
        network = load_network(train(config, folder).model)
        written = json.loads((folder / "config.json").read_text())["config"]
        for record in (config.to_json(), written, network.training):
            assert {n: v for n, v in record.items() if n == "hidden_dropout"} == told
        assert TrainConfig.from_json(written) == config


def test_a_checkpoint_that_states_every_option_is_gone_on_with(tmp_path: Path) -> None:
    config = options(epochs=2)
    whole = train(config, tmp_path / "whole").model.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "cut", on_epoch=stop_after(1))
    saved = tmp_path / "cut" / "checkpoint.safetensors"
    state = Checkpoint.load(saved)
    dataclasses.replace(state, config=dataclasses.asdict(config)).save(saved)
    assert train(config, tmp_path / "cut", resume=True).model.read_bytes() == whole
    dataclasses.replace(state, config=state.config | {"rate": 0.2}).save(saved)
    with pytest.raises(InputError, match=r"does not fit this training \(of other options\)"):
        train(config, tmp_path / "cut", resume=True)


def test_the_file_holds_the_accuracy_of_the_integer_network(tmp_path: Path) -> None:
    result = train(SMALL, tmp_path / "run")
    network, data = load_network(result.model), load("digits")
    for part in ("valid", "test"):
        x, y = data.part(part)
        classes = evaluate(network, network.input.quantize(x)).classes
        assert network.accuracy[part] == np.mean(classes == y) == result.accuracy[part]
    assert network.training["seed"] == 0 and network.training["data"] == "digits"
    best = max(row.valid for row in result.history)
    assert network.accuracy["valid"] == best
    assert result.checked == 599
    assert result.history[result.best_epoch - 1].valid == best
    assert all(row.valid < best for row in result.history[result.best_epoch :])


def test_of_equally_good_epochs_the_later_one_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    states = []

    def same(model: Any, *_: Any) -> float:
        states.append({n: p.clone() for n, p in model.state_dict().items()})
        return 0.5 if len(states) < 5 else 0.25

    monkeypatch.setattr(loop, "accuracy", same)
    data = Tensors.of(load("digits"), SMALL)
    model = small_net()
    history = loop.fit(model, data, SMALL, tmp_path, what="", processes=Processes("cpu"))
    assert [row.valid for row in history] == [0.5] * 4 + [0.25] * 2
    assert all(torch.equal(p, states[3][n]) for n, p in model.state_dict().items())
    assert not torch.equal(states[2]["hidden.0.affine.weight"], states[3]["hidden.0.affine.weight"])


def test_the_seed_orders_the_samples(tmp_path: Path) -> None:

    data = Tensors.of(load("digits"), SMALL)
    losses = []
    for run, seed in enumerate((0, 0, 1)):  # the weights begin alike each time
        config = dataclasses.replace(SMALL, seed=seed, epochs=2)
        model = small_net()
        (folder := tmp_path / str(run)).mkdir()
        done = loop.fit(model, data, config, folder, what="", processes=Processes("cpu"))
        losses.append([row.loss for row in done])
    assert losses[0] == losses[1] != losses[2]


def test_the_run_folder_holds_what_it_says(tmp_path: Path) -> None:
    train(SMALL, tmp_path / "run", float_twin=True)
    found = sorted(p.name for p in (tmp_path / "run").iterdir())
    assert found == [
        "checkpoint.safetensors", "config.json", "curves.png", "float", "metrics.csv",
        "model.safetensors",
    ]  # fmt: skip
    lines = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,valid,flips,rate,seconds" and len(lines) == 7
    flips = [float(line.split(",")[3]) for line in lines[1:]]
    assert flips[0] > flips[-1] > 0  # signs turn, and less as the rate falls
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")
    stated = json.loads((tmp_path / "run" / "config.json").read_text())
    assert TrainConfig.from_json(stated["config"]) == SMALL


def test_flips_are_the_share_of_weights_whose_sign_is_another_than_an_epoch_before(
    tmp_path: Path,
) -> None:
    model = small_net()
    seen: list[list[bool]] = []

    def look(_: Epoch | None = None) -> None:
        weights = [layer.weight.detach().numpy().ravel() for layer in model.binarized()]
        seen.append((np.concatenate(weights) >= 0).tolist())

    look()
    data, processes = Tensors.of(load("digits"), SMALL), Processes("cpu")
    loop.fit(model, data, SMALL, tmp_path, what="", processes=processes, on_epoch=look)
    rows = list(csv.DictReader((tmp_path / "metrics.csv").open()))
    assert len(rows) == 6 and len(seen[0]) == 64 * 16 + 16 * 8 + 8 * 10
    for row, before, now in zip(rows, seen, seen[1:], strict=False):
        turned = [a != b for a, b in zip(before, now, strict=True)]
        assert any(turned)
        assert float(row["flips"]) == sum(turned) / len(turned)


def test_digits_are_learned(tmp_path: Path) -> None:
    result = train(TrainConfig.for_data("digits", epochs=30), tmp_path / "run", float_twin=True)
    assert result.accuracy["test"] > 0.93
    assert result.float_accuracy["test"] > 0.93


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"topology": "4-0"}, "topology: numbers must be 1 to 65536, not 0 in '0'"),
        ({"input_bits": 9}, "input_bits must be 1 to 8, not 9"),
        ({"epochs": 0, "warmup": 0}, "epochs must be 1 to 1000000, not 0"),
        ({"warmup": 7}, "warmup must be 0 to 6, not 7"),
        ({"batch": 1}, "batch must be 2 to 1000000, not 1"),
        ({"seed": -1}, "seed must be 0 to 2147483647, not -1"),
        ({"threads": 0}, "threads must be 1 to 1024, not 0"),
        ({"loss": "mse"}, "loss must be hinge or cross_entropy, not 'mse'"),
        ({"window": ""}, "window must be box or triangle, not ''"),
        ({"device": "tpu"}, "device must be cpu or cuda, not 'tpu'"),
        ({"rate": 0.0}, "rate must be above 0, not 0.0"),
        ({"norm_rate": 0}, "norm_rate must be above 0, not 0"),
        ({"rate": float("nan")}, "rate must be above 0, not nan"),
        ({"temperature": -1.0}, "temperature must be above 0, not -1.0"),
        ({"distill": 1.5}, "distill must be 0 to 1, not 1.5"),
        ({"average": 1.0}, "average must be at least 0 and below 1, not 1.0"),
        ({"input_dropout": -0.5}, "input_dropout must be at least 0 and below 1, not -0.5"),
        ({"teacher": "8"}, "a teacher teaches nothing without a share of the loss, distill"),
        ({"hidden_dropout": 1.0}, "hidden_dropout must be at least 0 and below 1, not 1.0"),
        ({"smoothing": 0.1}, "smoothing goes with the loss cross_entropy, not hinge"),
        ({"real_epochs": 6}, "real_epochs must be 0 to 5, not 6"),
        ({"norm": "layer"}, "norm must be batch or shift, not 'layer'"),
        ({"weights": "random"}, "weights must be deterministic or stochastic, not 'random'"),
    ],
)
def test_options_out_of_range_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        options(**changes)
    assert str(raised.value) == message


def test_a_short_training_has_a_short_warm_up() -> None:
    assert [TrainConfig.for_data("digits", epochs=n).warmup for n in (1, 2, 9)] == [1, 2, 2]
    with pytest.raises(InputError):
        TrainConfig.for_data("digits", epochs=1, warmup=2)
    with pytest.raises(InputError):
        TrainConfig.for_data("digits", epochs=0)


def command(*arguments: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli.main(["train", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


FAST = ("--topology", "8", "--epochs", "2")


def test_the_command_trains_and_prints_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = command("-o", tmp_path / "r", "--json", *FAST, capsys=capsys)
    result = json.loads(out)
    assert code == 0
    assert result["model"] == str(tmp_path / "r" / "model.safetensors")
    assert result["sha256"] == sha256_of(tmp_path / "r" / "model.safetensors")
    assert set(result["accuracy"]) == {"valid", "test"}


def test_a_run_is_not_replaced_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "r"
    assert command("-o", run, *FAST, capsys=capsys)[0] == 0
    code, _, err = command("-o", run, *FAST, capsys=capsys)
    assert code == 2
    held = "holds a training already; --resume goes on with it, --overwrite replaces it"
    assert err == f"bnnhw: {run} {held}\n"
    code, _, err = command("-o", run, "--resume", "--epochs", "3", capsys=capsys)
    assert (code, err) == (
        2,
        f"bnnhw: {run}: epochs is 2 in this run, not 3; leave it out to resume\n",
    )
    assert command("-o", run, "--resume", capsys=capsys)[0] == 0
    assert command("-o", run, "--overwrite", "--seed", "1", *FAST, capsys=capsys)[0] == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for folder, why in (
        (tmp_path / "mine", "is not empty and holds no training; name another folder"),
        (tmp_path / "mine" / "thesis.txt", "is a file; a folder is written there"),
    ):
        code, _, err = command("-o", folder, "--overwrite", *FAST, capsys=capsys)
        assert (code, err) == (2, f"bnnhw: {folder} {why}\n")
    code, _, err = command("-o", tmp_path / "none", "--resume", capsys=capsys)
    assert (code, err) == (2, f"bnnhw: {tmp_path / 'none'} holds no training to resume\n")


def test_a_damaged_checkpoint_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "r"
    command("-o", run, *FAST, capsys=capsys)
    saved = run / "checkpoint.safetensors"
    whole = saved.read_bytes()
    for broken in (b"", whole[:100], whole[:-7], b"\xff" * 64):
        saved.write_bytes(broken)
        code, _, err = command("-o", run, "--resume", capsys=capsys)
        assert code == 2
        last = err.splitlines()[-1]
        assert last.startswith(f"bnnhw: {saved}: not a checkpoint of a training (")


def test_an_interrupt_exits_130_and_leaves_whole_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:

    def interrupted(*_: Any, **__: Any) -> bytes:
        raise KeyboardInterrupt

    command("-o", tmp_path / "a", "--topology", "8", "--epochs", "2", capsys=capsys)
    monkeypatch.setattr(loop, "write_text", interrupted)
    code, _, err = command("-o", tmp_path / "b", *FAST, capsys=capsys)
    assert (code, err.splitlines()[-1]) == (130, "bnnhw: interrupted")
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == [
        "checkpoint.safetensors", "config.json",
    ]  # fmt: skip
    monkeypatch.undo()
    assert command("-o", tmp_path / "b", "--resume", capsys=capsys)[0] == 0
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == (
        tmp_path / "b" / "model.safetensors"
    ).read_bytes()


def test_a_training_that_runs_out_of_time_goes_on_to_the_same_end(
    tmp_path: Path,
) -> None:
    whole = train(SMALL, tmp_path / "whole")
    for done in range(1, 7):
        result = train(SMALL, tmp_path / "cut", resume=done > 1, minutes=1e-9)
        assert (len(result.history), result.finished) == (done, done == 6)
        assert result.checked == (599 if done == 6 else 0)
        assert result.network is not None and set(result.network.accuracy) == (
            {"valid", "test"} if done == 6 else {"valid"}
        )
    assert result.model.read_bytes() == whole.model.read_bytes()


def test_a_float_twin_goes_on_too_and_nothing_is_measured_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = options(epochs=2)
    whole = train(config, tmp_path / "whole", float_twin=True)
    training = importlib.import_module("bnnhw.training.train")
    measured, measure = [], training.measure

    def counted(*given: Any) -> dict[str, float]:
        measured.append(given)
        return measure(*given)

    monkeypatch.setattr(training, "measure", counted)
    results = [train(config, tmp_path / "cut", float_twin=True, minutes=1e-9)]
    while not results[-1].finished and len(results) < 9:
        results.append(train(config, tmp_path / "cut", resume=True, minutes=1e-9))
    assert [len(r.history) for r in results] == [1, 2, 2]
    assert len(measured) == 1
    last = results[-1]
    assert (last.accuracy, last.checked) == (whole.accuracy, 599)
    assert last.float_accuracy == whole.float_accuracy
    assert last.model.read_bytes() == whole.model.read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"topology": "4C9"}, "kernel"),
        ({"batch": 1}, "batch must be"),
        ({"data": "wide.npz"}, "inputs times"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written_or_lost(
    changes: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    x, y = np.arange(8 * 70_000).reshape(8, -1), np.arange(8) % 2
    np.savez("wide.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    before = train(options(epochs=1), tmp_path / "run").model.read_bytes()
    for folder, overwrite in (("fresh", False), ("run", True)):
        with pytest.raises(InputError, match=message):
            train(options(**changes, input_bits=8), tmp_path / folder, overwrite=overwrite)
    assert not (tmp_path / "fresh").exists()
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    "text", ["", "[]", '{"config": []}', '{"config": "x"}', '{"model_type": "bert"}', "[" * 100_000]
)
def test_what_is_no_trainings_folder_is_neither_resumed_nor_replaced(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(text)
    (tmp_path / "model.safetensors").write_bytes(b"somebody's")
    for resume, overwrite in ((True, False), (False, True), (False, False)):
        with pytest.raises(InputError, match="not the options of a training") as raised:
            train(SMALL, tmp_path, resume=resume, overwrite=overwrite)
        assert "\n" not in str(raised.value)
    assert (tmp_path / "model.safetensors").read_bytes() == b"somebody's"
