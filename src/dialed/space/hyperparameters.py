"""What a build function talks to: `hp`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from dialed.errors import SpaceError
from dialed.space._growth import either
from dialed.space._values import plain
from dialed.space.domains import Boolean, Choice, Domain, Fixed, Float, Int
from dialed.space.hyperparameter import Condition, Hyperparameter
from dialed.space.space import Space
from dialed.trial import Value, Values

__all__ = ["HyperParameters", "Infeasible"]


class Infeasible(Exception):
    """`hp.require(...)` did not hold: these values are not wanted. The trial fails with a cause, the study goes on."""


class HyperParameters:
    """The values of one trial, and a record of what a build asked for.

    A build function asks for values by name, and what it asks for is the search space. KerasTuner's users know the
    interface; names, defaults, sampling and scopes mean the same here. Inside an inactive scope, values are `None`.

    Attributes:
        values: The values by name: those given, and the defaults handed out since. It may be changed before a build.

    Args:
        values: The values to hand out. What is asked for and not in it gets its default. Defaults to none.
        space: The space as it is known, for `space`, `get` and `is_active`. Defaults to an empty one.

    Example:
        >>> hp = HyperParameters({"layers": 2})
        >>> [hp.Int(f"units_{i}", 32, 64, step=32) for i in range(hp.Int("layers", 1, 3))]
        [32, 32]
        >>> hp.asked
        {'layers': 2, 'units_0': 32, 'units_1': 32}
    """

    def __init__(self, values: Values | None = None, space: Space | None = None) -> None:
        self.values: dict[str, Value] = {
            str(name): plain(value, argument=str(name)) for name, value in (values or {}).items()
        }
        self._known = space if space is not None else Space()
        self._asked: dict[str, Value] = {}
        self._met: dict[str, Hyperparameter] = {}
        self._names: list[str] = []
        self._conditions: list[Condition] = []

    @property
    def asked(self) -> dict[str, Value]:
        """What was asked for while active, in order, with the values handed out. A copy."""
        return dict(self._asked)

    @property
    def found(self) -> Space:
        """The hyperparameters that were asked for, with the conditions of the scopes around them."""
        return Space(self._met.values())

    @property
    def space(self) -> Space:
        """The known space, and what was found beyond it."""
        return self._known.merge(self.found)

    def Int(
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str | None = "linear",
        default: int | None = None,
        parent_name: str | None = None,
        parent_values: object = None,
    ) -> Any:
        """An integer from `min_value` to `max_value`, both included. See `dialed.Int`."""
        with self._maybe_scope(parent_name, parent_values):
            with _named(name):
                domain = Int(min_value, max_value, step=step, sampling=sampling, default=default)
            return self.ask(name, domain)

    def Float(
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        parent_name: str | None = None,
        parent_values: object = None,
        prior: tuple[float, float] | str | None = None,
    ) -> Any:
        """A float from `min_value` to `max_value`, both included. See `dialed.Float`."""
        with self._maybe_scope(parent_name, parent_values):
            with _named(name):
                domain = Float(min_value, max_value, step=step, sampling=sampling, default=default, prior=prior)
            return self.ask(name, domain)

    def Choice(
        self,
        name: str,
        values: Sequence[object],
        ordered: bool | None = None,
        default: object = None,
        parent_name: str | None = None,
        parent_values: object = None,
    ) -> Any:
        """One of `values`. See `dialed.Choice`."""
        with self._maybe_scope(parent_name, parent_values):
            with _named(name):
                domain = Choice(values, ordered=ordered, default=default)
            return self.ask(name, domain)

    def Boolean(
        self, name: str, default: bool = False, parent_name: str | None = None, parent_values: object = None
    ) -> Any:
        """True or False."""
        with self._maybe_scope(parent_name, parent_values):
            with _named(name):
                domain = Boolean(default=default)
            return self.ask(name, domain)

    def Fixed(self, name: str, value: object, parent_name: str | None = None, parent_values: object = None) -> Any:
        """`value`, recorded with the trial and never varied."""
        with self._maybe_scope(parent_name, parent_values):
            with _named(name):
                domain = Fixed(value)
            return self.ask(name, domain)

    def Schedule(self, name: str, kinds: Sequence[str], *, learning_rate: float) -> Any:
        """One of several schedules of the learning rate, each with hyperparameters of its own; for an optimizer.

        Args:
            name: Of the choice.
            kinds: Names out of `dialed.schedules.KINDS`: "cosine", "one_cycle" and others; the first is the default.
            learning_rate: The highest rate of each of them; usually a hyperparameter itself.

        Raises:
            InvalidInputError: No `kinds`, or an unknown one.
        """
        from dialed.tools.schedules import choose

        return choose(self, name, kinds, learning_rate=learning_rate)

    def ask(self, name: str, domain: Domain) -> Any:
        """The value of the hyperparameter `name`, which may be what `domain` says; `None` in an inactive scope.

        Raises:
            SpaceError: The name stands for something else already, or its given value is outside `domain`.
        """
        full = self._full(name)
        self._meet(full, domain)
        if not self._active_here():
            return None
        with _named(full):
            value = domain.cast(self.values[full]) if full in self.values else domain.default
        self.values[full] = self._asked[full] = value
        return value

    def _meet(self, name: str, domain: Domain) -> None:
        if any(condition.parent == name for condition in self._conditions):
            raise SpaceError(f"`{name}` must not depend on itself. It was asked for in a scope whose parent it is.")
        met, conditions = self._met.get(name), tuple(self._conditions)
        if met is not None and not met.domain.same_range(domain):
            raise SpaceError(
                f"`{name}` must have one range in a build. Got {met.domain!r}, and then {domain!r}. "
                f"Use another name, or put each into its own hp.name_scope(...)."
            )
        if met is None:
            self._met[name] = Hyperparameter(name, domain, conditions)
        else:
            self._met[name] = Hyperparameter(name, met.domain, either(met.conditions, conditions))

    def _active_here(self) -> bool:
        return all(condition.holds(self._asked) for condition in self._conditions)

    @contextmanager
    def conditional_scope(self, parent_name: str, parent_values: object) -> Iterator[None]:
        """What is asked for inside is active only while the parent is active and has one of `parent_values`.

        The code inside runs in any case; where the condition does not hold, it gets `None` for each value.

        Args:
            parent_name: A hyperparameter that this build asked for before.
            parent_values: Its values, or one of them.

        Raises:
            SpaceError: There is no such parent, or it can never have one of these values.
        """
        self._conditions.append(self._condition(parent_name, parent_values))
        try:
            yield
        finally:
            self._conditions.pop()

    @contextmanager
    def name_scope(self, name: str) -> Iterator[None]:
        """Names asked for inside begin with `name/`."""
        self._names.append(str(name))
        try:
            yield
        finally:
            self._names.pop()

    def get(self, name: str) -> Any:
        """The value of a hyperparameter that was given or asked for.

        Raises:
            SpaceError: It is inactive.
            KeyError: There is no such hyperparameter.
        """
        full, space = self._full(name), self.space
        known = full in space
        if full in self._asked or (full in self.values and (not known or full in space.restrict(self.values))):
            return self.values[full]
        if known:
            raise SpaceError(f"`{full}` must be active to have a value. It is inactive in this trial.")
        raise KeyError(f"`{full}` must be a hyperparameter of this trial.{_near(full, self.values)}")

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        try:
            self.get(str(name))
        except (KeyError, SpaceError):
            return False
        return True

    def is_active(self, hyperparameter: str | Hyperparameter) -> bool:
        """Whether the conditions of a hyperparameter hold, whether or not a build asked for it. False if unknown."""
        active = self.space.restrict(self.values)
        if isinstance(hyperparameter, Hyperparameter):
            return all(condition.holds(active) for condition in hyperparameter.conditions)
        return hyperparameter in active

    def require(self, condition: object, why: str) -> None:
        """Give up these values unless `condition` holds: the trial fails as infeasible, and strategies learn from it.

        Raises:
            Infeasible: It does not hold. Let it pass through.
        """
        if not condition:
            raise Infeasible(why)

    def copy(self) -> HyperParameters:
        """A fresh one with the same values and the same space, which has not been asked for anything."""
        return HyperParameters(self.values, self.space)

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types: values and space."""
        return {"values": self.values, "space": self.space.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> HyperParameters:
        """A copy of what `to_json` wrote."""
        return cls(data["values"], Space.from_json(data["space"]))

    def __repr__(self) -> str:
        return f"HyperParameters({self.values!r})"

    def _full(self, name: object) -> str:
        return "/".join([*self._names, str(name)])

    @contextmanager
    def _maybe_scope(self, parent_name: str | None, parent_values: object) -> Iterator[None]:
        if not parent_name:
            yield
            return
        with self.conditional_scope(parent_name, parent_values):
            yield

    def _condition(self, parent_name: str, parent_values: object) -> Condition:
        parent = self._full(parent_name)
        if parent not in self._met:
            raise SpaceError(
                f"`parent_name` must be a hyperparameter that was asked for before. Got {parent!r}."
                f"{_near(parent, self._met)}"
            )
        listed = list(parent_values) if isinstance(parent_values, (list, tuple, set, range)) else [parent_values]
        values = tuple(plain(value, argument="parent_values") for value in listed)
        domain = self._met[parent].domain
        if not any(domain.contains(value) for value in values):
            raise SpaceError(f"`parent_values` must hold values of {parent!r}, {domain!r}. Got {listed}.")
        return Condition(parent, tuple(domain.cast(value) for value in values if domain.contains(value)))


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except SpaceError as error:
        raise SpaceError(f"Hyperparameter `{name}`: {error}") from error


def _near(name: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(name, known, n=3)
    return f" Did you mean {' or '.join(near)}?" if near else f" Known so far: {', '.join(known) or 'none'}."
