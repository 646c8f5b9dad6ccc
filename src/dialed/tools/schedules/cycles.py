"""Schedules that rise again, and that rise first."""

from __future__ import annotations

from typing import Any, Literal, get_args

import keras
from keras import ops

from dialed.errors import InvalidInputError
from dialed.tools.schedules._base import Length, Schedule, checked_number, in_steps
from dialed.tools.schedules.decays import Constant, half_cosine, passed

__all__ = ["CosineRestarts", "Cyclical", "OneCycle", "Warmup", "WarmupStableDecay"]

CyclicalMode = Literal["triangular", "triangular2", "exp_range"]
WarmupKind = Literal["linear", "exponential"]
DecayShape = Literal["linear", "cosine", "square_root"]

_registered = keras.saving.register_keras_serializable(package="dialed")


@_registered
class CosineRestarts(Schedule):
    """Cosines one after another: each begins at the top again, lasts `growth` times as long, and `shrink` times as high.

    Choose it where models of several ages are averaged. For one model at the end, `Cosine` is better.

    Args:
        peak: The learning rate at the start.
        first: The first cosine's steps (int) or share of the training (float). Defaults to 1 / 7: with the default
            growth three of them fill the training.
        growth: Of the length, at least 1. Defaults to 2.0.
        shrink: Of the height, in (0, 1]. Defaults to 1.0.
        end: The share of `peak` that each ends with. Defaults to 0.0.
        steps: Of the whole training. Defaults to None: a search says it.

    References:
        Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".
    """

    _lengths = ("first",)

    def __init__(
        self,
        peak: float,
        *,
        first: Length = 1.0 / 7.0,
        growth: float = 2.0,
        shrink: float = 1.0,
        end: float = 0.0,
        steps: int | None = None,
    ) -> None:
        self._set_length("first", first)
        self.growth = checked_number(CosineRestarts, "growth", growth, low=1.0)
        self.shrink = checked_number(CosineRestarts, "shrink", shrink, low=0.0, high=1.0, open_low=True)
        self.end = checked_number(CosineRestarts, "end", end, low=0.0, high=1.0)
        super().__init__(peak, steps=steps)

    def rate(self, step: Any) -> Any:
        """The cosine of the cycle that `step` lies in."""
        done = step / self._first_steps  # in first cycles
        if self.growth == 1.0:
            cycle = ops.floor(done)
            share = done - cycle
        else:
            growth = ops.convert_to_tensor(self.growth, "float32")
            cycle = ops.floor(ops.log(1.0 - done * (1.0 - growth)) / ops.log(growth))
            length = ops.power(growth, cycle)
            share = (done - (1.0 - length) / (1.0 - growth)) / length
        height = ops.power(ops.convert_to_tensor(self.shrink, "float32"), cycle)
        return self.peak * ((1.0 - self.end) * height * half_cosine(share) + self.end)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "growth": self.growth, "shrink": self.shrink, "end": self.end}


@_registered
class Cyclical(Schedule):
    """Up and down in straight lines between `low` and `peak`.

    Args:
        peak: The highest learning rate.
        low: The lowest, as a share of `peak`. Defaults to 0.1.
        half: Half a cycle: steps (int) or share of the training (float). Defaults to 0.1: five cycles.
        mode: "triangular": all cycles alike; "triangular2": each half as high as the one before; "exp_range": the height
            falls by `gamma` in each half cycle. Defaults to "triangular".
        gamma: For "exp_range", in (0, 1]. Defaults to 0.8.
        steps: Of the whole training. Defaults to None: a search says it.

    References:
        Smith 2017, "Cyclical learning rates for training neural networks".
    """

    _lengths = ("half",)

    def __init__(
        self,
        peak: float,
        *,
        low: float = 0.1,
        half: Length = 0.1,
        mode: CyclicalMode = "triangular",
        gamma: float = 0.8,
        steps: int | None = None,
    ) -> None:
        self.low = checked_number(Cyclical, "low", low, low=0.0, high=1.0)
        self._set_length("half", half)
        self.mode = _one_of(Cyclical, "mode", mode, get_args(CyclicalMode))
        self.gamma = checked_number(Cyclical, "gamma", gamma, low=0.0, high=1.0, open_low=True)
        super().__init__(peak, steps=steps)

    def rate(self, step: Any) -> Any:
        """`peak * (low + (1 - low) * (1 - |step / half - 2 * cycle - 1|) * height)`."""
        halves = step / self._half_steps
        cycle = ops.floor(halves / 2.0)
        rise = 1.0 - ops.abs(halves - 2.0 * cycle - 1.0)
        return self.peak * (self.low + (1.0 - self.low) * rise * self._height(cycle, halves))

    def _height(self, cycle: Any, halves: Any) -> Any:
        match self.mode:
            case "triangular2":
                return ops.power(ops.convert_to_tensor(0.5, "float32"), cycle)
            case "exp_range":
                return ops.power(ops.convert_to_tensor(self.gamma, "float32"), halves)
        return 1.0

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "low": self.low, "mode": self.mode, "gamma": self.gamma}


