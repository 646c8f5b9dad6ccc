"""What `search` was given: checked, taken apart into data and training arguments, and made ready to train on."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dialed.errors import InvalidInputError
from dialed.objectives import Constraint
from dialed.search import Terms
from dialed.space import Choice, Domain, Int, Space, discover
from dialed.study.budget import Budget
from dialed.trial import Objective

if TYPE_CHECKING:
    from dialed.engine.data import Data
    from dialed.engine.hypermodel import Hypermodel
    from dialed.engine.probe import Probe
    from dialed.engine.recipe import Recipe

__all__ = ["Prepared", "SearchArguments", "member_seeds"]

_DATA = ("sample_weight", "validation_data", "validation_split", "groups", "check_finite", "prepare")
_TRAINING = (
    "epochs",
    "batch_size",
    "callbacks",
    "class_weight",
    "lr_scaling",
    "patience",
    "shuffle",
    "steps_per_epoch",
    "validation_batch_size",
    "validation_freq",
    "validation_steps",
)


def member_seeds(seed: int, repeats: int) -> tuple[int, ...]:
    """One seed for each repeat, the same for all trials of a study, so that trials are compared in pairs."""
    return tuple(int(s) for s in np.random.SeedSequence(seed).generate_state(repeats))


BEGINNING_SECONDS = 1.0
"""What a trial costs before its first epoch: a share of a program that is traced and compiled in two seconds or so."""

SPEED, PASSES, STEP_SECONDS = 2e10, 3.0, 1e-4
"""Multiplications a second of two CPU cores, passes over a model in a step of training, and what a step takes besides.
Only their order of magnitude counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that is known before the first trial: the data, how a model is built and trained, the space, the terms."""

    data: Data
    recipe: Recipe
    space: Space
    terms: Terms
    probe: Probe
    builds: int

    def with_changeable(self) -> Prepared:
        """The same, knowing which hyperparameters may change while a model is trained: some models are built for it."""
        from dialed.engine.changeable import changeable

        names = changeable(self.recipe, self.space, self.data, seed=self.terms.seeds[0])
        return replace(self, terms=replace(self.terms, changeable=names))


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchArguments:
    """The arguments of one `search`, taken apart."""

    x: Any
    y: Any
    data: Mapping[str, Any]
    training: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, x: Any, y: Any, arguments: Mapping[str, Any], *, own_fit: bool = False) -> Self:
        """Check the names and the plain values of `arguments`; `own_fit` lets a hypermodel's own `fit` take others."""
        for name in arguments:
            if name not in _DATA and name not in _TRAINING and not own_fit:
                _refuse(name)
        data = {name: arguments[name] for name in _DATA if name in arguments}
        for name, value in data.items():
            if isinstance(value, Domain):
                raise InvalidInputError(
                    f"`{name}` must be the same for all trials, or their scores could not be compared. "
                    f"Got {value!r}. Tune what is trained, not what it is judged by."
                )
        training = {name: value for name, value in arguments.items() if name not in _DATA}
        training.setdefault("epochs", 1)
        _check_counts(training)
        return cls(x=x, y=y, data=data, training=training)

    def prepare(
        self,
        hypermodel: Hypermodel,
        *,
        objective: str | Objective | Sequence[str | Objective] | None,
        constraints: Sequence[Constraint] = (),
        cv: Any,
        repeats: int,
        seed: int,
        budget: Budget,
        max_parameters: int | None,
        race_folds: bool = False,
    ) -> Prepared:
        """Check the data, discover the space, and find the objective among the metrics of the default model."""
        from dialed.engine.building import values_without_compiling
        from dialed.engine.data import Data
        from dialed.engine.objective import check_constraints, resolve_objectives
        from dialed.engine.probe import probe
        from dialed.engine.recipe import Recipe
        from dialed.engine.seeding import seeded

        data = Data.of(self.x, self.y, cv=cv, seed=seed, **self.data)
        limits = [max_parameters, *(c.max for c in constraints if c.name == "parameters")]
        most = min((int(limit) for limit in limits if limit is not None), default=None)
        recipe = Recipe(hypermodel, self.training, max_parameters=most)
        recipe.look_at(data)
        seeds = member_seeds(seed, repeats)
        with values_without_compiling():  # these models are looked at, not trained
            with seeded(seeds[0]):
                found = discover(recipe)
            probed = probe(recipe, found.space.default_values(), data)
        names, judged = probed.metric_names, data.has_validation
        first, *others = resolve_objectives(objective, names, has_validation=judged, metrics=probed.metrics)
        check_constraints(constraints, names, has_validation=judged)
        terms = Terms(
            objective=first,
            others=tuple(others),
            constraints=tuple(constraints),
            epochs=most_epochs(self.training["epochs"]),
            seeds=seeds,
            folds=data.folds,
            seed=seed,
            max_trials=budget.max_trials,
            max_epochs=budget.max_epochs,
            max_seconds=budget.max_seconds,
            race_folds=race_folds,
            least_epochs=_least_epochs(probed, data, recipe, most_epochs(self.training["epochs"])),
        )
        return Prepared(data=data, recipe=recipe, space=found.space, terms=terms, probe=probed, builds=found.builds)


def _least_epochs(probed: Probe, data: Data, recipe: Recipe, most: int) -> int:
    """How many epochs take about as long as it takes to begin a trial, reckoned from the size of the default model."""
    samples = data.fold(data.folds[0]).samples
    if not samples:
        return 1
    batch = recipe.arguments.get("batch_size")
    steps = samples / (batch if isinstance(batch, int) else 32)
    seconds = samples * probed.multiplications * PASSES / SPEED + steps * STEP_SECONDS
    return max(1, min(most, math.ceil(BEGINNING_SECONDS / seconds)))


def most_epochs(epochs: int | Domain) -> int:
    """The epochs of the longest training: the upper end where they are tuned."""
    match epochs:
        case Int():
            return epochs.max_value
        case Choice():
            return max(int(v) for v in epochs.values() if isinstance(v, int))
        case _:
            return int(epochs)  # type: ignore[arg-type]


def _check_counts(training: Mapping[str, Any]) -> None:
    for name in ("epochs", "batch_size", "patience", "steps_per_epoch", "validation_freq"):
        value = training.get(name)
        if value is None or isinstance(value, Domain):
            continue
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise InvalidInputError(
                f"The `{name}` must be an int in the range [1, inf), or a `dialed.Choice` or `dialed.Int` to tune "
                f"it. Got {value!r}."
            )


def _refuse(name: str) -> None:
    known = (*_DATA, *_TRAINING)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    raise InvalidInputError(f"`search` takes {', '.join(f'`{k}`' for k in sorted(known))}. Got `{name}`.{hint}")
