"""Are the results of two studies different? Their spaces and data first, then their courses, then their winners."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dialed.analysis.explanation import seeds_for
from dialed.analysis.paired import sign_flip_p
from dialed.analysis.table import Table, frame_of, page
from dialed.engine.fingerprint import differences
from dialed.errors import InvalidInputError, SpaceError, StudyError
from dialed.observe.text import format_count, format_score
from dialed.search.history import History
from dialed.study.confirm import Interval, interval
from dialed.trial import Objective, State, Trial

if TYPE_CHECKING:
    import pandas as pd

    from dialed.engine.hypermodel import Hypermodel
    from dialed.study.study import Study
    from dialed.study.tuner import Tuner

__all__ = ["Comparison", "Course", "compare", "compare_rebuilt", "compare_retrained"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one study went: its best score after each trial (`None` before there is one), and the epochs by then."""

    name: str
    best: tuple[float | None, ...]
    epochs: tuple[int, ...]
    winner: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What tells two studies apart.

    Attributes:
        courses: That of the first study, and that of the second.
        space: What changed in the space from the first to the second, in sentences; empty where nothing did.
        data: The same of the data; `None` where a study has no fingerprint of its data.
        terms: The same of what scores depend on (epochs, repeats, folds).
        difference: How much better the second's winner is, with its 95 % interval; `None` where no fresh seeds
            judged both.
        paired: Whether both were trained under the same seeds.
        p_value: Of no difference, from paired scores; `None` otherwise.
        sentences: The answer.
    """

    courses: tuple[Course, Course]
    space: tuple[str, ...]
    data: tuple[str, ...] | None
    terms: tuple[str, ...]
    difference: Interval | None
    paired: bool
    p_value: float | None
    sentences: tuple[str, ...]

    @property
    def table(self) -> Table:
        """The best scores so far, after 1, 2, 5, 10, 20, 50, ... trials."""
        first, second = self.courses
        most = max(len(first.best), len(second.best))
        marks = sorted({m for power in range(7) for f in (1, 2, 5) if (m := f * 10**power) < most} | {most})
        rows = [(str(m), *_at(first, m), *_at(second, m)) for m in marks if m]
        head = ("trials", first.name, "epochs", second.name, "epochs")
        return Table(head=head, rows=tuple(rows), align="rrrrr")

    def to_pandas(self) -> pd.DataFrame:
        """One row for each study and trial: study, trial, best, epochs."""
        rows = [
            {"study": course.name, "trial": number, "best": best, "epochs": epochs}
            for course in self.courses
            for number, (best, epochs) in enumerate(zip(course.best, course.epochs, strict=True))
        ]
        return frame_of(rows, ("study", "trial", "best", "epochs"))

    def __str__(self) -> str:
        said = "\n".join(f"- {sentence}" for sentence in self.sentences)
        return f"{self._head}\n{said}\nBest so far:\n{self.table.text()}"

    @property
    def _head(self) -> str:
        return f"{self.courses[0].name} and {self.courses[1].name}"

    def _repr_html_(self) -> str:
        return page(self._head, [*self.sentences, self.table])


def compare(first: Study, second: Study) -> Comparison:
    """Compare what is recorded; nothing is trained.

    The winners are told apart by the fresh seeds of their confirmations: in pairs where both studies used the same
    ones, as two samples otherwise.

    Raises:
        InvalidInputError: The two studies do not improve the same metric in the same direction.
    """
    _check_objectives(first.objective, second.objective)
    mine, theirs = _confirmed(first), _confirmed(second)
    shared = [seed for seed in mine if seed in theirs]
    if len(shared) > 1:
        pairs = [(mine[seed], theirs[seed]) for seed in shared]
        return _paired(first, second, pairs)
    base = _recorded(first, second)
    if len(mine) < 2 or len(theirs) < 2:
        names = [s.name for s, scores in ((first, mine), (second, theirs)) if len(scores) < 2]
        said = (
            f"The winner of {' and that of '.join(names)} was not judged by fresh seeds, so the winners cannot be told "
            "apart: their scores chose them. `tuner.compare`, or `study.compare` with what was searched, trains both under the same seeds."
        )
        return replace(base, sentences=(*base.sentences, said))
    gap = _welch(first.objective, list(mine.values()), list(theirs.values()))
    return _with_difference(base, gap, paired=False, p_value=None, seeds=min(len(mine), len(theirs)))


def compare_retrained(tuner: Tuner, other: Study, *, repeats: int) -> Comparison:
    """Train the winners of both studies as the tuner last searched, under the same fresh seeds, and compare.

    Raises:
        InvalidInputError: The two studies do not improve the same metric in the same direction.
        StudyError: A study has no winner.
        SpaceError: The other winner's values lie outside the tuner's space, so it cannot be rebuilt.
    """
    study = tuner.study
    _check_objectives(study.objective, other.objective)
    winners = [_winner(study), _winner(other)]
    if not study.space.contains(winners[1].values):
        raise SpaceError(
            f"The winner of the `other` study must lie inside the space of '{study.name}' to be trained again here. Got "
            f"{dict(winners[1].values)}. `study.compare(other)` compares what is recorded."
        )
    values = [study.space.restrict(winner.values) for winner in winners]
    text = json.dumps([other.name, *values, repeats], sort_keys=True)
    name = f"{study.name}-compared-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    distinct = values if values[0] != values[1] else values[:1]
    notes = {"compares": [study.name, other.name]}
    trained = tuner.retrain(distinct, seeds=seeds_for(study, repeats), name=name, notes=notes)
    scores = [_scores(trial, "search") for trial in trained.trials]
    mine, theirs = scores[0], scores[-1]
    return _paired(study, other, [(mine[seed], theirs[seed]) for seed in mine if seed in theirs])


def compare_rebuilt(
    first: Study,
    second: Study,
    *,
    hypermodel: Hypermodel | None,
    x: Any,
    y: Any,
    cv: Any,
    repeats: int,
    **arguments: Any,
) -> Comparison:
    """The same with a tuner that is made for the first study, from what it was searched with.

    Raises:
        InvalidInputError: `hypermodel` or `x` is missing, or `repeats` gives no interval.
        StudyError: The first study was searched on other terms or other data.
        SpaceError: A winner's values lie outside the space.
    """
    from dialed.study.rebuilding import rebuilt

    if hypermodel is None or x is None:
        missing = " and ".join(f"`{n}`" for n, v in (("hypermodel", hypermodel), ("x", x)) if v is None)
        raise InvalidInputError(
            "To train the winners anew, `compare` must be given what the search was given: `hypermodel`, `x`, and the other "
            f"arguments. Got no {missing}. `study.compare(other)` alone compares what is recorded."
        )
    _check_objectives(first.objective, second.objective)
    return rebuilt(first, hypermodel, x, y, cv=cv, arguments=arguments).compare(second, repeats=repeats)


def _check_objectives(first: Objective, second: Objective) -> None:
    if first != second:
        raise InvalidInputError(
            f"The `other` study must improve the same metric: '{first.name}' ({first.direction}). Got '{second.name}' "
            f"({second.direction})."
        )


def _winner(study: Study) -> Trial:
    if study.winner is None:
        raise StudyError(f"The study '{study.name}' has no winner to compare. Give its search more of a budget.")
    return study.winner


def _confirmed(study: Study) -> dict[int, float]:
    """The winner's scores under fresh seeds."""
    return {} if study.winner is None else _scores(study.winner, "confirm")


