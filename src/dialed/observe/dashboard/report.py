"""A study as one HTML file: the answer first, then the views, drawn by the same code as the dashboard's."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dialed.analysis import Importance, explanations_of, importance_of, what_mattered
from dialed.analysis.observations import thinned
from dialed.analysis.views import (
    contour_view,
    curves_view,
    history_view,
    parallel_view,
    slice_view,
    timeline_view,
    tried_view,
)
from dialed.analysis.views.naming import ranked
from dialed.errors import DialedError
from dialed.observe.dashboard.answer import answer_of, cut_of, progress_of, telling
from dialed.observe.dashboard.bundle import bundle
from dialed.observe.dashboard.packed import packed
from dialed.observe.dashboard.table import row_of
from dialed.observe.dashboard.templating import template
from dialed.observe.text import format_seconds
from dialed.search.history import History
from dialed.space import Space
from dialed.store import Recorded
from dialed.study.study import Study
from dialed.trial import Report, best_first

__all__ = ["report_html", "write_report"]

MOST_ROWS = 200
MOST_CURVES = 60
MOST_DIAGNOSED = 500
"""A report is written once, so that it may look at more curves than a page that is drawn again and again."""

LATEST_EVENTS = 20_000

_STATIC = Path(__file__).parent / "static"


def write_report(study: Study, file: str | Path) -> Path:
    """Write the report of a study to a file, whole or not at all, and return its path.

    Raises:
        OSError: The file cannot be written.
    """
    path = Path(file)
    temporary = path.with_name(f".{path.name}.part")
    text = report_html(study)
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def report_html(study: Study) -> str:
    """The report of a study as one HTML document that loads nothing."""
    recorded = study.events()
    history, space = study.record, study.space
    mattered = what_mattered(thinned(history), space)
    parts = {
        "style": (_STATIC / "dialed.css").read_text(encoding="utf-8"),
        "first": (_STATIC / "js" / "theme-first.js").read_text(encoding="utf-8"),
        "echarts": (_STATIC / "vendor" / "echarts" / "echarts.min.js").read_text(encoding="utf-8"),
        "script": bundle(_STATIC / "js" / "report.js"),
    }
    return template(
        "report.html",
        policy=_policy(parts),
        data=_inlined(_views(history, space, recorded, mattered)),
        **parts,
        **_words(study, history, recorded, mattered),
    )


def _words(study: Study, history: History, recorded: Sequence[Recorded], mattered: Importance | None) -> dict[str, Any]:
    """What is read without JavaScript."""
    telltale = set(telling(history, most=MOST_DIAGNOSED))
    answer = answer_of(
        history,
        study.space,
        name=study.name,
        winner=study.winner,
        confirmation=study.confirmation,
        mattered=mattered,
        reports=(r.event for r in recorded if isinstance(r.event, Report) and r.event.key.trial in telltale),
        diagnosed=MOST_DIAGNOSED,
    )
    seconds = history.finished_seconds or sum(trial.seconds for trial in history.trials)
    shown = best_first(history.trials, history.objective)[:MOST_ROWS]
    return {
        "answer": answer,
        "explanations": explanations_of(study),
        "progress": progress_of(history, study.budget, epochs=history.epochs, seconds=seconds),
        "names": list(study.space.names),
        "rows": [row_of(trial) for trial in shown],
        "total": len(history.trials),
        "taken": format_seconds(seconds),
    }


def _views(history: History, space: Space, recorded: Sequence[Recorded], mattered: Importance | None) -> dict[str, Any]:
    latest = recorded[-LATEST_EVENTS:]
    cut = f"the latest {LATEST_EVENTS:,} of {len(recorded):,} events" if len(latest) < len(recorded) else ""

    plane = ranked(mattered, space)[:2]

    def importance() -> Any:
        found = mattered or importance_of(thinned(history), space)  # which says why it cannot be told
        return {**packed(found), "sentence": found.sentence, "cut": cut_of(found, history)}

    return {
        "history": packed(history_view(history)),
        "curves": packed(curves_view(history, most=MOST_CURVES)),
        "parallel": packed(parallel_view(history, space)),
        "importance": _or_reason(importance),
        "slices": packed(slice_view(history, space)),
        "contour": _or_reason(lambda: packed(contour_view(history, space, *plane))),
        "tried": _or_reason(lambda: packed(tried_view(history, space, *plane))),
        "timeline": {**packed(timeline_view(latest)), "cut": cut},
    }


def _or_reason(view: Callable[[], Any]) -> Any:
    """A view, or why there is none yet: the page says it in its place."""
    try:
        return view()
    except DialedError as error:
        return {"error": str(error)}


def _inlined(views: Any) -> str:
    """JSON that cannot end the element it stands in, whatever a study's values are."""
    text = json.dumps(views, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(parts: dict[str, str]) -> str:
    """Only these scripts and this style run, and nothing is loaded: the browser holds the file to it."""
    scripts = " ".join(_hash(parts[name]) for name in ("first", "echarts", "script"))
    return f"default-src 'none'; script-src {scripts}; style-src {_hash(parts['style'])}; img-src data:; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.replace("\r\n", "\n").encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
