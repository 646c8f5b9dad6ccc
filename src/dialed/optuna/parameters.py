"""What the finished trials of a study of Optuna asked for: names, ranges, and when they ask for which."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from dialed.optuna.ranges import Range, range_of
from dialed.space import Hyperparameter, Space
from dialed.space.discover import refine
from dialed.trial import Value

__all__ = ["Parameters", "values_in"]

Ranges = Mapping[str, Range]


class Parameters:
    """The parameters that are chosen together, and the conditions among them.

    A parameter of which no condition explains why some trials did without it, or whose range is not that of all
    trials, is left out for good: Optuna calls what is left the relative search space.
    """

    def __init__(self) -> None:
        self.ranges: dict[str, Range] = {}
        self.space = Space([])
        self._left_out: set[str] = set()
        self._read: set[int] = set()
        self._complete: list[FrozenTrial] = []

    def read(self, trials: Sequence[FrozenTrial]) -> None:
        """Take in the trials that were completed or pruned since the last time. A pruned one may have asked for more."""
        known = len(self.ranges), len(self._left_out)
        ended = (TrialState.COMPLETE, TrialState.PRUNED)
        fresh = [trial for trial in trials if trial.state in ended and trial.number not in self._read]
        for trial in fresh:
            self._read.add(trial.number)
            self._meet(trial)
        complete = [trial for trial in fresh if trial.state is TrialState.COMPLETE]
        self._complete += complete
        if known != (len(self.ranges), len(self._left_out)) or self._unexplained(complete):
            self._learn()

    def subspace(self, distributions: Mapping[str, BaseDistribution]) -> tuple[Space, Ranges]:
        """The space of the `distributions`, with what is known of their conditions."""
        ranges = {name: found for name, d in distributions.items() if (found := range_of(d)) is not None}
        known = [h for h in self.space if h.name in ranges and self.ranges[h.name] == ranges[h.name]]
        kept: list[Hyperparameter] = []
        for hyperparameter in known:
            conditions = tuple(c for c in hyperparameter.conditions if any(c.parent == k.name for k in kept))
            kept.append(Hyperparameter(hyperparameter.name, hyperparameter.domain, conditions))
        names = {hyperparameter.name for hyperparameter in kept}
        return Space([*kept, *_free({name: r for name, r in ranges.items() if name not in names})]), ranges

    def _meet(self, trial: FrozenTrial) -> None:
        for name, distribution in trial.distributions.items():
            known = self.ranges.get(name)
            if name in self._left_out or (known is not None and known.distribution == distribution):
                continue
            found = None if known is not None else range_of(distribution)
            if found is None:
                self._leave_out([name])
            else:
                self.ranges[name] = found

    def _leave_out(self, names: Sequence[str]) -> None:
        self._left_out.update(names)
        for name in names:
            self.ranges.pop(name, None)

    def _learn(self) -> None:
        """Find the conditions; leave out what none explains, and begin anew without it."""
        plain = Space(_free(self.ranges))
        self.space = refine(plain, [(values_in(self.ranges, t.params, plain), t.params) for t in self._complete])
        unexplained = self._unexplained(self._complete)
        if unexplained:
            self._leave_out(unexplained)
            self._learn()

    def _unexplained(self, complete: Sequence[FrozenTrial]) -> list[str]:
        """The parameters that one of these trials should have asked for and did not."""
        missing: dict[str, None] = {}
        for trial in complete:
            active = self.space.restrict(values_in(self.ranges, trial.params, self.space))
            missing |= dict.fromkeys(name for name in active if name not in trial.params)
        return list(missing)


def values_in(ranges: Ranges, params: Mapping[str, object], names: Container[str]) -> dict[str, Value]:
    """The values of those parameters that have a range, as Dialed tells them; what lies outside is left out."""
    return {
        name: ranges[name].inwards(value)
        for name, value in params.items()
        if name in names and name in ranges and ranges[name].holds(value)
    }


def _free(ranges: Ranges) -> list[Hyperparameter]:
    return [Hyperparameter(name, found.domain) for name, found in ranges.items()]
