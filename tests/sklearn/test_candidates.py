"""What differs between candidates becomes values; what is the same does not."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dialed.engine.failures import MemberFailed
from dialed.sklearn import KerasClassifier
from dialed.sklearn.candidates import CandidateModel, identity, shared_arguments
from dialed.space import Choice, HyperParameters

X, Y = np.ones((4, 3), np.float32), np.array([0, 1, 0, 1])


def build(units: int = 2, rate: float = 0.1, hidden: tuple[int, ...] = ()) -> keras.Model:
    """A model whose parameters tell what it was built with."""
    layers = [keras.layers.Dense(width) for width in (*hidden, units)]
    model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.SGD(rate), "binary_crossentropy")
    return model


def model_of(candidates: list[dict[str, Any]]) -> CandidateModel:
    """The build function of candidates of `build`."""
    estimators = [KerasClassifier(build).set_params(**params) for params in candidates]
    estimators[0].prepared(X, Y, None)
    return CandidateModel(estimators[0], [e.get_params(deep=False) for e in estimators], "plain")


def test_numbers_keep_their_values() -> None:
    """So that widths can share a program, and rates be inputs of it."""
    made = model_of([{"units": 4, "rate": 0.1}, {"units": np.int64(8), "rate": 0.2}])
    assert made.values == [{"model/units": 4, "model/rate": 0.1}, {"model/units": 8, "model/rate": 0.2}]
    built = made.build(HyperParameters(made.values[1]))
    assert built.layers[0].units == 8
    assert float(built.optimizer.learning_rate) == pytest.approx(0.2)


def test_objects_are_counted() -> None:
    """Tuples are told apart by what they hold, and reach the build function as they were."""
    made = model_of([{"hidden": (5,)}, {"hidden": (6, 7)}, {"hidden": (5,)}])
    assert [v["model/hidden"] for v in made.values] == ["0", "1", "0"]
    assert [layer.units for layer in made.build(HyperParameters(made.values[1])).layers] == [6, 7, 2, 1]


def test_a_parameter_that_a_candidate_lacks_has_the_functions_default() -> None:
    """Grids in a list have different parameters."""
    made = model_of([{"units": 4}, {"rate": 0.5}])
    assert made.build(HyperParameters(made.values[0])).layers[0].units == 4
    assert made.build(HyperParameters(made.values[1])).layers[0].units == 2


def test_parameters_of_training_alone_make_no_other_model() -> None:
    """Epochs, batch sizes and seeds differ without another build."""
    made = model_of([{"epochs": 1, "fit__batch_size": 3}, {"epochs": 2, "random_state": 3}])
    assert made.values == [{}, {}]


def test_a_model_that_wants_other_targets_fails() -> None:
    """It is then trained alone."""
    estimator = KerasClassifier(build)
    estimator.prepared(X, Y, None)
    with pytest.raises(MemberFailed, match="wants its targets plain, that of others onehot"):
        CandidateModel(estimator, [{}], "onehot").build(HyperParameters())


def test_arguments_that_differ_are_domains() -> None:
    """A hyperparameter of the argument's name."""
    assert shared_arguments([{"epochs": 1, "shuffle": True}, {"epochs": 3, "shuffle": True}]) == {
        "epochs": Choice([1, 3]),
        "shuffle": True,
    }


def test_identity_tells_kinds_apart() -> None:
    """1, 1.0 and True are three values; lists are equal by what they hold."""
    assert len({identity(1), identity(1.0), identity(True)}) == 3
    assert identity([1, {"a": "b"}]) == identity([1, {"a": "b"}])
    assert identity(np.float64(0.5)) == identity(0.5)
