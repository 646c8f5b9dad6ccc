"""`KerasClassifier` predicts labels of any kind and shape."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dialed.sklearn import KerasClassifier

RNG = np.random.default_rng(0)
X = RNG.random((20, 3)).astype(np.float32)


def compiled(output: Any, loss: Any) -> keras.Model:
    """A model of one layer or several outputs, which runs op by op."""
    inputs = keras.Input((3,))
    outputs = [layer(inputs) for layer in output] if isinstance(output, list) else output(inputs)
    model = keras.Model(inputs, outputs)
    model.compile("sgd", loss, run_eagerly=True)
    return model


def fitted(y: Any, output: Any, loss: Any, **parameters: Any) -> KerasClassifier:
    """A classifier after one epoch."""
    return KerasClassifier(lambda: compiled(output, loss), batch_size=-1, random_state=0, **parameters).fit(X, y)


def test_one_hot_targets_are_predicted_as_such() -> None:
    """As tutorials with `to_categorical` have them."""
    y = np.eye(4, dtype=int)[RNG.integers(4, size=20)]
    classifier = fitted(y, keras.layers.Dense(4, "softmax"), "categorical_crossentropy")
    assert classifier.predict(X).sum(axis=1).tolist() == [1] * 20
    assert classifier.target_type_ == "multiclass-onehot"
    assert 0.0 <= classifier.score(X, y) <= 1.0


def test_several_labels_a_sample_are_predicted() -> None:
    """Probabilities are those of each label."""
    y = RNG.integers(2, size=(20, 3))
    classifier = fitted(y, keras.layers.Dense(3, "sigmoid"), "binary_crossentropy")
    assert set(np.unique(classifier.predict(X))) <= {0, 1}
    assert classifier.predict_proba(X).shape == (20, 3)


def test_several_outputs_are_predicted() -> None:
    """A column of labels for each output, a list of probabilities, and a score of rows that are all right."""
    y = np.stack([RNG.choice(["a", "b", "c"], 20), RNG.choice(["u", "v"], 20)], axis=1)
    layers = [keras.layers.Dense(3, "softmax"), keras.layers.Dense(2, "softmax")]
    classifier = fitted(y, layers, ["sparse_categorical_crossentropy"] * 2)
    predicted = classifier.predict(X)
    assert predicted.shape == (20, 2)
    assert set(predicted[:, 1]) <= {"u", "v"}
    assert [p.shape for p in classifier.predict_proba(X)] == [(20, 3), (20, 2)]
    assert classifier.score(X, y) == (predicted == y).all(axis=1).mean()


def test_a_hinge_loss_gives_margins_and_no_probabilities() -> None:
    """The sign of the margin is the prediction."""
    y = RNG.choice(["left", "right"], 20)
    classifier = fitted(y, keras.layers.Dense(1), "hinge")
    assert not hasattr(classifier, "predict_proba")
    right = classifier.decision_function(X) > 0
    assert (classifier.predict(X) == np.where(right, "right", "left")).all()


def test_logits_give_margins_and_probabilities() -> None:
    """Both agree."""
    y = RNG.integers(3, size=20)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier = fitted(y, keras.layers.Dense(3), loss)
    assert (classifier.decision_function(X).argmax(axis=1) == classifier.predict_proba(X).argmax(axis=1)).all()


def test_probabilities_have_no_margins() -> None:
    """scikit-learn's scorers then take the probabilities."""
    y = RNG.integers(3, size=20)
    classifier = fitted(y, keras.layers.Dense(3, "softmax"), "sparse_categorical_crossentropy")
    assert not hasattr(classifier, "decision_function")
    np.testing.assert_allclose(classifier.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


def test_class_weights_are_weights_of_samples() -> None:
    """Training with one is training with the other."""
    y = np.arange(20) % 2
    by_class, by_sample = (
        KerasClassifier(
            lambda: compiled(keras.layers.Dense(1, "sigmoid"), "binary_crossentropy"),
            batch_size=-1,
            random_state=0,
            class_weight=weight,
        )
        for weight in ({0: 1.0, 1: 3.0}, None)
    )
    by_class.fit(X, y)
    by_sample.fit(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    np.testing.assert_array_equal(by_class.predict_proba(X), by_sample.predict_proba(X))


@pytest.mark.parametrize("size", [1, 1000])
def test_predictions_take_arguments(size: int) -> None:
    """How many samples at once changes nothing but the time."""
    y = np.arange(20) % 2
    classifier = fitted(y, keras.layers.Dense(1, "sigmoid"), "binary_crossentropy", predict__batch_size=7)
    np.testing.assert_allclose(classifier.predict_proba(X, batch_size=size), classifier.predict_proba(X), rtol=1e-6)
