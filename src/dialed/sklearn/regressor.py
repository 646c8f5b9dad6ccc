"""`KerasRegressor`: a Keras model that predicts numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.multiclass import type_of_target

from dialed.sklearn.base import KerasEstimator
from dialed.sklearn.inputs import weights_for
from dialed.sklearn.targets import Target

__all__ = ["KerasRegressor"]


class KerasRegressor(RegressorMixin, KerasEstimator):  # type: ignore[misc]
    """A Keras model as a scikit-learn regressor.

    To choose: as `KerasClassifier`, for numbers instead of classes. A model for several numbers a sample has one output
    of so many columns, or so many outputs.

    Args:
        model: As for `KerasClassifier`, and so are all others.

    Example:
        >>> import keras
        >>> from dialed.sklearn import KerasRegressor
        >>> def build(units=8):
        ...     return keras.Sequential([keras.layers.Dense(units, "relu"), keras.layers.Dense(1)])
        >>> KerasRegressor(build, units=16, loss="mse").get_params()["units"]
        16
    """

    def __init__(
        self,
        model: Any = None,
        *,
        build_fn: Callable[..., Any] | None = None,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        epochs: int = 1,
        batch_size: int | None = None,
        validation_split: float = 0.0,
        validation_batch_size: int | None = None,
        shuffle: bool | str = True,
        callbacks: Any = None,
        verbose: Any = 0,
        warm_start: bool = False,
        random_state: Any = None,
        **parameters: Any,
    ) -> None:
        given = dict(locals())
        self._store({name: given[name] for name in self._get_param_names()}, parameters)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one more epoch, on these samples."""
        goes_on = "model_" in vars(self)
        prepared = self.prepared(X, y, sample_weight, known=self.target_ if goes_on else None)
        first = self.current_epoch if goes_on else 0
        self._train(prepared, {"epochs": first + 1}, goes_on=goes_on, first=first)
        return self

    def predict(self, X: Any, **arguments: Any) -> np.ndarray:
        """Numbers for `X`: (samples,), or (samples, outputs) where `y` had so many columns."""
        outputs = self._outputs(X, arguments)
        found = np.concatenate(outputs, axis=1) if isinstance(outputs, list) else np.asarray(outputs)
        found = found.astype(self.y_dtype_)
        return found if self.target_.columns else found.reshape(len(found))

    @property
    def _labels(self) -> bool:
        return False

    def _note_target(self, y: np.ndarray) -> None:
        self.target_ = Target.of_numbers(y)
        self.n_outputs_ = self.target_.columns or 1
        self.y_dtype_ = y.dtype if y.dtype.kind == "f" else np.dtype(float)
        self.target_type_ = type_of_target(y)

    def _weights(self, y: np.ndarray, sample_weight: Any) -> np.ndarray | None:
        return weights_for(y, sample_weight, None)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # how good it is, is up to the build function
        tags.target_tags.multi_output = True
        return tags

    def _more_tags(self) -> dict[str, Any]:  # scikit-learn 1.5
        return {"multioutput": True, "poor_score": True}
