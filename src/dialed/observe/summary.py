"""The answer of a study as text: who won, by how much, with which values, and what it cost."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Protocol

from dialed.objectives import keeps
from dialed.observe.goals import front_lines, head_of, limits_line, nobody_keeps
from dialed.observe.snapshot import BudgetView, Limits
from dialed.observe.text import (
    changed_values,
    columns,
    counts_by_state,
    first_line,
    format_count,
    format_score,
    format_seconds,
    format_signed,
    format_value,
    format_values,
    shorten,
)
from dialed.observe.trained import Trained
from dialed.search.history import History
from dialed.trial import Cause, Direction, State, Trial, best_first

__all__ = ["Confirmed", "summary_text"]

_TOP = 5
_LONG = 24  # characters of a value in the table

_ADVICE: Mapping[Cause, str] = {
    Cause.BUILD: "The build function raised. Mend it for these values, or rule them out with `hp.require(...)`.",
    Cause.INFEASIBLE: "Ruled out by `hp.require(...)`, as intended. If it is most trials, narrow the space.",
    Cause.TOO_LARGE: "Above `max_parameters`. Lower the upper ends of widths and layers, or raise the limit.",
    Cause.OUT_OF_MEMORY: "Lower the upper ends of the batch size and of the widths.",
    Cause.NAN: "Lower the upper end of the learning rate, clip gradients (`clipnorm=1.0`), and look for NaN in the data.",
    Cause.DIVERGED: "Lower the upper end of the learning rate, or clip gradients (`clipnorm=1.0`).",
    Cause.ERROR: "Training raised. The message says where; values that cannot work belong in `hp.require(...)`.",
    Cause.INTERRUPTED: "The process died each time it trained this, often because the machine ran out of memory.",
    Cause.KILLED: "The worker's process ended while it trained, often because the machine ran out of memory.",
    Cause.TIME_LIMIT: "Longer than `max_trial_time`. Rule such values out with `hp.require(...)`, or raise the limit.",
    Cause.TOLD: "Reported by the caller.",
    Cause.MISFIT: "Leave it out of what may change in training: PopulationBased(fixed=[...]).",
}

_WIDE_GAP: Mapping[Direction, float] = {"max": 0.05, "min": 0.25}
"""From which part of the larger of the two numbers a gap is worth a word. A rule of thumb: accuracies lie close
together near 1, where losses differ by factors."""


class _Interval(Protocol):
    @property
    def mean(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


class _Finalist(_Interval, Protocol):
    @property
    def trial(self) -> int: ...
    @property
    def repeats(self) -> int: ...
    @property
    def probability_best(self) -> float: ...


class Confirmed(Protocol):
    """What fresh seeds say of the finalists. `gain` is positive when it is better, whatever the direction."""

    @property
    def finalists(self) -> Sequence[_Finalist]: ...
    @property
    def winner(self) -> int: ...
    @property
    def gain(self) -> _Interval | None: ...
    @property
    def sentence(self) -> str: ...


def summary_text(
    history: History,
    *,
    name: str = "study",
    confirmation: Confirmed | None = None,
    gaps: Mapping[int, tuple[float, float]] | None = None,
    budget: Limits | None = None,
    mattered: str = "",
    width: int = 80,
) -> str:
    """Write what a study found.

    Args:
        history: The study's history.
        name: The study's name. Defaults to "study".
        confirmation: What fresh seeds say of the finalists. Defaults to `None`: nobody asked them.
        gaps: For trials by number, the objective's metric on the training and on the validation data. Defaults to
            `None`: no word on overfitting.
        budget: The limits of the search. Defaults to those in the history's terms.
        mattered: A sentence on which hyperparameters mattered. Defaults to none.
        width: Characters of a line. Defaults to 80.

    Returns:
        Lines of plain text, without a line break at the end.

    Example:
        >>> from dialed.search.history import Terms
        >>> from dialed.trial import Objective
        >>> terms = Terms(objective=Objective(name="val_accuracy", direction="max"))
        >>> print(summary_text(History(terms), name="mnist"))
        mnist: no trial yet.
    """
    if not history.trials:
        return f"{name}: no trial yet."
    winner = history.best_trial if confirmation is None else history.trial(confirmation.winner)
    parts = [] if winner is None else _about_winner(history, winner, confirmation, gaps or {}, width)
    if winner is None:
        parts.append(_wrap(nobody_keeps(history) or "No trial has a score, so there is no winner.", width))
    parts += [
        _wrap(mattered, width),
        _failures(history.trials, width),
        [*_trained(history.trials, width), *_cost(history, budget, width)],
    ]
    head = f"{name}: {head_of(history)}"
    return "\n\n".join("\n".join(lines) for lines in [[head], *parts] if lines)


def _about_winner(
    history: History,
    winner: Trial,
    confirmation: Confirmed | None,
    gaps: Mapping[int, tuple[float, float]],
    width: int,
) -> list[list[str]]:
    ranked = _ranked(history)
    return [
        [*_winner(history, winner, confirmation, width), *_gain(history, winner, confirmation, width)],
        _confirmation(confirmation, width),
        front_lines(history, width),
        _wrap(limits_line(history), width),
        _values(winner, history.baseline, width),
        _top(ranked[:_TOP], history, width),
        _overfitting([t for t in ranked[:_TOP] if t.number in gaps], gaps, history, width),
    ]


def _ranked(history: History) -> list[Trial]:
    terms = history.terms
    kept = (t for t in history.trials if t.score is not None and keeps(t, terms.constraints) and terms.is_whole(t))
    return best_first(kept, history.objective)


def _winner(history: History, winner: Trial, confirmation: Confirmed | None, width: int) -> list[str]:
    head = f"Winner: trial {winner.number}, {history.objective.name}"
    judged = None if confirmation is None else _judged(confirmation)
    if judged is None:
        said = f"{head} {format_score(winner.score, winner.spread)}{_where(winner)}."
        warning = "This score chose the winner, so it flatters it: `confirm` asks fresh seeds."
        return [*_wrap(said, width), *_wrap(warning, width)]
    interval = f"95 % interval {format_score(judged.low)} to {format_score(judged.high)}"
    under = f"under {format_count(judged.repeats, 'fresh seed')} ({interval})"
    lines = _wrap(f"{head} {format_score(judged.mean)} {under}; {format_score(winner.score)} in the search.", width)
    best = history.best_trial
    if best is not None and best.number != winner.number:
        beaten = f"trial {best.number} ({format_score(best.score)})"
        lines += _wrap(f"The best score of the search was that of {beaten}; fresh seeds prefer the winner.", width)
    return lines


def _judged(confirmation: Confirmed) -> _Finalist | None:
    return next((f for f in confirmation.finalists if f.trial == confirmation.winner), None)


def _where(winner: Trial) -> str:
    members = [m for m in winner.members if m.purpose == "search"]
    if len(members) > 1:
        return f" (mean and standard deviation of {len(members)} members)"
    if members and members[0].best_epoch is not None:
        return f" at epoch {members[0].best_epoch} of {members[0].epoch}"
    return ""


def _gain(history: History, winner: Trial, confirmation: Confirmed | None, width: int) -> list[str]:
    gain = None if confirmation is None else confirmation.gain
    if gain is not None:
        interval = f"95 % interval {format_signed(gain.low)} to {format_signed(gain.high)}"
        return _wrap(f"Gain over the defaults under fresh seeds: {format_signed(gain.mean)} ({interval}).", width)
    baseline = history.baseline
    if baseline is None:
        return _wrap("The defaults were not tried, so there is no gain to tell.", width)
    if baseline.number == winner.number:
        return _wrap("These are the defaults: nothing that was tried is better.", width)
    if baseline.score is None or winner.score is None:
        why = f"failed ({baseline.cause})" if baseline.cause else "have no score"
        return _wrap(f"The defaults (trial {baseline.number}) {why}, so there is no gain to tell.", width)
    better_by = history.objective.loss(baseline.score) - history.objective.loss(winner.score)
    change = f"from {format_score(baseline.score)} in trial {baseline.number} to {format_score(winner.score)}"
    return _wrap(f"Gain over the defaults: {format_signed(better_by)}, {change}.", width)


def _confirmation(confirmation: Confirmed | None, width: int) -> list[str]:
    if confirmation is None:
        return []
    rows = [("trial", "mean", "95 % interval", "seeds", "best with")]
    for finalist in confirmation.finalists:
        interval = f"{format_score(finalist.low)} to {format_score(finalist.high)}"
        chance = f"{100 * finalist.probability_best:.0f} %"
        rows.append((str(finalist.trial), format_score(finalist.mean), interval, str(finalist.repeats), chance))
    said = [f"Fresh seeds: {first_line(confirmation.sentence)}"] if confirmation.sentence else ["Fresh seeds:"]
    return [*_wrap(said[0], width), *columns(rows, "rrrrr", width=width)]


def _values(winner: Trial, baseline: Trial | None, width: int) -> list[str]:
    if not winner.values:
        return []
    defaults = {} if baseline is None else baseline.values
    rows = [("", "hyperparameter", "winner", "default")]
    changed = changed_values(winner.values, None if baseline is None else defaults)
    for name, value in winner.values.items():
        default = shorten(format_value(defaults[name]), _LONG) if name in defaults else "-"
        mark = "*" if baseline is not None and name in changed else ""
        rows.append((mark, name, shorten(format_value(value), _LONG), default))
    return columns(rows, "llrr", width=width, indent=0)


def _top(trials: Sequence[Trial], history: History, width: int) -> list[str]:
    if len(trials) < 2:
        return []
    baseline = history.baseline
    defaults = None if baseline is None else baseline.values
    rows = [
        ("trial", history.objective.name, "epochs", "time", "values" if baseline is None else "unlike the defaults")
    ]
    for trial in trials:
        score = format_score(trial.score, trial.spread)
        values = format_values(trial.values, defaults)
        rows.append((str(trial.number), score, str(trial.epochs), format_seconds(trial.seconds), values))
    return ["Best trials:", *columns(rows, "rrrrl", width=width)]


def _overfitting(
    trials: Sequence[Trial], gaps: Mapping[int, tuple[float, float]], history: History, width: int
) -> list[str]:
    if not trials:
        return []
    rows = [("trial", "training", "validation", "")]
    any_overfits = False
    for trial in trials:
        training, validation = gaps[trial.number]
        verdict = "overfits" if _overfits(training, validation, history.objective.direction) else ""
        any_overfits = any_overfits or bool(verdict)
        rows.append((str(trial.number), format_score(training), format_score(validation), verdict))
    advice = "More dropout or weight decay, a smaller model, or earlier stopping may close the gap."
    return [
        "Training against validation:",
        *columns(rows, "rrrl", width=width),
        *_wrap(advice if any_overfits else "", width),
    ]


def _overfits(training: float, validation: float, direction: Direction) -> bool:
    """Whether training is so much better than validation that the model probably learns its data by heart."""
    gap = training - validation if direction == "max" else validation - training
    return gap > _WIDE_GAP[direction] * max(abs(training), abs(validation))


def _failures(trials: Sequence[Trial], width: int) -> list[str]:
    counts = ", ".join(f"{count} {state}" for state, count in counts_by_state(trials).items())
    lines = _wrap(f"{format_count(len(trials), 'trial')}: {counts}.", width)
    for cause in Cause:
        failed = [t for t in trials if t.state is State.FAILED and t.cause is cause]
        if failed:
            lines += _failure(cause, failed, width)
    return lines


def _failure(cause: Cause, failed: Sequence[Trial], width: int) -> list[str]:
    shown = ", ".join(str(t.number) for t in failed[:_TOP]) + (", ..." if len(failed) > _TOP else "")
    message = first_line(failed[0].message)
    head = f"{len(failed)} {cause} (trial{'s' if len(failed) > 1 else ''} {shown})"
    return [
        *_wrap(f"{head}: {message}" if message else head, width, indent=2),
        *_wrap(_ADVICE[cause], width, indent=4),
    ]


def _cost(history: History, budget: Limits | None, width: int) -> list[str]:
    limits = budget or BudgetView(max_trials=history.terms.max_trials, max_epochs=history.terms.max_epochs)
    seconds = history.finished_seconds or sum(t.seconds for t in history.trials)
    used = (
        _of(history.begun, limits.max_trials, "trial") + _copies(history.copies),
        _of(history.epochs, limits.max_epochs, "epoch"),
        format_seconds(seconds) + (f" of {format_seconds(limits.max_seconds)}" if limits.max_seconds else ""),
    )
    return _wrap(f"Used: {', '.join(used)}.", width)


def _copies(count: int) -> str:
    return f" and {format_count(count, 'copy', 'copies')}" if count else ""


def _trained(trials: Sequence[Trial], width: int) -> list[str]:
    """In how many programs, and what was trained one by one, with the reasons."""
    parts = Trained.of(trials).parts
    if not parts:
        return []
    lines = _wrap(f"Trained: {parts[0]}{'.' if len(parts) == 1 else ','}", width)
    for part in parts[1 : _TOP + 1]:
        lines += _wrap(f"{part}{'.' if part is parts[-1] else ','}", width, indent=2)
    if len(parts) > _TOP + 1:
        lines += _wrap(f"and {format_count(len(parts) - _TOP - 1, 'more reason')}.", width, indent=2)
    return lines


def _of(used: int, limit: int | None, noun: str) -> str:
    return format_count(used, noun) if limit is None else f"{used:,} of {format_count(limit, noun)}"


def _wrap(text: str, width: int, *, indent: int = 0) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(text, width, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
