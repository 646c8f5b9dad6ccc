"""How many epochs searches over learning curves need: regret after so many full trainings' worth of them, side by side.

    python benchmarks/search_curves.py --data FOLDER [--seeds 3] [--full 30] [--tasks 4] [--strategies ...]

Reads recorded learning curves of random configurations: `curves_lcbench.npz` (validation error; its first stored epoch
is the untrained network and left out) and `curves_taskset.npz` (validation loss; a curve that is not finite is a
failure). One trial is trained at a time and may be paused and continued. A configuration that a strategy proposes
becomes the nearest recorded one that the search has not tried, and the strategy is told so. Regret is that of the best
value seen at any epoch: 0 for the best one recorded, 1 for the median configuration after its last epoch. The p-values
are Wilcoxon's, over tasks and seeds, against the first strategy. Nobody is given a default configuration.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon
from search_tables import _domain, _inside

from dialed.events import Report
from dialed.search.decisions import Decision, Start
from dialed.search.history import Terms
from dialed.search.protocol import Strategy
from dialed.space import Float, Hyperparameter, Space
from dialed.strategies import ASHA, Auto, Bayesian, Hyperband, Random
from dialed.testing.simulate import Simulation
from dialed.trial import Objective, Values

Array = NDArray[np.float64]
MARKS = (1, 2, 4, 8, 16, 30)


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Recorded trainings: `losses` of shape (configurations, epochs), NaN after a divergence; `configurations`."""

    name: str
    family: str
    space: Space
    configurations: Sequence[Values]
    losses: Array
    units: Array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", np.array([self.space.encode(values) for values in self.configurations]))

    @property
    def epochs(self) -> int:
        """Of a full training."""
        return self.losses.shape[1]

    def regret(self, losses: Array) -> Array:
        """0 for the best recorded value, 1 for the median after the last epoch."""
        best = np.nanmin(self.losses)
        return (losses - best) / (np.median(np.nan_to_num(self.losses[:, -1], nan=np.inf)) - best)


class Rows:
    """The recorded configurations of one search, each of which may be tried once."""

    def __init__(self, curves: Curves) -> None:
        self.curves = curves
        self._free = np.ones(len(curves.units), dtype=bool)
        self._index = {curves.space.key(values): i for i, values in enumerate(curves.configurations)}

    def take(self, values: Values) -> Values:
        """The nearest one that was not tried yet."""
        distance = np.sum((self.curves.units - self.curves.space.encode(values)) ** 2, axis=1)
        index = int(np.argmin(np.where(self._free, distance, np.inf)))
        self._free[index] = False
        return self.curves.configurations[index]

    def losses(self, values: Values) -> list[float]:
        """The curve of a recorded configuration, up to where it diverged and once beyond."""
        curve = self.curves.losses[self._index[self.curves.space.key(values)]]
        ends = np.flatnonzero(np.isnan(curve))
        return [float(loss) for loss in (curve[: ends[0] + 1] if len(ends) else curve)]


@dataclass(slots=True)
class Recorded:
    """A strategy whose new trials are recorded configurations."""

    strategy: Strategy
    rows: Rows

    def decide(self, space: Space, history: Any, rng: np.random.Generator, free: int) -> list[Decision]:
        """What the strategy decides, moved to the nearest recorded configurations."""
        decisions = self.strategy.decide(space, history, rng, free)
        return [replace(d, values=self.rows.take(d.values)) if isinstance(d, Start) else d for d in decisions]


class Budgeted(Simulation):
    """A simulated study that ends with its epochs."""

    def _waiting(self) -> list[Any]:
        return super()._waiting() if self.history.epochs < (self.history.terms.max_epochs or 0) else []


Search = Callable[[Curves, int, int], list[float]]
"""The losses in the order in which their epochs were trained: of curves, with a budget in epochs, by a seed."""


def ours(make: Callable[[], Strategy], *, told: bool = True) -> Search:
    """A strategy of Dialed; `told` says whether it knows the budget."""

    def search(curves: Curves, epochs: int, seed: int) -> list[float]:
        objective = Objective(name="loss", direction="min")
        terms = Terms(objective=objective, epochs=curves.epochs, seed=seed, max_epochs=epochs)
        rows = Rows(curves)
        strategy = Recorded(make() if told else Untold(make()), rows)
        study = Budgeted(strategy, curves.space, rows.losses, terms=terms)
        study.run()
        return [event.metrics["loss"] for event in study.events if isinstance(event, Report)]

    return search


@dataclass(slots=True)
class Untold:
    """A strategy that goes on for ever, as in its paper."""

    strategy: Strategy

    def decide(self, space: Space, history: Any, rng: np.random.Generator, free: int) -> list[Decision]:
        """What it decides where no budget is known."""
        terms = history.terms
        history.terms = replace(terms, max_epochs=None)
        try:
            return self.strategy.decide(space, history, rng, free)
        finally:
            history.terms = terms


def optunas(sampler: str) -> Search:
    """Optuna's Hyperband with a sampler: a trial that is pruned is not continued."""

    def search(curves: Curves, epochs: int, seed: int) -> list[float]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=curves.epochs, reduction_factor=3)
        study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=seed), pruner=pruner)
        rows = Rows(curves)
        trained: list[float] = []

        def objective(trial: Any) -> float:
            values = rows.take({h.name: _suggested(trial, h) for h in curves.space})
            losses = rows.losses(values)
            for epoch, loss in enumerate(losses, start=1):
                if not np.isfinite(loss):
                    return float("nan")
                trained.append(loss)
                trial.report(loss, epoch)
                if trial.should_prune():
                    raise optuna.TrialPruned
            return losses[-1]

        while len(trained) < epochs:
            study.optimize(objective, n_trials=1)
        return trained

    return search


