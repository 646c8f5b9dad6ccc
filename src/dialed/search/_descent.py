"""The walk of a search that changes one hyperparameter at a time.

No state is kept between decisions. Each decision walks the whole way anew from its start, with the history's scores
for the trials that it knows, until it comes to one that it does not know.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import count
from typing import TypeAlias

from dialed.search._candidates import starts
from dialed.search._tried import recall, tried
from dialed.search.decisions import Decision, Finish
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import State, Trial, Value, Values

__all__ = ["Descent"]

Group: TypeAlias = dict[Hashable, Values]
"""Configurations whose losses are needed together, by key."""


class Descent:
    """One walk. Losses are minimised; that of a failed trial is infinite.

    Args:
        space: Where it walks.
        history: The scores that it knows.
        names: The hyperparameters of a round, in order.
        points: At most how many values of a number to try.
        start: Trials that it waits for, to begin at the best of them and the defaults.
    """

    def __init__(
        self, space: Space, history: History, names: Sequence[str], *, points: int, start: Sequence[Trial]
    ) -> None:
        self.space = space
        self.history = history
        self.names = names
        self.points = points
        self.start = start
        self.known = tried(space, history)
        self.sweeps: dict[Hashable, Group] = recall(history, "descent", space, points, dict)
        self.best: dict[str, Value] = {h.name: h.default for h in space}  # also of what is inactive now
        self.loss = math.inf
        self.last = -1  # the highest number of a trial on the walk
        self.reason = ""

    def decide(self, free: int, *, max_rounds: int | None = None) -> list[Decision]:
        """Begin what the walk does not know, wait for what it does not know yet, or finish at its end."""
        for group in self._walk(max_rounds) if free > 0 else ():
            missing = [values for key, values in group.items() if key not in self.known]
            if missing:
                return starts(missing[:free], self.history)
            if any(self._trial(key) is None for key in group):
                return []
        return [Finish(reason=self.reason)] if free > 0 else []

    def _walk(self, max_rounds: int | None) -> Iterator[Group]:
        """Yield groups of configurations; it may go on only when all losses of the last group are known."""
        yield from self._begin()
        for rounds in count(1):
            before = self.loss
            for name in self.names:
                yield from self._sweep(name)
            if not self.loss < before:
                yield self._group(t.values for t in self.history.unfinished if t.number <= self.last)
                if not self._take_over():
                    self.reason = "a whole round of changes improved nothing"
                    return
            if rounds == max_rounds:
                self.reason = f"max_rounds={rounds} is reached"
                return

    def _begin(self) -> Iterator[Group]:
        if self.start or not self.names:  # else the first sweep tries the defaults, beside its other values
            group = self._group([self.space.default_values(), *(trial.values for trial in self.start)])
            yield group
            self._go_to_best(group)

    def _sweep(self, name: str) -> Iterator[Group]:
        """Try each value of one hyperparameter, and keep the best. What is best so far wins a tie."""
        place = (name, *((type(value), value) for value in self.best.values()))
        if place not in self.sweeps:
            self.sweeps[place] = self._changes(name)
        group = self.sweeps[place]
        yield group
        self._go_to_best(group)

    def _changes(self, name: str) -> Group:
        base = self.space.restrict(self.best)
        if name not in base:
            return {}
        values = self.space[name].domain.values(self.points)
        return self._group([base, *(self.space.restrict({**self.best, name: value}) for value in values)])

    def _take_over(self) -> bool:
        """Go to a better trial that the walk did not come by: the best of the early ones, or the first late one.

        Trials that this step leads to are late, so it does the same when the walk is repeated with them.
        """
        better = [t for t in self.history.trials if self._loss(t) < self.loss and self._done(t)]
        inside = [trial for trial in better if self.space.contains(trial.values)]
        early = [trial for trial in inside if trial.number <= self.last]
        chosen = min(early, key=self._loss) if early else inside[0] if inside else None
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
        return next((trial for trial in trials if self._done(trial)), None)

    def _done(self, trial: Trial) -> bool:
        return trial.state.finished or trial.state is State.PAUSED

    def _loss(self, trial: Trial) -> float:
        if trial.score is None:
            return math.inf
        return self.history.objective.loss(trial.score)
