"""Schedules that only fall: by time, in steps, by a factor, as a power, as a cosine; and one that stays."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from dialed.tools.schedules._base import Length, Schedule, checked_number

__all__ = ["Constant", "Cosine", "Exponential", "Polynomial", "StepDecay", "TimeDecay"]

_registered = keras.saving.register_keras_serializable(package="dialed")


@_registered
class Constant(Schedule):
    """The same rate throughout: for a warm-up around it, or as one of several choices.

    Args:
        peak: The learning rate.
        steps: As for all schedules. Defaults to None.
    """

    def rate(self, step: Any) -> Any:
        """`peak`."""
        return self.peak + 0.0 * step


@_registered
class TimeDecay(Schedule):
    """Time-based decay: `peak / (1 + decay * step / length)`.

    Choose it to follow older recipes; it falls fast at first and hardly at the end.

    Args:
        peak: The learning rate at the start.
        decay: How strong: after `length` the rate is `peak / (1 + decay)`. Defaults to 9.0, a tenth.
        length: Steps (int) or share of the training (float). Defaults to 1.0.
        steps: Of the whole training. Defaults to None: a search says it.
    """

    _lengths = ("length",)

    def __init__(self, peak: float, *, decay: float = 9.0, length: Length = 1.0, steps: int | None = None) -> None:
        self.decay = checked_number(TimeDecay, "decay", decay, low=0.0)
        self._set_length("length", length)
        super().__init__(peak, steps=steps)

    def rate(self, step: Any) -> Any:
        """`peak / (1 + decay * step / length)`."""
        return self.peak / (1.0 + self.decay * (step / self._length_steps))

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "decay": self.decay}


@_registered
class StepDecay(Schedule):
    """Stays, and falls at once: `peak * factor ** floor(step / every)`.

    Choose it for SGD on images, where it is the classic. `Cosine` does as well without the choice of where to fall.

    Args:
        peak: The learning rate at the start.
        factor: What each fall multiplies by, in (0, 1]. Defaults to 0.1.
        every: Steps (int) or share of the training (float) between falls. Defaults to 1 / 3.
        steps: Of the whole training. Defaults to None: a search says it.
    """

    _lengths = ("every",)

    def __init__(
        self, peak: float, *, factor: float = 0.1, every: Length = 1.0 / 3.0, steps: int | None = None
    ) -> None:
        self.factor = checked_number(StepDecay, "factor", factor, low=0.0, high=1.0, open_low=True)
        self._set_length("every", every)
        super().__init__(peak, steps=steps)

    def rate(self, step: Any) -> Any:
        """`peak * factor ** floor(step / every)`."""
        falls = ops.floor(step / self._every_steps)
        return self.peak * ops.power(ops.convert_to_tensor(self.factor, "float32"), falls)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "factor": self.factor}


@_registered
class Exponential(Schedule):
    """Falls by the same factor in equal times: `peak * factor ** (step / length)`.

    Args:
        peak: The learning rate at the start.
        factor: What is left of it after `length`, in (0, 1]. Defaults to 0.01.
        length: Steps (int) or share of the training (float). Defaults to 1.0.
        steps: Of the whole training. Defaults to None: a search says it.
    """

    _lengths = ("length",)

    def __init__(self, peak: float, *, factor: float = 0.01, length: Length = 1.0, steps: int | None = None) -> None:
        self.factor = checked_number(Exponential, "factor", factor, low=0.0, high=1.0, open_low=True)
        self._set_length("length", length)
        super().__init__(peak, steps=steps)

    def rate(self, step: Any) -> Any:
        """`peak * factor ** (step / length)`."""
        return self.peak * ops.power(ops.convert_to_tensor(self.factor, "float32"), step / self._length_steps)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "factor": self.factor}


@_registered
class Polynomial(Schedule):
    """Falls to `end` as a power of what is left: `peak * ((1 - end) * (1 - step / length) ** power + end)`.

    With `power=1`, the default, a straight line to 0: the simplest schedule that is good nearly everywhere.

    Args:
        peak: The learning rate at the start.
        end: The share of `peak` that stays. Defaults to 0.0.
        power: Of what is left. Defaults to 1.0.
        length: Steps (int) or share of the training (float). Defaults to 1.0.
        steps: Of the whole training. Defaults to None: a search says it.
    """

    _lengths = ("length",)

    def __init__(
        self, peak: float, *, end: float = 0.0, power: float = 1.0, length: Length = 1.0, steps: int | None = None
    ) -> None:
        self.end = checked_number(Polynomial, "end", end, low=0.0, high=1.0)
        self.power = checked_number(Polynomial, "power", power, low=0.0, open_low=True)
        self._set_length("length", length)
        super().__init__(peak, steps=steps)

    def rate(self, step: Any) -> Any:
        """`peak * ((1 - end) * (1 - step / length) ** power + end)`."""
        left = 1.0 - passed(step, self._length_steps)
        return self.peak * ((1.0 - self.end) * ops.power(left, self.power) + self.end)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "end": self.end, "power": self.power}


@_registered
class Cosine(Schedule):
    """Falls as half a cosine: `peak * ((1 - end) * (1 + cos(pi * step / length)) / 2 + end)`.

    The choice where you have none: it needs no tuning beside `peak`.

    Args:
        peak: The learning rate at the start.
        end: The share of `peak` that stays. Defaults to 0.0.
        length: Steps (int) or share of the training (float). Defaults to 1.0.
        steps: Of the whole training. Defaults to None: a search says it.

    References:
        Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".
    """

    _lengths = ("length",)

    def __init__(self, peak: float, *, end: float = 0.0, length: Length = 1.0, steps: int | None = None) -> None:
        self.end = checked_number(Cosine, "end", end, low=0.0, high=1.0)
        self._set_length("length", length)
        super().__init__(peak, steps=steps)

    def rate(self, step: Any) -> Any:
        """`peak * ((1 - end) * (1 + cos(pi * step / length)) / 2 + end)`."""
        return self.peak * ((1.0 - self.end) * half_cosine(passed(step, self._length_steps)) + self.end)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "end": self.end}


def passed(step: Any, length: Any) -> Any:
    """The share of `length` that has passed, 1 at most."""
    return ops.minimum(step / length, 1.0)


def half_cosine(share: Any) -> Any:
    """From 1 to 0 as `share` goes from 0 to 1."""
    return 0.5 * (1.0 + ops.cos(math.pi * share))
