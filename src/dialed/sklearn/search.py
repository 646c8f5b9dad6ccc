"""`GridSearchCV` and `RandomizedSearchCV`: scikit-learn's, but a Keras estimator's candidates and folds train together."""

from __future__ import annotations

from typing import Any, Self

from sklearn import model_selection
from sklearn.model_selection import ParameterGrid, ParameterSampler

from dialed.sklearn.together import fit_together, reason_against

__all__ = ["GridSearchCV", "RandomizedSearchCV"]


class GridSearchCV(model_selection.GridSearchCV):  # type: ignore[misc]
    """scikit-learn's `GridSearchCV`: same arguments, same attributes, same scores.

    To choose: in the place of scikit-learn's, wherever the estimator is a `KerasClassifier` or a `KerasRegressor`, alone
    or at the end of a `Pipeline`. Then candidates times folds are trained together in few compiled programs, and
    `n_jobs` is not needed. Any other estimator is left to scikit-learn.

    Args:
        estimator: And all other arguments as for `sklearn.model_selection.GridSearchCV`.
    """

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Score all candidates, and refit the best one.

        Args:
            X: Inputs, (samples, ...).
            y: Targets, (samples,) or (samples, outputs).
            **params: For the estimator's `fit`, such as `sample_weight`; `groups` for the splits.

        Returns:
            The search itself.
        """
        if reason_against(self, params):
            super().fit(X, y, **params)
        else:
            self._validate_params()
            fit_together(self, list(ParameterGrid(self.param_grid)), X, y, params)
        return self


class RandomizedSearchCV(model_selection.RandomizedSearchCV):  # type: ignore[misc]
    """scikit-learn's `RandomizedSearchCV`: same arguments, same attributes, same candidates, same scores.

    To choose: as `GridSearchCV`, where a grid would be too large. Where many candidates are bad, `TunedSearchCV` finds
    good ones sooner.

    Args:
        estimator: And all other arguments as for `sklearn.model_selection.RandomizedSearchCV`.
    """

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Score all candidates, and refit the best one. Arguments as for `GridSearchCV.fit`."""
        if reason_against(self, params):
            super().fit(X, y, **params)
        else:
            self._validate_params()
            drawn = ParameterSampler(self.param_distributions, self.n_iter, random_state=self.random_state)
            fit_together(self, list(drawn), X, y, params)
        return self