def _suggested(trial: Any, hyperparameter: Hyperparameter) -> float:
    domain: Any = hyperparameter.domain
    suggest = trial.suggest_float if isinstance(domain, Float) else trial.suggest_int
    return suggest(hyperparameter.name, domain.min_value, domain.max_value, log=domain.sampling == "log")


CHANCE = Random(default_first=False)

STRATEGIES: dict[str, Search] = {
    "auto": ours(lambda: Auto(default_first=False)),
    "hyperband": ours(lambda: Hyperband(sampler=CHANCE), told=False),
    "asha": ours(lambda: ASHA(sampler=CHANCE), told=False),
    "random": ours(lambda: CHANCE),
    "asha bayesian": ours(lambda: ASHA(sampler=Bayesian(default_first=False))),
}
if importlib.util.find_spec("optuna"):
    STRATEGIES |= {"optuna TPE+hyperband": optunas("TPESampler")}


def tables(folder: Path, most: int) -> Iterator[Curves]:
    """At most `most` tasks of each family that lies in `folder`."""
    readers = {"curves_lcbench.npz": _lcbench, "curves_taskset.npz": _taskset}
    for name, reader in readers.items():
        if (folder / name).exists():
            yield from reader(folder / name, most)


def _lcbench(path: Path, most: int) -> Iterator[Curves]:
    with np.load(path, allow_pickle=False) as archive:
        meta = json.loads(str(archive["meta"]))
        space = Space(Hyperparameter(name, _domain(meta["space"][name])) for name in meta["hp_names"])
        configurations = _configurations(space, archive["hp"])
        for index, name in list(enumerate(meta["instances"]))[:most]:
            losses = 100.0 - archive["val_accuracy"][index, :, 1:] / 655.35
            yield Curves(f"lcbench {name}", "lcbench", space, configurations, losses)


def _taskset(path: Path, most: int) -> Iterator[Curves]:
    with np.load(path, allow_pickle=False) as archive:
        meta = json.loads(str(archive["meta"]))
        recorded = archive["hp"]
        ends = zip(meta["hp_names"], recorded.min(axis=0), recorded.max(axis=0), strict=True)
        space = Space(Hyperparameter(name, Float(low, high, sampling="log")) for name, low, high in ends)
        configurations = _configurations(space, recorded)
        for index, name in list(enumerate(meta["tasks"]))[:most]:
            losses = archive["loss"][index, :, 1:, 1].astype(np.float64)
            diverged = np.logical_or.accumulate(~np.isfinite(losses), axis=1)
            yield Curves(f"taskset {name[27:]}", "taskset", space, configurations, np.where(diverged, np.nan, losses))


def _configurations(space: Space, recorded: Array) -> list[Values]:
    return [{h.name: h.domain.cast(_inside(h.domain, v)) for h, v in zip(space, row, strict=True)} for row in recorded]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The regret after each trained epoch of one search, and its CPU seconds."""

    family: str
    task: str
    regrets: Array
    seconds: float


def measure(chosen: Sequence[str], problems: Sequence[Curves], seeds: int, full: int) -> dict[str, list[Run]]:
    """Each strategy on each task with each seed."""
    results: dict[str, list[Run]] = {name: [] for name in chosen}
    for place, curves in enumerate(problems):
        for seed in range(1000 * place, 1000 * place + seeds):  # no two tasks begin alike
            for name in chosen:
                epochs, start = full * curves.epochs, time.process_time()
                best = np.fmin.accumulate(np.array(STRATEGIES[name](curves, epochs, seed)))[:epochs]
                best = np.append(best, np.full(epochs - len(best), best[-1]))
                spent = time.process_time() - start
                marks = [mark * curves.epochs - 1 for mark in MARKS if mark <= full]
                regrets = curves.regret(np.nan_to_num(best, nan=np.inf))[marks]
                results[name].append(Run(family=curves.family, task=curves.name, regrets=regrets, seconds=spent))
    return results


def show(results: dict[str, list[Run]], full: int, *, by_task: bool) -> None:
    """Print a line for each family (and task) and strategy."""
    marks = [mark for mark in MARKS if mark <= full]
    first = next(iter(results))
    print(f"{'regret after full trainings':52}", *(f"{mark:>15}" for mark in marks), f"{'CPU s/search':>14}")
    groups = list(dict.fromkeys(run.family for run in results[first]))
    groups = [*groups, *(dict.fromkeys(run.task for run in results[first]) if by_task else ())]
    for group in groups:
        inside = np.array([group in (run.family, run.task) for run in results[first]])
        for name, runs in results.items():
            regrets = np.array([run.regrets for run in runs])[inside]
            against = np.array([run.regrets for run in results[first]])[inside]
            cells = [_cell(regrets[:, i], against[:, i]) for i in range(len(marks))]
            spent = np.mean([run.seconds for run in runs])
            print(f"{group:30}{name:22}", *(f"{cell:>15}" for cell in cells), f"{spent:14.1f}", flush=True)


def _cell(regrets: Array, reference: Array) -> str:
    differs = np.any(regrets != reference)
    p = f"(p={wilcoxon(regrets, reference).pvalue:.3f})" if differs else "         "
    return f"{regrets.mean():.3f}{p}"


def main() -> None:
    """Read the arguments, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the recorded curves")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--full", type=int, default=30, help="the budget in full trainings")
    parser.add_argument("--tasks", type=int, default=4, help="at most so many of each family")
    parser.add_argument("--by-task", action="store_true", help="a line for each task too")
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES), choices=list(STRATEGIES))
    given = parser.parse_args()
    problems = list(tables(given.data, given.tasks))
    show(measure(given.strategies, problems, given.seeds, given.full), given.full, by_task=given.by_task)


if __name__ == "__main__":
    main()