def _scores(trial: Trial, purpose: str) -> dict[int, float]:
    """The score of each seed, the mean over its folds; nothing for a trial that failed."""
    members = [m for m in trial.members if m.purpose == purpose]
    if any(m.state is State.FAILED for m in members):
        return {}
    found: dict[int, list[float]] = {}
    for member in members:
        if member.state is State.COMPLETED and member.score is not None:
            found.setdefault(member.key.seed, []).append(member.score)
    return {seed: float(np.mean(scores)) for seed, scores in found.items()}


def _recorded(first: Study, second: Study) -> Comparison:
    """All but the winners' difference."""
    data = _data(first.settings, second.settings)
    space, terms = tuple(first.space.difference(second.space)), tuple(_terms(first.record, second.record))
    return Comparison(
        courses=(_course(first), _course(second)),
        space=space,
        data=data,
        terms=terms,
        difference=None,
        paired=False,
        p_value=None,
        sentences=tuple(_about_conditions(first, second, space, data, terms)),
    )


def _about_conditions(
    first: Study, second: Study, space: Sequence[str], data: Sequence[str] | None, terms: Sequence[str]
) -> list[str]:
    changed = f"from {first.name} to {second.name}"
    return [
        f"The space changed {changed}: {' '.join(space)}" if space else "Both searched the same space.",
        "It is not recorded what both were trained on."
        if data is None
        else f"The data changed {changed}, so scores are not of the same thing: {' '.join(data)}"
        if data
        else "Both were trained on the same data.",
        *terms,
    ]


