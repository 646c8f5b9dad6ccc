"""A build function, whatever it asks for, makes a compiled model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dialed.errors import InvalidInputError
from dialed.sklearn import KerasClassifier
from dialed.sklearn.base import KerasEstimator

X, Y = np.random.default_rng(0).random((12, 3)).astype(np.float32), np.arange(12) % 3


def noted(estimator: KerasEstimator) -> KerasEstimator:
    """`estimator`, which knows its data."""
    estimator.prepared(X, Y, None)
    return estimator


def bare(units: int = 3) -> keras.Model:
    """A model that is not compiled."""
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(units)])


def compiled(units: int = 3) -> keras.Model:
    """A model that is."""
    model = bare(units)
    model.compile(keras.optimizers.SGD(0.5, momentum=0.25), "mse")
    return model


def test_a_bare_model_is_compiled() -> None:
    """With the estimator's loss and optimizer."""
    model = noted(KerasClassifier(bare, loss="mse", optimizer="sgd", optimizer__learning_rate=0.125)).made_model()
    assert model.loss == "mse"
    assert float(model.optimizer.learning_rate) == 0.125


def test_a_compiled_model_keeps_its_optimizer_but_for_settings() -> None:
    """`optimizer__learning_rate` changes the rate of whatever optimizer the function chose."""
    model = noted(KerasClassifier(compiled, optimizer__learning_rate=0.125)).made_model()
    assert float(model.optimizer.learning_rate) == 0.125
    assert model.optimizer.momentum == 0.25


def test_a_function_gets_what_it_asks_for() -> None:
    """`meta`, `compile_kwargs` and `params`, as SciKeras has them."""
    asked: dict[str, Any] = {}

    def build(meta: dict[str, Any], compile_kwargs: dict[str, Any], params: dict[str, Any]) -> keras.Model:
        asked.update(meta=meta, params=params)
        model = bare(meta["n_classes_"])
        model.compile(**compile_kwargs)
        return model

    model = noted(KerasClassifier(build, loss="mse", epochs=7)).made_model()
    assert asked["meta"]["n_features_in_"] == 3
    assert asked["meta"]["target_type_"] == "multiclass"
    assert asked["params"]["epochs"] == 7
    assert model.loss == "mse"


def test_no_loss_is_refused() -> None:
    """There is nothing to train for."""
    with pytest.raises(InvalidInputError, match="must return a compiled model, or `loss` must say"):
        noted(KerasClassifier(bare)).made_model()


def test_what_is_no_model_is_refused() -> None:
    """A forgotten return is the common reason."""
    with pytest.raises(InvalidInputError, match=r"must return a `keras.Model`. Got None \(NoneType\)"):
        noted(KerasClassifier(lambda: None)).made_model()


def test_both_names_are_refused() -> None:
    """`model` and `build_fn` mean the same."""
    with pytest.raises(InvalidInputError, match="One of `model` and `build_fn` must be given. Got both"):
        noted(KerasClassifier(bare, build_fn=bare)).made_model()


def test_what_is_neither_is_refused() -> None:
    """A number builds nothing."""
    with pytest.raises(InvalidInputError, match=r"`model` must be a function .* Got 3 \(int\)"):
        noted(KerasClassifier(3)).made_model()


def test_a_model_that_is_built_already_is_copied() -> None:
    """Training changes the copy."""
    given = compiled()
    made = noted(KerasClassifier(build_fn=given)).made_model()
    assert made is not given
    np.testing.assert_array_equal(made.get_weights()[0], given.get_weights()[0])
