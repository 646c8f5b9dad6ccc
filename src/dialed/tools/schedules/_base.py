"""What all schedules share: lengths that are steps or shares of the training, writing down, drawing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from dialed.errors import InvalidInputError, MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Length", "Schedule", "checked_number"]

Length = int | float
"""Steps, as an int; a share of the whole training, as a float from 0 to 1."""


class Schedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The base of Dialed's schedules: a learning rate that depends on the step.

    A length is a number of steps (an int), or a share of the trial's full training (a float from 0 to 1). A search says
    how long that is: epochs by batches in each, whatever rung the trial has reached, so that a trial that is trained on
    later goes on where its schedule was. Outside of a search say it yourself, with `steps`.

    Args:
        peak: The highest learning rate, above 0.
        steps: Of the whole training. Defaults to None: a search says it.

    Attributes:
        peak: As given.
        steps: Of the whole training; None while nobody has said it.
    """

    _lengths: ClassVar[tuple[str, ...]] = ()
    """The arguments that are lengths. `_<name>_steps` is the same in steps."""

    def __init__(self, peak: float, *, steps: int | None = None) -> None:
        super().__init__()
        self.peak = checked_number(type(self), "peak", peak, low=0.0, open_low=True)
        self.steps = None if steps is None else checked_steps(type(self), steps)
        self._resolve()

    def follow(self, steps: int) -> None:
        """Say how many steps the whole training has. What was said by `steps=` stays."""
        if self.steps is None:
            self.steps = checked_steps(type(self), steps)
            self._resolve()

    def rate(self, step: Any) -> Any:
        """The learning rate at `step`, a tensor of floats that counts from 0."""
        raise NotImplementedError

    def __call__(self, step: Any) -> Any:
        unknown = [name for name in self._lengths if getattr(self, f"_{name}_steps") is None]
        if unknown:
            raise InvalidInputError(
                f"The `steps` of {type(self).__name__} must be known to follow it: its `{unknown[0]}` is a share of the "
                f"training, {getattr(self, unknown[0])}. A search says it by itself where its data have a length; "
                f"elsewhere pass steps=epochs * batches, or give the length in steps, as an int."
            )
        return self.rate(ops.cast(step, "float32"))

    def get_config(self) -> dict[str, Any]:
        """The arguments, as JSON types."""
        return {"peak": self.peak, "steps": self.steps, **{name: getattr(self, name) for name in self._lengths}}

    def rates(self, points: int = 200) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Evenly spread steps of the training and the learning rates there, both of shape `(points,)`."""
        last = (self.steps or 1000) - 1
        steps = np.unique(np.linspace(0, last, points).round().astype(np.int64))
        drawn = self if self.steps is not None else self._copied(steps=1000)
        rates = ops.convert_to_numpy(drawn(ops.convert_to_tensor(steps, "float32")))
        return steps, np.broadcast_to(np.asarray(rates, np.float64), steps.shape)

    def plot(self, ax: Axes | None = None, *, label: str | None = None) -> Axes:
        """Draw the learning rate over the training; over its share where the number of steps is not known.

        Args:
            ax: Where. Defaults to new axes.
            label: For the legend. Defaults to the name of the class.

        Returns:
            The axes.

        Raises:
            MissingDependencyError: matplotlib is not installed: `pip install 'dialed[plots]'`.
        """
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise MissingDependencyError(
                "A plot needs the package matplotlib. Install it: pip install 'dialed[plots]'."
            ) from error
        axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")[1] if ax is None else ax
        steps, rates = self.rates(1000)
        axes.plot(steps if self.steps else steps / 1000, rates, label=label or type(self).__name__)
        axes.set_xlabel("step" if self.steps else "share of the training")
        axes.set_ylabel("learning rate")
        axes.set_ylim(bottom=0)
        return axes

    def _copied(self, **changes: Any) -> Schedule:
        copied: Schedule = type(self).from_config({**self.get_config(), **changes})
        return copied

    def _resolve(self) -> None:
        for name in self._lengths:
            length = getattr(self, name)
            setattr(self, f"_{name}_steps", in_steps(length, self.steps))

    def _set_length(self, name: str, length: Length, *, zero: bool = False) -> None:
        """Check a length and keep it; `zero` allows for none."""
        owner = type(self).__name__
        least = 0 if zero else 1
        if isinstance(length, bool) or not isinstance(length, (int, float)):
            good = False
        elif isinstance(length, int):
            good = length >= least
        else:
            good = 0.0 <= length <= 1.0 and (zero or length > 0.0)
        if not good:
            raise InvalidInputError(
                f"The `{name}` of {owner} must be steps, an int in the range [{least}, inf), or a share of the "
                f"training, a float in the range {'[' if zero else '('}0, 1]. Got {length!r}."
            )
        setattr(self, name, length)


def in_steps(length: Length, steps: int | None) -> float | None:
    """A length in steps; `None` for a share of nobody knows what. At least one step, where it is not 0."""
    if isinstance(length, int):
        return float(length)
    if steps is None:
        return None
    return max(length * steps, 1.0) if length else 0.0


def checked_steps(owner: type, steps: object) -> int:
    """`steps` as a positive int."""
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 1:
        raise InvalidInputError(f"The `steps` of {owner.__name__} must be an int in the range [1, inf). Got {steps!r}.")
    return int(steps)


def checked_number(
    owner: type, name: str, value: object, *, low: float, high: float = math.inf, open_low: bool = False
) -> float:
    """`value` as a float from `low` to `high`; with `open_low`, above `low`."""
    number = float(value) if isinstance(value, (int, float, np.number)) and not isinstance(value, bool) else math.nan
    if not (low < number if open_low else low <= number) or not number <= high or math.isinf(number):
        bounds = f"{'(' if open_low else '['}{low:g}, {high:g}{')' if math.isinf(high) else ']'}"
        raise InvalidInputError(
            f"The `{name}` of {owner.__name__} must be a number in the range {bounds}. Got {value!r}."
        )
    return number
