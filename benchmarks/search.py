"""How many trials strategies need: mean normalised regret on recorded trainings, side by side, with paired seeds.

    python benchmarks/search.py --data FOLDER [--seeds 8] [--trials 100] [--tasks 2] [--json FILE] [--cache FILE] ...
    python benchmarks/search.py --part made|batches|failures|grid|divergence

The first compares on recorded trainings; the parts need none, and hold `Bayesian` to other figures on made problems.
Regret is that of the configuration that looks best so far, judged by its noise-free loss: 0 for the best known one, 1
for the median random one. Everyone draws their own start; no default configuration is given away. Optuna, SMAC and
KerasTuner take part where they can be imported, and `--cache` remembers their runs. The p-values compare the first
strategy with each other one over tasks and seeds: Wilcoxon's signed ranks, and in the last column the sign test.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, rankdata, wilcoxon
from search_figures import batches, divergence, extra_trials, failures, repeats
from search_peers import peers
from search_problems import FAMILIES, made
from search_runs import Measured, Run, Search, measure
from search_tables import Task, tasks

from dialed.search.protocol import Strategy
from dialed.strategies import Bayesian, Random, Sobol
from dialed.testing.simulate import simulate

MARKS = (10, 25, 50, 100)
PARTS = ("recorded", "made", "batches", "failures", "grid", "divergence")

Regrets = dict[str, NDArray[np.float64]]
"""By strategy, shape `(runs, trials)`, with the runs of all of them in the same order."""


def ours(make: Callable[[], Strategy]) -> Search:
    """A strategy of Dialed, in a simulated study."""

    def search(task: Task, measured: Measured, trials: int, seed: int, free: int) -> None:
        simulate(make(), task.space, measured, max_trials=trials, seed=seed, free=free)

    return search


OURS: dict[str, Search] = {
    "Bayesian": ours(lambda: Bayesian(default_first=False)),
    "Random": ours(lambda: Random(default_first=False)),
    "Sobol": ours(lambda: Sobol(default_first=False)),
}


def regrets(runs: list[Run], problems: list[Task], trials: int) -> tuple[Regrets, list[str]]:
    """The regrets of each strategy, and the family of each run."""
    by_name = {task.name: task for task in problems}
    names = dict.fromkeys(run.strategy for run in runs)
    table = {
        name: np.array([run.regrets(by_name[run.task], trials) for run in runs if run.strategy == name])
        for name in names
    }
    first = next(iter(names))
    return table, [run.family for run in runs if run.strategy == first]


def table(known: Regrets, families: list[str], seconds: dict[str, float], trials: int) -> str:
    """A Markdown table: a row for each family and strategy."""
    marks = [mark for mark in MARKS if mark <= trials]
    heads = ["family", "strategy", *(f"regret after {mark}" for mark in marks), "mean rank", "wins", "CPU ms a trial"]
    rows = [heads, ["---"] * 2 + ["---:"] * (len(heads) - 2)]
    for family in ["all", *dict.fromkeys(families)]:
        inside = np.array([family in ("all", other) for other in families])
        chosen = {name: curve[inside] for name, curve in known.items()}
        ranks = rankdata([curve[:, marks[-1] - 1] for curve in chosen.values()], axis=0).mean(axis=1)
        first = next(iter(chosen.values()))
        for (name, curve), rank in zip(chosen.items(), ranks, strict=True):
            cells = [_cell(curve[:, mark - 1], first[:, mark - 1]) for mark in marks]
            spent = f"{1e3 * seconds[name] / trials:.0f}" if family == "all" else ""
            rows.append([family, name, *cells, f"{rank:.2f}", _wins(first[:, marks[-1] - 1], curve[:, -1]), spent])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(theirs: NDArray[np.float64], first: NDArray[np.float64]) -> str:
    if not np.any(theirs != first):
        return f"{theirs.mean():.3f}"
    return f"{theirs.mean():.3f} (p={wilcoxon(theirs, first).pvalue:.3f})"


def _wins(first: NDArray[np.float64], theirs: NDArray[np.float64]) -> str:
    """How often the first strategy is better and worse at the last mark, and the sign test's p-value."""
    won, lost = int(np.sum(first < theirs)), int(np.sum(first > theirs))
    return f"{won}:{lost} (p={binomtest(won, won + lost).pvalue:.3f})" if won + lost else ""


def compare(problems: list[Task], searches: dict[str, Search], given: argparse.Namespace) -> None:
    """Every strategy on every task, printed as a table."""
    runs = measure(
        searches,
        problems,
        seeds=range(given.first_seed, given.first_seed + given.seeds),
        trials=given.trials,
        free=given.free,
        cache=given.cache,
        remembered=[name for name in searches if name not in OURS],
    )
    if given.json:
        given.json.write_text(json.dumps([asdict(run) for run in runs]))
    seconds = {name: float(np.mean([r.seconds for r in runs if r.strategy == name])) for name in searches}
    print(table(*regrets(runs, problems, given.trials), seconds, given.trials))


def batched(given: argparse.Namespace) -> None:
    """How many more trials batches take, on made problems."""
    problems = [made(family, instance) for family in FAMILIES for instance in range(given.tasks)]
    curves = batches(OURS["Bayesian"], problems, seeds=range(given.seeds), trials=140)
    for after in (50, 100):
        for size in (8, 32):
            print(
                f"{size} at a time, for the regret after {after}: {extra_trials(curves[1], curves[size], after):+.0%}"
            )


def main() -> None:
    """Read the arguments, measure and print."""
    searches = OURS | peers()
    given = _arguments(list(searches))
    match given.part:
        case "recorded":
            families = given.family or []
            problems = [task for task in tasks(given.data, given.tasks) if not families or task.family in families]
            compare(problems, {name: searches[name] for name in given.strategies}, given)
        case "made":
            problems = [made(family, instance) for family in FAMILIES for instance in range(given.tasks)]
            compare(problems, {name: searches[name] for name in given.strategies}, given)
        case "batches":
            batched(given)
        case "failures":
            print(f"failed in the second half of 60 trials: {failures(Bayesian, range(given.seeds)):.1%}")
        case "grid":
            print(f"repeated or left out, of 96 configurations: {repeats(Bayesian, range(given.seeds))}")
        case "divergence":
            diverged, known = divergence(Bayesian, range(given.seeds))
            print(f"trials until the loss is low, where losses diverge: {diverged:.1f}; where clipped: {known:.1f}")


def _arguments(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default="recorded", choices=PARTS)
    parser.add_argument("--data", type=Path, help="the folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=2, help="at most so many of each family")
    parser.add_argument("--free", type=int, default=1, help="trials at a time")
    parser.add_argument("--family", action="append", help="only this family; may be given more than once")
    parser.add_argument("--strategies", nargs="+", default=names, choices=names)
    parser.add_argument("--cache", type=Path, help="a JSON file that remembers the runs of other projects")
    parser.add_argument("--json", type=Path, help="where to write all runs")
    given = parser.parse_args()
    if given.part == "recorded" and given.data is None:
        parser.error("recorded trainings need `--data`")
    return given


if __name__ == "__main__":
    main()
