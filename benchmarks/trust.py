"""What a confirmation promises, measured: false alarms, coverage of the intervals, and differences that are found.

    python benchmarks/trust.py                     # 10,000 studies of each kind, some seconds
    python benchmarks/trust.py --studies 1000 --searched 50 100 200

Differences are in standard deviations of the difference of two trainings under one seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

import numpy as np
from trust_races import Told, fresh_scores, raced

_KINDS = {
    "two finalists, none better": (0.0, 0.0, 0.0),
    "one finalist, not better": (0.0, 0.0),
    "three finalists, none better": (0.0, 0.0, 0.0, 0.0),
    "one of two better by 0.5": (0.0, 0.5, 0.0),
    "one of two better by 1": (0.0, 1.0, 0.0),
    "better by 1 and by 0.5": (0.0, 1.0, 0.5),
    "both better by 1": (0.0, 1.0, 1.0),
    "one of two better by 2": (0.0, 2.0, 0.0),
}


def rows(studies: int, length: Mapping[str, int], *, seed: int = 0) -> Iterator[tuple[str, ...]]:
    """One row for each kind of study."""
    for kind, means in _KINDS.items():
        rng = np.random.default_rng(seed)
        said = raced(fresh_scores(rng, np.tile(means, (studies, 1))), **length)
        yield kind, *_row(said, np.array(means)[said.winner])
    rng = np.random.default_rng(seed)
    mixed = np.c_[np.zeros(studies), rng.normal(0.5, 1.0, size=(studies, 2))]
    said = raced(fresh_scores(rng, mixed), **length)
    yield "two finalists, any difference", *_row(said, mixed[np.arange(studies), said.winner])


def _row(said: Told, truth: np.ndarray) -> tuple[str, ...]:
    covered = said.covers(truth)[said.told].mean()
    right = said.called_better & (truth > 0)
    wrong = said.called_better & (truth <= 0)
    shown = (wrong.mean(), right.mean(), covered)
    return (*(f"{100 * share:.1f} %" for share in shown), f"{said.seeds.mean():.1f}", f"{said.spent.mean():.0f}")


def main() -> None:
    """Print a table for each length of search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--searched", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--budgets", type=int, nargs="+", default=[100, 133, 150, 200])
    arguments = parser.parse_args()
    head = ("", "wrongly better", "rightly better", "covered", "seeds", "trainings")
    lengths = [(f"After a search of {n} trials", {"searched": n}) for n in arguments.searched]
    lengths += [(f"With a budget in epochs or time for {n} trainings", {"budget": n}) for n in arguments.budgets]
    for said, length in lengths:
        print(f"\n{said}, {arguments.studies:,} studies:")
        table = [head, *rows(arguments.studies, length)]
        widths = [max(len(row[column]) for row in table) for column in range(len(head))]
        for row in table:
            print("  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]))


if __name__ == "__main__":
    main()
