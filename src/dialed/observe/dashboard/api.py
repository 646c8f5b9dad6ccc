"""What the pages ask for, as JSON: one function for each address, all of them only reading."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dialed.analysis import compare, importance_of
from dialed.analysis.observations import thinned
from dialed.analysis.views import (
    as_json,
    contour_view,
    curves_view,
    history_view,
    parallel_view,
    slice_view,
    timeline_view,
    tried_view,
)
from dialed.errors import InvalidInputError
from dialed.observe.dashboard.answer import answer_of, changes_of, cut_of, progress_of, telling
from dialed.observe.dashboard.library import Library, Look
from dialed.observe.dashboard.packed import packed
from dialed.observe.dashboard.table import Wanted, page_of, row_of
from dialed.observe.text import format_count, format_latency, format_score, format_seconds
from dialed.store import StudyInfo
from dialed.study.budget import Budget
from dialed.trial import Trial, best_first

__all__ = ["JSON", "head_of_study", "library_of", "routes", "study_row"]

LATEST_EVENTS = 20_000
"""A timeline of more events than these shows the latest."""

MOST_CURVES = 60


class JSON(Response):
    """JSON without NaN, written as short as it can be."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


def library_of(request: Request) -> Library:
    """The studies that this dashboard shows."""
    library: Library = request.app.state.library
    return library


def routes() -> list[Route]:
    """The addresses below `/api`."""
    views: Mapping[str, Callable[[Look, StudyInfo, Request], Any]] = {
        "head": lambda look, info, _: head_of_study(look, info),
        "answer": _answer,
        "trials": _trials,
        "trial": _trial,
        "difference": _difference,
        "history": lambda look, _, __: packed(history_view(look.history)),
        "parallel": lambda look, _, __: packed(parallel_view(look.history, look.space)),
        "curves": _curves,
        "importance": _importance,
        "slices": lambda look, _, __: packed(slice_view(look.history, look.space)),
        "contour": lambda look, _, request: packed(contour_view(look.history, look.space, *_plane(look, request))),
        "tried": lambda look, _, request: packed(tried_view(look.history, look.space, *_plane(look, request))),
        "timeline": _timeline,
        "compare": _compare,
    }
    return [Route("/api/studies", _studies), *(Route(f"/api/{name}", _about(view)) for name, view in views.items())]


def _about(view: Callable[[Look, StudyInfo, Request], Any]) -> Callable[[Request], JSON]:
    """An address that is about one study."""

    def endpoint(request: Request) -> JSON:
        look, info = library_of(request).look(request.query_params.get("study", ""))
        with look.lock:
            return JSON(view(look, info, request))

    return endpoint


def _studies(request: Request) -> JSON:
    return JSON([study_row(info) for info in library_of(request).studies()])


def study_row(info: StudyInfo) -> dict[str, Any]:
    """A study as the list of studies shows it."""
    return {
        "name": info.name,
        "state": info.state,
        "objective": info.objective.name,
        "direction": info.objective.direction,
        "trials": info.trials,
        "epochs": info.epochs,
        "best": format_score(info.best_score),
        "best_trial": info.best_trial,
        "changed": info.changed,
    }


def head_of_study(look: Look, info: StudyInfo) -> dict[str, Any]:
    """The study at a glance: its state, its progress, its best trial."""
    limits = {name: look.store.settings.get(name) for name in ("max_trials", "max_epochs", "max_seconds")}
    budget = Budget(**limits).now(look.history)
    best = look.history.best_trial
    seconds = info.seconds or sum(trial.seconds for trial in look.trials)
    return {
        **study_row(info),
        "state": "paused" if info.state == "running" and look.history.asked.paused else info.state,
        "cursor": look.cursor,
        "progress": progress_of(look.history, budget, epochs=info.epochs, seconds=seconds),
        "best": format_score(None if best is None else best.score),
        "seconds_text": format_seconds(seconds),
        "axes": [{"name": h.name, "default": as_json(h.domain.default), "of": str(h.domain)} for h in look.space],
        "enqueued": len(look.history.enqueued),
        "stopping": sorted(look.history.asked.stop),
    }


def _answer(look: Look, _: StudyInfo, __: Request) -> Any:
    return look.once("answer", lambda: _answered(look))


def _answered(look: Look) -> Any:
    return answer_of(
        look.history,
        look.space,
        name=look.name,
        winner=look.winner,
        confirmation=look.confirmation,
        mattered=look.mattered,
        reports=look.reports(telling(look.history)),
    )


def _trials(look: Look, _: StudyInfo, request: Request) -> Any:
    asked = request.query_params
    wanted = Wanted(
        sort=asked.get("sort", "score"),
        descending=asked.get("descending") == "1",
        text=asked.get("text", "")[:200],
        state=asked.get("state", ""),
        ranges=_ranges(asked.get("ranges", "{}")),
        page=_number(request, "page", 0),
        size=_number(request, "size", 50),
    )
    page = page_of(look.history, look.space, wanted)
    return {"rows": [row_of(trial) for trial in page.trials], "total": page.total, "page": page.page}


