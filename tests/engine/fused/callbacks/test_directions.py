"""The direction of a metric is what Keras finds, and is looked up in a built model once."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import callbacks, layers

from dialed.engine.fused.callbacks.directions import Directions
from dialed.engine.fused.callbacks.view import View


@pytest.fixture
def view():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy", "mae"])
    model.optimizer.build(model.trainable_variables)
    prepared = []

    def prepare():
        prepared.append(True)
        model._symbolic_build(data_batch=(np.zeros((4, 3), "float32"), np.zeros((4, 1), "float32"), None))

    view = View(model, prepare)
    view.prepared = prepared
    return view


@pytest.mark.parametrize(("metric", "better"), [("val_accuracy", keras.ops.greater), ("mae", keras.ops.less)])
def test_a_direction_is_that_of_keras(view, metric, better):
    directions = Directions()
    for _ in range(2):
        stop = callbacks.EarlyStopping(metric, min_delta=0.5)
        stop.set_model(view.model)
        directions.tell(stop, "digest", view)
        assert stop.monitor_op is better
        assert (stop.mode, stop.min_delta) == ("auto", 0.5 if better is keras.ops.greater else -0.5)
    assert len(view.prepared) == 1


def test_a_metric_that_is_missing_is_left_to_the_end_of_an_epoch(view):
    stop = callbacks.EarlyStopping("val_f1")
    stop.set_model(view.model)
    Directions().tell(stop, "digest", view)
    assert stop.monitor_op is None
    with pytest.raises(ValueError, match="automatically determine"):
        stop.on_epoch_end(0, {"val_f1": 1.0})
