"""What is the matter with a study's trainings, and what its space has against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dialed.analysis.curves import LEAST_EPOCHS, Curves, Finding, Kind, findings_of
from dialed.analysis.remedies import Edge, edges_of, hyperparameters_for, roles_of
from dialed.analysis.table import Table, frame_of, page
from dialed.observe.text import format_count, format_score, format_value
from dialed.search.history import History
from dialed.search.model.layout import Array
from dialed.space import Space
from dialed.study.confirm import Interval, interval
from dialed.trial import Cause, MemberKey, Report, State, Trial, Values, best_first

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Diagnosis", "TrialDiagnosis", "diagnosis_of"]

_AGAINST: Mapping[Kind, tuple[str, ...]] = {
    Kind.OVERFITTING: ("dropout", "weight decay", "width", "epochs"),
    Kind.UNDERFITTING: ("width", "depth", "epochs", "learning rate"),
    Kind.DIVERGED: ("learning rate", "batch size"),
    Kind.STUCK: ("learning rate",),
    Kind.IMPROVING: ("epochs", "learning rate"),
    Kind.NOISY: ("batch size", "learning rate"),
}
"""Which hyperparameters act on what. A plateau asks for nothing."""

_HALF = 0.5
"""A training that got less than this part of the way that the best one of the study went underfits."""

_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDiagnosis:
    """One trial: its objective on training and validation data at the best epochs, and what its curves show.

    `gap` is how much worse validation is, with its 95 % interval over seeds and folds; of one member it has no width,
    and `members` says so.
    """

    trial: int
    members: int
    training: float | None
    validation: float | None
    gap: Interval | None
    findings: tuple[Finding, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What is the matter, in words of one table."""
        return tuple(finding.kind for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is the matter with the trainings of a study.

    Attributes:
        trials: Every trial that was trained, by number.
        winner: The number of the winner; `None` where there is none.
        gap: The mean gap over the trials, with its 95 % interval; `None` for fewer than two.
        edges: Where the winner stands at an end of a range, and the range to try next.
        sentences: The answer, the winner first.
    """

    trials: tuple[TrialDiagnosis, ...]
    winner: int | None
    gap: Interval | None
    edges: tuple[Edge, ...]
    sentences: tuple[str, ...]

    def __getitem__(self, number: int) -> TrialDiagnosis:
        """The diagnosis of the trial with that number. Raises `KeyError` if it was not trained."""
        found = next((trial for trial in self.trials if trial.trial == number), None)
        if found is None:
            raise KeyError(number)
        return found

    @property
    def table(self) -> Table:
        """One row for each trial whose curves say something."""
        rows = [
            (str(t.trial), format_score(t.training), format_score(t.validation), _gap(t), ", ".join(t.kinds))
            for t in self.trials
            if t.training is not None or t.findings
        ]
        return Table(head=("trial", "training", "validation", "gap", "findings"), rows=tuple(rows), align="rrrrl")

    def to_pandas(self) -> pd.DataFrame:
        """One row for each trial: training, validation, gap, its interval, members, findings."""
        names = ("trial", "training", "validation", "gap", "low", "high", "members", "findings")
        rows = [
            {
                "trial": t.trial,
                "training": t.training,
                "validation": t.validation,
                **({} if t.gap is None else {"gap": t.gap.mean, "low": t.gap.low, "high": t.gap.high}),
                "members": t.members,
                "findings": ", ".join(t.kinds),
            }
            for t in self.trials
        ]
        return frame_of(rows, names).set_index("trial")

    def __str__(self) -> str:
        table = [self.table.text()] if self.table.rows else []
        return "\n".join(["Diagnosis", *(f"- {sentence}" for sentence in self.sentences), *table])

    def _repr_html_(self) -> str:
        return page("Diagnosis", [*self.sentences, self.table if self.table.rows else ""])


def diagnosis_of(history: History, space: Space, reports: Iterable[Report], *, winner: Trial | None) -> Diagnosis:
    """Look at the curves of every trial.

    Args:
        history: The study.
        space: What varied.
        reports: All reports of the study, in order.
        winner: The trial that is looked at first. Defaults to none.
    """
    curves = _curves(history, reports)
    telling = (t for t in history.trials if t.number in curves or t.state is State.FAILED)
    judged = [_trial(trial, curves.get(trial.number, {}), history) for trial in telling]
    judged = _underfitting([t for t in judged if t.validation is not None or t.findings], history)
    gaps = [t.gap.mean for t in judged if t.gap is not None]
    gap = interval(gaps) if len(gaps) > 1 else None
    values = {} if winner is None else winner.values
    edges = edges_of(space, values)
    of_winner = next((t for t in judged if winner is not None and t.trial == winner.number), None)
    sentences = [
        *_about_winner(of_winner),
        *_about_all(judged, gap),
        *_advice(judged, of_winner, space, values),
        *_learning_rates(judged, history, space),
        *(edge.sentence for edge in edges),
    ]
    return Diagnosis(
        trials=tuple(judged),
        winner=None if winner is None else winner.number,
        gap=gap,
        edges=edges,
        sentences=tuple(sentences) or ("Nothing was trained yet.",),
    )


def _curves(history: History, reports: Iterable[Report]) -> dict[int, dict[MemberKey, Curves]]:
    """The curves of every member, by trial."""
    metrics: dict[MemberKey, dict[int, Mapping[str, float]]] = defaultdict(dict)
    for report in reports:
        metrics[report.key].setdefault(report.epoch, report.metrics)
    found: dict[int, dict[MemberKey, Curves]] = defaultdict(dict)
    for key, by_epoch in metrics.items():
        curves = _curve(history, [by_epoch[epoch] for epoch in sorted(by_epoch)])
        if np.isfinite(curves.validation).any():
            found[key.trial][key] = curves
    return found


def _curve(history: History, epochs: Sequence[Mapping[str, float]]) -> Curves:
    name = history.objective.name
    sign = history.objective.loss(1.0)
    validation = sign * np.array([metrics.get(name, np.nan) for metrics in epochs])
    beside = name.removeprefix("val_")
    there = name.startswith("val_") and all(beside in metrics for metrics in epochs)
    training = sign * np.array([metrics[beside] for metrics in epochs]) if there else None
    return Curves(validation=validation, training=training, sign=sign)


def _trial(trial: Trial, members: Mapping[MemberKey, Curves], history: History) -> TrialDiagnosis:
    """A finding counts when at least half of the members bear it out."""
    sign = history.objective.loss(1.0)
    by_kind: dict[Kind, list[Finding]] = defaultdict(list)
    for curves in members.values():
        for finding in findings_of(curves):
            by_kind[finding.kind].append(finding)
    if trial.state is State.FAILED and trial.cause in (Cause.NAN, Cause.DIVERGED):
        by_kind = defaultdict(list, {Kind.DIVERGED: [Finding(kind=Kind.DIVERGED, sentence=_first(trial))]})
    gaps = [gap for curves in members.values() if (gap := curves.gap) is not None and np.isfinite(gap)]
    validation = [curves.validation[curves.best] for curves in members.values()]
    training = [c.training[c.best] for c in members.values() if c.training is not None]
    return TrialDiagnosis(
        trial=trial.number,
        members=len(members),
        training=float(sign * np.mean(training)) if training else None,
        validation=float(sign * np.mean(validation)) if validation else None,
        gap=_interval(gaps),
        findings=tuple(found[0] for found in by_kind.values() if 2 * len(found) >= len(members)),
    )


def _first(trial: Trial) -> str:
    return f"It failed ({trial.cause}) after {format_count(trial.epochs, 'epoch')}."


def _interval(values: Sequence[float]) -> Interval | None:
    if len(values) > 1:
        return interval(values)
    return Interval(mean=values[0], low=values[0], high=values[0]) if values else None


def _underfitting(judged: list[TrialDiagnosis], history: History) -> list[TrialDiagnosis]:
    """Mark the trials whose training got less than half as far as the best one of the study.

    The way begins at the median of the trainings that did not learn, or at the worst one: what a model knows that has
    learnt nothing is not recorded.
    """
    sign = history.objective.loss(1.0)
    reached = {t.trial: sign * t.training for t in judged if t.training is not None}
    if len(reached) < LEAST_EPOCHS:
        return judged
    best, start = min(reached.values()), max(reached.values())
    poor = {n for n, loss in reached.items() if start > best and start - loss < _HALF * (start - best)}
    return [_underfits(t, best * sign) if t.trial in poor and _learns(t) else t for t in judged]


def _learns(trial: TrialDiagnosis) -> bool:
    """Whether nothing else explains why training did not get far; and validation is not far behind training."""
    return not {Kind.DIVERGED, Kind.STUCK, Kind.OVERFITTING} & set(trial.kinds)


def _underfits(trial: TrialDiagnosis, best: float) -> TrialDiagnosis:
    said = (
        f"It underfits: training reached {format_score(trial.training)}, where the best training of the study reached "
        f"{format_score(best)}."
    )
    return TrialDiagnosis(
        trial=trial.trial,
        members=trial.members,
        training=trial.training,
        validation=trial.validation,
        gap=trial.gap,
        findings=(Finding(kind=Kind.UNDERFITTING, sentence=said), *trial.findings),
    )


def _about_winner(winner: TrialDiagnosis | None) -> list[str]:
    if winner is None:
        return []
    said = [f"The winner, trial {winner.trial}: {finding.sentence}" for finding in winner.findings]
    if winner.gap is None:
        return said or [f"The winner, trial {winner.trial}, shows nothing of note."]
    width = (
        f"95 % interval {format_score(winner.gap.low)} to {format_score(winner.gap.high)} over "
        f"{format_count(winner.members, 'member')}"
        if winner.members > 1
        else "of one training, so how sure that is cannot be said"
    )
    return [
        f"The winner, trial {winner.trial}: validation is {_worse(winner.gap.mean)} than training ({width}).",
        *said,
    ]


def _worse(gap: float) -> str:
    return f"{format_score(abs(gap))} {'worse' if gap >= 0 else 'better'}"


def _about_all(judged: Sequence[TrialDiagnosis], gap: Interval | None) -> list[str]:
    counts = [(kind, [t.trial for t in judged if kind in t.kinds]) for kind in Kind]
    said = [
        f"{len(trials)} of {format_count(len(judged), 'trial')}: {kind} ({_listed(trials)})."
        for kind, trials in counts
        if trials
    ]
    if gap is not None:
        said.append(
            f"Over all trials, validation is {_worse(gap.mean)} than training (95 % interval "
            f"{format_score(gap.low)} to {format_score(gap.high)})."
        )
    return said


def _listed(trials: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in trials[:_SHOWN])
    return f"trial{'s' if len(trials) > 1 else ''} {shown}{', ...' if len(trials) > _SHOWN else ''}"


def _advice(judged: Sequence[TrialDiagnosis], winner: TrialDiagnosis | None, space: Space, values: Values) -> list[str]:
    """What the space has against what the winner shows, or against what a third of the trials show."""
    kinds = set(winner.kinds) if winner is not None else set()
    kinds |= {kind for kind in Kind if 3 * sum(kind in t.kinds for t in judged) >= max(len(judged), 3)}
    return [
        f"Against {_NOUNS[kind]}: {hyperparameters_for(_AGAINST[kind], space, values)}"
        for kind in Kind
        if kind in kinds and kind in _AGAINST
    ]


_NOUNS: Mapping[Kind, str] = {
    Kind.OVERFITTING: "overfitting",
    Kind.UNDERFITTING: "underfitting",
    Kind.DIVERGED: "divergence",
    Kind.STUCK: "trainings that do not learn",
    Kind.IMPROVING: "trainings that end too early",
    Kind.NOISY: "noise",
}


def _learning_rates(judged: Sequence[TrialDiagnosis], history: History, space: Space) -> list[str]:
    """Whether what did not learn, or diverged, had learning rates on one side of those of the best trials."""
    said = []
    for name in roles_of(space)["learning rate"]:
        rates = {t.number: t.values[name] for t in history.trials if isinstance(t.values.get(name), float)}
        best = [rates[t.number] for t in best_first(history.trials, history.objective)[:5] if t.number in rates]
        for kind in (Kind.STUCK, Kind.DIVERGED):
            bad = np.array([rates[t.trial] for t in judged if kind in t.kinds and t.trial in rates], dtype=float)
            if len(bad) and len(best) > 1:
                said += _one_sided(name, kind, bad, np.array(best, dtype=float))
    return said


def _one_sided(name: str, kind: Kind, bad: Array, best: Array) -> list[str]:
    side = "below" if bad.max() < best.min() else "above" if bad.min() > best.max() else None
    if side is None:
        return []
    end = float(bad.max() if side == "below" else bad.min())
    what = {Kind.STUCK: "did not learn", Kind.DIVERGED: "diverged"}[kind]
    verb = "raise" if side == "below" else "lower"
    told = f"{format_value(float(best.min()))} to {format_value(float(best.max()))}"
    said = (
        f"Every trial that {what} had a `{name}` {side} those of the best trials ({told}): {verb} that end of its range "
        f"beyond {format_value(end)}."
    )
    return [said]


def _gap(trial: TrialDiagnosis) -> str:
    if trial.gap is None:
        return "-"
    if trial.members < 2:
        return format_score(trial.gap.mean)
    return f"{format_score(trial.gap.mean)} ({format_score(trial.gap.low)} to {format_score(trial.gap.high)})"
