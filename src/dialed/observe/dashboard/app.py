"""The web application: its addresses, and what is said when something goes wrong."""

from __future__ import annotations

import logging
import mimetypes
import threading
from collections.abc import Collection

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dialed.errors import DialedError, InvalidInputError, StoreError, StudyError
from dialed.observe.dashboard import api, control
from dialed.observe.dashboard.feed import feed
from dialed.observe.dashboard.library import Library
from dialed.observe.dashboard.pages import error_page, page
from dialed.observe.dashboard.report import report_html
from dialed.observe.dashboard.security import Guard
from dialed.observe.dashboard.templating import FOLDER
from dialed.store import Catalog

__all__ = ["application"]

_log = logging.getLogger("dialed")

SMALL_BYTES = 1_000
"""Below that, compression gains nothing."""


def application(
    catalog: Catalog, *, token: str | None, hosts: Collection[str] = (), allow_control: bool = False
) -> Starlette:
    """The dashboard of one store, as an ASGI application.

    Args:
        catalog: The store.
        token: The key that a browser must bring; `None` asks for none.
        hosts: Names by which this machine may be called, besides "localhost" and addresses in numbers.
        allow_control: Whether pages may write notes and ask things of running searches. Defaults to False.

    Example:
        >>> from dialed.observe.dashboard import application
        >>> from dialed.store import open_catalog
        >>> app = application(open_catalog("sqlite:///:memory:"), token="secret")
    """
    app = Starlette(
        routes=[
            Route("/", _home),
            Route("/study", _study),
            Route("/report", _report),
            Route("/favicon.ico", _icon),
            Route("/static/{path:path}", _static),
            Route("/feed", feed),
            *api.routes(),
            *control.routes(),
        ],
        middleware=[
            Middleware(Guard, token=token, hosts=hosts),
            Middleware(GZipMiddleware, minimum_size=SMALL_BYTES, compresslevel=5),
        ],
        exception_handlers={DialedError: _failed, HTTPException: _not_found, Exception: _broken},
    )
    app.state.library = Library(catalog)
    app.state.allow_control = allow_control
    app.state.leaving = threading.Event()
    return app


def _home(request: Request) -> Response:
    place = request.app.state.library.catalog.place
    return page("studies.html", place=place, control=request.app.state.allow_control)


def _study(request: Request) -> Response:
    name = request.query_params.get("name", "")
    request.app.state.library.catalog.open(name)  # or there is no such page; its data are read while it is drawn
    return page("study.html", name=name, control=request.app.state.allow_control)


def _report(request: Request) -> Response:
    """The report as a file to keep."""
    look, _ = request.app.state.library.look(request.query_params.get("name", ""))
    headers = {"Content-Disposition": 'attachment; filename="study.html"'}
    return Response(report_html(look.study), media_type="text/html", headers=headers)


def _icon(_: Request) -> Response:
    return Response((FOLDER / "static" / "icon.svg").read_bytes(), media_type="image/svg+xml")


def _static(request: Request) -> Response:
    """A file beside this code. With `?v=` it is kept by the browser: another version has another address."""
    root = FOLDER / "static"
    path = (root / request.path_params["path"]).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise HTTPException(404)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"Cache-Control": "max-age=31536000, immutable"} if "v" in request.query_params else {}
    kind = "text/javascript" if path.suffix == ".js" else kind
    return Response(path.read_bytes(), media_type=kind, headers=headers)


def _failed(request: Request, error: Exception) -> Response:
    """An error that Dialed raised on purpose: its message says what to do."""
    status, title = 500, "That did not work"
    match error:
        case InvalidInputError():
            status, title = 400, "That cannot be"
        case StudyError():
            status, title = (409, "Not now") if request.url.path.startswith("/control") else (404, "Not here")
        case StoreError():
            status, title = 503, "The store does not answer"
    return error_page(request.scope, status, title, str(error), back=True)


def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return PlainTextResponse("This address is not for that.", status_code=405)
    return error_page(request.scope, error.status_code, "Nothing is here", "There is no such page.", back=True)


def _broken(request: Request, error: Exception) -> Response:
    """What nobody foresaw: the traceback goes to the terminal, the page says so."""
    _log.error("The dashboard failed to answer %s", request.url.path, exc_info=error)
    said = "Something went wrong that should not. The terminal in which the dashboard runs shows where."
    return error_page(request.scope, 500, "A mistake of the dashboard", said, back=True)
