"""To write a note on a trial, to enqueue values, and to ask things of the session that runs: checked before stored."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from dialed.errors import InvalidInputError, SpaceError, StudyError
from dialed.events import BudgetSet, Noted, PauseSet, StopAsked
from dialed.space import Space
from dialed.store import SqlStore
from dialed.study.budget import Budget
from dialed.trial import Trial

__all__ = ["ask_to_pause", "ask_to_stop", "check_enqueued", "set_budget", "write_note"]

LONGEST_NOTE = 10_000
LONGEST_TAG = 60
MOST_TAGS = 20


def check_enqueued(values: Mapping[str, Any], space: Space) -> None:
    """Raise `SpaceError` for a name that the space lacks, or a value outside its range."""
    for name, value in values.items():
        if name not in space:
            near = difflib.get_close_matches(name, space.names, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise SpaceError(
                f"The enqueued `values` must name hyperparameters of the space: {', '.join(space.names)}. "
                f"Got '{name}'.{hint}"
            )
        if not space[name].domain.contains(value):
            raise SpaceError(f"The enqueued value of '{name}' must be one of {space[name].domain}. Got {value!r}.")


def write_note(store: SqlStore, trial: int, text: str | None = None, tags: Sequence[str] | None = None) -> Trial:
    """Write a note and tags on a trial, in the place of those it had; `None` leaves what is there.

    Raises:
        InvalidInputError: There is no such trial, or the text or a tag is too long.
    """
    row = _trial(store, trial)
    text = row.note if text is None else text
    if len(text) > LONGEST_NOTE:
        raise InvalidInputError(
            f"The `text` of a note must have at most {LONGEST_NOTE:,} characters. Got {len(text):,}. Shorten it."
        )
    store.append([Noted(trial=trial, text=text.strip(), tags=row.tags if tags is None else _tags(tags))])
    return _trial(store, trial)


def ask_to_stop(store: SqlStore, trial: int) -> None:
    """Ask the running session to give the trial up at its next report.

    Raises:
        InvalidInputError: There is no such trial.
        StudyError: Nobody runs the study, or the trial has ended.
    """
    _check_running(store, "A trial can be stopped")
    row = _trial(store, trial)
    if row.state.finished:
        raise StudyError(f"A trial can be stopped while it is trained or waits, but trial {trial} is {row.state}.")
    store.append([StopAsked(trial=trial)])


def ask_to_pause(store: SqlStore, *, paused: bool) -> None:
    """Ask the running session to rest, or to go on.

    Raises:
        StudyError: Nobody runs the study.
    """
    _check_running(store, "A study can be paused and resumed")
    store.append([PauseSet(paused=paused)])


def set_budget(store: SqlStore, budget: Budget) -> None:
    """Give the running session another budget, in the place of the one it has.

    Raises:
        StudyError: Nobody runs the study.
    """
    _check_running(store, "A budget can be changed")
    limits = {name: getattr(budget, name) for name in ("max_trials", "max_epochs", "max_seconds")}
    store.append([BudgetSet(**limits)])


def _check_running(store: SqlStore, what: str) -> None:
    state = store.info.state
    if state != "running":
        raise StudyError(
            f"{what} while a search runs, but '{store.name}' is {state}. Run the search again: "
            "it goes on where it stopped, with the budget that its code gives."
        )


def _trial(store: SqlStore, number: int) -> Trial:
    row = store.trial_row(number)
    if row is None:
        raise InvalidInputError(
            f"The `trial` must be the number of a trial of '{store.name}', which has {store.info.trials}. Got {number}."
        )
    return row


def _tags(tags: Sequence[str]) -> tuple[str, ...]:
    """The tags without what is empty or said twice."""
    if isinstance(tags, str):
        raise InvalidInputError(f"The `tags` must be a list of words. Got the text {tags!r}.")
    clean = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(clean) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in clean):
        raise InvalidInputError(
            f"The `tags` must be at most {MOST_TAGS}, each of at most {LONGEST_TAG} characters. Got {len(clean)}, the "
            f"longest of {max(map(len, clean))}."
        )
    return clean
