"""The pages of the server."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

from dialed.observe.dashboard.templating import template

__all__ = ["error_page", "page"]


def page(file: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page."""
    return HTMLResponse(template(file, **values), status_code=status)


def error_page(scope: Scope, status: int, title: str, said: str, *, back: bool = False) -> Response:
    """What went wrong, as a page, or as JSON for whoever asked for data."""
    path = scope["path"]
    if path.startswith(("/api/", "/control/", "/feed")):
        return JSONResponse({"error": said, "title": title}, status_code=status)
    return page("error.html", status=status, title=title, said=said, back=back, path=Request(scope).url.path)
