"""Areas told before anything is generated, and the fastest folding that a budget allows."""

import json
import math
from pathlib import Path

import pytest

from bnnhw.cli import main
from bnnhw.errors import InputError
from bnnhw.folding import Folding
from bnnhw.network import Network
from bnnhw.network_file import load
from bnnhw.proposal import within_budget
from bnnhw.rtl.area import core_area
from bnnhw.rtl.weights import settled
from bnnhw.technology import Technology

ROOT = Path(__file__).parents[1]
ECP5 = Technology(family="ecp5")


def sites(network: Network, folding: Folding, technology: Technology = ECP5) -> float:
    return math.fsum(area.sites for area in core_area(network, folding, technology))


@pytest.mark.parametrize("bits", [1, 8])
def test_estimates_are_near_what_yosys_counted(bits: int) -> None:
    network = load(ROOT / "models" / f"mnist-256x3-{bits}bit.safetensors")
    folding = Folding.load(ROOT / "models" / f"mnist-256x3-{bits}bit-max.toml")
    records = json.loads((ROOT / f"benchmarks/records/mnist-{bits}bit-max-ecp5.json").read_text())
    counted = {record["name"]: record["value"] for record in records}
    areas = core_area(network, settled(network, folding, ECP5), ECP5)
    assert sum(area.rams for area in areas) == counted["block_rams"]
    assert sum(area.sites for area in areas) == pytest.approx(counted["lut_sites"], rel=0.15)


@pytest.mark.parametrize("model", ["digits", "mnist-lenet", "mnist-256x3-8bit"])
@pytest.mark.parametrize("family", ["ecp5", "xilinx7"])
def test_the_fastest_folding_within_a_budget(model: str, family: str) -> None:
    network = load(ROOT / "models" / f"{model}.safetensors")
    technology = Technology(family=family)
    intervals = []
    for budget in (6_000, 30_000, 120_000):
        folding = within_budget(network, budget, technology)
        assert sites(network, folding, technology) <= budget
        intervals.append(folding.interval(network))
    assert intervals == sorted(intervals, reverse=True) and intervals[0] > intervals[-1]


def test_a_budget_that_is_no_use_is_one_line() -> None:
    network = load(ROOT / "models" / "digits.safetensors")
    with pytest.raises(InputError, match="too small; the smallest core takes about"):
        within_budget(network, 100, ECP5)
    with pytest.raises(InputError, match="must be at least 1 LUT site, not 0"):
        within_budget(network, 0, ECP5)
    with pytest.raises(InputError, match="name the family by --target"):
        within_budget(network, 1000, Technology())


def test_inspect_tells_each_layers_share(capsys: pytest.CaptureFixture) -> None:
    model = str(ROOT / "models" / "mnist-lenet.safetensors")
    assert main(["inspect", model, "--target", "ecp5", "--budget", "20000", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    shares = [layer["area_share"] for layer in told["layers"]]
    assert sum(shares) == pytest.approx(1)
    assert sum(layer["estimated_lut_sites"] for layer in told["layers"]) <= 20_000 + len(shares)
    assert main(["inspect", model, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "area_share" not in told["layers"][0]
