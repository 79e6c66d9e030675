"""Ends of carry lines: left open where nothing depends on them, and only there."""

import json
from pathlib import Path
from typing import Any

import pytest

from bnnhw.boards.carry import end_carries
from bnnhw.boards.rewrite import rewritten

ENTRY = f"{0b0110:016b}"  # propagates nothing; its carry is A xor B
ADDER = f"{0b0110_0000_0000_1010:016b}"


def cell(init: str = ENTRY, **pins: Any) -> dict[str, Any]:
    inputs: dict[str, str | int] = {"CIN": "0", "A0": 2, "B0": 3, "C0": "1", "D0": "1"}
    inputs |= {"A1": 4, "B1": 5, "C1": "1", "D1": "1"}
    outputs: dict[str, str | int] = {"S0": 20, "S1": 21, "COUT": 22}
    for pin, net in pins.items():
        (inputs if pin in inputs else outputs)[pin] = net
    return {
        "type": "CCU2C",
        "parameters": {"INIT0": init, "INIT1": ADDER},
        "port_directions": dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output"),
        "connections": {pin: [net] for pin, net in (inputs | outputs).items()},
    }


@pytest.mark.parametrize(
    ("changes", "read", "cin", "cout"),
    [
        ({}, [21], "x", "x"),
        ({}, [21, 22], "x", 22),  # the carry is read
        ({}, [20, 21], "0", "x"),  # so is the sum, which is the carry in
        ({"init": ADDER}, [21], "0", "x"),  # the carry goes through
        ({"CIN": "1"}, [21], "1", "x"),
        ({"CIN": 9}, [21], 9, "x"),
        ({"D0": 7}, [21], "0", "x"),  # then the LUT's other contents count
    ],
)
def test_an_end_is_open_where_nothing_depends_on_it(
    changes: dict[str, Any], read: list[int], cin: object, cout: object, tmp_path: Path
) -> None:
    path = tmp_path / "netlist.json"
    module = {
        "cells": {"one": cell(**changes)},
        "ports": {"y": {"direction": "output", "bits": read}},
    }
    path.write_text(json.dumps({"modules": {"top": module}}))
    with rewritten(path, "top") as given:
        taken, fed = end_carries(given)
    pins = json.loads(path.read_text())["modules"]["top"]["cells"]["one"]["connections"]
    assert pins == cell(**changes)["connections"] | {"CIN": [cin], "COUT": [cout]}
    assert (taken, fed) == ([cin, cout].count("x"), 0)


def nexus(**pins: Any) -> dict[str, Any]:
    """As `cell`, constants as nets: 10 is 0, 11 is 1."""
    found = cell(**pins) | {"type": "CCU2", "parameters": {"INIT0": "0x6666", "INIT1": "0x0006"}}
    for pin, (net,) in found["connections"].items():
        found["connections"][pin] = [{"0": 10, "1": 11}.get(net, net)]
    return found


def constant(kind: str, net: int) -> dict[str, Any]:
    return {"type": kind, "port_directions": {"Z": "output"}, "connections": {"Z": [net]}}


@pytest.mark.parametrize(
    ("changes", "read", "cin", "fed_by"),
    [
        ({}, [22], "x", None),  # the second slot stops it, and no sum is read
        ({}, [21, 22], 24, 10),
        ({}, [20, 22], 24, 10),
        ({"CIN": 11}, [22], 24, 11),
        ({"CIN": 9}, [22], 24, 9),
        ({"D1": 7}, [22], 24, 10),
    ],
)
def test_a_line_of_nexus_is_open_or_fed(
    changes: dict[str, Any], read: list[int], cin: object, fed_by: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "netlist.json"
    cells = {"one": nexus(**changes), "gnd": constant("VLO", 10), "vcc": constant("VHI", 11)}
    cells["next"] = nexus(CIN=22, COUT="x", S0="x", S1="x")  # in the line, so neither
    ports = {"y": {"direction": "output", "bits": read}}
    path.write_text(json.dumps({"modules": {"top": {"cells": cells, "ports": ports}}}))
    with rewritten(path, "top") as given:
        taken, fed = end_carries(given)
    found = json.loads(path.read_text())["modules"]["top"]["cells"]
    assert found["one"]["connections"]["CIN"] == [cin]
    assert found["next"] == cells["next"]
    assert (taken, fed) == ((1, 0) if fed_by is None else (0, 1))
    if fed_by is not None:
        feed, (one,) = found["one_feed"], found["carry_one"]["connections"]["Z"]
        pins = feed["connections"]
        assert (found["carry_one"]["type"], pins["A1"], pins["COUT"]) == ("VHI", [fed_by], [cin])
        assert [pins[f"{pin}1"] for pin in "BCD"] == [[one]] * 3
        contents = int(feed["parameters"]["INIT1"], 16)  # 0 with D 1; its lower half A with C, B 1
        assert contents >> 8 == 0 and [contents >> 6 & 1, contents >> 7 & 1] == [0, 1]
