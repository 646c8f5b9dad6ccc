"""Warm start: what earlier studies found becomes part of a new study's record.

It is copied as data, so that the new study needs the old ones no more, and decides alike after a resume, whatever has
become of them. `Bayesian` takes it for a prior mean (`search/model/earlier.py`); the best old configurations are
enqueued, so that whatever strategy there is tries them right after the defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from dialed.errors import InvalidInputError
from dialed.events import Enqueued, Event, WarmStarted
from dialed.objectives import keeps
from dialed.search import History
from dialed.search.earlier import fitting
from dialed.space import Space
from dialed.store import Catalog
from dialed.study.study import Study
from dialed.trial import EarlierTrial, Objective, State, Value

__all__ = ["Source", "WarmStart", "sources_of", "warm_events"]

WarmStart: TypeAlias = Study | str | Sequence[Study | str] | None

BEST = 3
"""Old configurations that are tried right after the defaults; of several studies the best of each in turn."""

APART = 0.15
"""As a share of a range: the best trials of a search crowd round its end, where one says what the others do."""

MOST = 500
"""Trials of one study that are kept, at most: the best half and an even choice of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A study that another is warm-started from."""

    name: str
    objective: Objective
    trials: tuple[EarlierTrial, ...]


def sources_of(warm_start: WarmStart, catalog: Catalog, name: str) -> tuple[Source, ...]:
    """Read the studies that `warm_start` names.

    Args:
        warm_start: A study, a name, or several of these.
        catalog: Where names are looked up.
        name: The study that begins; it cannot be its own source.

    Raises:
        InvalidInputError: Something else was given, or a study has no score.
        StudyError: There is no study of that name.
    """
    if warm_start is None:
        return ()
    wanted = warm_start if isinstance(warm_start, (list, tuple)) else [warm_start]
    return tuple(_source(each, catalog, name) for each in wanted)


def _source(each: object, catalog: Catalog, name: str) -> Source:
    if not isinstance(each, (Study, str)):
        raise InvalidInputError(
            f"The `warm_start` must be a study, its name in the same store, or a list of these. Got {each!r:.80}."
        )
    source = each.name if isinstance(each, Study) else each
    if source == name and not isinstance(each, Study):
        raise InvalidInputError(
            f"The `warm_start` must be another study. Got '{source}', the study itself, which goes on by its name alone."
        )
    history = each.record if isinstance(each, Study) else catalog.open(source).load_history()
    scored = [t for t in history.trials if t.score is not None and np.isfinite(t.score) and t.state is not State.FAILED]
    if not scored:
        raise InvalidInputError(
            f"The `warm_start` must be a study with a score. Got '{source}', which has {len(history)} trials and none."
        )
    fair = [t for t in scored if keeps(t, history.terms.constraints)] or scored
    trials = tuple(EarlierTrial(dict(t.values), history.objective.loss(t.score or 0.0)) for t in fair)
    return Source(name=source, objective=history.objective, trials=_few(trials))


def _few(trials: tuple[EarlierTrial, ...]) -> tuple[EarlierTrial, ...]:
    """At most `MOST`, the best first."""
    ranked = sorted(trials, key=lambda trial: trial.loss)
    if len(ranked) <= MOST:
        return tuple(ranked)
    rest = ranked[MOST // 2 :]
    places = np.linspace(0, len(rest) - 1, MOST - MOST // 2).astype(int)
    return (*ranked[: MOST // 2], *(rest[place] for place in places))


def warm_events(history: History, space: Space, sources: Sequence[Source]) -> list[Event]:
    """What must be recorded so that `history` begins with what `sources` know; nothing of what it was told before.

    Raises:
        InvalidInputError: A source has the same metric the other way round, or nothing in common with `space`.
    """
    told = {event.source for event in history.earlier}
    new = [source for source in sources if _label(source) not in told]
    for source in new:
        _check(source, history.terms.objectives, space)
    events: list[Event] = [WarmStarted(source=_label(source), trials=source.trials) for source in new]
    return [*events, *(Enqueued(values=values) for values in _best(new, space))]


def _label(source: Source) -> str:
    return f"{source.name} ({source.objective.name})"


def _check(source: Source, objectives: Sequence[Objective], space: Space) -> None:
    for objective in objectives:
        if objective.name == source.objective.name and objective.direction != source.objective.direction:
            raise InvalidInputError(
                f"The `warm_start` must improve '{objective.name}' the same way, '{objective.direction}'. Got "
                f"'{source.name}', which took '{source.objective.direction}' for better."
            )
    if len(space) and not any(_fitting(trial, space) for trial in source.trials):
        theirs = sorted({name for trial in source.trials for name in trial.values})
        raise InvalidInputError(
            "The `warm_start` must have trials inside the space: a hyperparameter in common, with values in its range. "
            f"Got '{source.name}' over {', '.join(map(repr, theirs))}, for {', '.join(map(repr, space.names))}."
        )


def _best(sources: Sequence[Source], space: Space) -> list[dict[str, Value]]:
    """The best configurations that fit into the space, of each source in turn."""
    good = [source.trials[: max(BEST, len(source.trials) // 3)] for source in sources]
    rows = [[values for trial in trials if (values := _fitting(trial, space))] for trials in good]
    known = [dict(space.default_values())] if len(space) else []
    found: list[dict[str, Value]] = []
    for place in range(max(map(len, rows), default=0)):
        for row in rows:
            if place < len(row) and len(found) < BEST and not any(_alike(row[place], other, space) for other in known):
                known.append(row[place])
                found.append(row[place])
    return found


def _alike(one: dict[str, Value], other: dict[str, Value], space: Space) -> bool:
    """Whether two configurations are so near in everything that one of them says what the other does."""
    apart = np.abs(space.encode(one) - space.encode(other))
    differ = np.isnan(space.encode(one)) != np.isnan(space.encode(other))
    return not differ.any() and float(np.nan_to_num(apart).max(initial=0.0)) < APART


def _fitting(trial: EarlierTrial, space: Space) -> dict[str, Value] | None:
    return fitting(trial, space) if len(space) else None