def _data(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...] | None:
    if old.get("data") is None or new.get("data") is None:
        return None
    return tuple(differences(old["data"], new["data"]))


def _terms(old: History, new: History) -> list[str]:
    pairs = (
        ("epochs of a full training", old.terms.epochs, new.terms.epochs),
        ("seeds of each trial", len(old.terms.seeds), len(new.terms.seeds)),
        ("folds", len(old.terms.folds), len(new.terms.folds)),
    )
    return [f"The number of {what} was {before} and is {now}." for what, before, now in pairs if before != now]


def _course(study: Study) -> Course:
    best: list[float | None] = []
    epochs: list[int] = []
    for trial in study.trials:
        before = best[-1] if best else None
        better = trial.score is not None and study.objective.better(trial.score, before)
        best.append(trial.score if better else before)
        epochs.append(trial.epochs + (epochs[-1] if epochs else 0))
    winner = study.winner
    return Course(
        name=study.name, best=tuple(best), epochs=tuple(epochs), winner=None if winner is None else winner.number
    )


def _paired(first: Study, second: Study, pairs: Sequence[tuple[float, float]]) -> Comparison:
    base = _recorded(first, second)
    loss = first.objective.loss
    gains = [loss(mine) - loss(theirs) for mine, theirs in pairs]
    if len(gains) < 2:
        said = "A winner failed when it was trained again, so the winners cannot be told apart."
        return replace(base, sentences=(*base.sentences, said))
    return _with_difference(base, interval(gains), paired=True, p_value=sign_flip_p(gains), seeds=len(gains))


def _with_difference(base: Comparison, gap: Interval, *, paired: bool, p_value: float | None, seeds: int) -> Comparison:
    first, second = base.courses
    under = f"Under {format_count(seeds, 'fresh seed')} {'that both share' if paired else 'or more of its own each'}"
    shown = f"95 % interval {format_score(gap.low)} to {format_score(gap.high)}"
    if gap.low <= 0 <= gap.high:
        said = (
            f"{under}, the winners (trial {first.winner} of {first.name}, trial {second.winner} of {second.name}) cannot be "
            f"told apart: the second is better by {format_score(gap.mean)} ({shown})."
        )
    else:
        better, worse = (second, first) if gap.mean > 0 else (first, second)
        said = (
            f"{under}, the winner of {better.name} (trial {better.winner}) is better than that of {worse.name} (trial "
            f"{worse.winner}) by {format_score(abs(gap.mean))} ({shown}, counted for {second.name})."
        )
    return replace(base, difference=gap, paired=paired, p_value=p_value, sentences=(*base.sentences, said))


def _welch(objective: Objective, mine: Sequence[float], theirs: Sequence[float]) -> Interval:
    """The difference of two means with Welch's 95 % interval."""
    from scipy.stats import t

    old, new = (np.array([objective.loss(score) for score in scores]) for scores in (mine, theirs))
    parts = [of.var(ddof=1) / len(of) for of in (old, new)]
    error = sum(parts)
    freedom = error**2 / sum(p**2 / (len(of) - 1) for p, of in zip(parts, (old, new), strict=True)) if error else 1.0
    mean, half = float(old.mean() - new.mean()), float(t.ppf(0.975, freedom) * error**0.5)
    return Interval(mean=mean, low=mean - half, high=mean + half)


def _at(course: Course, trials: int) -> tuple[str, str]:
    if trials > len(course.best):
        return "-", "-"
    return format_score(course.best[trials - 1]), f"{course.epochs[trials - 1]:,}"
