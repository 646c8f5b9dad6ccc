"""What a study trains each trial for."""

from __future__ import annotations

from dataclasses import dataclass

from dialed.objectives import Constraint
from dialed.trial import Objective, Trial

__all__ = ["Terms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a study trains each trial for.

    Args:
        objective: The metric to improve.
        epochs: Epochs of a full training.
        seeds: One per repeat; every trial uses the same ones, so that trials are compared in pairs.
        folds: Indices of the folds; `(0,)` where there is no cross-validation.
        seed: The study's own seed, from which strategies draw and the members' seeds come.
        max_trials: The budget in trials, if there is one. Strategies size their start by it.
        max_epochs: The budget in trained epochs over the whole study, if there is one.
        max_seconds: The budget in seconds, if there is one: strategies then prefer what is quick to train.
        least_epochs: So many epochs take about as long as it takes to begin a trial; to look sooner saves nothing.
        changeable: The hyperparameters that may change while a model is trained, as far as models built with other
            values of them have shown; `None` where nobody has looked.
        race_folds: Whether candidates get their folds one by one, and stop where they are clearly worse.
    """

    objective: Objective
    epochs: int = 1
    seeds: tuple[int, ...] = (0,)
    folds: tuple[int, ...] = (0,)
    seed: int = 0
    max_trials: int | None = None
    max_epochs: int | None = None
    max_seconds: float | None = None
    least_epochs: int = 1
    changeable: tuple[str, ...] | None = None
    others: tuple[Objective, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    race_folds: bool = False

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All objectives, the one that is the score first."""
        return (self.objective, *self.others)

    @property
    def judges(self) -> bool:
        """Whether more than the score says who may be the best: constraints, or the folds that a trial has."""
        return bool(self.constraints) or self.race_folds

    def is_whole(self, trial: Trial) -> bool:
        """Whether a trial has a score from every seed and fold, so that it compares with others that have.

        Only where folds are raced may one that ended have less: its score is of the folds that it had.
        """
        if not self.race_folds:
            return True
        scored = sum(m.score is not None for m in trial.members if m.purpose == "search")
        return scored >= len(self.seeds) * len(self.folds)

    @property
    def kept(self) -> tuple[str, ...]:
        """The names of what a trial's record keeps beside its score; none for a single objective alone."""
        if not self.others and not self.constraints:
            return ()
        return tuple(dict.fromkeys([*(o.name for o in self.objectives), *(c.name for c in self.constraints)]))
