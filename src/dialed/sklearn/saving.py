"""Keras models as bytes of the `.keras` format, so that fitted estimators can be pickled and copied."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialed.sklearn.compiling import quiet

__all__ = ["KerasBytes", "copied"]


@dataclass(frozen=True, slots=True)
class KerasBytes:
    """A model in the `.keras` format. Reading it runs no code that is in it: Keras's safe mode stays on."""

    data: bytes

    @classmethod
    def of(cls, model: Any) -> KerasBytes:
        """Save `model`, its compilation and its optimizer's state with it."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model.keras")
            if model.built and model.compiled and not model.optimizer.built:  # Keras could not load it again
                model.optimizer.build(model.trainable_variables)
            with quiet():
                model.save(path)
            return cls(path.read_bytes())

    def model(self) -> Any:
        """Load the model. Custom classes must be registered with `keras.saving.register_keras_serializable`."""
        import keras

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model.keras")
            path.write_bytes(self.data)
            return keras.saving.load_model(path)


def copied(model: Any) -> Any:
    """A copy of `model` that shares nothing with it."""
    return KerasBytes.of(model).model()
