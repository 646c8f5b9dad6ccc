"""Fitted estimators out of trained weights. Candidates of one architecture take turns in one model."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from typing import Any

from dialed.engine.building import build_from, is_built, symbolic, values_without_compiling
from dialed.engine.seeding import seeded
from dialed.engine.state import Snapshot, restore_callbacks, restore_weights
from dialed.sklearn.cells import assembled, last_of
from dialed.sklearn.compiling import made_callbacks
from dialed.sklearn.crowd import Trained

__all__ = ["Predictors"]

_MODELS = 32
"""Models that are kept: each holds its compiled predictions."""


class Predictors:
    """Makes fitted estimators. Each is fit for use until the next is made: they share models."""

    def __init__(self) -> None:
        self._models: dict[Hashable, Any] = {}
        self._of_candidate: dict[tuple[int, Hashable], Hashable] = {}

    def fitted(self, estimator: Any, trained: Trained) -> Any:
        """`estimator`, which has the candidate's parameters, as its training left it.

        Args:
            estimator: A pipeline or its last step, not fitted.
            trained: Has weights.
        """
        last, cell = last_of(estimator), trained.place.cell
        last.take_notes(cell.estimator)
        assert trained.arrays is not None
        model = self._model(last, trained)
        restore_weights(_weights(trained.arrays), model)
        _restore_best(last, model, trained)
        last.take_trained(model, trained.history)
        return assembled(estimator, cell.steps)

    def _model(self, last: Any, trained: Trained) -> Any:
        place = trained.place
        known = (place.candidate, place.cell.key)
        key = self._of_candidate.get(known)
        if key not in self._models:
            with values_without_compiling(), seeded(place.seed):
                model = last.made_model()
                build_from(model, None if is_built(model) else symbolic(place.cell.prepared.x[:1]))
            key = self._of_candidate[known] = (place.cell.key, _architecture(model) or place.candidate)
            self._models.setdefault(key, model)
        model = self._models[key] = self._models.pop(key)  # the last one used is the last to go
        for old in list(self._models)[:-_MODELS]:
            del self._models[old]
        return model


def _restore_best(last: Any, model: Any, trained: Trained) -> None:
    """Put the best weights in place where early stopping would have, at the end of training."""
    import keras

    routed = last.routed().to
    callbacks = made_callbacks(routed["fit"].get("callbacks"), routed["callbacks"]) or []
    restore_callbacks(Snapshot(arrays=dict(trained.arrays or {}), meta=dict(trained.meta)), callbacks)
    for callback in callbacks:
        stops = isinstance(callback, keras.callbacks.EarlyStopping) and callback.restore_best_weights
        if stops and callback.best_weights is not None:
            model.set_weights(callback.best_weights)


def _weights(arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {name: array for name, array in arrays.items() if name.startswith(("trainable/", "other/"))}


def _architecture(model: Any) -> str | None:
    """All that predictions depend on besides weights; `None` where code of the user's may be among it."""
    import keras

    layers = [type(layer) for layer in model._flatten_layers()]
    if any(kind.__module__.split(".")[0] != "keras" or kind is keras.layers.Lambda for kind in layers):
        return None
    if type(model) not in (keras.Sequential, keras.Model) and type(model).__name__ != "Functional":
        return None
    text = json.dumps(model.get_config(), sort_keys=True, default=str)
    losses = json.dumps([str(model.loss if isinstance(model.loss, str) else type(model.loss)), _logits(model.loss)])
    return None if '"function"' in text else text + losses


def _logits(loss: Any) -> bool:
    return bool(getattr(loss, "from_logits", False))
