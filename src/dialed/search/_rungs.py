"""Rungs: the epochs at which trials are compared, before the best of them are trained further."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import fmean

from dialed.errors import InvalidInputError
from dialed.trial import MemberRecord, Objective, State, Trial

__all__ = ["check_int", "climbing", "given_up", "known_losses", "ladder", "loss_at", "reachable", "rests_below"]


def ladder(epochs: int, factor: int, min_epochs: int) -> tuple[int, ...]:
    """The rungs in epochs, the lowest first: the full training, and from there down each `factor` times shorter.

    Rungs that are not whole are rounded. The lowest is at least `min_epochs`, or the full training if that is shorter.
    """
    rungs, divisor = [epochs], factor
    while min_epochs * divisor <= epochs:
        rungs.append((2 * epochs + divisor) // (2 * divisor))
        divisor *= factor
    return tuple(reversed(rungs))


def climbing(epochs: int, factor: int, min_epochs: int) -> tuple[int, ...]:
    """The rungs in epochs, the lowest first: `min_epochs`, and from there `factor` times more up to the full training.

    A rung that is more than two thirds of the full training is left out: it would cost as much, and say little else.
    """
    rungs = [min(min_epochs, epochs)]
    while rungs[-1] * factor <= epochs * 2 / 3:
        rungs.append(rungs[-1] * factor)
    return tuple(rungs) if rungs[-1] == epochs else (*rungs, epochs)


def loss_at(trial: Trial, rung: int, objective: Objective) -> float | None:
    """What a trial had come to after `rung` epochs, as a loss: the mean over its members.

    A member's value is that of the rung's epoch, or the last one measured before it. A member that ended early by
    itself keeps its last value.

    Returns:
        `None` while a member is on its way; infinity where the trial failed before, or has no finite value.
    """
    members = _searched(trial)
    if not all(_arrived(member, rung) for member in members):
        return math.inf if trial.state.finished else None
    values = [_value_at(member, rung) for member in members]
    return objective.loss(fmean(values)) if all(map(math.isfinite, values)) else math.inf


def rests_below(trial: Trial, rung: int) -> bool:
    """Whether a trial is paused and was not sent to `rung`."""
    return trial.state is State.PAUSED and _asked(trial) < rung


def given_up(trial: Trial, rung: int) -> bool:
    """Whether a trial was stopped before it was sent to `rung`."""
    return trial.state is State.STOPPED and _asked(trial) < rung


def reachable(trial: Trial, rung: int) -> int:
    """The rung in epochs, or the end of the trial's own full training if that is before."""
    return min(rung, max(member.length for member in _searched(trial)))


def known_losses(trials: Iterable[Trial], rung: int, objective: Objective) -> dict[int, float]:
    """The losses at a rung of the trials that are not on their way to it, by number."""
    losses = ((trial.number, loss_at(trial, rung, objective)) for trial in trials)
    return {number: loss for number, loss in losses if loss is not None}


def check_int(owner: str, name: str, value: object, least: int) -> None:
    """Refuse what is not an int of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidInputError(f"The `{name}` of {owner} must be an int in the range [{least}, inf). Got {value!r}.")


def _asked(trial: Trial) -> int:
    return max((min(member.until, member.length) for member in _searched(trial)), default=0)


def _searched(trial: Trial) -> list[MemberRecord]:
    return [member for member in trial.members if member.purpose == "search"]


def _arrived(member: MemberRecord, rung: int) -> bool:
    return member.state is State.COMPLETED or member.epoch >= min(rung, member.length)


def _value_at(member: MemberRecord, rung: int) -> float:
    return next((value for value in reversed(member.curve[:rung]) if not math.isnan(value)), math.nan)