def _trial(look: Look, _: StudyInfo, request: Request) -> Any:
    trial = _named_trial(look, _number(request, "trial", 0))
    full = look.store.trial_row(trial.number) or trial
    return {
        **row_of(trial),
        "message": trial.message,
        "changes": changes_of(trial, look.history.baseline),
        "parameters": trial.parameters,
        "latency_text": None if trial.latency is None else format_latency(trial.latency),
        "engine": trial.engine,
        "members": [
            {
                "seed": member.key.seed,
                "fold": member.key.fold,
                "purpose": member.purpose,
                "state": str(member.cause or member.state),
                "score": format_score(member.score),
                "epoch": member.epoch,
                "best_epoch": member.best_epoch,
                "seconds": format_seconds(member.seconds),
            }
            for member in full.members
        ],
    }


def _difference(look: Look, _: StudyInfo, request: Request) -> Any:
    """The values of the chosen trials side by side; those that differ first."""
    trials = [_named_trial(look, number) for number in _numbers(request)]
    rows = [row_of(trial) for trial in trials]
    names = list(dict.fromkeys(name for row in rows for name in row["values"]))
    table = [(name, [row["values"].get(name, "") for row in rows]) for name in names]
    return {
        "trials": [{"number": row["number"], "score": row["score_text"], "state": row["state"]} for row in rows],
        "rows": [{"name": name, "values": values, "differs": len(set(values)) > 1} for name, values in table],
    }


def _curves(look: Look, _: StudyInfo, request: Request) -> Any:
    """Learning curves of the chosen trials; of the best and the newest where none is chosen."""
    numbers = _numbers(request)[:MOST_CURVES] or _shown(look)
    reports = look.reports(numbers)
    metrics = list(dict.fromkeys(name for report in reports for name in report.metrics))
    metric = request.query_params.get("metric") or look.history.objective.name
    view = curves_view(look.detailed(numbers, reports), trials=numbers, metric=metric, reports=reports)
    return {**packed(view), "metrics": metrics, "objective": look.history.objective.name, "all": len(look.trials)}


def _shown(look: Look) -> list[int]:
    best = best_first(look.trials, look.history.objective)[:20]
    newest = list(look.trials)[-10:]
    baseline = [look.history.baseline] if look.history.baseline else []
    return sorted({trial.number for trial in [*best, *newest, *baseline]})


def _importance(look: Look, _: StudyInfo, __: Request) -> Any:
    found = look.mattered or importance_of(thinned(look.history), look.space)  # which says why it cannot be told
    return {**as_json(found), "sentence": found.sentence, "cut": cut_of(found, look.history)}


def _timeline(look: Look, info: StudyInfo, _: Request) -> Any:
    after = max(0, info.cursor - LATEST_EVENTS)
    view = packed(timeline_view(look.store.history(after)))
    return {**view, "cut": f"the latest {LATEST_EVENTS:,} of {info.cursor:,} events" if after else ""}


def _compare(look: Look, _: StudyInfo, request: Request) -> Any:
    other, _ = library_of(request).look(request.query_params.get("other", ""))
    found = compare(look.study, other.study)
    return {
        "sentences": found.sentences,
        "courses": [{"name": c.name, "best": as_json(c.best), "epochs": c.epochs} for c in found.courses],
        "head": found.table.head,
        "rows": found.table.rows,
        "objective": look.history.objective.name,
    }


def _plane(look: Look, request: Request) -> list[str | None]:
    """The two axes that are asked for; where one is left open, that which mattered most of the others."""
    asked = [request.query_params.get(side) or None for side in ("x", "y")]
    open_ones = iter([name for name in look.plane if name not in asked])
    return [name or next(open_ones, None) for name in asked]


def _ranges(text: str) -> dict[str, tuple[float, float]]:
    try:
        return {str(name): (float(low), float(high)) for name, (low, high) in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            f"`ranges` must be a JSON object of pairs of numbers. Got {text[:60]!r}: {error}."
        ) from error


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise InvalidInputError(f"`{name}` must be a whole number. Got {text[:60]!r}.")
    return int(text)


def _numbers(request: Request) -> list[int]:
    text = request.query_params.get("trials", "")
    parts = [part for part in text.split(",") if part]
    if not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise InvalidInputError(f"`trials` must be numbers with commas between them. Got {text[:60]!r}.")
    return [int(part) for part in parts]


def _named_trial(look: Look, number: int) -> Trial:
    try:
        return look.history.trial(number)
    except KeyError:
        raise InvalidInputError(
            f"`trial` must be the number of a trial of '{look.name}', which has {format_count(len(look.trials), 'trial')}. "
            f"Got {number}."
        ) from None
