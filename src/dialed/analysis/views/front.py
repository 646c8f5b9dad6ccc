"""Two objectives against each other: all trials, and the front of the best trade-offs."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from dialed.analysis.views.scores import Number, finite
from dialed.errors import InvalidInputError
from dialed.objectives import keeps, value_of
from dialed.search.front import front_of
from dialed.search.history import History
from dialed.trial import Objective, Trial

__all__ = ["FrontView", "front_view"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontView:
    """Two of the objectives, with one entry a trial in each column.

    Attributes:
        x: The objective across.
        y: The objective up.
        numbers: The trials.
        x_values: What each has of `x`; `None` where that is not known.
        y_values: The same of `y`.
        on_front: Whether no other trial betters it in one objective, of all there are, without losing in another.
        feasible: Whether it keeps the constraints.
        constraints: What a winner must keep, in words.
        others: Objectives beside these two, in which a trial on the front may be the best.
    """

    x: Objective
    y: Objective
    numbers: tuple[int, ...]
    x_values: tuple[Number, ...]
    y_values: tuple[Number, ...]
    on_front: tuple[bool, ...]
    feasible: tuple[bool, ...]
    constraints: tuple[str, ...]
    others: tuple[str, ...]


def front_view(history: History, x: str | None = None, y: str | None = None) -> FrontView:
    """The front in the plane of two objectives; by default the second one across and the score up.

    Raises:
        InvalidInputError: The study has one objective only, or none of that name.
    """
    objectives = history.terms.objectives
    if len(objectives) < 2:
        raise InvalidInputError(
            f"A front needs a study with two or more objectives. Got one, '{history.objective.name}'. Begin a study with "
            "`objective=[...]`, or look at `history`."
        )
    up = objectives[0] if y is None else _named(objectives, y)
    across = next(o for o in (*objectives[1:], objectives[0]) if o != up) if x is None else _named(objectives, x)
    front = {trial.number for trial in front_of(history.trials, history.terms)}
    trials, constraints = history.trials, history.terms.constraints
    return FrontView(
        x=across,
        y=up,
        numbers=tuple(trial.number for trial in trials),
        x_values=tuple(_value(trial, across, history) for trial in trials),
        y_values=tuple(_value(trial, up, history) for trial in trials),
        on_front=tuple(trial.number in front for trial in trials),
        feasible=tuple(keeps(trial, constraints) for trial in trials),
        constraints=tuple(map(str, constraints)),
        others=tuple(o.name for o in objectives if o not in (across, up)),
    )


def _named(objectives: Sequence[Objective], name: str) -> Objective:
    found = next((objective for objective in objectives if objective.name == name), None)
    if found is None:
        names = [objective.name for objective in objectives]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise InvalidInputError(f"`x` and `y` must be objectives of the study: {', '.join(names)}. Got '{name}'.{hint}")
    return found


def _value(trial: Trial, objective: Objective, history: History) -> Number:
    if objective == history.objective:
        return finite(trial.score)
    return None if trial.score is None else finite(value_of(trial, objective.name))
