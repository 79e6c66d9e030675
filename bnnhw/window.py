"""A window that slides over a map: the geometry that convolution and pooling share."""

__all__ = ["MOST_VALUES", "Columns", "Window"]

import dataclasses

from .errors import InputError

MOST_VALUES = 1 << 24  # so that a small file cannot ask for all memory


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Windows of kh x kw positions on a map of H x W positions with C channels each.

    What would reach beyond the padded map is dropped:
    OH = (H + 2 py - kh) // sy + 1, and OW likewise.

    Parameters
    ----------
    shape : (H, W, C)
        Of the map.
    kernel : (kh, kw)
    stride : (sy, sx)
        Positions from one window to the next.
    padding : (py, px)
        Positions that are added on each side; below the kernel, so that each window sees the map.
    """

    shape: tuple[int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        for name, count, least in (("shape", 3, 1), ("kernel", 2, 1), ("stride", 2, 1),
                                   ("padding", 2, 0)):  # fmt: skip
            sizes = getattr(self, name)
            if len(sizes) != count or any(type(n) is not int or n < least for n in sizes):
                raise InputError(
                    f"{name} must be {count} integers of at least {least}, not {list(sizes)}"
                )
        for size, kernel, padding in zip(self.shape, self.kernel, self.padding, strict=False):
            if padding >= kernel:
                raise InputError(f"padding must be below the kernel, {kernel}, not {padding}")
            if size + 2 * padding < kernel:
                raise InputError(
                    f"the kernel must fit the padded map, {size + 2 * padding} positions, "
                    f"not be {kernel}"
                )
        (h, w, c), (py, px) = self.shape, self.padding
        for what, values in (
            ("a padded map must have", (h + 2 * py) * (w + 2 * px) * c),
            ("all windows must see", self.positions * self.size),
        ):
            if values > MOST_VALUES:
                raise InputError(f"{what} at most {MOST_VALUES:,} values, not {values:,}")

    @property
    def rows(self) -> int:
        """OH."""
        return (self.shape[0] + 2 * self.padding[0] - self.kernel[0]) // self.stride[0] + 1

    @property
    def cols(self) -> int:
        """OW."""
        return (self.shape[1] + 2 * self.padding[1] - self.kernel[1]) // self.stride[1] + 1

    @property
    def positions(self) -> int:
        """Windows: OH * OW."""
        return self.rows * self.cols

    @property
    def size(self) -> int:
        """K = kh * kw * C, the values that a window sees; `k = (ky * kw + kx) * C + c`."""
        return self.kernel[0] * self.kernel[1] * self.shape[2]

    def to_json(self) -> dict[str, list[int]]:
        return {n: list(getattr(self, n)) for n in ("shape", "kernel", "stride", "padding")}


@dataclasses.dataclass(frozen=True, slots=True)
class Columns:
    """Windows read column by column: `positions` columns, a word, at a time, row after row.

    A row of windows is read from `left` words before the map's first one on; with each further
    `advance` words `at_once` windows are whole. Of a row's last windows some may lie beyond OW.

    Parameters
    ----------
    window : Window
    positions : int
        P: 1, or a multiple of sx; divides W.
    """

    window: Window
    positions: int = 1

    @property
    def at_once(self) -> int:
        """Q = P / sx, windows a word; or 1, every sx words."""
        return max(1, self.positions // self.window.stride[1])

    @property
    def advance(self) -> int:
        """Words from one group of windows to the next one of its row."""
        return 1 if self.positions > 1 else self.window.stride[1]

    @property
    def groups(self) -> int:
        """Groups of windows a row: ceil(OW / Q)."""
        return -(-self.window.cols // self.at_once)

    @property
    def line(self) -> int:
        """Words a line of the map."""
        return self.window.shape[1] // self.positions

    @property
    def left(self) -> int:
        """Words before the map's first one, all padding, that a row begins with."""
        return -(-self.window.padding[1] // self.positions)

    @property
    def ahead(self) -> int:
        """Words on from its own that a group waits for."""
        (_, kw), (_, sx), (_, px) = self.window.kernel, self.window.stride, self.window.padding
        return ((self.at_once - 1) * sx + kw - 1 - px) // self.positions

    @property
    def read(self) -> int:
        """Words that a row of windows reaches over."""
        return self.left + (self.groups - 1) * self.advance + self.ahead + 1

    def cycles(self, hold: int = 1) -> int:
        """Cycles a map, at a word a cycle in and out, if each group of windows is held so long.

        The words at a row's beginning that end no window go by while the last group is held.
        """
        apart, first = max(hold, self.advance), max(hold, self.left + self.ahead + 1)
        row = (self.groups - 1) * apart + first
        return max(self.window.shape[0] * self.line, self.window.rows * row)
