"""The pages: HTML from templates that escape whatever they are given."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

__all__ = ["FOLDER", "error_page", "page", "template", "version"]

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


def page(file: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page."""
    return HTMLResponse(template(file, **values), status_code=status)


def error_page(scope: Scope, status: int, title: str, said: str, *, back: bool = False) -> Response:
    """What went wrong, as a page, or as JSON for whoever asked for data."""
    path = scope["path"]
    if path.startswith(("/api/", "/control/", "/feed")):
        return JSONResponse({"error": said, "title": title}, status_code=status)
    return page("error.html", status=status, title=title, said=said, back=back, path=Request(scope).url.path)


@functools.cache
def version() -> str:
    """A name for this state of the scripts and styles, so that browsers keep them until they change."""
    digest = hashlib.sha256()
    for path in sorted((FOLDER / "static").rglob("*")):
        if path.is_file() and "vendor" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
