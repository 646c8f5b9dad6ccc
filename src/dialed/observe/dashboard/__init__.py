"""Studies in a browser, and as one file. See README.md beside this file."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dialed.observe.dashboard.app import application
    from dialed.observe.dashboard.report import report_html
    from dialed.observe.dashboard.server import serve, serving

__all__ = ["application", "report_html", "serve", "serving"]

_HOMES = {"application": "app", "report_html": "report", "serve": "server", "serving": "server"}


def __getattr__(name: str) -> Any:
    """Load a name's module when it is first asked for: what serves pages is not needed to write a report."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
