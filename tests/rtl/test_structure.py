"""Planned counters: the sum of their lanes, and as few LUT sites as docs/popcount.md says."""

import random

import pytest

from bnnhw.rtl.counting.abilities import Kind
from bnnhw.rtl.counting.along import plan_along, slots_of
from bnnhw.rtl.counting.compressed import sites
from bnnhw.rtl.counting.planner import plan_count
from bnnhw.rtl.counting.recipes import recipes
from bnnhw.rtl.counting.structure import Structure
from bnnhw.rtl.families import FAMILIES

NEXUS = FAMILIES["nexus"].abilities


def total(plan: Structure, lanes: list[int], addend: int) -> int:
    return sum(bit << place for bit, place in zip(lanes, plan.places, strict=False)) + addend


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["xnor", "bit"])
@pytest.mark.parametrize("planes", [1, 2, 8])
@pytest.mark.parametrize("addend", [None, 0, 5, 300])
@pytest.mark.parametrize("deep", [False, True])
def test_a_plan_gives_the_weighted_sum_of_its_lanes_and_the_addend(
    family: str, kind: Kind, planes: int, addend: int | None, deep: bool
) -> None:
    draw = random.Random(f"{family} {kind} {planes} {addend}")
    abilities = FAMILIES[family].abilities
    for lanes in [*range(1, 20), 31, 32, 33, 64] if planes == 1 else [1, 2, 3, 5, 8, 13]:
        plan = plan_count(abilities, kind, lanes, planes=planes, addend=addend, deep=deep)
        size = planes * lanes
        words = [[0] * size, [1] * size]
        words += [[int(draw.random() < p) for _ in range(size)] for p in (0.1, 0.5, 0.9)]
        for word in words:
            extra = draw.randint(0, addend or 0)
            assert plan.evaluate(word, extra) == total(plan, word, extra)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["xnor", "bit"])
def test_a_dot_is_made_before_it_is_used_and_no_lane_is_left_out(family: str, kind: Kind) -> None:
    for lanes in (1, 7, 16, 23, 64):
        plan = plan_count(FAMILIES[family].abilities, kind, lanes, addend=5)
        ready = set(range(plan.lanes + plan.addend))
        used: list[int] = []
        for operation in plan.operations:
            assert operation.inputs <= ready
            used += operation.inputs
            ready |= set(operation.outputs)
        assert set(range(plan.lanes)) <= set(used)


@pytest.mark.parametrize(
    ("family", "kind", "lanes", "most"),
    [
        ("ecp5", "xnor", 63, 88),
        ("ecp5", "xnor", 64, 95),
        ("ecp5", "bit", 64, 81),
        ("ecp5", "xnor", 256, 383),
        ("gowin", "xnor", 64, 123),
        ("ice40", "xnor", 64, 140),
        ("nexus", "xnor", 64, 110),
        ("nexus", "bit", 64, 76),
    ],
)
def test_the_best_plan_known_is_found(family: str, kind: Kind, lanes: int, most: int) -> None:
    assert recipes(FAMILIES[family].abilities, kind).recipe(lanes).cost <= most


@pytest.mark.parametrize(
    ("kind", "lanes", "most"),
    [("xnor", 16, 21), ("xnor", 64, 85), ("xnor", 128, 170), ("bit", 64, 58), ("bit", 128, 117)],
)
def test_chains_along_one_line_take_fewer_slots_than_a_tree(
    kind: Kind, lanes: int, most: int
) -> None:
    assert slots_of(plan_along(kind, lanes)) <= most < recipes(NEXUS, kind).recipe(lanes).cost
    assert recipes(NEXUS, kind, True).recipe(lanes).cost <= most


@pytest.mark.parametrize("kind", ["xnor", "bit"])
def test_every_plan_along_a_line_gives_the_sum_of_its_lanes(kind: Kind) -> None:
    draw = random.Random(kind)
    for lanes in [*range(2, 70), 127, 128, 129, 500]:
        plan = plan_along(kind, lanes)
        assert len(plan.result) == lanes.bit_length()
        words = [[0] * lanes, [1] * lanes]
        words += [[int(draw.random() < p) for _ in range(lanes)] for p in (0.1, 0.5, 0.9)]
        assert [plan.evaluate(word) for word in words] == [sum(word) for word in words]


@pytest.mark.parametrize(
    ("kind", "deep", "lanes", "most"),
    [
        ("xnor", True, 8, 7),
        ("xnor", True, 64, 55),
        ("xnor", False, 64, 61),
        ("bit", True, 8, 5),
        ("bit", True, 64, 42),
        ("bit", True, 256, 175),
    ],
)
def test_the_columns_of_a_7_series_take_few_lut_sites(
    kind: Kind, deep: bool, lanes: int, most: int
) -> None:
    plan = plan_count(FAMILIES["xilinx7"].abilities, kind, lanes, deep=deep)
    assert sites(plan, kind) <= most
