"""Trials as a pandas table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dialed.errors import MissingDependencyError
from dialed.space import Space
from dialed.trial import Trial

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["trials_frame"]


def trials_frame(trials: Sequence[Trial], space: Space) -> pd.DataFrame:
    """One row a trial, indexed by its number; an inactive hyperparameter is missing (`NaN` or `None`)."""
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingDependencyError(
            "`to_pandas` needs pandas, which is not installed. Run: pip install 'dialed[pandas]'"
        ) from error
    names = list(space.names) or sorted({name for t in trials for name in t.values})
    frame = pd.DataFrame([_row(t, names) for t in trials], columns=[*_BEFORE, *names, *_AFTER])
    return frame.set_index("number")


_BEFORE = ("number", "state", "score", "spread")
_AFTER = ("epochs", "seconds", "parameters", "source", "cause", "message")


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
        "source": trial.source,
        "cause": None if trial.cause is None else str(trial.cause),
        "message": trial.message,
    }
