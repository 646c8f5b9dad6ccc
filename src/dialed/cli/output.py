"""What a command writes, and where: results to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

__all__ = ["finite", "note", "plain_output", "print_json", "report_file", "terminal_width"]


def print_json(document: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON document. JSON has no NaN and no infinity: they become null."""
    click.echo(json.dumps(finite(document), indent=2, ensure_ascii=False, allow_nan=False))


def finite(value: Any) -> Any:
    """`value` of JSON types, with `None` in the place of NaN and infinity, and tuples as lists."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case Mapping():
            return {str(name): finite(inner) for name, inner in value.items()}
        case list() | tuple():
            return [finite(inner) for inner in value]
        case _:
            return value


def report_file(name: str) -> str:
    """The file of the report of the study `name`, where nothing else is said."""
    return f"{''.join(c if c.isalnum() or c in '-_.' else '-' for c in name)}.html"


def note(message: str) -> None:
    """Tell something that is not the result."""
    click.echo(message, err=True)


@contextlib.contextmanager
def plain_output(only_json: bool) -> Iterator[None]:
    """While it lasts, and with `only_json`, what anybody prints goes to standard error: also what user code prints."""
    if not only_json:
        yield
        return
    with contextlib.redirect_stdout(sys.stderr):
        yield


def terminal_width() -> int:
    """The columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns
