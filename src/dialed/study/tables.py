"""Trials as a pandas table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dialed.errors import MissingDependencyError
from dialed.objectives import keeps, value_of
from dialed.search import Terms
from dialed.search.front import front_of
from dialed.space import Space
from dialed.trial import Trial

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["trials_frame"]


def trials_frame(trials: Sequence[Trial], space: Space, terms: Terms) -> pd.DataFrame:
    """One row a trial, indexed by its number; an inactive hyperparameter is missing (`NaN` or `None`).

    Where the study has more than one objective or constraints, their values stand beside the score.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingDependencyError(
            "`to_pandas` needs pandas, which is not installed. Run: pip install 'dialed[pandas]'"
        ) from error
    names = list(space.names) or sorted({name for t in trials for name in t.values})
    beside = [name for name in terms.kept if name != terms.objective.name and name not in (*names, *_AFTER)]
    per_epoch = ["seconds_per_epoch"] if "seconds" in terms.kept else []  # "seconds" are those of the whole training
    front = {trial.number for trial in front_of(trials, terms)} if terms.others else set()
    marks = [*(["feasible"] if terms.constraints else []), *(["front"] if terms.others else [])]
    rows = [
        {
            **{name: value_of(t, name) for name in beside},
            "seconds_per_epoch": value_of(t, "seconds"),
            "feasible": keeps(t, terms.constraints),
            "front": t.number in front,
            **_row(t, names),
        }
        for t in trials
    ]
    frame = pd.DataFrame(rows, columns=[*_BEFORE, *beside, *per_epoch, *marks, *names, *_AFTER])
    return frame.set_index("number")


_BEFORE = ("number", "state", "score", "spread")
_AFTER = ("epochs", "seconds", "parameters", "latency", "source", "cause", "message")


def _row(trial: Trial, names: Sequence[str]) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": str(trial.state),
        "score": trial.score,
        "spread": trial.spread,
        **{name: trial.values.get(name) for name in names},
        "epochs": trial.epochs,
        "seconds": trial.seconds,
        "parameters": trial.parameters,
        "latency": value_of(trial, "latency"),
        "source": trial.source,
        "cause": None if trial.cause is None else str(trial.cause),
        "message": trial.message,
    }