@_registered
class OneCycle(Schedule):
    """Up and far down once, both as half cosines.

    Choose it for short trainings with a high rate: the rise lets the rate be several times what would else diverge.

    Args:
        peak: The highest learning rate.
        start: The first, as a share of `peak`. Defaults to 0.04.
        end: The last, as a share of `peak`. Defaults to 4e-6.
        rise: The steps (int) or share of the training (float) that it rises for. Defaults to 0.3.
        length: Of the whole cycle: steps (int) or share of the training (float). Defaults to 1.0.
        steps: Of the whole training. Defaults to None: a search says it.

    References:
        Smith and Topin 2018, "Super-convergence: very fast training of neural networks using large learning rates".
    """

    _lengths = ("rise", "length")

    def __init__(
        self,
        peak: float,
        *,
        start: float = 0.04,
        end: float = 4e-6,
        rise: Length = 0.3,
        length: Length = 1.0,
        steps: int | None = None,
    ) -> None:
        self.start = checked_number(OneCycle, "start", start, low=0.0, high=1.0)
        self.end = checked_number(OneCycle, "end", end, low=0.0, high=1.0)
        self._set_length("rise", rise)
        self._set_length("length", length)
        super().__init__(peak, steps=steps)

    def rate(self, step: Any) -> Any:
        """A half cosine from `start` to 1, and one from there to `end`, times `peak`."""
        up = half_cosine(1.0 - passed(step, self._rise_steps))
        fall = ops.maximum(self._length_steps - self._rise_steps, 1.0)
        down = half_cosine(passed(ops.maximum(step - self._rise_steps, 0.0), fall))
        rising = self.start + (1.0 - self.start) * up
        falling = self.end + (1.0 - self.end) * down
        return self.peak * ops.where(step < self._rise_steps, rising, falling)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "start": self.start, "end": self.end}


@_registered
class WarmupStableDecay(Schedule):
    """Up in a line, level for long, and down at the end.

    Choose it where a training may be made longer: all but its last part does not depend on the length.

    Args:
        peak: The learning rate of the level part.
        warmup: The rise from 0: steps (int) or share of the training (float). Defaults to 0.05.
        decay: The fall at the end, likewise. Defaults to 0.2.
        end: The share of `peak` that it ends with. Defaults to 0.0.
        shape: Of the fall: "linear", "cosine" or "square_root" (`1 - sqrt`). Defaults to "linear".
        length: Of the whole: steps (int) or share of the training (float). Defaults to 1.0.
        steps: Of the whole training. Defaults to None: a search says it.

    References:
        Hägele and others 2024, "Scaling laws and compute-optimal training beyond fixed training durations".
    """

    _lengths = ("warmup", "decay", "length")

    def __init__(
        self,
        peak: float,
        *,
        warmup: Length = 0.05,
        decay: Length = 0.2,
        end: float = 0.0,
        shape: DecayShape = "linear",
        length: Length = 1.0,
        steps: int | None = None,
    ) -> None:
        self._set_length("warmup", warmup, zero=True)
        self._set_length("decay", decay)
        self._set_length("length", length)
        self.end = checked_number(WarmupStableDecay, "end", end, low=0.0, high=1.0)
        self.shape = _one_of(WarmupStableDecay, "shape", shape, get_args(DecayShape))
        super().__init__(peak, steps=steps)

    def rate(self, step: Any) -> Any:
        """`peak` times the rise `(step + 1) / warmup`, or the fall, whichever is less; 1 between the two."""
        rise = ops.minimum((step + 1.0) / ops.maximum(self._warmup_steps, 1.0), 1.0)
        begins = self._length_steps - self._decay_steps
        fallen = passed(ops.maximum(step - begins, 0.0), self._decay_steps)
        return self.peak * ops.minimum(rise, self.end + (1.0 - self.end) * self._fall(fallen))

    def _fall(self, share: Any) -> Any:
        match self.shape:
            case "cosine":
                return half_cosine(share)
            case "square_root":
                return 1.0 - ops.sqrt(share)
        return 1.0 - share

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "end": self.end, "shape": self.shape}


