"""Tuning models of scikit-learn, by cross-validation."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dialed.keras_tuner.engine.base_tuner import BaseTuner
from dialed.keras_tuner.engine.oracle import Oracle
from dialed.keras_tuner.engine.trial import Trial
from dialed.keras_tuner.errors import FatalRuntimeError

__all__ = ["SklearnTuner"]


class SklearnTuner(BaseTuner):
    """Tunes a scikit-learn model, or anything with `fit`, `predict` and `score`.

    Args:
        oracle: Chooses the values. Its objective is "score", the more the better, or a metric's name.
        hypermodel: A `HyperModel` or a build function.
        scoring: `scoring(model, x, y, sample_weight=...)`. Defaults to the model's `score`.
        metrics: Functions `metric(y, predicted, sample_weight=...)` to record as well. Defaults to none.
        cv: A splitter of scikit-learn. Defaults to five shuffled folds.

    The other arguments mean what they mean in `BaseTuner`.
    """

    def __init__(
        self,
        oracle: Oracle,
        hypermodel: Any,
        scoring: Callable[..., float] | None = None,
        metrics: Any = None,
        cv: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(oracle=oracle, hypermodel=hypermodel, **kwargs)
        from sklearn.model_selection import KFold

        self.scoring = scoring
        self.metrics = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics] if metrics else []
        self.cv = cv or KFold(5, shuffle=True, random_state=1)
        self._models: dict[str, Any] = {}

    def search(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> None:
        """Search.

        Args:
            X: Inputs, an array or a DataFrame.
            y: Targets.
            sample_weight: A weight for each sample. Defaults to none.
            groups: For splitters that keep groups together. Defaults to none.
        """
        super().search(X, y, sample_weight=sample_weight, groups=groups)

    def run_trial(self, trial: Trial, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Any:
        """Train and score the model of `trial` on each fold; the scores are averaged."""
        measured: dict[str, list[float]] = {}
        model = None
        for train, test in self.cv.split(X, y, **({} if groups is None else {"groups": groups})):
            model = self.hypermodel.build(trial.hyperparameters)
            _fit(model, _rows(X, train), _rows(y, train), _rows(sample_weight, train))
            for name, value in self._scores(model, _rows(X, test), _rows(y, test), _rows(sample_weight, test)).items():
                measured.setdefault(name, []).append(value)
        self.save_model(trial.trial_id, model)
        return {name: float(np.mean(values)) for name, values in measured.items()}

    def _scores(self, model: Any, x: Any, y: Any, weights: Any) -> dict[str, float]:
        score = model.score if self.scoring is None else lambda *args, **kw: self.scoring(model, *args, **kw)  # type: ignore[misc]
        scores = {"score": float(score(x, y, sample_weight=weights))}
        predicted = model.predict(x) if self.metrics else None
        return scores | {m.__name__: float(m(y, predicted, sample_weight=weights)) for m in self.metrics}

    def save_model(self, trial_id: str, model: Any, step: int = 0) -> None:
        """Keep the model of a trial, also as model.pickle in the trial's folder."""
        self._models[trial_id] = model
        Path(self.get_trial_dir(trial_id), "model.pickle").write_bytes(pickle.dumps(model))

    def load_model(self, trial: Trial) -> Any:
        """The model of a trial of this session.

        Raises:
            FatalRuntimeError: Another session trained it. A pickle can run any code, so it is not read unasked.
        """
        if trial.trial_id in self._models:
            return self._models[trial.trial_id]
        path = Path(self.get_trial_dir(trial.trial_id), "model.pickle")
        raise FatalRuntimeError(
            f"The model of trial {trial.trial_id} was trained in another session. It is in {path}, and a pickle can run "
            f"any code: if you trust the file, read it with `pickle.load`; or build and fit it anew with its values."
        )


def _rows(data: Any, indices: Any) -> Any:
    if data is None:
        return None
    if hasattr(data, "iloc"):
        return data.iloc[indices]
    if isinstance(data, np.ndarray):
        return data[indices]
    raise TypeError(
        f"Expected the data to be numpy.ndarray or pandas.DataFrame: `X`, `y` and `sample_weight`. Got "
        f"{type(data).__name__}. Pass `numpy.asarray(...)` of it."
    )


def _fit(model: Any, x: Any, y: Any, weights: Any) -> None:
    """Fit, with weights where there are any and the model takes them."""
    takes = "sample_weight" in inspect.signature(model.fit).parameters
    if weights is None or not takes:
        model.fit(x, y)
    else:
        model.fit(x, y, sample_weight=weights)
