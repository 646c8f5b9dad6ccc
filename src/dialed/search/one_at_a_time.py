"""One hyperparameter after the other."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import count
from typing import TypeAlias

import numpy as np

from dialed.errors import InvalidInputError, SpaceError
from dialed.search._candidates import starts
from dialed.search._names import nearest
from dialed.search._tried import tried
from dialed.search.decisions import Decision, Finish
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import State, Trial, Value, Values

__all__ = ["OneAtATime"]


@dataclass(frozen=True, slots=True)
class OneAtATime:
    """Keeps the best value of one hyperparameter while it tries the next, until a whole round improves nothing.

    Choose it to see plainly what each hyperparameter does, or to polish a configuration that is nearly right. It
    misses what only two changes together would gain; `Sobol` does not. It starts from the best of the defaults and
    of what was enqueued before its own first trial, and takes over anything better that a study holds at the end of
    a round. A conditional hyperparameter is tried while it is active; its best value is remembered while it is not.

    Args:
        points: At most how many values of an `Int` or `Float` to try, evenly spaced on its own scale, both ends
            included. Choices are all tried. Defaults to 5.
        order: Names to begin each round with; the others follow in the order of the space. Defaults to that order.
        max_rounds: The most rounds. Defaults to no limit.

    Raises:
        InvalidInputError: `points` is below 2, `max_rounds` below 1, or `order` not a list of different names.

    Example:
        >>> from dialed.space import Hyperparameter, Int, Space
        >>> from dialed.testing.simulate import simulate
        >>> space = Space([Hyperparameter(name, Int(0, 4)) for name in "xy"])
        >>> history = simulate(OneAtATime(), space, lambda values: (values["x"] - 3) ** 2 + (values["y"] - 1) ** 2)
        >>> len(history), history.best_trial.values
        (13, {'x': 3, 'y': 1})
    """

    _: KW_ONLY
    points: int = 5
    order: Sequence[str] | None = None
    max_rounds: int | None = None

    def __post_init__(self) -> None:
        _check_int("points", self.points, 2)
        if self.max_rounds is not None:
            _check_int("max_rounds", self.max_rounds, 1)
        order = self.order
        names = [] if order is None else list(order)
        if isinstance(order, str) or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
            raise InvalidInputError(f"The `order` of OneAtATime must be a list of different names. Got {order!r}.")

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """The values of the hyperparameter in turn that are untried; nothing while their results are awaited.

        The way of the search is walked anew from its start, with the history's scores for the trials that it knows.
        """
        if free < 1:
            return []
        descent = _Descent(self, space, history)
        for group in descent.walk():
            if missing := descent.missing(group):
                return starts(missing[:free], history)
            if descent.awaited(group):
                return []
        return [Finish(reason=descent.reason)]


Group: TypeAlias = dict[Hashable, Values]
"""Configurations whose losses are needed together, by key."""


class _Descent:
    """The walk of one search through its history. Losses are minimised; that of a failed trial is infinite."""

    def __init__(self, strategy: OneAtATime, space: Space, history: History) -> None:
        self.space = space
        self.history = history
        self.points = strategy.points
        self.max_rounds = strategy.max_rounds
        self.names = _ordered(space, strategy.order)
        self.known = tried(space, history)
        self.best: dict[str, Value] = {h.name: h.default for h in space}  # also of what is inactive now
        self.loss = math.inf
        self.last = -1  # the highest number of a trial on the walk
        self.reason = ""

    def walk(self) -> Iterator[Group]:
        """Yield groups of configurations; it may go on only when all losses of the last group are known."""
        yield from self._begin()
        for rounds in count(1):
            before = self.loss
            for name in self.names:
                yield from self._sweep(name)
            if not self.loss < before:
                yield self._group(trial.values for trial in self.history.unfinished)
                if not self._take_over():
                    self.reason = "a whole round of changes improved nothing"
                    return
            if rounds == self.max_rounds:
                self.reason = f"max_rounds={rounds} is reached"
                return

    def missing(self, group: Group) -> list[Values]:
        """Those that were never begun."""
        return [values for key, values in group.items() if key not in self.known]

    def awaited(self, group: Group) -> bool:
        """Whether the loss of one of them is still to come."""
        return any(self._trial(key) is None for key in group)

    def _begin(self) -> Iterator[Group]:
        """Go to the best of the defaults and of what was begun before any strategy's own trial."""
        trials = self.history.trials
        first = next((i for i, trial in enumerate(trials) if trial.source == "strategy"), len(trials))
        given = [trial.values for trial in trials[:first] if trial.source != "default"]
        if given or not self.names:
            group = self._group([self.space.default_values(), *given])
            yield group
            self._go_to_best(group)

    def _sweep(self, name: str) -> Iterator[Group]:
        """Try each value of one hyperparameter, and keep the best. What is best so far wins a tie."""
        base = self.space.restrict(self.best)
        if name in base:
            values = self.space[name].domain.values(self.points)
            group = self._group([base, *(self.space.restrict({**self.best, name: value}) for value in values)])
            yield group
            self._go_to_best(group)

    def _take_over(self) -> bool:
        """Go to a better trial that the walk did not come by: the best of the early ones, or the first late one.

        Trials that this step leads to are late, so it does the same when the walk is repeated with them.
        """
        better = [t for t in self.history.trials if self._loss(t) < self.loss and self.space.contains(t.values)]
        early = [trial for trial in better if trial.number <= self.last]
        chosen = min(early, key=self._loss) if early else better[0] if better else None
        if chosen is not None:
            self._go_to(chosen.values, chosen)
        return chosen is not None

    def _go_to_best(self, group: Group) -> None:
        for key, values in group.items():
            trial = self._trial(key)
            if trial is None:
                raise RuntimeError(f"The walk went on before the loss of {values} was known.")
            self.last = max(self.last, trial.number)
            if self._loss(trial) < self.loss:
                self._go_to(values, trial)

    def _go_to(self, values: Values, trial: Trial) -> None:
        self.best |= self.space.restrict(values)
        self.loss = self._loss(trial)

    def _group(self, configurations: Iterable[Values]) -> Group:
        inside = (self.space.restrict(values) for values in configurations if self.space.contains(values))
        return {self.space.key(values): values for values in inside}

    def _trial(self, key: Hashable) -> Trial | None:
        """The first trial of a configuration that is done; `None` while there is none."""
        trials = (self.history.trial(number) for number in self.known.trials(key))
        return next((t for t in trials if t.state.finished or t.state is State.PAUSED), None)

    def _loss(self, trial: Trial) -> float:
        if trial.score is None:
            return math.inf
        return trial.score if self.history.objective.direction == "min" else -trial.score


def _ordered(space: Space, order: Sequence[str] | None) -> list[str]:
    first = list(order or ()) if len(space) else []  # before the first call of a function, no name is known
    for name in first:
        if name not in space:
            raise SpaceError(
                f"The `order` of OneAtATime must name hyperparameters of the space. Got '{name}'. "
                f"{nearest(name, space.names)}"
            )
    return first + [name for name in space.names if name not in first]


def _check_int(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidInputError(
            f"The `{name}` of OneAtATime must be an int in the range [{least}, inf). Got {value!r}."
        )