@_registered
class Warmup(Schedule):
    """A rise before any schedule, Keras's own included; that one begins where the rise ends.

    Shares in the inner schedule are of what is left of the training.

    Args:
        schedule: What follows: a schedule, or a number for a constant rate.
        length: Of the rise: steps (int) or share of the training (float). Defaults to 0.05.
        start: Where it begins, as a share of the inner schedule's first rate. Defaults to 0.0, or 0.01 where it is
            exponential.
        kind: "linear" or "exponential". Defaults to "linear".
        steps: Of the whole training. Defaults to None: a search says it.

    References:
        Goyal and others 2017, "Accurate, large minibatch SGD: training ImageNet in 1 hour".
    """

    _lengths = ("length",)

    def __init__(
        self,
        schedule: keras.optimizers.schedules.LearningRateSchedule | float,
        *,
        length: Length = 0.05,
        start: float | None = None,
        kind: WarmupKind = "linear",
        steps: int | None = None,
    ) -> None:
        known = isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule)
        self.schedule: Any = schedule if known else Constant(schedule)
        self._set_length("length", length)
        self.kind = _one_of(Warmup, "kind", kind, get_args(WarmupKind))
        first = start if start is not None else 0.01 if kind == "exponential" else 0.0
        self.start = checked_number(Warmup, "start", first, low=0.0, high=1.0, open_low=kind == "exponential")
        super().__init__(1.0, steps=steps)

    def rate(self, step: Any) -> Any:
        """`schedule(0)` times what the rise has reached, and then `schedule(step - length)`."""
        share = passed(step, self._length_steps)
        if self.kind == "exponential":
            reached = ops.power(ops.convert_to_tensor(self.start, "float32"), 1.0 - share)
        else:
            reached = self.start + (1.0 - self.start) * share
        after = ops.maximum(step - self._length_steps, 0.0)
        return self.schedule(after) * reached

    def get_config(self) -> dict[str, Any]:
        """The arguments; the inner schedule as Keras writes it down."""
        inner = keras.optimizers.schedules.serialize(self.schedule)
        own = {"schedule": inner, "length": self.length, "start": self.start, "kind": self.kind, "steps": self.steps}
        return own

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Warmup:
        """The schedule that `get_config` wrote down."""
        inner = config["schedule"]
        made = inner if not isinstance(inner, dict) else keras.optimizers.schedules.deserialize(inner)
        return cls(**{**config, "schedule": made})

    def _resolve(self) -> None:
        super()._resolve()
        if self.steps is not None and isinstance(self.schedule, Schedule):
            rise = in_steps(self.length, self.steps) or 0.0
            self.schedule.follow(max(self.steps - round(rise), 1))


def _one_of(owner: type, name: str, value: str, known: tuple[str, ...]) -> Any:
    if value not in known:
        listed = ", ".join(map(repr, known))
        raise InvalidInputError(f"The `{name}` of {owner.__name__} must be one of {listed}. Got {value!r}.")
    return value
