"""Optimizers, losses, metrics and callbacks are made fresh of what SciKeras's users give."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from dialed.errors import InvalidInputError
from dialed.sklearn.compiling import compile_arguments, made_callbacks, made_optimizer
from dialed.sklearn.routing import Routed, Signature


def made(named: dict[str, Any], extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """The arguments for `compile`."""
    given = {"optimizer": None, "loss": None, "metrics": None, **named}
    return compile_arguments(given, Routed.of(given, extra or {}, Signature.of(None)))


@pytest.mark.parametrize(
    "given", ["adam", keras.optimizers.Adam, keras.optimizers.Adam(0.1)], ids=["name", "class", "object"]
)
def test_an_optimizer_takes_settings(given: Any) -> None:
    """Names, classes and objects all take `optimizer__...`."""
    optimizer = made_optimizer(given, {"learning_rate": 0.5})
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert float(optimizer.learning_rate) == 0.5


def test_an_optimizer_is_copied() -> None:
    """Two members never share an optimizer's state; its own settings are kept."""
    given = keras.optimizers.SGD(0.25)
    copied = made_optimizer(given, {})
    assert copied is not given
    assert float(copied.learning_rate) == 0.25


def test_the_default_optimizer_is_kerass() -> None:
    """As `compile` has it."""
    assert isinstance(made({})["optimizer"], keras.optimizers.RMSprop)


@pytest.mark.parametrize("given", ["binary_crossentropy", keras.losses.BinaryCrossentropy])
def test_a_loss_takes_settings(given: Any) -> None:
    """`loss__from_logits` makes a loss object of a name or a class."""
    loss = made({"loss": given}, {"loss__from_logits": True})["loss"]
    assert isinstance(loss, keras.losses.BinaryCrossentropy)
    assert loss.from_logits


def test_a_loss_object_takes_settings() -> None:
    """The object itself stays as it is."""
    given = keras.losses.CategoricalCrossentropy()
    assert made({"loss": given}, {"loss__label_smoothing": 0.25})["loss"].label_smoothing == 0.25
    assert given.label_smoothing == 0.0


def test_a_loss_without_settings_is_refused() -> None:
    """A function of the user's has no settings."""

    def own_loss(y_true: Any, y_pred: Any) -> Any:
        return y_pred

    with pytest.raises(InvalidInputError, match="`loss__delta` needs a `loss` with settings"):
        made({"loss": own_loss}, {"loss__delta": 1.0})


def test_metrics_of_all_kinds_are_made() -> None:
    """Classes get settings, names stay, objects are copied."""
    given = keras.metrics.AUC()
    metrics = made({"metrics": ["accuracy", keras.metrics.Precision, given]}, {"metrics__thresholds": 0.25})["metrics"]
    assert metrics[0] == "accuracy"
    assert metrics[1].thresholds == [0.25]
    assert metrics[2] is not given


def test_metrics_may_be_named_by_output() -> None:
    """A dict of metrics stays one."""
    assert made({"metrics": {"a": ["accuracy"]}})["metrics"] == {"a": ["accuracy"]}


def test_prefixed_arguments_reach_compile() -> None:
    """`compile__...` is passed as it is."""
    assert made({}, {"compile__jit_compile": False})["jit_compile"] is False


def test_callbacks_are_fresh() -> None:
    """Objects are copied, classes called with their settings."""
    given = keras.callbacks.EarlyStopping(patience=3)
    copied, made_of_class = made_callbacks([given, keras.callbacks.EarlyStopping], {"patience": 2}) or []
    assert copied is not given
    assert (copied.patience, made_of_class.patience) == (3, 2)
    assert made_callbacks(None, {}) is None
