"""The search space: hyperparameters in order, each active or not depending on those before it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dialed.errors import SpaceError
from dialed.space._counting import count
from dialed.space._growth import differences, merged
from dialed.space._values import identity
from dialed.space.hyperparameter import Hyperparameter
from dialed.trial import Value, Values

__all__ = ["Row", "Space"]


class Row(NamedTuple):
    """One hyperparameter, in words."""

    name: str
    kind: str
    values: str
    default: str
    active: str


class Space:
    """What may vary: an immutable, ordered set of hyperparameters.

    A *configuration* holds a value for each active hyperparameter and for no other. Wherever values are given, those
    of inactive hyperparameters are left out and missing ones get their default.

    Args:
        hyperparameters: Parents before their children. Defaults to none.

    Raises:
        SpaceError: A name twice, or a condition whose parent does not stand before it.

    Example:
        >>> from dialed.space import Choice, Condition, Int
        >>> space = Space([
        ...     Hyperparameter("kind", Choice(["mlp", "cnn"])),
        ...     Hyperparameter("filters", Int(8, 32, step=8), (Condition("kind", ("cnn",)),)),
        ... ])
        >>> space.default_values(), space.size()
        ({'kind': 'mlp'}, 5)
    """

    __slots__ = ("_by_name",)

    def __init__(self, hyperparameters: Iterable[Hyperparameter] = ()) -> None:
        self._by_name: dict[str, Hyperparameter] = {}
        for hyperparameter in hyperparameters:
            _check_place(hyperparameter, self._by_name)
            self._by_name[hyperparameter.name] = hyperparameter

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[Hyperparameter]:
        return iter(self._by_name.values())

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Hyperparameter:
        return self._by_name[name]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Space) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Space({list(self)!r})"

    def restrict(self, values: Values) -> dict[str, Value]:
        """The active part of `values`, in order; what is missing gets its default."""
        active: dict[str, Value] = {}
        for name, hyperparameter in self._by_name.items():
            if all(condition.holds(active) for condition in hyperparameter.conditions):
                active[name] = values.get(name, hyperparameter.default)
        return active

    def active(self, values: Values) -> tuple[str, ...]:
        """The names that are active under `values`, in order."""
        return tuple(self.restrict(values))

    def default_values(self) -> dict[str, Value]:
        """The configuration of all defaults."""
        return self.restrict({})

    def contains(self, values: Values) -> bool:
        """Whether `values` are a configuration of this space: known names, and each active one in its domain."""
        if any(name not in self._by_name for name in values):
            return False
        return all(self[name].domain.contains(value) for name, value in self.restrict(values).items())

    def sample(self, rng: np.random.Generator) -> dict[str, Value]:
        """A random configuration: each active hyperparameter uniform on its own scale."""
        return self._built(lambda hyperparameter: hyperparameter.domain.from_unit(float(rng.random())))

    def size(self) -> int | None:
        """The exact number of configurations; `None` where it is infinite."""
        return count(tuple(self))

    def enumerate(self, points: int | Mapping[str, int] | None = None) -> Iterator[dict[str, Value]]:
        """Each configuration once, lazily, the last hyperparameter fastest.

        Args:
            points: How many values to take from a continuous range; a mapping says it for single names, and for those
                also thins out finite ranges. Defaults to none: every range must be finite.

        Raises:
            SpaceError: A continuous range without `points`, or `points` for an unknown name.
        """
        choices = {name: self._listed(name, points) for name in self._by_name}
        unknown = [name for name in points if name not in self] if isinstance(points, Mapping) else []
        if unknown:
            raise SpaceError(f"`points` must name hyperparameters of the space. Got {unknown}. It has {self.names}.")
        return _walk(tuple(self), choices, {})

    def _listed(self, name: str, points: int | Mapping[str, int] | None) -> list[Value]:
        domain = self[name].domain
        wanted = points.get(name) if isinstance(points, Mapping) else points if domain.size is None else None
        if domain.size is None and wanted is None:
            raise SpaceError(
                f"`{name}` must have a finite number of values to be listed. Got {domain!r}, which is continuous. "
                f"Give it a `step`, or say how many values to take: points={{{name!r}: 5}}, or points=5 for all such."
            )
        return domain.values(wanted)

    def key(self, values: Values) -> Hashable:
        """What makes two `values` the same configuration. True and 1 differ; 1 and 1.0 are the same for a Float."""
        return tuple((name, identity(self._cast(name, value))) for name, value in self.restrict(values).items())

    def _cast(self, name: str, value: Value) -> Value:
        domain = self[name].domain
        return domain.cast(value) if domain.contains(value) else value

    def encode(self, values: Values) -> NDArray[np.float64]:
        """The configuration as numbers, shape `(len(space),)`: each in [0, 1], NaN where inactive.

        Raises:
            SpaceError: An active value is outside its domain.
        """
        vector = np.full(len(self), np.nan)
        active = self.restrict(values)
        for index, hyperparameter in enumerate(self):
            if hyperparameter.name in active:
                vector[index] = _unit(hyperparameter, active[hyperparameter.name])
        return vector

    def decode(self, vector: NDArray[np.float64]) -> dict[str, Value]:
        """The configuration at `vector`, shape `(len(space),)`. Always one of the space.

        What is active follows from the values: a NaN there means the default, a number elsewhere nothing.
        """
        units = dict(zip(self.names, np.asarray(vector, dtype=np.float64), strict=True))
        return self._built(lambda hyperparameter: _value_at(hyperparameter, float(units[hyperparameter.name])))

    def _built(self, choose: Callable[[Hyperparameter], Value]) -> dict[str, Value]:
        active: dict[str, Value] = {}
        for name, hyperparameter in self._by_name.items():
            if all(condition.holds(active) for condition in hyperparameter.conditions):
                active[name] = choose(hyperparameter)
        return active

    def merge(self, other: Space) -> Space:
        """This space grown by `other`: new hyperparameters, wider ranges, weaker conditions.

        Defaults stay those of `self`. What `other` holds without conditions keeps those that it has here: a single
        build records only the conditions of scopes. `refine` learns the others from many builds.

        Raises:
            SpaceError: A hyperparameter changed its kind, `step` or `sampling`.
        """
        return self if other == self else Space(merged(tuple(self), tuple(other)))

    def difference(self, other: Space) -> list[str]:
        """What changed on the way from this space to `other`, in sentences; empty where nothing did."""
        return differences(self._by_name, other._by_name)

    def describe(self) -> list[Row]:
        """One row for each hyperparameter, for people."""
        return [
            Row(
                name=hyperparameter.name,
                kind=type(hyperparameter.domain).__name__,
                values=repr(hyperparameter.domain),
                default=str(hyperparameter.default),
                active=" and ".join(map(str, hyperparameter.conditions)) or "always",
            )
            for hyperparameter in self
        ]

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types."""
        return {"hyperparameters": [hyperparameter.to_json() for hyperparameter in self]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Space:
        """The space that `to_json` wrote.

        Raises:
            SpaceError: `data` is not what `to_json` writes.
        """
        if "hyperparameters" not in data:
            raise SpaceError(f"`data` must be a space as `to_json` writes it. Got {data!r}.")
        return cls(Hyperparameter.from_json(item) for item in data["hyperparameters"])


def _check_place(hyperparameter: Hyperparameter, known: Mapping[str, Hyperparameter]) -> None:
    if hyperparameter.name in known:
        raise SpaceError(f"Each name must stand for one hyperparameter. Got `{hyperparameter.name}` twice.")
    missing = [condition.parent for condition in hyperparameter.conditions if condition.parent not in known]
    if missing:
        raise SpaceError(
            f"`{hyperparameter.name}` must stand behind the hyperparameters that it depends on. "
            f"Got `{missing[0]}` behind it, or not at all. Known before it: {', '.join(known) or 'none'}."
        )


def _unit(hyperparameter: Hyperparameter, value: Value) -> float:
    try:
        return hyperparameter.domain.to_unit(value)
    except SpaceError as error:
        raise SpaceError(f"`{hyperparameter.name}`: {error}") from error


def _value_at(hyperparameter: Hyperparameter, unit: float) -> Value:
    return hyperparameter.default if np.isnan(unit) else hyperparameter.domain.from_unit(unit)


def _walk(
    rest: tuple[Hyperparameter, ...], choices: Mapping[str, list[Value]], active: dict[str, Value]
) -> Iterator[dict[str, Value]]:
    if not rest:
        yield dict(active)
        return
    first, rest = rest[0], rest[1:]
    if not all(condition.holds(active) for condition in first.conditions):
        yield from _walk(rest, choices, active)
        return
    for value in choices[first.name]:
        yield from _walk(rest, choices, {**active, first.name: value})
