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
from bnnhw.proposal import Budget, balanced, within_budget
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


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("digits", "ecp5"),
        ("mnist-lenet", "ecp5"),
        ("mnist-256x3-8bit", "ecp5"),
        ("mnist-lenet", "xilinx7"),
    ],
)
def test_the_fastest_folding_within_a_budget(model: str, family: str) -> None:
    network = load(ROOT / "models" / f"{model}.safetensors")
    technology = Technology(family=family)
    intervals = []
    for budget in (6_000, 30_000, 120_000):
        folding = within_budget(network, Budget(budget), technology)
        assert sites(network, folding, technology) <= budget
        intervals.append(folding.interval(network))
    assert intervals == sorted(intervals, reverse=True) and intervals[0] > intervals[-1]


def test_block_rams_that_may_be_used_save_cycles() -> None:
    network = load(ROOT / "models" / "mnist-256x3-8bit.safetensors")
    intervals = []
    for rams in (30, 60, 200):
        folding = within_budget(network, Budget(24_000, rams), ECP5)
        areas = core_area(network, folding, ECP5)
        assert sum(area.sites for area in areas) <= 24_000
        assert sum(area.rams for area in areas) <= rams
        intervals.append(folding.interval(network))
    assert intervals == sorted(intervals, reverse=True) and intervals[0] > intervals[-1]


def test_cells_of_a_budget_are_as_large_as_suits_the_family() -> None:
    network = load(ROOT / "models" / "mnist-lenet.safetensors")
    folding = within_budget(network, Budget(20_000), ECP5)
    plain = balanced(network, folding.interval(network))
    assert sites(network, folding) < sites(network, settled(network, plain, ECP5))


def test_a_budget_that_is_no_use_is_one_line() -> None:
    network = load(ROOT / "models" / "digits.safetensors")
    with pytest.raises(InputError, match="too small; the smallest core takes about"):
        within_budget(network, Budget(100), ECP5)
    with pytest.raises(InputError, match="1 LUT sites and 0 block RAMs is too small"):
        within_budget(load(ROOT / "models" / "mnist-256x3-1bit.safetensors"), Budget(1, 0), ECP5)
    with pytest.raises(InputError, match="name the family by --target"):
        within_budget(network, Budget(1000), Technology())
    for text, message in (
        ("0", "the budget must be at least 1 LUT site, not 0"),
        ("1,2,3", "the budget must be LUTs or LUTs,RAMs, as 60000,200, not '1,2,3'"),
        ("20k", "the budget must be LUTs or LUTs,RAMs, as 60000,200, not '20k'"),
        ("5,-1", "the budget must be LUTs or LUTs,RAMs, as 60000,200, not '5,-1'"),
    ):
        with pytest.raises(InputError) as raised:
            Budget.parse(text)
        assert str(raised.value) == message
    assert Budget.parse("7,0") == Budget(7, 0) and Budget.parse("7") == Budget(7)


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
