"""`compare_optimizers`: one table and one picture of optimizers, each at its own learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dialed.errors import InvalidInputError
from dialed.tools.given import data_for, mean_interval, recipe_for, seeds_from, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dialed.study import Study
    from dialed.tools.lr_range import RangeTest
    from dialed.tools.optimizers.contestants import Maker
    from dialed.trial import Trial

__all__ = ["OptimizerComparison", "Standing", "compare_optimizers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one optimizer did.

    Attributes:
        name: As it was asked for; "as built" for the model's own.
        learning_rate: From its range test; of "as built" the model's own, `None` where a schedule sets it.
        scores: The objective at the best epoch, (seeds,); empty where it failed.
        mean: Of these; `None` where it failed.
        interval: The 95 % interval of the mean; `None` with fewer than two seeds.
        behind: By how much it is behind the best, on average over the same seeds; 0 for the best.
        behind_interval: The 95 % interval of that, from the differences of pairs; `None` for the best.
        reason: Why it failed, or was not trained; empty where it was.
    """

    name: str
    learning_rate: float | None
    scores: tuple[float, ...]
    mean: float | None
    interval: tuple[float, float] | None
    behind: float | None
    behind_interval: tuple[float, float] | None
    reason: str

    @property
    def is_tied(self) -> bool:
        """Whether it cannot be told from the best."""
        if self.mean is None:
            return False
        return self.behind == 0.0 or self.behind_interval is None or self.behind_interval[0] <= 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerComparison:
    """What optimizers reach on the same model and data. `print` it for a table; `plot` draws it.

    Attributes:
        suggestion: The best on average; `None` where all failed.
        learning_rate: Its learning rate; `None` where that is the model's own schedule.
        standings: All of them, the best first, failures last.
        objective: The metric that they are compared by.
        epochs: Of each training.
        seeds: How many trainings each had.
    """

    suggestion: str | None
    learning_rate: float | None
    standings: Sequence[Standing] = field(repr=False)
    objective: str
    epochs: int
    seeds: int

    @property
    def table(self) -> list[dict[str, Any]]:
        """One row each: `optimizer`, `learning_rate`, the objective, `low`, `high`, `behind`, `tied`, `reason`."""
        return [
            {
                "optimizer": s.name,
                "learning_rate": s.learning_rate,
                self.objective: s.mean,
                "low": None if s.interval is None else s.interval[0],
                "high": None if s.interval is None else s.interval[1],
                "behind": s.behind,
                "tied": s.is_tied,
                "reason": s.reason,
            }
            for s in self.standings
        ]

    def __str__(self) -> str:
        lines = [*self._said(), f"  {'optimizer':<10}  {'rate':<8}  {self.objective:<12}  95 % interval       behind"]
        for s in self.standings:
            rate = "schedule" if s.learning_rate is None else f"{s.learning_rate:.3g}"
            if s.mean is None:
                lines.append(f"  {s.name:<10}  {s.reason}")
                continue
            interval = "" if s.interval is None else f"{s.interval[0]:.4g} to {s.interval[1]:.4g}"
            behind = "" if s.behind is None else f"{s.behind:.4g}{' (tied)' if s.is_tied and s.behind else ''}"
            lines.append(f"  {s.name:<10}  {rate:<8}  {s.mean:<12.4g}  {interval:<18}  {behind}")
        return "\n".join(lines)

    def _said(self) -> list[str]:
        head = f"{len(self.standings)} optimizers, {self.epochs} epochs, {self.seeds} seeds, by {self.objective}"
        if self.suggestion is None:
            return [head, "None of them could be trained."]
        tied = [s.name for s in self.standings[1:] if s.is_tied]
        rate = "" if self.learning_rate is None else f" at {self.learning_rate:.3g}"
        told = f"; not distinguishable from {', '.join(tied)}" if tied else ""
        return [head, f"Best: {self.suggestion}{rate}{told}"]

    def _repr_html_(self) -> str:
        from dialed.tools.pages import lines_and_table

        return lines_and_table(self._said(), [{**row, "tied": "yes" if row["tied"] else ""} for row in self.table])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each optimizer's mean with its interval, and its single trainings.

        Args:
            ax: Where to draw. Defaults to a new figure.

        Raises:
            MissingDependencyError: Matplotlib is not installed.
            InvalidInputError: All failed, so there is nothing to draw.
        """
        from dialed.tools.pictures import draw_optimizers

        if self.suggestion is None:
            raise InvalidInputError("A plot needs an optimizer that could be trained. None could.")
        return draw_optimizers(self, ax)


def compare_optimizers(
    build: Any,
    x: Any,
    y: Any = None,
    *,
    optimizers: Sequence[str] | Mapping[str, Maker] | None = None,
    epochs: int = 5,
    batch_size: int = 32,
    objective: Any = None,
    seeds: int = 3,
    seed: int = 0,
    values: Mapping[str, Any] | None = None,
    sample_weight: Any = None,
    validation_data: Any = None,
    validation_split: float = 0.2,
) -> OptimizerComparison:
    """Train a model with each of several optimizers, at the learning rate that a range test suggests for it.

    The model's own optimizer, as built, is always among them. All have the same seeds, so differences are taken in pairs;
    with Keras on JAX the seeds are lanes of one program. The best of many is partly the luckiest: look who is tied.

    Args:
        build: A build function `build(hp)`, whose models are compiled.
        x: Inputs, as `model.fit` takes them.
        y: Targets, where `x` does not hold them. Defaults to None.
        optimizers: Names, or a mapping of names to functions of a learning rate. Defaults to all that are known: "sgd",
            "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "adamax", "adamw", "nadam", "lion", "muon".
        epochs: Of each training. Defaults to 5.
        batch_size: Samples of a batch. Defaults to 32.
        objective: What they are compared by, as for `Tuner`. Defaults to "val_loss".
        seeds: Trainings of each. Defaults to 3.
        seed: Where the seeds come from. Defaults to 0.
        values: Hyperparameters for the build function. Defaults to its defaults.
        sample_weight: How much each sample counts. Defaults to None.
        validation_data: What they are judged by. Defaults to None.
        validation_split: The share of the samples at the end held out instead. Defaults to 0.2.

    Raises:
        InvalidInputError: An argument cannot mean anything.
        ObjectiveError: The objective is no metric of the model.
        DataError: The data cannot be trained on.
    """
    from dialed.tools.optimizers.contestants import makers_of

    makers = makers_of(optimizers)
    whole("epochs", epochs)
    drawn = seeds_from(seed, seeds)
    split = 0.0 if validation_data is not None else validation_split
    held_out = {"sample_weight": sample_weight, "validation_data": validation_data, "validation_split": split}
    data = data_for(x, y, batch_size=batch_size, **held_out)
    fixed = dict(values or {})
    tests = {name: _tested(build, make, data, batch_size, fixed, drawn) for name, make in makers.items()}
    rates = {name: test.suggestion for name, test in tests.items() if test.suggestion is not None}
    sizes = {"batch_size": batch_size} if data.kind == "arrays" else {}
    search = {"epochs": epochs, **sizes, **{name: v for name, v in held_out.items() if v is not None}}
    study = _trained(build, makers, rates, fixed, objective, (seeds, seed), (x, y, search))
    own = _own_rate(build, data, batch_size, fixed, seed)
    untested = {name: f"no learning rate: {test.reason}" for name, test in tests.items() if name not in rates}
    return _result(study, {**rates, **own}, untested, epochs, seeds)


def _tested(
    build: Any, make: Maker, data: Any, batch_size: int, values: dict[str, Any], seeds: tuple[int, ...]
) -> RangeTest:
    from dialed.tools.lr_range import range_test_of
    from dialed.tools.optimizers.contestants import switched

    recipe = recipe_for(switched(build, lambda: make(1e-3)), data, batch_size)
    return range_test_of(recipe, data, values, seeds=seeds)


def _own_rate(build: Any, data: Any, batch_size: int, values: dict[str, Any], seed: int) -> dict[str, float]:
    """The rate of the model's own optimizer, by the contestant's name; empty where a schedule sets it."""

    from dialed.engine.arguments import schedule_of
    from dialed.engine.building import values_without_compiling
    from dialed.engine.seeding import seeded
    from dialed.tools.numbers import optimizer_of
    from dialed.tools.optimizers.contestants import AS_BUILT

    with values_without_compiling(), seeded(seed):
        model = recipe_for(build, data, batch_size).realise(values, seed).model
        if schedule_of(model) is not None:
            return {}
        return {AS_BUILT: float(optimizer_of(model).learning_rate)}


def _trained(
    build: Any,
    makers: Mapping[str, Maker],
    rates: Mapping[str, float],
    values: dict[str, Any],
    objective: Any,
    seeds: tuple[int, int],
    search: tuple[Any, Any, dict[str, Any]],
) -> Study:
    """A study that is kept nowhere: one trial for each contestant, one member for each seed."""
    from dialed.strategies import Manual
    from dialed.study import Tuner
    from dialed.tools.optimizers.contestants import AS_BUILT, CHOICE, Contestants

    names = [AS_BUILT, *rates]
    repeats, seed = seeds
    tuner = Tuner(
        Contestants(build, makers, rates),
        objective,
        strategy=Manual([{**values, CHOICE: name} for name in names], default_first=False),
        max_trials=len(names),
        max_consecutive_failures=len(names) + 1,
        repeats=repeats,
        confirm=False,
        seed=seed,
        store="sqlite:///:memory:",
        verbose=0,
    )
    x, y, arguments = search
    return tuner.search(x, y, **arguments)


def _result(
    study: Study, rates: Mapping[str, float], untested: Mapping[str, str], epochs: int, seeds: int
) -> OptimizerComparison:
    from dialed.tools.optimizers.contestants import CHOICE

    sign = 1.0 if study.objective.direction == "max" else -1.0
    trials = {str(trial.values[CHOICE]): trial for trial in study.trials}
    scores = {name: _scores(trial) for name, trial in trials.items()}
    known = sorted((n for n in scores if scores[n]), key=lambda n: -sign * float(np.mean(list(scores[n].values()))))
    best = known[0] if known else None
    standings = [_standing(name, rates.get(name), scores[name], scores[known[0]], sign) for name in known]
    standings += [_failed(n, rates.get(n), trials[n].message or "failed") for n in trials if n not in known]
    standings += [_failed(name, None, reason) for name, reason in untested.items()]
    return OptimizerComparison(
        suggestion=best,
        learning_rate=None if best is None else rates.get(best),
        standings=tuple(standings),
        objective=study.objective.name,
        epochs=epochs,
        seeds=seeds,
    )


def _scores(trial: Trial) -> dict[int, float]:
    """The score under each seed; empty where a training failed."""
    found = {member.key.seed: member.score for member in trial.members}
    if trial.score is None or any(score is None or not math.isfinite(score) for score in found.values()):
        return {}
    return {seed: score for seed, score in found.items() if score is not None}


def _standing(
    name: str, rate: float | None, own: Mapping[int, float], best: Mapping[int, float], sign: float
) -> Standing:
    differences = [sign * (best[seed] - own[seed]) for seed in own]
    scores = tuple(own.values())
    is_best = own is best
    return Standing(
        name=name,
        learning_rate=rate,
        scores=scores,
        mean=float(np.mean(scores)),
        interval=mean_interval(scores),
        behind=0.0 if is_best else float(np.mean(differences)),
        behind_interval=None if is_best else mean_interval(differences),
        reason="",
    )


def _failed(name: str, rate: float | None, reason: str) -> Standing:
    return Standing(
        name=name,
        learning_rate=rate,
        scores=(),
        mean=None,
        interval=None,
        behind=None,
        behind_interval=None,
        reason=reason,
    )
