"""The documentation's page of what was measured, made of benchmarks/results/*.json: tables, pictures, machines.

    python benchmarks/results_page.py

Writes docs/benchmarks.md, and a picture beside the others in docs/pictures for each part that has curves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from bench import PARTS, RESULTS
from race.tasks import TASKS
from race.told import best_so_far
from race.watched import Run
from speed.machine import sentence

mpl.use("Agg")
DOCS = Path(__file__).parents[1] / "docs"

HEAD = """# Measured

Dialed beside other projects: the same tasks, the same machine, in turn. To repeat all of it, or some:

```console
make bench                      # everything in full: a day
make bench PARTS=quick          # everything, small: to see that it works
make bench PARTS=grid,memory    # some
python benchmarks/results_page.py
```

The first makes an environment with the peers in `.venv-bench`; those that cannot be installed are left out, and named. `DATA`
and `TABLES` say where the data are. Results are kept in `benchmarks/results/`, and this page is made of them: where
another project is better, its row says so.
"""


def main() -> None:
    """Make the page."""
    found = {name: json.loads(path.read_text()) for name in PARTS if (path := RESULTS / f"{name}.json").is_file()}
    lines = [HEAD, *(line for name, document in found.items() for line in section(name, document))]
    missing = [name for name in PARTS if name not in found]
    if missing:
        lines.append(f"Not measured on this machine yet: {', '.join(f'`{name}`' for name in missing)}.\n")
    (DOCS / "benchmarks.md").write_text("\n".join(lines), encoding="utf-8")


def section(name: str, document: Mapping[str, Any]) -> Iterator[str]:
    """The part's table, its picture and where it was measured."""
    yield f"## {document['title']}\n"
    picture = draw(name, document["figures"] or {}, DOCS / "pictures")
    if picture:
        yield f"![{document['title']}](pictures/{picture})\n"
    yield "```text"
    yield document["printed"]
    yield "```\n"
    yield f"`{document['command']}`: {document['seconds'] / 60:.0f} minutes. {sentence(document['machine'])}.\n"


def draw(name: str, figures: Mapping[str, Any], folder: Path) -> str:
    """Draw what the part has curves of; the picture's file, or nothing."""
    curves: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    if "runs" in figures and name.startswith("race-"):
        curves, labels = _race(figures["runs"]), ("seconds", f"best {TASKS[figures['runs'][0]['task']].metric} so far")
    elif "sides" in figures:
        points = {row["side"]: np.array(row["points"], dtype=float) for row in figures["sides"]}
        curves = {side: [(each[:, 0], each[:, 1])] for side, each in points.items()}
        labels = ("trials begun", "MB in memory")
    if not curves:
        return ""
    file = f"bench-{name}.png"
    _plot(curves, labels, folder / file)
    return file


def _race(runs: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    curves: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for given in runs:
        best = best_so_far(Run(**given))
        if best:
            seconds, values = np.array(best).T
            curves.setdefault(given["side"], []).append((seconds, values))
    return curves


def _plot(curves: Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]], labels: tuple[str, str], path: Path) -> None:
    """The median of each side's curves over a common axis, with the range of all of them behind it."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for number, (side, several) in enumerate(curves.items()):
        ends = [x[-1] for x, _ in several]
        grid = np.linspace(0.0, max(ends), 400)
        rows = np.array([_stairs(grid, x, y) for x, y in several])
        known = ~np.isnan(rows).any(axis=0)
        colour, style = f"C{number % 10}", "-" if side.startswith("Dialed") else "--"
        axes.plot(grid[known], np.median(rows[:, known], axis=0), style, color=colour, label=side)
        if len(several) > 1:
            axes.fill_between(
                grid[known], rows[:, known].min(axis=0), rows[:, known].max(axis=0), color=colour, alpha=0.12, lw=0
            )
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="best")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _stairs(grid: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The last value known at each point of `grid`, NaN before the first."""
    places = np.searchsorted(x, grid, side="right") - 1
    values = y[np.clip(places, 0, None)].astype(float)
    values[places < 0] = np.nan
    return values


if __name__ == "__main__":
    main()
