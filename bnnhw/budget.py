"""The fastest folding that a budget of LUT sites allows."""

__all__ = ["within_budget"]

import contextlib
import math

from .dataflow import least_cycles
from .errors import InputError
from .folding import Folding, balanced
from .network import Network
from .technology import Technology

MOST_CYCLES = 1 << 36  # of a sample: more than any network takes on one cell
STEP = 32


def within_budget(
    network: Network, budget: int, technology: Technology, *, output: str = "class"
) -> Folding:
    """The balanced folding of the shortest interval whose estimated LUT sites are at most `budget`.

    The estimates are those of `rtl.area`. A slower core may take more, as weights move between LUTs
    and block RAM, so intervals are tried from the shortest on, each about 3 % longer; takes under a
    second.

    Raises
    ------
    InputError
        If no folding is that small, or the family is not said.
    """
    from .rtl.area import core_area

    if technology.generic:
        raise InputError("a budget is of a family's LUT sites: name the family by --target")
    if budget < 1:
        raise InputError(f"the budget must be at least 1 LUT site, not {budget}")

    interval = least_cycles(network)
    if network.output is not None and output == "scores":
        interval = max(interval, network.output.neurons)
    least, seen = math.inf, set()
    while interval < MOST_CYCLES:
        with contextlib.suppress(InputError):  # some short ones cannot be had
            folding = balanced(network, interval, output=output)
            if folding not in seen:
                seen.add(folding)
                area = sum(one.sites for one in core_area(network, folding, technology))
                if area <= budget:
                    return folding
                least = min(least, area)
        interval += 1 + interval // STEP
    raise InputError(
        f"a budget of {budget:,} LUT sites is too small; the smallest core takes about {least:,.0f}"
    )
