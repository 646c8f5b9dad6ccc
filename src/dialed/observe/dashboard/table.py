"""The table of trials: filtered, sorted and cut into pages here, so that a large study does not travel whole."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialed.analysis.views.axis import places_of, varying
from dialed.analysis.views.scores import finite
from dialed.errors import InvalidInputError
from dialed.observe.text import first_line, format_score, format_seconds, format_value
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import Trial, best_first

__all__ = ["Page", "Wanted", "page_of", "row_of"]

LARGEST_PAGE = 200

_KEYS: Mapping[str, Callable[[Trial], Any]] = {
    "number": lambda trial: trial.number,
    "state": lambda trial: str(trial.state),
    "epochs": lambda trial: trial.epochs,
    "seconds": lambda trial: trial.seconds,
    "note": lambda trial: (trial.note or " ".join(trial.tags)).lower() or None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which trials to show.

    Args:
        sort: "score", "number", "state", "epochs", "seconds", "note" or the name of a hyperparameter with `value.`
            before it.
        descending: Whether the order is turned around. "score" puts the best first unless it is.
        text: Words that the values, the state, the note or a tag must contain, all of them.
        state: A state that it must have; empty for any.
        ranges: For hyperparameters by name, the part of their axis, in [0, 1], in which the value must lie. The name
            "" stands for the score, in its own unit.
        page: From 0.
        size: Trials on a page.
    """

    sort: str = "score"
    descending: bool = False
    text: str = ""
    state: str = ""
    ranges: Mapping[str, tuple[float, float]]
    page: int = 0
    size: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of the table, and how many trials the filters leave."""

    trials: Sequence[Trial]
    total: int
    page: int


def page_of(history: History, space: Space, wanted: Wanted) -> Page:
    """The trials of one page.

    Raises:
        InvalidInputError: `sort` or a range names nothing that there is.
    """
    kept = _kept(history.trials, space, wanted)
    ordered = _ordered(kept, history, space, wanted)
    size = max(1, min(wanted.size, LARGEST_PAGE))
    page = max(0, min(wanted.page, (len(ordered) - 1) // size))
    return Page(trials=ordered[page * size : (page + 1) * size], total=len(ordered), page=page)


def row_of(trial: Trial) -> dict[str, Any]:
    """A trial as tables and details show it: numbers as text too, written as everywhere else in Dialed."""
    return {
        "number": trial.number,
        "state": str(trial.state),
        "cause": None if trial.cause is None else str(trial.cause),
        "message": first_line(trial.message)[:300],
        "score": finite(trial.score),
        "score_text": format_score(trial.score, trial.spread),
        "epochs": trial.epochs,
        "seconds_text": format_seconds(trial.seconds),
        "source": trial.source,
        "values": {name: format_value(value) for name, value in trial.values.items()},
        "note": trial.note,
        "tags": list(trial.tags),
    }


def _kept(trials: Sequence[Trial], space: Space, wanted: Wanted) -> Sequence[Trial]:
    words = wanted.text.lower().split()
    kept = [t for t in trials if (not wanted.state or t.state == wanted.state) and (not words or _holds(t, words))]
    for name, (low, high) in wanted.ranges.items():
        if name == "":
            kept = [t for t in kept if t.score is not None and low <= t.score <= high]
            continue
        if name not in space:
            raise InvalidInputError(f"A filter must name a hyperparameter of the study. Got '{name}'.")
        places = places_of(space[name], kept)
        kept = [t for t, place in zip(kept, places, strict=True) if place is not None and low <= place <= high]
    return kept


def _holds(trial: Trial, words: Sequence[str]) -> bool:
    values = " ".join(f"{name}={value}" for name, value in trial.values.items())
    said = f"{trial.number} {trial.state} {trial.cause or ''} {values} {trial.note} {' '.join(trial.tags)}".lower()
    return all(word in said for word in words)


def _ordered(trials: Sequence[Trial], history: History, space: Space, wanted: Wanted) -> list[Trial]:
    if wanted.sort == "score":
        ranked = best_first(trials, history.objective)
        scored = [t for t in ranked if t.score is not None]
        return [*(reversed(scored) if wanted.descending else scored), *ranked[len(scored) :]]
    if wanted.sort.startswith("value."):
        return _by_place(trials, space, wanted)
    key = _KEYS.get(wanted.sort)
    if key is None:
        known = ", ".join(["score", *_KEYS, *(f"value.{h.name}" for h in varying(space))])
        raise InvalidInputError(f"`sort` must be one of {known}. Got '{wanted.sort}'.")
    having = sorted((t for t in trials if key(t) is not None), key=key, reverse=wanted.descending)
    return [*having, *(t for t in trials if key(t) is None)]


def _by_place(trials: Sequence[Trial], space: Space, wanted: Wanted) -> list[Trial]:
    name = wanted.sort.removeprefix("value.")
    if name not in space:
        raise InvalidInputError(f"`sort` must name a hyperparameter of the study. Got '{name}'.")
    places = places_of(space[name], trials)
    sign = -1.0 if wanted.descending else 1.0
    order = sorted(range(len(trials)), key=lambda i: sign * place if (place := places[i]) is not None else math.inf)
    return [trials[i] for i in order]
