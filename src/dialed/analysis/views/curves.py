"""Learning curves: a metric after each epoch, repeats and folds of a trial as one line with its range."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dialed.analysis.views.scores import Number, Role, finite, limits_of, role_of, winner_of
from dialed.search.history import History
from dialed.trial import MemberKey, Report, Trial, best_first

__all__ = ["CurvesView", "Line", "curves_view"]

MOST = 200
"""Lines in one picture: more are a carpet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One trial: the mean over its members after each epoch, epoch 1 first, and the least and largest among them.

    `low` and `high` are empty for a single member.
    """

    trial: int
    role: Role
    state: str
    members: int
    values: tuple[Number, ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvesView:
    """Lines to draw, the most telling last. `trials` counts those that have a curve, shown or not."""

    metric: str
    lines: tuple[Line, ...]
    trials: int
    limits: tuple[float, float] | None


def curves_view(
    history: History,
    *,
    trials: Sequence[int] | None = None,
    metric: str | None = None,
    reports: Iterable[Report] = (),
    most: int = MOST,
) -> CurvesView:
    """The learning curves of a study.

    Args:
        history: The study.
        trials: The numbers of those to show. Defaults to None: all, or where they are more than `most` the winner, the
            defaults, and from the others some of each quality.
        metric: What to show. Defaults to None: the objective. Another one needs `reports`.
        reports: The study's reports, for another metric than the objective.
        most: The most lines. Defaults to 200.
    """
    winner, chosen = winner_of(history), set(trials or ())
    name = metric or history.objective.name
    curves = _objective_curves(history) if name == history.objective.name else _metric_curves(name, reports)
    having = [t for t in history.trials if any(curves.get(m.key) for m in t.members if m.purpose == "search")]
    shown = _some(having, history, winner, most) if trials is None else [t for t in having if t.number in chosen]
    lines = [_line(trial, curves, role_of(trial.number, history, winner)) for trial in shown]
    lines.sort(key=lambda line: ("other", "defaults", "winner").index(line.role))
    values = [value for line in lines for value in line.values]
    return CurvesView(metric=name, lines=tuple(lines), trials=len(having), limits=limits_of(values, history.objective))


def _objective_curves(history: History) -> dict[MemberKey, tuple[float, ...]]:
    return {m.key: m.curve for t in history.trials for m in t.members}


def _metric_curves(name: str, reports: Iterable[Report]) -> dict[MemberKey, tuple[float, ...]]:
    found: dict[MemberKey, list[float]] = {}
    for report in reports:
        if name in report.metrics:
            row = found.setdefault(report.key, [])
            row += [math.nan] * (report.epoch - len(row))
            row[report.epoch - 1] = report.metrics[name]
    return {key: tuple(row) for key, row in found.items()}


def _some(trials: list[Trial], history: History, winner: int | None, most: int) -> list[Trial]:
    """At most `most` trials, from the best to the worst at equal distances; the winner and the defaults always."""
    if len(trials) <= most:
        return trials
    ranked = best_first(trials, history.objective)
    picked = {ranked[round(i * (len(ranked) - 1) / (most - 1))].number for i in range(most)} if most > 1 else set()
    keep = [t for t in trials if role_of(t.number, history, winner) != "other"]
    others = [t for t in trials if t.number in picked and t not in keep]
    return [*others[: max(most - len(keep), 0)], *keep]


def _line(trial: Trial, curves: dict[MemberKey, tuple[float, ...]], role: Role) -> Line:
    rows = [row for m in trial.members if m.purpose == "search" and (row := curves.get(m.key))]
    length = max(len(row) for row in rows)
    columns = [[row[i] for row in rows if i < len(row) and math.isfinite(row[i])] for i in range(length)]
    several = len(rows) > 1
    return Line(
        trial=trial.number,
        role=role,
        state=str(trial.state),
        members=len(rows),
        values=tuple(finite(sum(column) / len(column)) if column else None for column in columns),
        low=tuple(min(column, default=None) for column in columns) if several else (),
        high=tuple(max(column, default=None) for column in columns) if several else (),
    )
