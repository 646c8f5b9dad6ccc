"""Finding the space by building: the build function is run with chosen values, and what it asks for is recorded.

After the defaults, one hyperparameter at a time is changed where it was first met: each choice, both ends and the
middle of an integer range that may count something. Other ranges rarely decide what is built, so they move together,
and in halves where that made a difference. Then the gaps between "asked for" and "not asked for" are halved, and each
condition is tried where it should not hold. A build depends on nothing but what it asks for, so one whose answers are
known is never run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from dialed.errors import SpaceError
from dialed.space._growth import merged
from dialed.space._inference import Observation, conditioned, excluded, unseen
from dialed.space._values import identity
from dialed.space.domains import Boolean, Choice, Domain, Float, Int
from dialed.space.hyperparameter import Hyperparameter
from dialed.space.hyperparameters import HyperParameters, Infeasible
from dialed.space.space import Space
from dialed.trial import Value, Values

__all__ = ["Discovery", "Failure", "discover", "refine"]

LARGEST_COUNT = 16
"""Integers with a larger range, or with a step, are taken for widths rather than for numbers of layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A build that raised, with which values, and what."""

    values: Values
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """The space as far as it was found, how many builds that took, and which of them failed."""

    space: Space
    builds: int
    failures: tuple[Failure, ...] = ()


def discover(build: Callable[[HyperParameters], object], *, max_builds: int = 32) -> Discovery:
    """Find out what `build` asks for, and when.

    No model is kept. Builds whose `hp.require(...)` does not hold are skipped. What only rare combinations ask for may
    be missed here; the space grows when a trial meets it.

    Args:
        build: The build function; what it returns is dropped at once.
        max_builds: The most builds to run. Defaults to 32; most spaces need fewer than ten.

    Returns:
        The space, the number of builds, and those that failed.

    Raises:
        SpaceError: The build with the default values failed, or a name has different ranges in different builds.

    Example:
        >>> def build(hp):
        ...     for i in range(hp.Int("layers", 1, 2)):
        ...         hp.Choice(f"activation_{i}", ["relu", "tanh"])
        >>> [(row.name, row.active) for row in discover(build).space.describe()]
        [('layers', 'always'), ('activation_0', 'always'), ('activation_1', 'layers = 2')]
    """
    if max_builds < 1:
        raise SpaceError(f"`max_builds` must be at least 1. Got {max_builds}.")
    explorer = _Explorer(build)
    explorer.run_defaults()
    while explorer.builds < max_builds and (idea := explorer.next_idea()):
        explorer.run(idea)
    return Discovery(space=explorer.space(), builds=explorer.builds, failures=tuple(explorer.failures))


def refine(space: Space, asked: Iterable[tuple[Values, Iterable[str]]]) -> Space:
    """`space` with conditions that agree with more builds.

    Args:
        space: The space so far. Conditions that no build contradicts stay.
        asked: For each build, the values and the names that it asked for.

    Returns:
        The same hyperparameters in the same order.
    """
    observations = [
        Observation(values={name: values[name] for name in names if name in values}) for values, names in asked
    ]
    return Space(conditioned(tuple(space), observations))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Idea:
    """Values worth a build. `moved` are ranges that moved together, away from the build that asked for `base`."""

    values: Values
    moved: tuple[str, ...] = ()
    base: Values = field(default_factory=dict)


class _Explorer:
    """What is known so far, and what to build next."""

    def __init__(self, build: Callable[[HyperParameters], object]) -> None:
        self.builds = 0
        self.failures: list[Failure] = []
        self._build = build
        self._hyperparameters: list[Hyperparameter] = []
        self._observations: list[Observation] = []
        self._halves: list[_Idea] = []
        self._moved: set[tuple[float, str]] = set()
        self._deciding: set[str] = set()

    def space(self) -> Space:
        """The space that explains all builds so far."""
        return Space(conditioned(self._hyperparameters, self._observations))

    def run_defaults(self) -> None:
        """Build with the defaults. Code that fails there is wrong, or its defaults are."""
        hp = HyperParameters()
        try:
            self._record(hp, complete=self._built(hp))
        except SpaceError:
            raise
        except Exception as error:
            raise SpaceError(
                f"The build function must run with the default values, {hp.asked}. "
                f"It raised {type(error).__name__}: {error}. Correct it, or give other defaults."
            ) from error

    def run(self, idea: _Idea) -> None:
        """Build with the idea's values. A failure is recorded; what was asked for before it counts."""
        hp = HyperParameters(idea.values)
        complete = False
        try:
            complete = self._built(hp)
        except Exception as error:  # noqa: BLE001 - a user's code may raise anything; its message is all that is kept
            self.failures.append(Failure(values=idea.values, message=f"{type(error).__name__}: {error}"))
        self._record(hp, complete=complete)
        if idea.moved and idea.base.keys() != hp.asked.keys():
            self._blame(idea)

    def _built(self, hp: HyperParameters) -> bool:
        self.builds += 1
        try:
            self._build(hp)
        except Infeasible:
            return False
        return True

    def _record(self, hp: HyperParameters, *, complete: bool) -> None:
        found, asked = tuple(hp.found), hp.asked
        known = {hyperparameter.name: hyperparameter.domain for hyperparameter in self._hyperparameters}
        for hyperparameter in found:
            _check_range(hyperparameter, known.get(hyperparameter.name), asked)
        self._hyperparameters = merged(self._hyperparameters, found)
        self._observations.append(Observation(values=asked, complete=complete))

    def _blame(self, idea: _Idea) -> None:
        """One of those that moved decides what is built: halve them until it is alone."""
        if len(idea.moved) == 1:
            self._deciding.update(idea.moved)
            return
        middle = len(idea.moved) // 2
        for part in (idea.moved[:middle], idea.moved[middle:]):
            values = {**idea.base, **{name: idea.values[name] for name in part}}
            self._halves.append(_Idea(values=values, moved=part, base=idea.base))

    def next_idea(self) -> _Idea | None:
        """The most telling build whose answers are not known; `None` when nothing is left to learn."""
        sources = (self._one_by_one, self._halved, self._together, self._opposite, self._gaps, self._doubts)
        return next((idea for source in sources for idea in source() if not self._known(idea.values)), None)

    def _known(self, values: Values) -> bool:
        """Whether some build got for each thing that it asked for what `values` would give."""
        would = {h.name: identity(values.get(h.name, h.default)) for h in self._hyperparameters}
        return any(all(would[n] == identity(v) for n, v in o.values.items()) for o in self._observations)

    def _one_by_one(self) -> Iterator[_Idea]:
        for hyperparameter in self._hyperparameters:
            name = hyperparameter.name
            if _decides(hyperparameter.domain) or name in self._deciding:
                yield from self._varied(name, _telling(hyperparameter.domain), where=name)

    def _varied(self, name: str, values: Iterable[Value], *, where: str) -> Iterator[_Idea]:
        """`name` at each of `values`, all else as in the first build that asked for `where`."""
        witness = next((o.values for o in self._observations if where in o.values), None)
        if witness is not None:
            yield from (_Idea(values={**witness, name: value}) for value in values)

    def _halved(self) -> Iterator[_Idea]:
        while self._halves:
            yield self._halves.pop(0)

    def _together(self) -> Iterator[_Idea]:
        """All ranges that are unlikely to decide: at their high ends, then at their low ends."""
        ranges = [h for h in self._hyperparameters if isinstance(h.domain, (Int, Float)) and not _decides(h.domain)]
        for place in (1.0, 0.0):
            still = [h for h in ranges if (place, h.name) not in self._moved]
            base = max((o.values for o in self._observations), key=lambda v: sum(h.name in v for h in still))
            moved = {h.name: h.domain.from_unit(place) for h in still if h.name in base}
            self._moved |= {(place, name) for name in moved}
            if moved:
                yield _Idea(values={**base, **moved}, moved=tuple(moved), base=base)

    def _opposite(self) -> Iterator[_Idea]:
        """Everything far from its default: what needs two things at once shows up here."""
        deciding = [h for h in self._hyperparameters if _decides(h.domain)]
        yield _Idea(values={h.name: _farthest(h.domain) for h in deciding})

    def _gaps(self) -> Iterator[_Idea]:
        """Values of which nobody knows whether a condition holds there."""
        yield from self._about_conditions(unseen)

    def _doubts(self) -> Iterator[_Idea]:
        """Values that a condition excludes, with all else as it should be."""
        yield from self._about_conditions(excluded)

    def _about_conditions(self, choose: Callable[..., list[Value]]) -> Iterator[_Idea]:
        space = self.space()
        for child in space:
            for condition in child.conditions:
                others = [other for other in child.conditions if other is not condition]
                values = choose(child, space[condition.parent], others, self._observations)
                yield from self._varied(condition.parent, values, where=child.name)


def _decides(domain: Domain) -> bool:
    """Whether it is likely to decide what is built: a choice, or an integer that may count layers or blocks."""
    if isinstance(domain, Int):
        return domain.step in (None, 1) and domain.size <= LARGEST_COUNT
    return isinstance(domain, (Boolean, Choice))


def _telling(domain: Domain) -> list[Value]:
    """The values of a domain that are tried one by one: each choice, both ends and the middle of a range."""
    if isinstance(domain, (Boolean, Choice)):
        return domain.values()
    return [domain.from_unit(1.0), domain.from_unit(0.5), domain.from_unit(0.0)]


def _farthest(domain: Domain) -> Value:
    values = domain.values()
    return values[0] if identity(values[-1]) == identity(domain.default) else values[-1]


def _check_range(hyperparameter: Hyperparameter, known: Domain | None, asked: Values) -> None:
    if known is not None and not known.same_range(hyperparameter.domain):
        raise SpaceError(
            f"`{hyperparameter.name}` must have one range in all builds. Got {known!r}, "
            f"and {hyperparameter.domain!r} with {dict(asked)}. Put what the range depends on into the name, "
            f"or ask for the widest range and use hp.require(...)."
        )
