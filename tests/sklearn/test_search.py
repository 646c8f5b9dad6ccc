"""The searches give what scikit-learn's own give over the same estimator, in less time."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn import model_selection
from sklearn.datasets import load_digits
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from dialed.errors import InvalidInputError
from dialed.sklearn import GridSearchCV, KerasClassifier, KerasRegressor, RandomizedSearchCV
from dialed.sklearn.together import reason_against

DIGITS = load_digits()
X, Y = DIGITS.data[:160] / 16, DIGITS.target_names[DIGITS.target[:160]].astype(str)
TIMES = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")


def build(units: int = 8, rate: float = 0.05) -> keras.Model:
    """A small classifier of digits with dropout."""
    layers = [keras.layers.Dense(units, "relu"), keras.layers.Dropout(0.2), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.Input((64,)), *layers])
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def narrow(units: int) -> keras.Model:
    """One that some values cannot build."""
    if units < 4:
        raise ValueError("too narrow")
    return build(units)


def linear(rate: float) -> keras.Model:
    """A regressor that a large rate breaks."""
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def assert_same_results(ours: Any, theirs: Any) -> None:
    """Key by key: names, order, types, masks, ranks and scores; times are times."""
    assert list(ours) == list(theirs)
    for name, expected in theirs.items():
        found = ours[name]
        assert type(found) is type(expected)
        if name in TIMES:
            assert found.shape == expected.shape
            assert (found >= 0).all()
        elif name == "params":
            assert found == expected
        elif isinstance(expected, np.ma.MaskedArray):
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found.mask, expected.mask)
            np.testing.assert_array_equal(found.compressed(), expected.compressed())
        else:
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow
def test_a_grid_gives_what_scikit_learns_gives() -> None:
    """Widths, rates, epochs (of which the fewer are trained with the more), several scorers, train scores."""
    estimator = KerasClassifier(build, batch_size=32, epochs=3, random_state=0)
    grid = [{"units": [4], "epochs": [2, 3]}, {"optimizer__learning_rate": [0.2]}]
    options: dict[str, Any] = {
        "cv": KFold(2, shuffle=True, random_state=0),
        "scoring": ["accuracy", "roc_auc_ovr"],
        "refit": "accuracy",
        "return_train_score": True,
    }
    ours = GridSearchCV(estimator, grid, n_jobs=-1, **options).fit(X, Y)
    theirs = model_selection.GridSearchCV(estimator, grid, **options).fit(X, Y)
    assert_same_results(ours.cv_results_, theirs.cv_results_)
    assert (ours.best_index_, ours.best_params_) == (theirs.best_index_, theirs.best_params_)
    assert ours.best_score_ == pytest.approx(theirs.best_score_)
    assert (ours.n_splits_, ours.multimetric_, list(ours.scorer_)) == (2, True, list(theirs.scorer_))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    assert isinstance(ours.best_estimator_.model, keras.Model)
    assert len(ours.best_estimator_.history_["loss"]) == len(theirs.best_estimator_.history_["loss"])


@pytest.mark.slow
def test_a_pipeline_is_fitted_in_each_fold() -> None:
    """Earlier steps may vary too; early stopping on a part of the fold puts its best weights in place."""
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=0, restore_best_weights=True)
    last = KerasClassifier(
        build, epochs=4, random_state=0, validation_split=0.25, callbacks=stop, class_weight="balanced"
    )
    pipeline = Pipeline([("scale", StandardScaler()), ("keras", last)])
    grid = {"scale": [StandardScaler(), MinMaxScaler()], "keras__rate": [0.3]}
    weight = np.random.default_rng(0).random(len(X))
    ours = GridSearchCV(pipeline, grid, cv=2).fit(X, Y, keras__sample_weight=weight)
    theirs = model_selection.GridSearchCV(pipeline, grid, cv=2).fit(X, Y, keras__sample_weight=weight)
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=1e-6)
    assert ours.score(X, Y) == pytest.approx(theirs.score(X, Y))


@pytest.mark.slow
def test_failures_score_as_scikit_learns_do(capsys: pytest.CaptureFixture[str]) -> None:
    """A training that ends in NaN gets `error_score`; the others are scored; lines say what happened."""
    regressor = KerasRegressor(linear, epochs=3, random_state=0)
    search = GridSearchCV(regressor, {"rate": [0.01, 1e30]}, cv=2, error_score=-9.0, verbose=3)
    with pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 4"):
        search.fit(X, X[:, 3])
    assert search.cv_results_["mean_test_score"][1] == -9.0
    assert search.cv_results_["rank_test_score"].tolist() == [1, 2]
    told = capsys.readouterr().out
    assert "Fitting 2 folds for each of 2 candidates, totalling 4 fits" in told
    assert "[CV 2/2] END ..." in told
    assert "rate=1e+30; score=-9.000 total time=" in told


def test_an_error_may_be_raised() -> None:
    """The user's own, from the build function."""
    search = GridSearchCV(KerasClassifier(narrow), {"units": [1, 2]}, cv=2, error_score="raise")
    with pytest.raises(ValueError, match="too narrow"):
        search.fit(X, Y)


