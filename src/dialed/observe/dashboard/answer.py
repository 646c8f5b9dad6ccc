"""The answer of a study, as data for a page: who won, by how much, what mattered, what is the matter, what is next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dialed.analysis import Diagnosis, Importance, diagnosis_of
from dialed.analysis.importance import LEAST_TRIALS
from dialed.analysis.observations import MANY
from dialed.observe.dashboard.table import row_of
from dialed.observe.goals import head_of, nobody_keeps
from dialed.observe.text import counts_by_state, format_count, format_score, format_seconds, format_signed, format_value
from dialed.search.history import History
from dialed.space import Space
from dialed.study.budget import Budget
from dialed.study.confirm import Confirmation, Interval
from dialed.trial import Report, State, Trial, best_first

__all__ = ["answer_of", "changes_of", "cut_of", "progress_of", "telling"]

MOST_DIAGNOSED = 50
"""Curves of so many of the best trials are read for the diagnosis: those of 10,000 would take minutes."""

_ADVICE = ("Against ", "Every trial that ")
"""How those sentences of a diagnosis begin that say what to do."""


def telling(history: History, *, most: int = MOST_DIAGNOSED) -> list[int]:
    """The numbers of the trials whose curves are worth reading for a diagnosis: the best."""
    return [trial.number for trial in best_first(history.trials, history.objective)[:most]]


def answer_of(
    history: History,
    space: Space,
    *,
    name: str,
    winner: Trial | None,
    confirmation: Confirmation | None,
    mattered: Importance | None,
    reports: Iterable[Report],
    diagnosed: int = MOST_DIAGNOSED,
) -> dict[str, Any]:
    """What a study found.

    Args:
        history: The study.
        space: What varied.
        name: Its name.
        winner: The trial to use; `None` while there is none.
        confirmation: What fresh seeds said; `None` where they were not asked.
        mattered: Which hyperparameters mattered, as `what_mattered` says of the `thinned` history.
        reports: Those of the trials that `telling` names.
        diagnosed: So many trials were asked for there. Defaults to 50.
    """
    diagnosis = diagnosis_of(history, space, reports, winner=winner)
    return {
        "name": name,
        "goal": head_of(history),
        "objective": history.objective.name,
        "headline": _headline(history, winner, confirmation),
        "winner": None if winner is None else row_of(winner),
        "changes": [] if winner is None else changes_of(winner, history.baseline),
        "finalists": [] if confirmation is None else _finalists(confirmation, history),
        "mattered": _mattered(mattered, history),
        "diagnosis": _diagnosis(diagnosis, history, diagnosed),
        "next": _next(diagnosis, history, winner, confirmation),
    }


def cut_of(mattered: Importance, history: History) -> str:
    """Which part of the trials said what mattered, where it was not all."""
    count = len(history.trials)
    return f"told from {mattered.trials:,} of {count:,} trials, evenly chosen" if count > MANY else ""


def progress_of(history: History, budget: Budget, *, epochs: int, seconds: float) -> dict[str, Any]:
    """How far the search is: what was used of which limit, and how many trials are in which state."""
    used = (
        ("trials", history.begun, budget.max_trials),
        ("epochs", epochs, budget.max_epochs),
        ("time", seconds, budget.max_seconds),
    )
    return {
        "used": [
            {"what": what, "text": _used(what, value, limit), "share": None if not limit else min(value / limit, 1.0)}
            for what, value, limit in used
        ],
        "states": {str(state): count for state, count in counts_by_state(history.trials).items()},
        "limits": {what: limit for what, _, limit in used},
    }


def changes_of(trial: Trial, baseline: Trial | None) -> list[dict[str, Any]]:
    """Each value of a trial beside that of the defaults."""
    defaults = {} if baseline is None else baseline.values
    rows = []
    for name, value in trial.values.items():
        text = format_value(value)
        other = format_value(defaults[name]) if name in defaults else ""
        rows.append({"name": name, "value": text, "default": other, "changed": baseline is not None and text != other})
    return rows


def _used(what: str, value: float, limit: float | None) -> str:
    if what == "time":
        return format_seconds(value) + (f" of {format_seconds(limit)}" if limit else "")
    return f"{value:,} of {limit:,}" if limit else f"{value:,}"


def _headline(history: History, winner: Trial | None, confirmation: Confirmation | None) -> dict[str, Any]:
    if winner is None:
        why = nobody_keeps(history) or "No trial has a score yet, so there is no winner."
        return {"score": None, "label": history.objective.name, "sentences": [why], "sure": ""}
    judged = next((f for f in confirmation.finalists if f.trial == winner.number), None) if confirmation else None
    if confirmation is None or judged is None:
        said = ["This score chose the winner, so it flatters it: `confirm` asks fresh seeds."]
        score, sure = format_score(winner.score, winner.spread), "not confirmed"
    else:
        said = [confirmation.sentence]
        score = format_score(judged.mean)
        sure = f"95 % interval {format_score(judged.low)} to {format_score(judged.high)}"
    gain = _gain(history, winner, confirmation)
    return {"score": score, "label": history.objective.name, "sure": sure, "sentences": [*gain, *said]}


def _gain(history: History, winner: Trial, confirmation: Confirmation | None) -> list[str]:
    """The gain over the defaults, in a sentence."""
    if confirmation is not None and confirmation.gain is not None:
        return [f"Gain over the defaults: {_interval(confirmation.gain)}."]
    baseline = history.baseline
    if baseline is None:
        return ["The defaults were not tried, so there is no gain to tell."]
    if baseline.number == winner.number:
        return ["These are the defaults: nothing that was tried is better."]
    if baseline.score is None or winner.score is None:
        return [f"The defaults (trial {baseline.number}) have no score, so there is no gain to tell."]
    gain = history.objective.loss(baseline.score) - history.objective.loss(winner.score)
    return [f"Gain over the defaults in the search: {format_signed(gain)}, from {format_score(baseline.score)}."]


def _interval(gain: Interval) -> str:
    return f"{format_signed(gain.mean)} (95 % interval {format_signed(gain.low)} to {format_signed(gain.high)})"


def _finalists(confirmation: Confirmation, history: History) -> list[dict[str, Any]]:
    return [
        {
            "trial": finalist.trial,
            "mean": format_score(finalist.mean),
            "interval": f"{format_score(finalist.low)} to {format_score(finalist.high)}",
            "seeds": finalist.repeats,
            "best": f"{100 * finalist.probability_best:.0f} %",
        }
        for finalist in sorted(confirmation.finalists, key=lambda finalist: history.objective.loss(finalist.mean))
    ]


def _mattered(mattered: Importance | None, history: History) -> str:
    if mattered is not None:
        said = mattered.sentence.removeprefix("What mattered").removeprefix(": ").removeprefix(", ")
        cut = cut_of(mattered, history)
        part = f" {cut[0].upper()}{cut[1:]}." if cut else ""
        return f"{said[0].upper()}{said[1:]}{part}"
    ended = sum(trial.score is not None and trial.state.finished for trial in history.trials)
    if ended >= LEAST_TRIALS:
        return "It takes two hyperparameters that vary among the trials that ended to tell which of them mattered."
    are = "is" if ended == 1 else "are"
    return f"It takes {LEAST_TRIALS} trials that ended with a score to tell what mattered; there {are} {ended}."


def _diagnosis(diagnosis: Diagnosis, history: History, diagnosed: int) -> list[str]:
    edges = {edge.sentence for edge in diagnosis.edges}
    said = [s for s in diagnosis.sentences if s not in edges and not s.startswith(_ADVICE)]
    if len(history.trials) > diagnosed:
        said.insert(0, f"Looked at: the {diagnosed} best of {format_count(len(history.trials), 'trial')}.")
    return said


def _next(
    diagnosis: Diagnosis, history: History, winner: Trial | None, confirmation: Confirmation | None
) -> Sequence[str]:
    """What to try next: what the diagnosis advises, a confirmation where there was none, failures to mend."""
    edges = [edge.sentence for edge in diagnosis.edges]
    advice = [s for s in diagnosis.sentences if s.startswith(_ADVICE)]
    failed = sum(trial.state is State.FAILED for trial in history.trials)
    if failed > len(history.trials) / 4:
        advice.append(f"{failed} of {format_count(len(history.trials), 'trial')} failed: mend what they fail of first.")
    if winner is not None and confirmation is None:
        advice.append("Confirm the winner under fresh seeds: `tuner.confirm()`.")
    return [*edges, *advice] or ["Nothing stands out: a larger budget, or a wider space, is what is left to try."]
