"""`KerasClassifier`: a Keras model that predicts classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from dialed.sklearn.base import KerasEstimator
from dialed.sklearn.inputs import weights_for
from dialed.sklearn.outputs import chosen, margins, means_margins, probabilities
from dialed.sklearn.targets import Target

__all__ = ["KerasClassifier"]


def _gives_probabilities(estimator: KerasClassifier) -> bool:
    model = vars(estimator).get("model_")
    return model is None or not means_margins(model, hinge_only=True)


def _gives_margins(estimator: KerasClassifier) -> bool:
    model = vars(estimator).get("model_")
    return model is not None and means_margins(model) and estimator.target_.kind == "classes"


class KerasClassifier(ClassifierMixin, KerasEstimator):  # type: ignore[misc]
    """A Keras model as a scikit-learn classifier.

    To choose: to use a Keras model where scikit-learn expects an estimator. To tune one alone, `dialed.Tuner` shows more.

    The labels may be of any kind; a model whose loss wants one column a class gets one. Parameters of the build function
    are given by their names, those of others with a prefix: `optimizer__learning_rate`, `fit__epochs`.

    Args:
        model: A function that returns a Keras model, or a Keras model, of which copies are trained. A function may take
            `meta` (what the data are: `n_features_in_`, `n_classes_`, ...), `compile_kwargs` and `params` too.
        build_fn: The same under its older name.
        optimizer: A name, class or object, for models that are not compiled. Defaults to "rmsprop".
        loss: The same for the loss. Defaults to none.
        metrics: A list of metrics. Defaults to none.
        epochs: Passes over the data. Defaults to 1.
        batch_size: Samples of a step; -1 for all. Defaults to 32.
        validation_split: The share of the samples at the end that is held out. Defaults to 0.0.
        validation_batch_size: Samples judged at once. Defaults to `batch_size`.
        shuffle: Whether each epoch has another order. Defaults to True.
        callbacks: Objects, which are copied, or classes, which get the settings `callbacks__...`. Defaults to none.
        class_weight: A weight for each label, or "balanced". Defaults to none.
        verbose: What `model.fit` shows. Defaults to 0.
        warm_start: Whether a second `fit` trains the same model. Defaults to False.
        random_state: Makes training repeatable. Defaults to None.
        **parameters: For the build function, or with a prefix.

    Example:
        >>> import keras
        >>> from dialed.sklearn import KerasClassifier
        >>> def build(meta, units=8):
        ...     layers = [keras.layers.Dense(units), keras.layers.Dense(meta["n_classes_"], "softmax")]
        ...     return keras.Sequential([keras.Input((meta["n_features_in_"],)), *layers])
        >>> classifier = KerasClassifier(build, units=16, loss="sparse_categorical_crossentropy", epochs=3)
        >>> classifier.get_params()["units"]
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
        class_weight: Any = None,
        verbose: Any = 0,
        warm_start: bool = False,
        random_state: Any = None,
        **parameters: Any,
    ) -> None:
        given = dict(locals())
        self._store({name: given[name] for name in self._get_param_names()}, parameters)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one more epoch, on these samples.

        Args:
            X: Inputs as for `fit`.
            y: Labels.
            classes: All labels there are, for the first call. Defaults to those in `y`.
            sample_weight: As for `fit`. Defaults to None.
        """
        goes_on = "model_" in vars(self)
        if not goes_on:
            self._known_classes = classes
        try:
            prepared = self.prepared(X, y, sample_weight, known=self.target_ if goes_on else None)
        finally:
            self._known_classes = None
        first = self.current_epoch if goes_on else 0
        self._train(prepared, {"epochs": first + 1}, goes_on=goes_on, first=first)
        return self

    def predict(self, X: Any, **arguments: Any) -> np.ndarray:
        """The most probable labels for `X`: (samples,), or as `y` was."""
        outputs = self._outputs(X, arguments)
        return self.target_.labels(chosen(outputs, self.model_, self.target_))

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator, unused-ignore]
    def predict_proba(self, X: Any, **arguments: Any) -> Any:
        """The probability of each class, (samples, classes), columns in the order of `classes_`.

        A list of such arrays where the model has several outputs. There is none for hinge losses.
        """
        return probabilities(self._outputs(X, arguments), self.model_, self.target_)

    @available_if(_gives_margins)  # type: ignore[untyped-decorator, unused-ignore]
    def decision_function(self, X: Any, **arguments: Any) -> np.ndarray:
        """The outputs of a model that is trained from logits or with a hinge loss; (samples,) for two classes."""
        return margins(self._outputs(X, arguments), self.target_)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of samples whose labels are all right."""
        predicted, true = self.predict(X), np.asarray(y)
        if self.target_.kind == "several":
            return float(np.average((predicted == true).all(axis=1), weights=sample_weight))
        return float(accuracy_score(true, predicted, sample_weight=sample_weight))

    @property
    def _labels(self) -> bool:
        return True

    def _note_target(self, y: np.ndarray) -> None:
        check_classification_targets(y)
        self.target_ = target = Target.of_classes(y, vars(self).get("_known_classes"))
        several = target.kind == "several"
        self.classes_ = list(target.classes) if several else target.classes[0]
        self.n_classes_ = [len(known) for known in target.classes] if several else len(target.classes[0])
        self.n_outputs_ = len(target.classes)
        self.target_type_ = "multiclass-onehot" if target.kind == "onehot" else type_of_target(y)

    def _weights(self, y: np.ndarray, sample_weight: Any) -> np.ndarray | None:
        return weights_for(y, sample_weight, self.class_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.poor_score = True  # how good it is, is up to the build function
        tags.target_tags.multi_output = True
        return tags

    def _more_tags(self) -> dict[str, Any]:  # scikit-learn 1.5
        return {"multilabel": True, "multioutput": True, "poor_score": True}
