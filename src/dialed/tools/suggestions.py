"""What a curve of losses over rising values suggests: plain arithmetic on NumPy arrays."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SUGGESTIONS", "NoSuggestion", "Point", "smoothed", "suggest", "until_divergence"]

Floats = NDArray[np.float64]

DIVERGED = 4.0
"""So many times the fall of the loss above the lowest one, and the training has diverged."""

LEAST_FALL = 0.05
"""A loss that falls by less of its own size has not learned anything that could be told from noise."""

BEGUN = 0.1
"""From this share of the whole fall on, a loss is falling."""

LEAST_POINTS = 8
"""A curve with fewer losses has no shape."""


class NoSuggestion(Exception):
    """The curve says nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place on a curve: its index and its value."""

    index: int
    value: float


def smoothed(values: Floats, losses: Floats, decades: float) -> Floats:
    """`losses` averaged over neighbours in log `values`, by a Gaussian of standard deviation `decades`.

    Args:
        values: Rising and positive, (steps,).
        losses: (steps,). What is not finite is left out of the averages.
        decades: How far neighbours count, in powers of ten. Zero leaves the losses as they are.

    Returns:
        The averages, (steps,); NaN where no finite loss is near.
    """
    if decades <= 0:
        return np.array(losses, np.float64)
    places = np.log10(values)
    weights = np.exp(-0.5 * ((places[:, None] - places[None, :]) / decades) ** 2)
    known = np.isfinite(losses)
    total = weights[:, known].sum(axis=1)
    with np.errstate(invalid="ignore"):
        average: Floats = np.where(total > 1e-12, weights[:, known] @ losses[known] / np.maximum(total, 1e-300), np.nan)
    return average


def until_divergence(losses: Floats) -> int:
    """How many of `losses`, which are smooth, come before the training diverges.

    It has diverged where a loss is not finite, or so far above the lowest one before it as four times what the loss fell
    until then, or four times a quarter of what it began with.
    """
    first = losses[0]
    lowest = first
    for i, loss in enumerate(losses):
        if not np.isfinite(loss):
            return i
        lowest = min(lowest, loss)
        if loss - lowest > DIVERGED * max(first - lowest, 0.25 * abs(first)):
            return i
    return len(losses)


def valley(values: Floats, losses: Floats) -> Point:
    """Two thirds down the longest stretch over which the losses fall, between a tenth of the whole fall and the bottom.

    The stretch is the longest falling subsequence, so that single rises do not end it. After `valley` of fastai, which
    found it the stablest on noisy curves; that takes the whole curve, and so suggests the lower the lower the sweep begins.
    """
    bottom = int(np.argmin(losses))
    begun = losses[: bottom + 1] <= losses[0] - BEGUN * (losses[0] - losses[bottom])
    first = int(np.argmax(begun))
    stretch = _longest_fall(losses[first : bottom + 1])
    return _point(values, first + stretch[2 * len(stretch) // 3])


def steepest(values: Floats, losses: Floats) -> Point:
    """Where the losses fall fastest by the logarithm of the value (Smith 2017)."""
    return _point(values, int(np.argmin(np.gradient(losses, np.log10(values)))))


def slide(values: Floats, losses: Floats) -> Point:
    """The last place before the losses turn up for good where they still fall, coming down from the right.

    After the interval slide rule: from the end, walk left past the explosion and past the bottom, until the slope is at
    least a tenth of the steepest fall.
    """
    slope = np.gradient(losses, np.log10(values))
    enough = 0.1 * slope.min()
    bottom = int(np.argmin(losses))
    falling = [i for i in range(bottom + 1) if slope[i] <= enough]
    return _point(values, falling[-1] if falling else bottom)


def tenth_of_minimum(values: Floats, losses: Floats) -> Point:
    """A tenth of the value at which the loss is lowest: an old rule of thumb."""
    return _point(values, int(np.argmin(np.abs(np.log(values) - np.log(values[np.argmin(losses)] / 10)))))


SUGGESTIONS: dict[str, Callable[[Floats, Floats], Point]] = {
    "valley": valley,
    "steepest": steepest,
    "slide": slide,
    "minimum/10": tenth_of_minimum,
}
"""The rules by name. Each takes rising values and smooth losses of equal length, divergence cut off."""


def suggest(values: Floats, losses: Floats, noise: float = 0.0) -> dict[str, Point]:
    """What every rule suggests for a smooth curve.

    Args:
        values: Rising and positive, (steps,).
        losses: Smooth, (steps,).
        noise: The standard deviation of single losses around the curve. Defaults to 0.

    Raises:
        NoSuggestion: The loss is not finite from the start, did not fall, or the curve is too short.
    """
    if not np.isfinite(losses[0]):
        raise NoSuggestion(
            "the loss is not finite at the first step: look at the data, the loss and the initial weights"
        )
    used = until_divergence(losses)
    if used < LEAST_POINTS:
        raise NoSuggestion(
            f"the training diverged after {used} of {len(losses)} steps, at {values[min(used, len(values) - 1)]:.2g}: "
            "begin lower"
        )
    values, losses = values[:used], losses[:used]
    fall = losses[0] - losses.min()
    if fall <= LEAST_FALL * max(abs(losses[0]), 1e-12):
        raise NoSuggestion(
            f"the loss never fell by more than {LEAST_FALL:.0%} (it began at {losses[0]:.4g}, its lowest was "
            f"{losses.min():.4g}): try higher values, more steps, or look whether the model can learn at all"
        )
    if fall < noise:
        raise NoSuggestion(
            f"the loss fell by {fall:.4g}, less than batches differ by (standard deviation {noise:.4g}): take larger "
            "batches, more seeds, or more steps"
        )
    return {name: rule(values, losses) for name, rule in SUGGESTIONS.items()}


def _point(values: Floats, index: int) -> Point:
    return Point(index, float(values[index]))


def _longest_fall(losses: Floats) -> list[int]:
    """The indices of the longest falling subsequence (patience sorting, n log n)."""
    tails: list[float] = []
    ends: list[int] = []
    before: list[int] = []
    for i, loss in enumerate(-losses):
        place = bisect_left(tails, loss)
        before.append(ends[place - 1] if place else -1)
        if place == len(tails):
            tails.append(loss)
            ends.append(i)
        else:
            tails[place], ends[place] = loss, i
    chain, at = [], ends[-1]
    while at >= 0:
        chain.append(at)
        at = before[at]
    return chain[::-1]
