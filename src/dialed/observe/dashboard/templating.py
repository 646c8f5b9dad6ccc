"""HTML from templates that escape whatever they are given; the report needs no more, the server's pages are in `pages`."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

__all__ = ["FOLDER", "template", "version"]

FOLDER: Final = Path(__file__).parent


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def template(file: str, **values: Any) -> str:
    """The text of a template; every value is escaped."""
    return _environment().get_template(file).render(version=version(), **values)


@functools.cache
def version() -> str:
    """A name for this state of the scripts and styles, so that browsers keep them until they change."""
    digest = hashlib.sha256()
    for path in sorted((FOLDER / "static").rglob("*")):
        if path.is_file() and "vendor" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
