"""The benchmarks of training: resumable, kept as records, shown as table and chart."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import ablation, accuracy, cards, store
from benchmarks.cards import CARDS, card
from benchmarks.runs import RUNS, Run
from bnnhw.datasets import load as load_data
from bnnhw.errors import InputError, ToolError
from bnnhw.network_file import load
from bnnhw.record import Record, read_records
from bnnhw.training import Topology
from bnnhw.training.train import CHECKED, measure

SMALL: dict[str, Any] = {"topology": "8", "epochs": 3, "warmup": 1, "batch": 128}


@pytest.fixture(autouse=True)
def records_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RECORDS", tmp_path / "records")


def told(records: list[Record]) -> list[tuple[str, float | str, int | None]]:
    """What two trainings that are the same agree on: not how long they took."""
    return [(r.name, r.name == "training_time" or r.value, r.seed) for r in records]


def test_slices_end_in_the_same_records_as_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(name="small", data="digits", options=SMALL, seeds=(4, 5))
    monkeypatch.setattr(accuracy, "RUNS", (run,))
    assert accuracy.main(["-o", str(tmp_path / "whole"), "--keep"]) == 0
    whole = told(store.kept("accuracy-small"))
    assert {name for name, _, _ in whole} == {
        "accuracy_valid", "accuracy_test", "float_accuracy_valid", "float_accuracy_test",
        "training_time",
    }  # fmt: skip
    assert {seed for _, _, seed in whole} == {4, 5}
    capsys.readouterr()
    for path in (tmp_path / "records").iterdir():
        path.unlink()
    sliced = ["-o", str(tmp_path / "cut"), "--minutes", "1e-5", "--copy", str(tmp_path / "copy")]
    for _ in range(12):
        assert accuracy.main([*sliced, "--keep"]) == 0
        shown = capsys.readouterr().out
        found = told(store.kept("accuracy-small"))
        if found == whole:
            break
    assert found == whole
    assert "3 of 3" in shown
    copied = sorted(path.name for path in (tmp_path / "copy").iterdir())
    assert copied == ["records.json", "small-4.csv", "small-4.safetensors",
                      "small-5.csv", "small-5.safetensors"]  # fmt: skip
    assert len(read_records(tmp_path / "copy" / "records.json")) == len(whole)


def test_on_a_gpu_all_networks_come_before_float_twins_and_are_taken_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    monkeypatch.setattr(accuracy, "MODELS", models)
    options = SMALL | {"topology": "4C3p1-MP2-8", "precision": "bfloat16"}
    runs = [
        Run(name=name, data="digits", options=options | {"rate": rate}, seeds=(4,), gpu=True, zoo=z)
        for name, rate, z in (("first", 0.1, True), ("second", 0.2, False))
    ]
    monkeypatch.setattr(accuracy, "RUNS", runs)
    copy, out = tmp_path / "copy", tmp_path / "out"
    sliced = ["--gpu", "--device", "cpu", "-o", str(out), "--minutes", "1e-5", "--copy", str(copy)]
    for _ in range(30):
        assert accuracy.main(sliced) == 0
        if twins := {path.parent.parent.name for path in out.glob("*/float/metrics.csv")}:
            assert len([*out.glob("*/network.json")]) == 2
        if "goes on" not in capsys.readouterr().out:
            break
    assert twins == {"first-4", "second-4"}
    assert {r.name for r in read_records(copy / "records.json")} >= {"float_accuracy_test"}
    assert accuracy.main(["--take", str(copy)]) == 0
    assert "first-4" in capsys.readouterr().out
    for name in ("first", "second"):
        assert len(store.kept(f"accuracy-{name}")) == 5
    assert [path.name for path in models.iterdir()] == ["first.safetensors"]


def test_a_run_that_fails_keeps_no_other_from_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [Run(name=name, data="digits", options=SMALL, seeds=(4,)) for name in ("a", "b")]
    monkeypatch.setattr(accuracy, "RUNS", runs)
    trained = accuracy.trained

    def failing(config: Any, folder: Path, *given: Any, **how: Any) -> accuracy.Outcome:
        outcome = trained(config, folder, *given, **how)
        if folder.name == "a-4":
            raise ToolError("torch and golden differ")
        return outcome

    monkeypatch.setattr(accuracy, "trained", failing)
    out = str(tmp_path / "out")
    assert accuracy.main(["-o", out, "--copy", str(tmp_path / "copy")]) == 1
    assert "a-4: torch and golden differ" in capsys.readouterr().err
    assert {p.name for p in (tmp_path / "copy").glob("*.csv")} == {"a-4.csv", "b-4.csv"}


def test_a_kept_seed_is_not_trained_again_unless_its_command_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(name="small", data="digits", options=SMALL, seeds=(4, 5))
    mine = record("test", 0.5, 4)
    store.keep("accuracy-small", [dataclasses.replace(mine, how=f"golden; {run.command}")])

    def kept_of(run: Run, out: str) -> list[tuple[int | None, float | str]]:
        monkeypatch.setattr(accuracy, "RUNS", (run,))
        assert accuracy.main(["-o", str(tmp_path / out), "--keep"]) == 0
        found = store.kept("accuracy-small")
        return [(r.seed, r.value) for r in found if r.name == "accuracy_test"]

    first, second = kept_of(run, "same")
    assert first == (4, 0.5) and second[0] == 5 and second[1] != 0.5
    assert not (tmp_path / "same/small-4").exists() and (tmp_path / "same/small-5").exists()
    longer = dataclasses.replace(run, options=SMALL | {"epochs": 2})
    assert kept_of(longer, "other")[0] != (4, 0.5)


def test_stated_runs_are_trainings_of_known_topologies() -> None:
    assert len({run.name for run in RUNS}) == len(RUNS)
    for run in RUNS:
        options = {**run.options, "device": "cpu"}
        config = Run(name=run.name, data=run.data, options=options).config(1)
        assert Topology.parse(config.topology)
        pattern = rf"bnnhw train --data {run.data} (.+ )?--seed {run.seeds[0]} -o runs/{run.name}"
        assert re.fullmatch(pattern, run.command)


def record(part: str, value: float, seed: int) -> Record:
    return Record(name=f"accuracy_{part}", value=value, unit="1", kind="measured", how="golden",
                  on="mnist; trained on a CPU", seed=seed)  # fmt: skip


def test_the_ablations_table_says_what_a_change_is_worth() -> None:
    for name, tests in (("base", (0.96, 0.97, 0.98)), ("norm-shift", (0.97, 0.975, 0.98))):
        found = [record(p, v, s) for s, v in enumerate(tests) for p in ("valid", "test")]
        store.keep(f"ablation-{name}", found)
    lines = ablation.table().splitlines()
    assert len(lines) == 4
    assert lines[2].endswith("| 97.00 % (96.00 to 98.00) | 97.00 % (96.00 to 98.00) |  |")
    assert lines[3] == (
        "| shift-based norm | 97.50 % (97.00 to 98.00) | 97.50 % (97.00 to 98.00) | +0.50 |"
    )
    before = ablation.chart()
    assert before == ablation.chart() and before.startswith(b"\x89PNG")
    store.keep("ablation-average", [record("test", 0.5, 1)])
    assert ablation.chart() != before


def test_every_kept_network_has_a_card() -> None:
    models = {path.stem for path in store.MODELS.glob("*.safetensors")}
    assert models == {run.name for run in CARDS}
    assert models == {path.stem for path in store.MODELS.glob("*.md")}


@pytest.mark.parametrize("run", CARDS, ids=lambda run: run.name)
def test_a_kept_network_has_the_card_that_its_file_and_records_tell(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert (store.MODELS / f"{run.name}.md").read_text() == card(run)


@pytest.mark.parametrize("run", CARDS, ids=lambda run: run.name)
def test_a_kept_network_has_the_options_that_its_command_would_record_now(run: Run) -> None:
    told = load(store.MODELS / f"{run.name}.safetensors").training
    beside = {"data_name", "class_names", "best_epoch", "bnnhw", "torch", CHECKED}
    options = {name: value for name, value in told.items() if name not in beside}
    assert options == run.config(run.seeds[0]).to_json()


def test_kept_networks_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in store.MODELS.glob("*.safetensors")}
    assert len(sizes) == len(CARDS) and max(sizes.values()) < 300_000, sizes


def test_the_kept_network_of_digits_has_the_accuracy_that_it_states() -> None:
    network = load(store.MODELS / "digits.safetensors")
    assert measure(network, load_data("digits"), ("valid", "test")) == network.accuracy


def test_the_table_of_accuracies_is_of_the_kept_records(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(name="small", data="digits", options=SMALL, seeds=(4, 5))
    other = dataclasses.replace(run, name="other")
    monkeypatch.setattr(accuracy, "RUNS", (run, other))
    twin = dataclasses.replace(record("test", 0.99, 4), name="float_accuracy_test")
    store.keep("accuracy-small", [record("valid", 0.9, 4), record("test", 0.8, 4),
                                  record("test", 0.81, 5), twin])  # fmt: skip
    assert accuracy.table().splitlines()[2:] == [
        "| MNIST | 8 | 4 bits | 90.00 % | 80.50 % (80.00 to 81.00) | 99.00 % | 4, 5 | "
        f"`{run.command}` |"
    ]


@pytest.mark.parametrize("name", ["cifar10", "cifar10-jpeg", "cifar10-other"])
def test_every_name_that_a_data_set_loads_by_has_its_title_and_its_words(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = next(run for run in CARDS if run.data == "cifar10")
    network = load(store.MODELS / f"{run.name}.safetensors")
    told = dataclasses.replace(network, training=network.training | {"data_name": name})
    monkeypatch.setattr(cards, "load", lambda _: told)
    monkeypatch.setattr(accuracy, "RUNS", (run,))
    found = dataclasses.replace(record("test", 0.8, 1), on=f"{name}; trained on a CPU")
    store.keep(f"accuracy-{run.name}", [found])
    title = accuracy.TITLES[name]
    assert card(run).startswith(f"# {title}: cnv")
    assert accuracy.table().splitlines()[-1].startswith(f"| {title} | cnv |")
    assert ("not comparable" in card(run)) == (title != "CIFAR-10")


def test_each_variant_changes_one_thing_and_has_a_name_of_its_own() -> None:
    names = [variant.name for variant in ablation.VARIANTS]
    assert len(set(names)) == len(names) and names[0] == "base"
    for variant in ablation.VARIANTS[1:]:
        assert variant.options.items() - ablation.BASE.items() == variant.options.items()


def test_a_kept_variant_is_not_trained_again_unless_it_is_incomplete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_training(*_: Any, **__: Any) -> None:
        raise InputError("it trains")

    monkeypatch.setattr(ablation, "trained", no_training)
    variant = ablation.VARIANTS[0]
    how = f"golden, the epoch best on validation of {ablation.BASE['epochs']}; {variant.what}"
    done = [dataclasses.replace(record("test", 0.9, s), how=how) for s in ablation.SEEDS]
    longer = [dataclasses.replace(one, how=how.replace("of 50;", "of 60;")) for one in done]
    for found, code in ((done, 0), (done[:2], 2), (longer, 2)):
        store.keep("ablation-base", found)
        assert ablation.main(["--only", "base", "--keep"]) == code
        assert store.kept("ablation-base") == found


@pytest.mark.parametrize("benchmark", [ablation, accuracy])
def test_an_unknown_name_is_one_line(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark.main(["--only", "nothing"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
