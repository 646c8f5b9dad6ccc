"""Before any training: what the default model measures, and whether the data fit it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import dialed
from dialed.engine.data import Data
from dialed.engine.probe import Probe, probe
from dialed.engine.recipe import Recipe
from dialed.errors import DataError, InvalidInputError

X = np.random.default_rng(0).normal(size=(40, 4))
Y = np.arange(40) % 3
BACKEND = keras.backend.backend()


def classifier(units: int = 3, loss: Any = "sparse_categorical_crossentropy", **compiled: Any) -> Callable[[Any], Any]:
    def build(hp: Any) -> keras.Model:
        model = keras.Sequential([keras.layers.Dense(units, activation="sigmoid")])
        model.compile("sgd", loss, **compiled)
        return model

    return build


def probed(build: Any, y: Any = Y, *, x: Any = X, max_parameters: int | None = None, **options: Any) -> Probe:
    data_options = {k: options.pop(k) for k in ("validation_split", "sample_weight") if k in options}
    return probe(Recipe(build, options, max_parameters=max_parameters), {}, Data.of(x, y, **data_options))


def test_the_names_are_those_of_the_logs() -> None:
    build = classifier(metrics=["accuracy", keras.metrics.SparseCategoricalCrossentropy(name="distance")])
    found = probed(build, validation_split=0.2)
    assert sorted(found.metric_names or ()) == sorted(
        ["loss", "accuracy", "distance", "val_loss", "val_accuracy", "val_distance"]
    )
    assert found.parameters == 15 and found.seconds > 0
    assert [metric.name for metric in found.metrics] == ["loss", "accuracy", "distance"]


def test_without_validation_data_there_are_no_names_of_it() -> None:
    assert probed(classifier()).metric_names == ("loss",)


def test_the_logs_of_a_step_of_the_users_own_are_seen() -> None:
    """Which is why the steps are traced: an evaluation of two samples would not run the training step."""

    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def train_step(self, *given: Any) -> Any:
            found = super().train_step(*given)
            if BACKEND == "jax":
                return {**found[0], "own": keras.ops.ones(())}, found[1]
            return {**found, "own": keras.ops.ones(())}

    def build(hp: Any) -> keras.Model:
        model = Own()
        model.compile("sgd", "mse")
        return model

    assert set(probed(build, validation_split=0.2).metric_names or ()) == {"loss", "own", "val_loss"}


@pytest.mark.skipif(BACKEND == "torch", reason="torch has no trace without running")
def test_nothing_is_trained_and_nothing_compiled() -> None:
    models: list[keras.Model] = []

    def build(hp: Any) -> keras.Model:
        models.append(classifier()(hp))
        return models[-1]

    probed(build, validation_split=0.2)
    assert int(models[0].optimizer.iterations) == 0
    assert models[0].train_function is None and models[0].test_function is None


def test_a_model_that_runs_eagerly_is_probed_too() -> None:
    assert probed(classifier(run_eagerly=True), validation_split=0.2).metric_names == ("loss", "val_loss")


@pytest.mark.parametrize("y", [Y + 1, Y - 1, Y + 0.5])
def test_labels_outside_the_classes_are_refused(y: Any) -> None:
    with pytest.raises(DataError, match="`y` must hold classes from 0 to 2, one for each of the 3 units .* Got labels"):
        probed(classifier(), y)


def test_validation_labels_count_too() -> None:
    y = np.concatenate([Y[:30], Y[30:] + 1])
    with pytest.raises(DataError, match="Got labels from 0 to 3"):
        probed(classifier(), y, validation_split=0.25)


def test_an_ignored_class_may_be_outside() -> None:
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=7)
    assert probed(classifier(loss=loss), np.where(Y == 2, 7, Y)).metric_names == ("loss",)


def test_binary_labels_must_be_0_and_1() -> None:
    with pytest.raises(DataError, match="labels from 0 to 1 for the loss binary_crossentropy. Got labels from -1 to 1"):
        probed(classifier(1, "binary_crossentropy"), np.where(Y == 0, -1, 1))


def test_each_output_is_compared_with_its_labels() -> None:
    def build(hp: Any) -> keras.Model:
        x = keras.Input((4,))
        model = keras.Model(x, {"a": keras.layers.Dense(2)(x), "b": keras.layers.Dense(1)(x)})
        model.compile("sgd", {"a": "sparse_categorical_crossentropy", "b": "mse"})
        return model

    with pytest.raises(DataError, match=r"`y`\['a'\] must hold classes from 0 to 1"):
        probed(build, {"a": Y, "b": Y})


def test_shapes_that_do_not_fit_are_refused_with_those_shapes() -> None:
    with pytest.raises(DataError, match=r"A batch of `x` \(32, 4\), `y` \(32, 5\) gave"):
        probed(classifier(loss="categorical_crossentropy"), np.ones((40, 5)))


def test_inputs_that_do_not_fit_are_refused() -> None:
    def build(hp: Any) -> keras.Model:
        model = keras.Sequential([keras.Input((9,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    with pytest.raises(DataError, match=r"A batch of `x` \(32, 4\)"):
        probed(build)


def test_the_defaults_must_give_a_model() -> None:
    def build(hp: Any) -> Any:
        hp.require(False, "not this one")

    with pytest.raises(InvalidInputError, match="The default values must give a model .*not this one"):
        probed(build)


@pytest.mark.parametrize("shape", [[], [keras.Input((4,))]], ids=["built by data", "built at once"])
def test_the_defaults_must_not_be_too_large(shape: list[Any]) -> None:
    def build(hp: Any) -> keras.Model:
        model = keras.Sequential([*shape, keras.layers.Dense(3)])
        model.compile("sgd", "mse")
        return model

    with pytest.raises(InvalidInputError, match="The model has 15 parameters, more than `max_parameters`, 14"):
        probed(build, max_parameters=14)


def test_weights_of_classes_and_of_samples_exclude_each_other() -> None:
    with pytest.raises(InvalidInputError, match="`class_weight` and `sample_weight` must not be given together"):
        probed(classifier(), sample_weight=np.ones(40), class_weight={0: 1.0, 1: 2.0, 2: 1.0})


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    num_batches = 2

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return X[:8], Y[:8]


def test_datasets_are_probed_by_their_first_batch() -> None:
    data = Data.of(Batches(), validation_data=(X, Y))
    assert probe(Recipe(classifier(), {}), {}, data).metric_names == ("loss", "val_loss")


def test_a_batch_size_cannot_be_tuned_where_there_are_batches_already() -> None:
    recipe = Recipe(classifier(), {"batch_size": dialed.Choice([4, 8])})
    with pytest.raises(InvalidInputError, match="`batch_size` must not be tuned .* Got .* and a Batches"):
        probe(recipe, {}, Data.of(Batches()))


def test_a_fit_of_the_users_own_may_measure_anything() -> None:
    class Own(dialed.HyperModel):
        def build(self, hp: Any) -> keras.Model:
            return classifier()(hp)

        def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
            return {"joy": 1.0}

    assert probed(Own()).metric_names is None
