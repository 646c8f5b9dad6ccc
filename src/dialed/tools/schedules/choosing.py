"""The choice of a schedule, with its own numbers, as one conditional hyperparameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dialed.errors import InvalidInputError
from dialed.space import HyperParameters
from dialed.tools.schedules._base import Schedule
from dialed.tools.schedules.cycles import CosineRestarts, Cyclical, OneCycle, Warmup, WarmupStableDecay
from dialed.tools.schedules.decays import Constant, Cosine, Exponential, Polynomial, StepDecay, TimeDecay

__all__ = ["KINDS", "choose"]

Maker = Callable[[HyperParameters, str, float], Schedule]


def _constant(hp: HyperParameters, name: str, peak: float) -> Schedule:
    return Constant(peak)


def _time_decay(hp: HyperParameters, name: str, peak: float) -> Schedule:
    return TimeDecay(peak, decay=hp.Float(f"{name}_decay", 1.0, 100.0, sampling="log", default=9.0))


def _step_decay(hp: HyperParameters, name: str, peak: float) -> Schedule:
    factor = hp.Float(f"{name}_factor", 0.05, 0.7, sampling="log", default=0.1)
    return StepDecay(peak, factor=factor, every=hp.Float(f"{name}_every", 0.1, 0.5, default=1.0 / 3.0))


def _exponential(hp: HyperParameters, name: str, peak: float) -> Schedule:
    return Exponential(peak, factor=hp.Float(f"{name}_factor", 1e-4, 0.5, sampling="log", default=0.01))


def _polynomial(hp: HyperParameters, name: str, peak: float) -> Schedule:
    return Polynomial(peak, power=hp.Float(f"{name}_power", 0.5, 3.0, sampling="log", default=1.0))


def _cosine(hp: HyperParameters, name: str, peak: float) -> Schedule:
    return Cosine(peak, end=hp.Float(f"{name}_end", 0.0, 0.1))


def _cosine_restarts(hp: HyperParameters, name: str, peak: float) -> Schedule:
    first = hp.Float(f"{name}_first", 0.05, 0.4, sampling="log", default=1.0 / 7.0)
    return CosineRestarts(peak, first=first, shrink=hp.Float(f"{name}_shrink", 0.3, 1.0, default=1.0))


def _cyclical(hp: HyperParameters, name: str, peak: float) -> Schedule:
    half = hp.Float(f"{name}_half", 0.02, 0.25, sampling="log", default=0.1)
    return Cyclical(peak, half=half, low=hp.Float(f"{name}_low", 0.01, 0.5, sampling="log", default=0.1))


def _one_cycle(hp: HyperParameters, name: str, peak: float) -> Schedule:
    return OneCycle(peak, rise=hp.Float(f"{name}_rise", 0.1, 0.5, default=0.3))


def _warmup_stable_decay(hp: HyperParameters, name: str, peak: float) -> Schedule:
    warmup = hp.Float(f"{name}_warmup", 0.01, 0.2, sampling="log", default=0.05)
    return WarmupStableDecay(peak, warmup=warmup, decay=hp.Float(f"{name}_fall", 0.1, 0.5, default=0.2))


def _warmup_cosine(hp: HyperParameters, name: str, peak: float) -> Schedule:
    return Warmup(Cosine(peak), length=hp.Float(f"{name}_warmup", 0.01, 0.2, sampling="log", default=0.05))


_MAKERS: Mapping[str, Maker] = {
    "constant": _constant,
    "cosine": _cosine,
    "cosine_restarts": _cosine_restarts,
    "cyclical": _cyclical,
    "exponential": _exponential,
    "one_cycle": _one_cycle,
    "polynomial": _polynomial,
    "step_decay": _step_decay,
    "time_decay": _time_decay,
    "warmup_cosine": _warmup_cosine,
    "warmup_stable_decay": _warmup_stable_decay,
}

KINDS = tuple(_MAKERS)
"""What can be chosen from, by name."""


def choose(hp: HyperParameters, name: str, kinds: Sequence[str], *, learning_rate: float) -> Schedule:
    """One of several schedules, each with hyperparameters of its own: `hp.Schedule(name, kinds, learning_rate=...)`.

    Args:
        hp: The trial's hyperparameters.
        name: Of the choice; the numbers of a schedule are called `<name>_<kind>_<number>`.
        kinds: Names out of `KINDS`; the first is the default.
        learning_rate: The highest rate of each of them; usually a hyperparameter itself.

    Returns:
        The schedule, for an optimizer. A search says how long the training is.

    Raises:
        InvalidInputError: No `kinds`, or an unknown one.

    Example:
        >>> hp = HyperParameters({"schedule": "one_cycle"})
        >>> type(choose(hp, "schedule", ["cosine", "one_cycle"], learning_rate=0.01)).__name__
        'OneCycle'
        >>> hp.asked
        {'schedule': 'one_cycle', 'schedule_one_cycle_rise': 0.3}
    """
    unknown = [kind for kind in kinds if kind not in _MAKERS]
    if unknown or isinstance(kinds, str) or not kinds:
        raise InvalidInputError(
            f"The `kinds` of the schedule `{name}` must be a list of names out of {', '.join(map(repr, KINDS))}. "
            f"Got {kinds!r}."
        )
    kind = str(hp.Choice(name, list(kinds)))
    with hp.conditional_scope(name, [kind]):
        return _MAKERS[kind](hp, f"{name}_{kind}", learning_rate)
