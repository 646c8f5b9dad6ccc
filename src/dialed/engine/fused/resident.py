"""The data of a search on the device, uploaded once; folds and held-out parts are rows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras.src.trainers.data_adapters.data_adapter_utils import class_weight_to_sample_weights

from dialed.engine.data import Data
from dialed.engine.fused.device import free_bytes
from dialed.engine.fused.mesh import on_all
from dialed.engine.fused.tracing import Batch
from dialed.engine.samples import Samples

__all__ = ["Part", "Resident", "reason_against_size"]

_INDEX = np.int32
_ROOM = 1.2
"""Beside the data there must be room for models."""


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
        self._prepared: dict[int, tuple[Samples, Samples]] = {}

    def training(self, fold: int, class_weight: Mapping[int, float] | None) -> Part:
        """What fold `fold` trains on."""
        samples = self._trained_on(fold)
        key: Any = None if class_weight is None else tuple(sorted(class_weight.items()))
        key = (id(samples), key)
        if key not in self._training:
            weights = samples.sample_weight
            if class_weight is not None:
                weights = class_weight_to_sample_weights(samples.y, class_weight)
            self._training[key] = self._uploaded(samples, weights)
        return Part(data=self._training[key], rows=self._rows(fold))

    def validation(self, fold: int) -> Part | None:
        """What fold `fold` is judged by; `None` without validation."""
        data = self._data
        if isinstance(data.validation, Samples) and data.preparation is None:
            return Part(data=self._judged_by(data.validation), rows=np.arange(len(data.validation), dtype=_INDEX))
        if not data.has_validation:
            return None
        if data.preparation is not None:
            held_out = self._prepared_fold(fold)[1]
            return Part(data=self._judged_by(held_out), rows=np.arange(len(held_out), dtype=_INDEX))
        samples = data.training
        assert isinstance(samples, Samples)
        if data.cross_validation:
            rows = np.asarray(data.cross_validation[fold].test)
        else:
            rows = np.arange(data.split_at or 0, len(samples))
        return Part(data=self._judged_by(samples), rows=rows.astype(_INDEX))

    def _trained_on(self, fold: int) -> Samples:
        """What lies on the device for the training of `fold`: all of it for all folds, or the fold as it was prepared."""
        if self._data.preparation is not None:
            return self._prepared_fold(fold)[0]
        assert isinstance(self._data.training, Samples)
        return self._data.training

    def _prepared_fold(self, fold: int) -> tuple[Samples, Samples]:
        """What fold `fold` trains on and is judged by; empty where it is not judged."""
        if fold not in self._prepared:
            made = self._data.fold(fold)
            x, y, weight = (*(made.validation or ()), None, None, None)[:3]
            training = Samples(x=made.x, y=made.y, sample_weight=made.sample_weight)
            self._prepared[fold] = training, Samples(x=x, y=y, sample_weight=weight)
        return self._prepared[fold]

    def _rows(self, fold: int) -> np.ndarray:
        data = self._data
        if data.preparation is not None:
            return np.arange(len(self._prepared_fold(fold)[0]), dtype=_INDEX)
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


def reason_against_size(data: Data) -> str:
    """Why the arrays of `data` cannot lie on the device as a whole; empty where they can."""
    parts = [part for part in (data.training, data.validation) if isinstance(part, Samples)]
    copies = len(data.folds) if data.preparation is not None else 1
    needed = copies * sum(_bytes(array) for part in parts for _, array in part.arrays())
    free = free_bytes()
    if needed * _ROOM <= free:
        return ""
    return (
        f"the data take {needed / 2**30:.1f} GiB on a device with {free / 2**30:.1f} GiB free; pass fewer rows or smaller "
        "types (uint8 images that the model rescales), or a dataset"
    )


def _bytes(array: Any) -> int:
    is_float = keras.backend.is_float_dtype(keras.backend.standardize_dtype(array.dtype))
    dtype = np.dtype(keras.config.floatx() if is_float else array.dtype)
    return int(array.size) * int(dtype.itemsize)


def _upload(structure: Any) -> Any:
    """As Keras does: floats in the dtype of `keras.config.floatx()`, the rest as it is."""

    def one(array: np.ndarray) -> Any:
        is_float = keras.backend.is_float_dtype(keras.backend.standardize_dtype(array.dtype))
        return on_all(array.astype(keras.config.floatx()) if is_float else array)

    return None if structure is None else keras.tree.map_structure(one, structure)
