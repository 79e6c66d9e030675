"""What people see while they wait."""

import io

import pytest
from rich.console import Console

from bnnhw import console


@pytest.mark.parametrize(("step_s", "left"), [(2, "0:00:16"), (40, "0:05:20"), (9000, "20:00:00")])
def test_the_time_left_shows_however_long_a_step_takes(
    step_s: int, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, shown = [0.0], io.StringIO()
    terminal = Console(file=shown, force_terminal=True, width=100, get_time=lambda: now[0])
    monkeypatch.setattr(console, "err", terminal)
    with console.progress("waiting", total=10) as bar:
        for _ in range(2):
            now[0] += step_s
            bar.advance()
    assert left in shown.getvalue().rpartition("waiting")[2]
