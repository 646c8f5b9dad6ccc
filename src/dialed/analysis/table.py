"""One table of a result, as text, HTML and a data frame: every analysis shows itself through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from dialed.errors import MissingDependencyError
from dialed.observe.text import columns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "frame_of", "page"]

_LINE = "1px solid rgba(128,128,128,.35)"
_CELL = f"padding:.15em .9em .15em 0;border-bottom:{_LINE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells that are text already, each with a cell for every name in `head`.

    `align` has one letter a column: "l" for left, "r" for right.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str

    def text(self, *, width: int = 80) -> str:
        """The table as lines of at most `width` characters."""
        return "\n".join(columns([self.head, *self.rows], self.align, width=width))

    def html(self) -> str:
        """The table as HTML without a style sheet."""
        body = "".join(self._line("td", row) for row in self.rows)
        return f'<table style="border-collapse:collapse">{self._line("th", self.head)}{body}</table>'

    def _line(self, tag: str, cells: Sequence[str]) -> str:
        sides = ("right" if letter == "r" else "left" for letter in self.align)
        shown = "".join(
            f'<{tag} style="{_CELL};text-align:{side}">{escape(cell)}</{tag}>'
            for side, cell in zip(sides, cells, strict=True)
        )
        return f"<tr>{shown}</tr>"


def page(head: str, parts: Sequence[str | Table]) -> str:
    """A result as HTML: its head, then sentences and tables. Text is escaped."""
    shown = [part.html() if isinstance(part, Table) else f"<p>{escape(part)}</p>" for part in parts if part]
    return f"<div><b>{escape(head)}</b>{''.join(shown)}</div>"


def frame_of(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> pd.DataFrame:
    """`rows` as a data frame with the columns `names`.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingDependencyError(
            "`to_pandas` needs pandas, which is not installed. Run: pip install 'dialed[pandas]'"
        ) from error
    return pd.DataFrame(list(rows), columns=list(names))
