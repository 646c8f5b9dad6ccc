"""The data of a search on the device, uploaded once; folds and held-out parts are rows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import keras
import numpy as np
from keras.src.trainers.data_adapters.data_adapter_utils import class_weight_to_sample_weights

from dialed.engine.data import Data
from dialed.engine.fused.tracing import Batch
from dialed.engine.samples import Samples

__all__ = ["Part", "Resident"]

_INDEX = np.int32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Rows of a batch structure that lies on the device."""

    data: Batch
    rows: np.ndarray

    @property
    def samples(self) -> int:
        """How many rows there are."""
        return len(self.rows)


class Resident:
    """The arrays of `data` on the device.

    Args:
        data: What a search trains on; `data.kind` is "arrays".
    """

    def __init__(self, data: Data) -> None:
        self._data = data
        self._x: dict[int, Any] = {}
        self._training: dict[Any, Batch] = {}
        self._judged: dict[int, Batch] = {}

    def training(self, fold: int, class_weight: Mapping[int, float] | None) -> Part:
        """What fold `fold` trains on."""
        samples = self._data.training
        assert isinstance(samples, Samples)
        key = None if class_weight is None else tuple(sorted(class_weight.items()))
        if key not in self._training:
            weights = samples.sample_weight
            if class_weight is not None:
                weights = class_weight_to_sample_weights(samples.y, class_weight)
            self._training[key] = self._uploaded(samples, weights)
        return Part(data=self._training[key], rows=self._rows(fold))

    def validation(self, fold: int) -> Part | None:
        """What fold `fold` is judged by; `None` without validation."""
        data = self._data
        if isinstance(data.validation, Samples):
            return Part(data=self._judged_by(data.validation), rows=np.arange(len(data.validation), dtype=_INDEX))
        if not data.has_validation:
            return None
        samples = data.training
        assert isinstance(samples, Samples)
        if data.cross_validation:
            rows = np.asarray(data.cross_validation[fold].test)
        else:
            rows = np.arange(data.split_at or 0, len(samples))
        return Part(data=self._judged_by(samples), rows=rows.astype(_INDEX))

    def _rows(self, fold: int) -> np.ndarray:
        data = self._data
        if data.cross_validation:
            return np.asarray(data.cross_validation[fold].train).astype(_INDEX)
        assert isinstance(data.training, Samples)
        return np.arange(data.split_at or len(data.training), dtype=_INDEX)

    def _judged_by(self, samples: Samples) -> Batch:
        if id(samples) not in self._judged:
            self._judged[id(samples)] = self._uploaded(samples, samples.sample_weight)
        return self._judged[id(samples)]

    def _uploaded(self, samples: Samples, weights: Any) -> Batch:
        """x, y and weights on the device. Where they are uploaded already, the same arrays."""
        if id(samples) not in self._x:
            self._x[id(samples)] = (_upload(samples.x), _upload(samples.y))
        x, y = self._x[id(samples)]
        if weights is not None and keras.tree.is_nested(y) and not keras.tree.is_nested(weights):
            weights = keras.tree.map_structure(lambda _: weights, samples.y)  # one weight a sample, for all outputs
        return x, y, _upload(weights)


def _upload(structure: Any) -> Any:
    """As Keras does: floats in the dtype of `keras.config.floatx()`, the rest as it is."""

    def one(array: np.ndarray) -> Any:
        is_float = keras.backend.is_float_dtype(keras.backend.standardize_dtype(array.dtype))
        return jax.device_put(array.astype(keras.config.floatx()) if is_float else array)

    return None if structure is None else keras.tree.map_structure(one, structure)
