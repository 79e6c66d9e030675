"""The GPU's benchmark on an emulated one: all that is ours is made, checked and run."""

from pathlib import Path

import pytest
from emulation import Emulated
from torch import Tensor

from bnnhw.errors import ToolError
from bnnhw.sw.cuda.bench import GpuBench
from bnnhw.sw.cuda.opponents import PaperNetwork
from bnnhw.sw.suite import Case
from bnnhw.synthetic import random_layer, random_mlp

MLP = random_mlp((20, 16, 16, 16, 10), input_bits=8)
PAPERS = ["the paper's baseline", "the paper's XNOR kernel"]
CASES = {
    "a product": (
        Case(name="40^3", network=random_layer(40, 40), batch=40),
        ["CUDA, wgmma", "CUDA, mma", "CUDA, popcounts", *PAPERS],
    ),
    "a first layer": (
        Case(name="20x16", network=random_layer(20, 16, input_bits=8), batch=9),
        ["CUDA, wgmma", "CUDA, mma", "CUDA, wgmma, bit planes"],
    ),
    "one sample": (
        Case(name="mlp", network=MLP, batch=1),
        ["a launch that does nothing", "CUDA, one launch", *PAPERS],
    ),
    "many": (Case(name="mlp", network=MLP, batch=12), ["CUDA, wgmma", "CUDA, mma", *PAPERS]),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_ours_is_made_checked_and_run(name: str, tmp_path: Path) -> None:
    case, wanted = CASES[name]
    machine = Emulated(tmp_path)
    bench = GpuBench(machine)
    contenders = [one for one in bench.contenders(case) if not one.name.startswith("torch")]
    assert [one.name for one in contenders] == wanted
    for contender in contenders:
        loaded = contender.load()
        if contender.ours:
            machine.launched.clear()
            loaded.run()
            assert machine.launched
            counted = contender.name != "CUDA, popcounts"
            assert (loaded.weights_bytes is not None) == counted


def test_the_papers_kernels_are_compared_with_golden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = PaperNetwork.run

    def wrong(self: PaperNetwork, x: Tensor) -> Tensor:
        return -run(self, x)

    monkeypatch.setattr(PaperNetwork, "run", wrong)
    for name in ("a product", "many"):
        contenders = {
            one.name: one for one in GpuBench(Emulated(tmp_path)).contenders(CASES[name][0])
        }
        for paper in PAPERS:
            with pytest.raises(ToolError, match="gives another result than golden"):
                contenders[paper].load()
