"""Choosing models to average by their predictions."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from dialed.engine.samples import Samples
from dialed.engine.selection import chosen, loss_of
from dialed.errors import ObjectiveError
from dialed.trial import Objective

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(size=(400, 1))


def squared(predictions, rows):
    return float(np.mean((predictions[rows] - TRUTH[rows]) ** 2))


def test_models_whose_errors_differ_are_averaged_and_the_gain_holds_on_other_rows():
    predictions = [TRUTH + RANDOM.normal(size=TRUTH.shape) for _ in range(4)]
    choice = chosen(predictions, squared, rows=len(TRUTH), most=4)
    assert len(choice.places) == 4
    assert choice.together == pytest.approx(0.25, abs=0.06)
    assert np.mean(choice.gains) == pytest.approx(choice.alone - choice.together, abs=0.1)


def test_the_best_alone_comes_first_and_no_more_than_asked_for_are_taken():
    predictions = [TRUTH + noise * RANDOM.normal(size=TRUTH.shape) for noise in (0.6, 0.5, 0.6)]
    assert chosen(predictions, squared, rows=len(TRUTH), most=1).places == (1,)
    assert len(chosen(predictions, squared, rows=len(TRUTH), most=2).places) == 2


def test_a_model_that_makes_it_worse_is_left_out():
    predictions = [TRUTH + 0.1, TRUTH + 5.0]
    choice = chosen(predictions, squared, rows=len(TRUTH), most=2)
    assert choice.places == (0,)
    assert choice.alone == choice.together
    assert choice.gains == (0.0,) * 5


def test_models_of_noise_gain_nothing_on_rows_that_did_not_choose():
    """Each row's prediction is a coin: what chose twenty of sixty is luck, and the gain says so."""
    labels = np.random.default_rng(1).integers(2, size=60)

    def errors(predictions, rows):
        return float(np.mean((predictions[rows] > 0.5) != labels[rows]))

    predictions = [np.random.default_rng(i).random(60) for i in range(60)]
    choice = chosen(predictions, errors, rows=60, most=8)
    assert choice.alone - choice.together > 0.05
    assert np.mean(choice.gains) < 0.5 * (choice.alone - choice.together)


def test_few_rows_tell_no_gain():
    predictions = [TRUTH[:10] + 0.1, TRUTH[:10] - 0.1]
    assert chosen(predictions, squared, rows=10, most=2).gains == ()


def model():
    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


@pytest.mark.parametrize(("name", "direction", "sign"), [("val_loss", "min", 1), ("val_accuracy", "max", -1)])
def test_predictions_are_judged_as_the_model_evaluates(name, direction, sign):
    made = model()
    data = Samples(x=RANDOM.normal(size=(20, 2)).astype("float32"), y=np.arange(20) % 2)
    loss = loss_of(made, data, Objective(name, direction))
    evaluated = made.evaluate(data.x, data.y, return_dict=True, verbose=0)
    predictions = made.predict(data.x, verbose=0)
    assert loss(predictions, np.arange(20)) == pytest.approx(sign * evaluated[name.removeprefix("val_")], rel=1e-5)


def test_an_objective_that_is_no_metric_of_the_model_is_told():
    data = Samples(x=np.zeros((4, 2), "float32"), y=np.zeros(4, int))
    with pytest.raises(
        ObjectiveError, match="must be the loss or a metric that the model is compiled with.*Got 'val_x'"
    ):
        loss_of(model(), data, Objective("val_x", "max"))(np.full((4, 2), 0.5), np.arange(4))
