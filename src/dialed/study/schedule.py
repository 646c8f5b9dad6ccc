"""What a trial was trained with, epoch by epoch: a schedule where its values changed on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialed.errors import InvalidInputError
from dialed.search._names import nearest
from dialed.trial import Ancestor, Trial, Value, Values

if TYPE_CHECKING:
    import keras

__all__ = ["Schedule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The values of a training, one stretch after another. Get one from `study.schedule(trial)`.

    Args:
        stretches: The earliest first; each says which trial trained it, until which epoch, with which values.

    Example:
        >>> from dialed.trial import Ancestor
        >>> schedule = Schedule(stretches=(
        ...     Ancestor(trial=0, until=2, values={"learning_rate": 0.1}),
        ...     Ancestor(trial=4, until=3, values={"learning_rate": 0.01}),
        ... ))
        >>> schedule.per_epoch("learning_rate")
        (0.1, 0.1, 0.01)
    """

    stretches: tuple[Ancestor, ...]

    @classmethod
    def of(cls, trial: Trial) -> Schedule:
        """The schedule of a trial, as far as it is trained; its own values to the end where it has not begun."""
        earlier = () if trial.origin is None else trial.origin.ancestors
        searched = [member for member in trial.members if member.purpose == "search"]
        until = max((member.epoch for member in searched), default=0)
        own = Ancestor(trial=trial.number, until=until, values=trial.values)
        return cls(stretches=(*earlier, own))

    @property
    def epochs(self) -> int:
        """How many epochs it tells of."""
        return self.stretches[-1].until

    @property
    def changing(self) -> tuple[str, ...]:
        """The names of the hyperparameters that are not the same throughout."""
        names = dict.fromkeys(name for stretch in self.stretches for name in stretch.values)
        first = self.stretches[0].values
        return tuple(n for n in names if any(stretch.values.get(n) != first.get(n) for stretch in self.stretches))

    def values(self, epoch: int) -> Values:
        """The values in an epoch, counted from 0 as Keras counts; those of the last one hold for all after it."""
        return next((s.values for s in self.stretches if epoch < s.until), self.stretches[-1].values)

    def per_epoch(self, name: str) -> tuple[Value, ...]:
        """One value of the hyperparameter for each epoch.

        Raises:
            InvalidInputError: There is no such hyperparameter.
        """
        self._check(name)
        return tuple(self.values(epoch).get(name) for epoch in range(self.epochs))

    def learning_rate(
        self, steps_per_epoch: int, *, name: str = "learning_rate"
    ) -> keras.optimizers.schedules.LearningRateSchedule:
        """The hyperparameter as a learning rate for an optimizer, saved and loaded with a model like any of Keras's own.

        Args:
            steps_per_epoch: Batches in an epoch: samples by batch size, rounded up.
            name: The hyperparameter. Defaults to "learning_rate".

        Raises:
            InvalidInputError: There is no such hyperparameter, it is no number, or `steps_per_epoch` is below 1.
        """
        import keras

        if isinstance(steps_per_epoch, bool) or not isinstance(steps_per_epoch, int) or steps_per_epoch < 1:
            raise InvalidInputError(
                f"The `steps_per_epoch` must be an int in the range [1, inf). Got {steps_per_epoch!r}."
            )
        self._check(name)
        rates = [stretch.values.get(name) for stretch in self.stretches]
        for rate in rates:
            if isinstance(rate, bool) or not isinstance(rate, (int, float)):
                raise InvalidInputError(f"The `name` must be that of a number. Got `{name}`, which was {rate!r}.")
        # Keras goes on to the next value after the step of a boundary, and counts steps from 0.
        ends = [stretch.until * steps_per_epoch - 1 for stretch in self.stretches[:-1]]
        if not ends:  # Keras wants one boundary at least
            ends, rates = [0], [*rates, *rates]
        return keras.optimizers.schedules.PiecewiseConstantDecay(ends, rates)

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types."""
        return {"stretches": [{"trial": s.trial, "until": s.until, "values": dict(s.values)} for s in self.stretches]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schedule:
        """The schedule that `to_json` wrote.

        Raises:
            InvalidInputError: `data` is not what `to_json` writes.
        """
        try:
            stretches = tuple(
                Ancestor(trial=int(s["trial"]), until=int(s["until"]), values=dict(s["values"]))
                for s in data["stretches"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"`data` must be a schedule as `to_json` writes it. Got {data!r}.") from error
        if not stretches:
            raise InvalidInputError("`data` must hold one stretch at least. Got none.")
        return cls(stretches=stretches)

    def _check(self, name: str) -> None:
        known = dict.fromkeys(n for stretch in self.stretches for n in stretch.values)
        if name not in known:
            raise InvalidInputError(
                f"The `name` must be that of a hyperparameter of the trial. Got {name!r}. {nearest(name, known)}"
            )

    def __str__(self) -> str:
        lines, begin = [], 0
        for stretch in self.stretches:
            shown = ", ".join(f"{n}={_short(stretch.values.get(n))}" for n in self.changing) or "nothing changed"
            lines.append(f"epochs {begin + 1} to {stretch.until} (trial {stretch.trial}): {shown}")
            begin = stretch.until
        return "\n".join(lines)


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
