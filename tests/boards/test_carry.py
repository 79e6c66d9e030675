"""Ends of carry lines: left open where nothing depends on them, and only there."""

import json
from pathlib import Path
from typing import Any

import pytest

from bnnhw.boards.carry import open_carries

ENTRY = f"{0b0110:016b}"  # propagates nothing; its carry is A xor B
ADDER = f"{0b0110_0000_0000_1010:016b}"


def cell(init: str = ENTRY, **pins: str | int) -> dict[str, Any]:
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
    taken = open_carries(path, "top")
    pins = json.loads(path.read_text())["modules"]["top"]["cells"]["one"]["connections"]
    assert pins == cell(**changes)["connections"] | {"CIN": [cin], "COUT": [cout]}
    assert taken == [cin, cout].count("x")
