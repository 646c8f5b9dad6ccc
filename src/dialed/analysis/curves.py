"""What the shape of one training says: two curves, as losses, and the findings that they bear out.

Each test asks for a change that is large against the curve's own noise and against what was gained in all, so that a
wiggle is no finding. Noise is read from second differences, which a smooth curve hardly has.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dialed.observe.text import format_score
from dialed.search.model.layout import Array

__all__ = ["LEAST_EPOCHS", "Curves", "Finding", "Kind", "findings_of", "noise_of"]

LEAST_EPOCHS = 5
"""A shorter training has no shape to speak of."""

SURE = 3.0
"""A change counts when it is so many standard errors."""

SMALL = 0.05
"""A change below this part of what was gained in all is none."""

STILL = 0.01
"""A curve that moves by less than this part of its first value has not moved."""

NOISY = 0.25
"""From this part of the gain on, the noise between epochs hides which epoch is the best."""


class Kind(StrEnum):
    """What may be the matter with a training."""

    DIVERGED = "diverged"
    STUCK = "stuck"
    OVERFITTING = "overfitting"
    UNDERFITTING = "underfitting"
    IMPROVING = "still improving"
    PLATEAU = "plateau"
    NOISY = "noisy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding, with its numbers in a sentence."""

    kind: Kind
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """One training, epoch by epoch, as losses (what is to rise is negated).

    Args:
        validation: Shape `(epochs,)`; NaN for epochs without one.
        training: The same metric on the training data; `None` where it was not recorded.
        sign: 1 where the metric itself is a loss, -1 where it was negated; for writing numbers.
    """

    validation: Array
    training: Array | None
    sign: float = 1.0

    @property
    def best(self) -> int:
        """The index of the best validation."""
        return int(np.nanargmin(self.validation))

    @property
    def gap(self) -> float | None:
        """How much worse validation is than training, at the best epoch."""
        if self.training is None:
            return None
        return float(self.validation[self.best] - self.training[self.best])

    def told(self, loss: float) -> str:
        """A value of these curves as the metric that the user knows."""
        return format_score(self.sign * loss)


def noise_of(curve: Array) -> float:
    """The standard deviation of one epoch about the curve's course, by the median of its second differences."""
    if len(curve) < 3:
        return 0.0
    return float(1.4826 * np.median(np.abs(np.diff(curve, 2))) / 6**0.5)


def findings_of(curves: Curves) -> tuple[Finding, ...]:
    """What one training shows by itself. Underfitting is seen only beside other trials."""
    kept = np.isfinite(curves.validation)
    if kept.sum() < LEAST_EPOCHS:
        return ()
    short = Curves(
        validation=curves.validation[kept],
        training=None if curves.training is None else curves.training[kept],
        sign=curves.sign,
    )
    found = [_diverged(short) or _stuck(short)]
    if found[0] is None:
        found = [_overfits(short) or _improves(short) or _plateau(short), _noisy(short)]
    return tuple(finding for finding in found if finding is not None)


def _diverged(curves: Curves) -> Finding | None:
    """Worse at the end than at the start, on the data that it trained on too."""
    first, last = _ends(curves.validation)
    noise = noise_of(curves.validation)
    if not _clearly(last - first, noise, len(curves.validation)) or last - first < STILL * abs(first):
        return None
    if curves.training is not None:
        begun, ended = _ends(curves.training)
        if ended <= begun:
            return None
    said = f"It grew worse as it trained: {curves.told(first)} at the start, {curves.told(last)} at the end."
    return Finding(kind=Kind.DIVERGED, sentence=said)


def _stuck(curves: Curves) -> Finding | None:
    """Neither curve moves beyond its noise."""
    curve = curves.validation if curves.training is None else curves.training
    first, last = _ends(curve)
    moved = abs(_slope(curve)[0]) * (len(curve) - 1)
    if _clearly(moved, noise_of(curve), len(curve)) and moved > STILL * abs(first):
        return None
    what = "validation" if curves.training is None else "training"
    said = f"It did not learn: {what} stayed at {curves.told(first)} to {curves.told(last)} in {len(curve)} epochs."
    return Finding(kind=Kind.STUCK, sentence=said)


