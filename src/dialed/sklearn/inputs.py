"""Inputs and weights of a fit, checked as scikit-learn checks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dialed.errors import DataError

__all__ = ["Prepared", "checked", "weights_for"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """What an estimator trains on: inputs, encoded targets and weights, (samples, ...) each."""

    x: np.ndarray
    codes: np.ndarray
    weight: np.ndarray | None


def checked(estimator: Any, *arrays: Any, **options: Any) -> Any:
    """scikit-learn's validation, which also notes `n_features_in_` and `feature_names_in_`, under either of its names."""
    try:
        from sklearn.utils.validation import validate_data
    except ImportError:  # scikit-learn 1.5
        return estimator._validate_data(*arrays, **options)
    return validate_data(estimator, *arrays, **options)


def weights_for(y: np.ndarray, sample_weight: Any, class_weight: Any) -> np.ndarray | None:
    """One weight for each sample: `sample_weight` times that of its class; `None` where there are neither.

    Args:
        y: Labels as the user gave them.
        sample_weight: (samples,), or None.
        class_weight: A dict from label to weight, "balanced", or None.
    """
    weight = None if sample_weight is None else _checked(sample_weight, len(y))
    if class_weight is None:
        return weight
    from sklearn.utils.class_weight import compute_sample_weight

    by_class = np.asarray(compute_sample_weight(class_weight, y), np.float32)
    return by_class if weight is None else by_class * weight


def _checked(sample_weight: Any, samples: int) -> np.ndarray:
    weight = np.asarray(sample_weight, np.float32)
    if weight.ndim == 0:
        weight = np.full(samples, weight)
    if weight.shape != (samples,):
        raise DataError(
            f"`sample_weight` must hold one weight for each of the {samples:,} samples. Got shape {weight.shape}. "
            "Pass the weights in the order of `X`."
        )
    if not np.isfinite(weight).all():
        raise DataError(
            "`sample_weight` must hold finite numbers. Got NaN or infinity. Give such samples the weight 0.0."
        )
    if not weight.any():
        raise DataError(
            "`sample_weight` must hold a weight that is not zero. Got zeros only. Leave it out to weigh all alike."
        )
    return weight
