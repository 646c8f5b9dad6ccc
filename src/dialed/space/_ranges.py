"""What must hold for a range of numbers, and what is said where it does not."""

from __future__ import annotations

import math
from typing import Any, cast

from dialed.errors import SpaceError
from dialed.space._scales import NEAR, Sampling, scale_of
from dialed.space._values import is_number, plain

__all__ = ["checked_points", "checked_prior", "checked_settings", "number_of", "real", "whole"]

SAMPLINGS = ("linear", "log", "reverse_log")

LARGEST = 2**40
"""Integers up to here survive the way to the unit interval and back, also under log sampling (doubles have 53 bits)."""


def number_of(value: object) -> float | None:
    """`value` as a Python int or float; `None` where it is no finite number."""
    try:
        number = plain(value, argument="value")
    except SpaceError:
        return None
    return cast(float, number) if is_number(number) else None


def whole(value: object, argument: str) -> int:
    """`value` as an int; 3.0 counts as 3."""
    number = number_of(value)
    if number is None or number != int(number):
        raise SpaceError(f"`{argument}` of an Int must be an integer. Got {value!r}. Use Float for fractions.")
    if abs(number) > LARGEST:
        raise SpaceError(f"`{argument}` of an Int must lie between -2**40 and 2**40. Got {value!r}. Vary its exponent.")
    return int(number)


def real(value: object, argument: str) -> float:
    """`value` as a float."""
    number = number_of(value)
    if number is None:
        raise SpaceError(f"`{argument}` of a Float must be a finite number. Got {value!r}.")
    return float(number)


def checked_points(points: object) -> int | None:
    """`points` as a count."""
    if points is None:
        return None
    number = number_of(points)
    if number is None or number != int(number) or number < 1:
        raise SpaceError(f"`points` must be an integer of at least 1. Got {points!r}.")
    return int(number)


def checked_settings(low: float, high: float, step: float | None, sampling: str | None) -> dict[str, Any]:
    """The settings of a range, by name.

    Raises:
        SpaceError: They contradict each other.
    """
    name = "linear" if sampling is None else str(sampling).lower()  # None was KerasTuner's default once
    if name not in SAMPLINGS:
        raise SpaceError(f"`sampling` must be one of {', '.join(SAMPLINGS)}. Got {sampling!r}.")
    _check_range(low, high, name)
    if step is not None and name == "linear":
        _check_distance(low, high, step)
    elif step is not None:
        _check_factor(step, name)
    return {"min_value": low, "max_value": high, "step": step, "sampling": cast(Sampling, name)}


def checked_prior(prior: Any, low: float, high: float, step: object, sampling: object) -> Any:
    """`prior` as two floats inside the range, or "range_test".

    Raises:
        SpaceError: It is neither, or does not go with the other settings.
    """
    if prior is None:
        return None
    if step is not None:
        raise SpaceError(
            f"`prior` must come without a `step`. Got prior={prior!r}, step={step!r}. Leave one of them out."
        )
    if prior == "range_test":
        if sampling != "log":
            raise SpaceError(f"`prior`='range_test' must come with sampling='log'. Got sampling={sampling!r}.")
        return prior
    ends = [number_of(end) for end in prior] if isinstance(prior, (tuple, list)) and len(prior) == 2 else [None]
    if None in ends or not low <= cast(float, ends[0]) < cast(float, ends[1]) <= high:
        raise SpaceError(
            f"`prior` must be two rising numbers from {low} to {high}, between which half of the values lie, or "
            f"'range_test'. Got {prior!r}."
        )
    return tuple(float(cast(float, end)) for end in ends)


def _check_range(low: float, high: float, sampling: str) -> None:
    if low >= high:
        raise SpaceError(
            f"`min_value` must be below `max_value`. Got min_value={low}, max_value={high}. "
            f"For a single value, use Fixed({low})."
        )
    if sampling != "linear" and low <= 0:
        raise SpaceError(
            f"`min_value` must be above 0 with sampling={sampling!r}. Got min_value={low}. "
            f"Raise it, or use sampling='linear'."
        )
    if not math.isfinite(high - low) or (sampling != "linear" and not math.isfinite(high / low)):
        raise SpaceError(
            f"`max_value` must be near enough to `min_value` for float arithmetic. "
            f"Got min_value={low}, max_value={high}. Narrow the range."
        )


def _check_factor(step: float, sampling: str) -> None:
    if step <= 1:
        raise SpaceError(
            f"`step` must be above 1 with sampling={sampling!r}, where it is a factor. Got step={step}. "
            f"Leave it out for every value, or use sampling='linear'."
        )


def _check_distance(low: float, high: float, step: float) -> None:
    if step <= 0:
        raise SpaceError(f"`step` must be above 0. Got step={step}. Leave it out for every value.")
    count = (high - low) / step
    if count > LARGEST:
        raise SpaceError(f"`step` must be coarser: it makes {count:.3g} values. Got step={step}. Leave it out.")
    if round(count) < 1 or abs(count - round(count)) > max(NEAR, count * 1e-12):
        raise SpaceError(
            f"`step` must divide the range, so that `max_value` can be reached. "
            f"Got min_value={low}, max_value={high}, step={step}. "
            f"Use max_value={_reachable(low, step, count)}, or another step."
        )


def _reachable(low: float, step: float, count: float) -> str:
    """The ends next to the one that cannot be reached."""
    ends = [scale_of(low, low + steps * step, step, "linear").from_unit(1.0) for steps in _around(count)]
    return " or ".join(f"{end:.12g}" for end in ends)


def _around(count: float) -> list[int]:
    below, above = math.floor(count), math.ceil(count)
    return [below, above] if below >= 1 else [above]