def _overfits(curves: Curves) -> Finding | None:
    """Validation got worse after its best while training got better."""
    if curves.training is None:
        return None
    validation, training = curves.validation, curves.training
    tail = _tail(len(validation))
    turn = int(np.argmin(_smooth(validation)))
    if turn >= len(validation) - tail:
        return None
    worse = validation[-tail:].mean() - _smooth(validation)[turn]
    learnt = _smooth(training)[turn] - training[-tail:].mean()
    if not _clearly(worse, noise_of(validation), tail) or worse < SMALL * _gained(validation) or learnt <= 0:
        return None
    said = (
        f"It overfits: after epoch {turn + 1} validation went from {curves.told(_smooth(validation)[turn])} to "
        f"{curves.told(validation[-tail:].mean())}, training from {curves.told(_smooth(training)[turn])} to "
        f"{curves.told(training[-tail:].mean())}."
    )
    return Finding(kind=Kind.OVERFITTING, sentence=said)


def _improves(curves: Curves) -> Finding | None:
    """Validation still falls at the end."""
    last = curves.validation[-max(4, len(curves.validation) // 3) :]
    slope, error = _slope(last, noise_of(curves.validation))
    gain = -slope * (len(last) - 1)
    if slope > -SURE * error or gain < SMALL * _gained(curves.validation):
        return None
    said = f"It still improves at the end: by {format_score(gain)} in the last {len(last)} epochs."
    return Finding(kind=Kind.IMPROVING, sentence=said)


def _plateau(curves: Curves) -> Finding | None:
    """Validation does not move over the last half."""
    half = curves.validation[len(curves.validation) // 2 :]
    slope, _ = _slope(half)
    moved = abs(slope) * (len(half) - 1)
    gained = _gained(curves.validation)
    if len(half) < 4 or moved > max(SMALL * gained, 2 * noise_of(curves.validation) / len(half) ** 0.5):
        return None
    said = f"It stands still: validation moved by {format_score(moved)} in the last {len(half)} epochs."
    return Finding(kind=Kind.PLATEAU, sentence=said)


def _noisy(curves: Curves) -> Finding | None:
    validation = curves.validation
    noise = noise_of(validation)
    gained = float(validation[:2].mean() - np.median(validation[len(validation) // 2 :]))
    if gained <= 0 or noise < NOISY * gained:
        return None
    said = (
        f"It is noisy: validation jumps by {format_score(noise)} from epoch to epoch, against a gain of "
        f"{format_score(gained)} in all."
    )
    return Finding(kind=Kind.NOISY, sentence=said)


def _clearly(change: float, noise: float, epochs: int) -> bool:
    """Whether a difference of two means over some of `epochs` epochs is more than noise."""
    return bool(change > SURE * noise * (2.0 / _tail(epochs)) ** 0.5)


def _tail(epochs: int) -> int:
    return max(2, epochs // 5)


def _ends(curve: Array) -> tuple[float, float]:
    """The first value, and the mean of the last ones."""
    return float(curve[0]), float(curve[-_tail(len(curve)) :].mean())


def _gained(curve: Array) -> float:
    """From the start to the best of the smoothed curve."""
    return float(curve[0] - _smooth(curve).min())


def _smooth(curve: Array) -> Array:
    """The mean of three neighbours, two at the ends."""
    padded = np.concatenate([[np.nan], curve, [np.nan]])
    return np.asarray(np.nanmean([padded[:-2], padded[1:-1], padded[2:]], axis=0))


def _slope(curve: Array, noise: float | None = None) -> tuple[float, float]:
    """The slope of the line through `curve`, and its standard error for this much noise in each epoch."""
    place = np.arange(len(curve)) - (len(curve) - 1) / 2
    weight = float(place @ place)
    scatter = noise_of(curve) if noise is None else noise
    return float(place @ curve) / weight, scatter / weight**0.5
