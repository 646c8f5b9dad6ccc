"""What `run_trial` and `HyperModel.fit` may return: a number, a dict, a `History`, or a list of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from dialed.keras_tuner.engine.objective import DefaultObjective, Objective
from dialed.keras_tuner.errors import FatalTypeError, FatalValueError

__all__ = ["average", "best_epoch_of", "best_step_of", "check_results", "metrics_of"]


def metrics_of(results: Any, objective: Objective) -> dict[str, float]:
    """The metrics of a trial: of a `History` those of its best epoch, of a list the means of its entries."""
    if isinstance(results, list):
        return average([metrics_of(entry, objective) for entry in results])
    if _is_number(results):
        return {objective.name: float(results)}
    if isinstance(results, dict):
        return {name: float(value) for name, value in results.items()}
    epochs = _epochs(results)
    metrics = epochs[best_epoch_of(epochs, objective)]
    return {**metrics, objective.name: float(objective.get_value(metrics))}


def best_step_of(results: Any, objective: Objective) -> int:
    """The epoch of the best value, counted from 0; the mean over a list, and 0 without epochs."""
    if isinstance(results, list):
        return int(fmean(best_step_of(entry, objective) for entry in results))
    return best_epoch_of(_epochs(results), objective) if _is_history(results) else 0


def best_epoch_of(epochs: Sequence[Mapping[str, float]], objective: Objective) -> int:
    """The number of the first epoch with the best value. An epoch that measured no number never is."""
    values = [float(objective.get_value(metrics)) for metrics in epochs]
    known = [number for number, value in enumerate(values) if not np.isnan(value)]
    sign = -1.0 if objective.direction == "max" else 1.0
    return min(known, key=lambda number: sign * values[number], default=0)


def average(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric, over those that have it."""
    names = dict.fromkeys(name for metrics in several for name in metrics)
    return {name: float(np.mean([metrics[name] for metrics in several if name in metrics])) for name in names}


def check_results(results: Any, objective: Objective, source: str) -> None:
    """Refuse what cannot be a result.

    Args:
        results: What was returned.
        objective: What is to be found in it.
        source: Who returned it.

    Raises:
        FatalTypeError: It is of the wrong kind.
        FatalValueError: It lacks the objective.
    """
    if isinstance(results, list) and results:
        for entry in results:
            check_results(entry, objective, source)
        return
    if _is_number(results):
        return
    if results is None:
        raise FatalTypeError(f"{source} must return what was measured. The return value is None. Did you forget it?")
    if not isinstance(results, dict) and not _is_history(results):
        raise FatalTypeError(
            f"Expected the return value of {source} to be one of: a float, a dict, a `keras.callbacks.History`, a list of "
            f"these. Got {results!r:.80} ({type(results).__name__})."
        )
    _check_objective(results, objective, source)


def _check_objective(results: Any, objective: Objective, source: str) -> None:
    if isinstance(objective, DefaultObjective) and not (isinstance(results, dict) and objective.name in results):
        raise FatalTypeError(
            f"Expected the return value of {source} to be a single float when `objective` is left unspecified. Got "
            f"{type(results).__name__}. Pass for example objective='val_loss' to the tuner."
        )
    names = results if isinstance(results, dict) else results.history
    if not objective.has_value(names) and objective.name not in names:
        raise FatalValueError(
            f"{source} must return metrics that hold the `objective`, {objective.name}. Got {', '.join(names)}."
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.floating, np.integer)) and not isinstance(value, bool)


def _is_history(value: Any) -> bool:
    return isinstance(getattr(value, "history", None), dict)


def _epochs(history: Any) -> list[dict[str, float]]:
    """The metrics of each epoch."""
    count = max((len(values) for values in history.history.values()), default=0)
    return [{n: float(v[i]) for n, v in history.history.items() if i < len(v)} for i in range(count)]
