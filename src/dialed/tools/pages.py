"""Results of the tools as HTML: for notebooks, and as whole pages for the command line. No script, nothing fetched."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["lines_and_table", "page"]

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}img{max-width:100%}"
)


def lines_and_table(lines: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """A paragraph of `lines`, and `rows` as a table; numbers with four digits."""
    told = "<br>".join(escape(line) for line in lines)
    if not rows:
        return f"<p>{told}</p>"
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{escape(_cell(v))}</td>' for v in row.values())}</tr>" for row in rows)
    return f"<p>{told}</p><table><tr>{head}</tr>{body}</table>"


def page(title: str, inner: str, axes: Any) -> str:
    """A whole page: `inner`, and the figure of `axes` as a picture inside it."""
    picture = io.BytesIO()
    axes.figure.savefig(picture, format="png", dpi=150)
    data = base64.b64encode(picture.getvalue()).decode("ascii")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{inner}"
        f'<p><img alt="{escape(title)}" src="data:image/png;base64,{data}"></p></body></html>\n'
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
