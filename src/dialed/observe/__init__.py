"""Who watches a study: terminal, notebook, plain lines, and the summary at its end.

Nothing here decides anything: every display folds the events of a study into a `History` and shows it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dialed.observe.choose import Silent, display_for
from dialed.observe.guard import Guarded
from dialed.observe.lines import Lines
from dialed.observe.progress import BudgetView, Limits, Progress
from dialed.observe.protocol import Observer
from dialed.observe.summary import summary_text

if TYPE_CHECKING:
    from dialed.observe.notebook import NotebookDisplay, study_html, trial_html
    from dialed.observe.terminal import LiveTable

__all__ = [
    "BudgetView",
    "Guarded",
    "Limits",
    "Lines",
    "LiveTable",
    "NotebookDisplay",
    "Observer",
    "Progress",
    "Silent",
    "display_for",
    "study_html",
    "summary_text",
    "trial_html",
]

_HOMES = {
    "LiveTable": "dialed.observe.terminal",
    "NotebookDisplay": "dialed.observe.notebook",
    "study_html": "dialed.observe.notebook",
    "trial_html": "dialed.observe.notebook",
}


def __getattr__(name: str) -> Any:
    """Load what draws only when it is asked for: `rich` is not needed for plain lines."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
