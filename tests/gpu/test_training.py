"""Training on a GPU: repeatable, resumed to the same bytes, and exact in integers."""

from pathlib import Path
from typing import Any

import pytest

from bnnhw.training import Epoch, TrainConfig, train

pytestmark = pytest.mark.gpu
CONFIG: dict[str, Any] = {
    "topology": "16C3p1-MP2-24C3-BP2-32", "epochs": 12, "batch": 50, "warmup": 1, "device": "cuda",
    "precision": "bfloat16", "calibrate": True, "hidden_dropout": 0.1,
}  # fmt: skip


@pytest.mark.parametrize("norm", ["batch", "shift"])
def test_a_resumed_training_ends_as_an_uninterrupted_one(tmp_path: Path, norm: str) -> None:
    config = TrainConfig.for_data("digits", **CONFIG, norm=norm)
    whole = train(config, tmp_path / "whole")
    assert whole.checked == 599 and whole.accuracy["test"] > 0.2

    def stop(done: Epoch) -> None:
        if done.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "cut", on_epoch=stop)
    again = train(config, tmp_path / "cut", resume=True)
    assert again.model.read_bytes() == whole.model.read_bytes()
