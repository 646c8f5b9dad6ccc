"""What the tools are given, checked before anything is trained; and the interval that seeds allow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dialed.errors import InvalidInputError

if TYPE_CHECKING:
    from dialed.engine.data import Data
    from dialed.engine.recipe import Recipe

__all__ = [
    "check_two_batches",
    "data_for",
    "log_interval",
    "mean_interval",
    "no_values_for_a_model",
    "recipe_for",
    "seeds_from",
    "whole",
]


def whole(name: str, value: object, *, least: int = 1) -> int:
    """`value` as an int of at least `least`.

    Raises:
        InvalidInputError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InvalidInputError(f"`{name}` must be an int in the range [{least}, inf). Got {value!r}.")
    return int(value)


def data_for(
    x: Any,
    y: Any,
    *,
    batch_size: int,
    sample_weight: Any = None,
    validation_data: Any = None,
    validation_split: float = 0.0,
) -> Data:
    """The data, with at least two batches to train on.

    Raises:
        InvalidInputError: There are fewer.
        DataError: They cannot be trained on.
    """
    from dialed.engine.data import Data

    whole("batch_size", batch_size)
    data = Data.of(
        x, y, sample_weight=sample_weight, validation_data=validation_data, validation_split=validation_split
    )
    check_two_batches(data, batch_size)
    return data


def check_two_batches(data: Data, batch_size: int) -> None:
    """Raise `InvalidInputError` where there are fewer than two batches to train on."""
    samples = data.fold(0).samples
    if samples is not None and samples < 2 * batch_size:
        raise InvalidInputError(
            f"`batch_size` must leave at least two batches, or every step would see the same samples. Got {batch_size} for "
            f"{samples} samples to train on. Pass a smaller one."
        )


def recipe_for(build: Any, data: Data, batch_size: int) -> Recipe:
    """How models are made by `build`, for batches of so many samples."""
    from dialed.engine.recipe import Recipe

    return Recipe(build, {"batch_size": batch_size} if data.kind == "arrays" else {})


def no_values_for_a_model(values: Mapping[str, Any]) -> None:
    """Raise `InvalidInputError` where there are `values`: a model that is built has its own."""
    if values:
        raise InvalidInputError(f"`values` must come with a build function. Got {values!r} and a model that is built.")


def seeds_from(seed: int, count: int) -> tuple[int, ...]:
    """So many seeds, the same for the same `seed`.

    Raises:
        InvalidInputError: The count is no positive int.
    """
    return tuple(int(s) for s in np.random.SeedSequence(seed).generate_state(whole("seeds", count)))


def log_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of the mean of positive numbers, on the logarithmic scale (Student's t).

    `None` with fewer than two of them.

    Example:
        >>> [round(end, 2) for end in log_interval([1.0, 10.0, 100.0])]
        [0.03, 3048.86]
    """
    found = mean_interval([float(place) for place in np.log10(values)])
    return None if found is None else (10 ** found[0], 10 ** found[1])


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of the mean (Student's t); `None` with fewer than two values."""
    from scipy import stats

    if len(values) < 2:
        return None
    middle, error = float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * error
    return middle - half, middle + half