def test_a_search_of_failures_only_says_why() -> None:
    """With scikit-learn's words, and the user's own error."""
    search = GridSearchCV(KerasClassifier(narrow), {"units": [1, 2]}, cv=2)
    with pytest.raises(ValueError, match=r"(?s)All the 4 fits failed.*too narrow"):
        search.fit(X, Y)


@pytest.mark.slow
def test_a_random_search_draws_what_scikit_learns_draws() -> None:
    """The same candidates; a callable chooses among them, and a callable scores."""

    def score(estimator: Any, X: Any, y: Any) -> dict[str, float]:
        return {"right": float((estimator.predict(X) == y).sum()), "parameters": estimator.model_.count_params()}

    estimator = KerasClassifier(build, epochs=1, random_state=0)
    space = {"units": [4, 8], "rate": loguniform(1e-3, 1e-1)}
    search = RandomizedSearchCV(
        estimator, space, n_iter=3, cv=2, random_state=1, scoring=score, refit=lambda results: 2
    ).fit(X, Y)
    drawn = model_selection.ParameterSampler(space, 3, random_state=1)
    assert search.cv_results_["params"] == list(drawn)
    assert search.best_index_ == 2
    assert search.cv_results_["mean_test_right"].shape == (3,)
    assert not hasattr(search, "best_score_")


def test_other_estimators_are_left_to_scikit_learn() -> None:
    """The search is then scikit-learn's own."""
    search = GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1.0]}, cv=2).fit(X, Y)
    theirs = model_selection.GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1.0]}, cv=2).fit(X, Y)
    assert_same_results(search.cv_results_, theirs.cv_results_)


class OwnFit(KerasClassifier):
    """An estimator that trains in its own way."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **arguments: Any) -> Any:
        return super().fit(X, y, sample_weight, **arguments)


@pytest.mark.parametrize(
    ("estimator", "params", "reason"),
    [
        (KerasClassifier(build), {}, ""),
        (KerasClassifier(build), {"sample_weight": 1, "groups": 1}, ""),
        (KerasClassifier(build), {"epochs": 3}, "`epochs` is passed to `fit`"),
        (OwnFit(build), {}, "a `fit` of its own"),
        (LogisticRegression(), {}, "no Keras model"),
    ],
)
def test_what_is_left_to_scikit_learn_has_a_reason(estimator: Any, params: dict[str, Any], reason: str) -> None:
    """Only what an engine trains as `fit` would is trained together."""
    found = reason_against(GridSearchCV(estimator, {}), params)
    assert reason in found
    assert bool(reason) == bool(found)


def test_a_model_that_is_built_already_is_left_to_scikit_learn() -> None:
    """Its initial weights are the same in each fold."""
    search = GridSearchCV(KerasClassifier(build()), {"epochs": [1]})
    assert reason_against(search, {}) == "the model is built already"


def test_arguments_are_checked_as_scikit_learn_checks_them() -> None:
    """Before anything is trained."""
    with pytest.raises(ValueError, match="The 'refit' parameter of GridSearchCV must be"):
        GridSearchCV(KerasClassifier(build), {"units": [4]}, refit=3).fit(X, Y)
    with pytest.raises(InvalidInputError, match="Did you mean `units`"), warnings.catch_warnings():
        GridSearchCV(KerasClassifier(build), {"unit": [4]}, cv=2).fit(X, Y)
