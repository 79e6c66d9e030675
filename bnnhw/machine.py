"""The machine that we run on: its processor and how much of it is ours."""

__all__ = ["cores", "processor"]

import os
import platform
import re
from pathlib import Path


def cores() -> int:
    """How many cores this process may use: can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """The processor's name as the system tells it; with family and model where it has no number."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    if not named:
        return platform.processor() or platform.machine()
    numbers = re.findall(r"^(?:cpu )?(family|model)\s*:\s*(\d+)$", text, re.MULTILINE)[:2]
    kind = ", ".join(" ".join(number) for number in numbers)
    name = named.group(1)
    return name if re.search(r"\d", name) or not kind else f"{name} ({kind})"
