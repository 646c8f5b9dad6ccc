"""The confirmation as a race: each finalist under fresh seeds, beside the score that chose it."""

from __future__ import annotations

from dataclasses import dataclass

from dialed.analysis.views.scores import Number, Role, finite, role_of
from dialed.errors import StudyError
from dialed.search.history import History
from dialed.study.confirm import Interval, confirmation_of
from dialed.trial import Objective

__all__ = ["RaceView", "Runner", "race_view"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """One finalist.

    Attributes:
        trial: Its number.
        role: "winner", "defaults" or "other".
        searched: The score by which the search chose it; it flatters.
        scores: Under each fresh seed, the mean over its folds. All share the first ones.
        mean: Of these.
        low: The lower end of the 95 % interval of the mean.
        high: The upper end.
        probability_best: That it is the best of all finalists.
    """

    trial: int
    role: Role
    searched: Number
    scores: tuple[float, ...]
    mean: float
    low: float
    high: float
    probability_best: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceView:
    """The finalists, the best mean first; the winner's paired gain over the defaults, and the answer in words."""

    objective: Objective
    runners: tuple[Runner, ...]
    gain: Interval | None
    sentence: str


def race_view(history: History) -> RaceView:
    """The confirmation of a study.

    Raises:
        StudyError: There was none yet.
    """
    found = confirmation_of(history)
    if found is None:
        raise StudyError(
            "This view needs finalists that were trained under fresh seeds, and this study has none. Call "
            "`tuner.confirm()`, or give the search the budget for it."
        )
    objective = history.objective
    runners = [
        Runner(
            trial=judged.trial,
            role=role_of(judged.trial, history, found.winner),
            searched=finite(history.trial(judged.trial).score),
            scores=judged.scores,
            mean=judged.mean,
            low=judged.low,
            high=judged.high,
            probability_best=judged.probability_best,
        )
        for judged in found.finalists
    ]
    runners.sort(key=lambda runner: (runner.role != "winner", objective.loss(runner.mean)))
    return RaceView(objective=objective, runners=tuple(runners), gain=found.gain, sentence=found.sentence)
