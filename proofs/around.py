"""The columns of a map that a column buffer reads, and the windows that they are seen by."""

__all__ = ["Around", "Seen"]

import dataclasses
import itertools

from bnnhw.queues import bank_lines
from bnnhw.window import Columns

from .maps import BEYOND, UNUSED
from .reads import Read


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seen:
    """A column of a row of windows: the row's first line, the column's word in each of them.

    Parameters
    ----------
    row, col : int
        Of the windows, and of the columns that are read for them.
    y : int
        The first line; negative above the map.
    x : int
        Of the word; beside the map where it has none of that number.
    """

    row: int
    col: int
    y: int
    x: int


class Around:
    """What columns are seen, and which of them every window is made of."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        window = columns.window
        (self.high, _, _), (self.kh, self.kw) = window.shape, window.kernel
        (self.sy, self.sx), (self.py, self.px) = window.stride, window.padding
        self.wide, self.each = columns.line, columns.positions
        self.lines = self.kh * bank_lines(columns)  # of the memory
        self.reach = columns.left + columns.ahead  # columns that are kept
        self.seen = [
            Seen(row=row, col=col, y=row * self.sy - self.py, x=col - columns.left)
            for row, col in itertools.product(range(window.rows), range(columns.read))
        ]

    def word(self, seen: Seen, line: int) -> int:
        """Of a column's line, counted from the map's first word on."""
        y = seen.y + line
        inside = 0 <= y < self.high and 0 <= seen.x < self.wide
        return y * self.wide + seen.x if inside else BEYOND

    def needed(self, seen: Seen) -> int:
        """The word that a column waits for: that of the last line on the map."""
        return min(seen.y + self.kh - 1, self.high - 1) * self.wide + seen.x

    def read(self, seen: Seen) -> Read:
        return Read(
            needed=self.needed(seen),
            nothing=not 0 <= seen.x < self.wide,
            oldest=max(seen.y, 0) * self.wide,
        )

    def ends(self, seen: Seen) -> bool:
        """With this column a group of windows is whole."""
        return seen.col >= self.reach and not (seen.col - self.reach) % self.columns.advance

    def sources(self, seen: Seen) -> list[int]:
        """The positions that a group of windows sees, that ends with this column."""
        first = (seen.col - self.reach) // self.columns.advance * self.columns.at_once
        found = []
        for window, y, x in itertools.product(
            range(first, first + self.columns.at_once), range(self.kh), range(self.kw)
        ):
            line, place = seen.y + y, window * self.sx - self.px + x
            inside = 0 <= line < self.high and 0 <= place < self.wide * self.each
            position = line * self.wide * self.each + place if inside else BEYOND
            found.append(position if window < self.columns.window.cols else UNUSED)
        return found

    def waits(self, seen: Seen) -> int:
        """The last word that such a group waits for: of its columns that of the last one on the
        map."""
        on_map = dataclasses.replace(seen, x=min(seen.x, self.wide - 1))
        return self.needed(on_map)
