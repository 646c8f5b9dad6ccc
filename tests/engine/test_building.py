"""Models are built for a look without being compiled for."""

from contextlib import nullcontext

import jax
import numpy as np
import pytest

from dialed.engine.building import values_without_compiling
from dialed.study.arguments import SearchArguments
from dialed.study.budget import Budget

keras = pytest.importorskip("keras")

ROWS = np.zeros((40, 7), "float32")
LABELS = np.zeros((40, 1), "float32")


@pytest.fixture
def compiled():
    """The events of compilations, as they come."""
    events: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: events.append(event) if "backend_compile" in event else None
    )
    return events


def build(hp):
    model = keras.Sequential([keras.layers.Dense(hp.Int("units", 51, 59, step=4)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(hp.Float("rate", 1e-4, 1e-2)), "mse", metrics=["mae"])
    return model


def test_the_look_before_a_search_compiles_no_initial_value(compiled, monkeypatch):
    def prepared(width):
        def wider(hp):
            model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(width + hp.Int("more", 0, 8, step=4))])
            model.compile(keras.optimizers.Adam(hp.Float("rate", 1e-4, 1e-2)), "mse")
            return model

        return SearchArguments.of(ROWS, LABELS, {"validation_split": 0.5}).prepare(
            wider, objective="val_loss", cv=None, repeats=1, seed=0, budget=Budget(), max_parameters=None
        )

    prepared(31)  # whatever is compiled once only
    compiled.clear()
    assert prepared(53).builds > 1
    ours = len(compiled)
    monkeypatch.setattr("dialed.engine.building.values_without_compiling", nullcontext)
    compiled.clear()
    assert prepared(71).builds > 1
    assert ours <= 2 < len(compiled)  # two copies of the batch, whose shape no model decides


def test_a_model_that_waits_for_data_can_be_looked_at_without_compiling():
    arguments = SearchArguments.of(ROWS, LABELS, {"validation_split": 0.5, "batch_size": 8})
    found = arguments.prepare(
        build, objective="val_mae", cv=None, repeats=1, seed=0, budget=Budget(), max_parameters=None
    )
    assert found.probe.parameters == 7 * 51 + 51 + 51 + 1
    assert found.terms.objective.name == "val_mae"


def test_other_backends_initialise_as_ever(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with values_without_compiling():
        variable = keras.Variable(keras.initializers.Ones(), shape=(2,))
    assert variable._value is not None
