"""Tables as Markdown has them."""

__all__ = ["markdown"]

from collections.abc import Iterable, Sequence


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table: a line of heads, a rule, a line a row."""
    first, *others = ("".join(f"| {cell} " for cell in cells) + "|\n" for cells in (heads, *rows))
    return "".join([first, "|---" * len(heads) + "|\n", *others])
