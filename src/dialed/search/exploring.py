"""Other values for a training that goes on: which hyperparameters may change, and how far a number is moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np

from dialed.errors import InvalidInputError
from dialed.search._names import nearest
from dialed.search.history import History
from dialed.space import Choice, Domain, Float, Hyperparameter, Int, Space
from dialed.trial import Cause, Trial, Value, Values

__all__ = ["explored", "free_to_change", "is_number", "perturbed", "redrawn"]

LISTED = 10_000
"""Of a range with so many values or fewer, the nearest value is looked up; of a larger one it is rounded to."""

DRAWS = 16


def is_number(hyperparameter: Hyperparameter, space: Space) -> bool:
    """Whether it is a number, and nothing else depends on it."""
    domain = hyperparameter.domain
    number = isinstance(domain, (Int, Float)) or (isinstance(domain, Choice) and domain.ordered)
    return number and not any(c.parent == hyperparameter.name for other in space for c in other.conditions)


def free_to_change(
    space: Space, history: History, *, tunable: Sequence[str] | None, fixed: Iterable[str]
) -> tuple[str, ...]:
    """The names of what may change while a model is trained, in the order of `space`.

    Those that the user named; or those that models built with several values showed (`Terms.changeable`); or, where
    nobody has looked, all numbers. Never what has once kept a state from being taken over.

    Raises:
        InvalidInputError: A name is not in the space, or is `epochs`.
    """
    wanted = tunable if tunable is not None else history.terms.changeable
    for name in (*(tunable or ()), *fixed):
        if name not in space and len(history) > 0:  # a plain function shows its space with the first trial
            raise InvalidInputError(
                f"What PopulationBased may change, or not, must be hyperparameters of the space. Got `{name}`. "
                f"{nearest(name, space.names)}"
            )
    unfit = {name for trial in history.trials if trial.cause is Cause.MISFIT for name in _changes(trial)}
    return tuple(
        hyperparameter.name
        for hyperparameter in space
        if (is_number(hyperparameter, space) if wanted is None else hyperparameter.name in wanted)
        and hyperparameter.name not in unfit
        and hyperparameter.name not in fixed
        and hyperparameter.name != "epochs"
    )


def _changes(trial: Trial) -> list[str]:
    before = trial.origin.ancestors[-1].values if trial.origin else {}
    return [name for name, value in trial.values.items() if value != before.get(name)]


def explored(
    values: Values,
    space: Space,
    names: Sequence[str],
    rng: np.random.Generator,
    *,
    factors: tuple[float, ...],
    resample: float,
) -> dict[str, Value]:
    """`values` with each of `names` that is active multiplied by one of `factors`, or with chance `resample` redrawn."""
    new = dict(values)
    for name in names:
        if name in values:
            domain, redraw, factor = space[name].domain, rng.random() < resample, float(rng.choice(factors))
            number = is_number(space[name], space)
            if redraw:
                new[name] = redrawn(domain, values[name], rng)
            elif number:
                new[name] = perturbed(domain, values[name], factor)
    return space.restrict(new)


def redrawn(domain: Domain, value: Value, rng: np.random.Generator) -> Value:
    """A draw from the whole range. What is 0 stays 0, and nothing becomes 0: a rate of 0 often leaves out its layer."""
    draws = (domain.from_unit(float(rng.random())) for _ in range(DRAWS))
    return value if _is_zero(value) else next((drawn for drawn in draws if not _is_zero(drawn)), value)


def perturbed(domain: Domain, value: Value, factor: float) -> Value:
    """`value` times `factor`, inside the range; one place further where there are steps, and it would stay.

    A choice goes to its neighbour. At the end of its range, a number goes the other way. Where values are dense near
    the upper end (`reverse_log`), it is the distance from there that is multiplied. What is 0 stays 0.
    """
    if _is_zero(value):
        return value
    if isinstance(domain, Choice):
        return _neighbour(sorted(cast(tuple[float, ...], domain.choices)), cast(float, value), up=factor > 1)
    assert isinstance(domain, (Int, Float))
    moved = _moved(domain, cast(float, value), factor)
    return moved if moved != value else _moved(domain, cast(float, value), 1 / factor)


def _moved(domain: Int | Float, value: float, factor: float) -> Value:
    low, high = domain.min_value, domain.max_value
    mirror = domain.sampling == "reverse_log"
    wanted = low + high - (low + high - value) * factor if mirror else value * factor
    wanted = min(max(wanted, low), high)
    if domain.size is None:
        return domain.cast(wanted) if not _is_zero(wanted) else value
    if domain.size > LISTED:
        found = domain.from_unit(domain.to_unit(round(wanted))) if isinstance(domain, Int) else domain.cast(value)
        return found if not _is_zero(found) else value
    places = cast(list[float], domain.values())
    closest = min(places, key=lambda place: abs(place - wanted))
    return _neighbour(places, value, up=wanted > value) if closest == value else closest or value


def _neighbour(places: Sequence[float], value: float, *, up: bool) -> float:
    """The next place up or down; at the end of the row the one before it. 0 is no place to go to.

    A space may have been narrowed since: then what counts as the value's place is the nearest.
    """
    index = min(range(len(places)), key=lambda i: abs(places[i] - value))
    there = index + (1 if up else -1)
    if not 0 <= there < len(places):
        there = index - (1 if up else -1)
    return places[there] if 0 <= there < len(places) and not _is_zero(places[there]) else value


def _is_zero(value: Value) -> bool:
    return not isinstance(value, (bool, str)) and value == 0
