"""What a study was asked to do, as JSON beside its events; and whether a new session may go on with it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from dialed.errors import StudyError
from dialed.search import Terms
from dialed.space import Space
from dialed.study.budget import Budget

__all__ = ["check_same_study", "run_settings", "say_differences", "unlike"]

_log = logging.getLogger("dialed")


def check_same_study(name: str, old: Terms, new: Terms) -> None:
    """Raise `StudyError` unless a session with the terms `new` may go on with a study begun under `old`.

    The budgets may change, and the epochs may grow. What may not change is what makes scores comparable.
    """
    for what, before, now in unlike(old, new):
        raise StudyError(
            f"The study '{name}' was begun with {what}={before}, so it cannot go on with {what}={now}: its "
            f"scores could not be compared. Pass {what}={before}, or give the search another `name`."
        )


def unlike(old: Terms, new: Terms) -> list[tuple[str, object, object]]:
    """What makes the scores of the two not comparable: its name, what it was, and what it is."""
    pairs: tuple[tuple[str, object, object], ...] = (
        ("objective", _objectives(old), _objectives(new)),
        ("repeats", len(old.seeds), len(new.seeds)),
        ("cv", len(old.folds), len(new.folds)),
        ("epochs", old.epochs, new.epochs),
        ("seed", old.seed, new.seed),
    )
    return [pair for pair in pairs if pair[1] != pair[2]]


def _objectives(terms: Terms) -> str:
    return ", ".join(f"'{objective.name}' ({objective.direction})" for objective in terms.objectives)


def say_differences(name: str, differences: Sequence[str], what: str) -> None:
    """Tell the user aloud that the space or the data of a resumed study are not what they were."""
    for sentence in differences:
        _log.warning("The %s of the study '%s' changed: %s", what, name, sentence)


def run_settings(
    *, terms: Terms, budget: Budget, strategy: object, space: Space, extra: Mapping[str, Any]
) -> dict[str, Any]:
    """The settings that are stored with a session, for people and for the next session."""
    from dialed import __version__

    return {
        "dialed": __version__,
        "strategy": repr(strategy),
        "repeats": len(terms.seeds),
        "folds": len(terms.folds),
        "epochs": terms.epochs,
        "seed": terms.seed,
        "constraints": [str(constraint) for constraint in terms.constraints],
        "max_trials": budget.max_trials,
        "max_epochs": budget.max_epochs,
        "max_seconds": budget.max_seconds,
        "space": space.to_json(),
        **extra,
    }
