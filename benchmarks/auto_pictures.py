"""The pictures of docs/auto.md: one search of `Auto` over made learning curves, and how far it gets with its epochs.

python benchmarks/auto_pictures.py [--folder docs/pictures]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from search_curves import Budgeted

from dialed.events import Report
from dialed.search import ASHA, Auto, Hyperband, Random, Strategy, Terms
from dialed.space import Float, Hyperparameter, Space
from dialed.trial import Objective, Values

EPOCHS, FULL, SEEDS = 27, 12, 6
SPACE = Space(
    [
        Hyperparameter("learning_rate", Float(1e-4, 1.0, sampling="log")),
        *(Hyperparameter(name, Float(0.0, 1.0)) for name in ("dropout", "width", "decay")),
    ]
)


def curve(values: Values) -> list[float]:
    """A loss that falls by a power of the epochs, the wider the quicker, to where a bowl over the space says."""
    away = SPACE.encode(values) - np.array([0.6, 0.3, 0.5, 0.4])
    end = 0.1 + float(np.array([3.0, 2.0, 2.0, 1.0]) @ away**2)
    return [end + 0.6 * (epoch + 1.0) ** -(0.5 + 0.3 * float(values["width"] or 0.0)) for epoch in range(1, EPOCHS + 1)]


def search(strategy: Strategy, seed: int) -> Budgeted:
    """A study of `FULL` full trainings' worth of epochs."""
    loss = Objective(name="loss", direction="min")
    terms = Terms(objective=loss, epochs=EPOCHS, seed=seed, max_epochs=FULL * EPOCHS)
    study = Budgeted(strategy, SPACE, curve, terms=terms)
    study.run()
    return study


def draw_curves(path: Path) -> None:
    """Every trial of one search: how far each was trained, coloured by when it began."""
    trials = search(Auto(), 1).history.trials
    figure, axes = plt.subplots(figsize=(6.4, 3.4))
    colours = plt.get_cmap("viridis")
    for trial in trials:
        losses = trial.members[0].curve
        axes.plot(range(1, len(losses) + 1), losses, marker=".", color=colours(trial.number / len(trials)), linewidth=1)
    for rung in (1, 3, 9, 27):
        axes.axvline(rung, color="0.85", zorder=0)
    axes.set(xscale="log", xlabel="epoch", ylabel="loss", ylim=(0.1, 1.6))
    axes.set_xticks([1, 3, 9, 27], ["1", "3", "9", "27"])
    axes.minorticks_off()
    shown = figure.colorbar(plt.cm.ScalarMappable(cmap=colours), ax=axes, ticks=[0, 1], label="trial")
    shown.ax.set_yticklabels(["first", "last"])
    figure.savefig(path, dpi=100, bbox_inches="tight")


def draw_progress(path: Path) -> None:
    """The best loss so far against the epochs trained, for some strategies."""
    chance = Random(default_first=False)
    strategies: dict[str, Callable[[], Strategy]] = {
        "Auto": lambda: Auto(default_first=False),
        "ASHA, values by chance": lambda: ASHA(sampler=chance),
        "Hyperband, values by chance": lambda: Hyperband(sampler=chance),
        "full trainings by chance": lambda: chance,
    }
    figure, axes = plt.subplots(figsize=(6.4, 3.4))
    for name, make in strategies.items():
        bests = [best_so_far(search(make(), seed)) for seed in range(SEEDS)]
        axes.plot(np.arange(1, FULL * EPOCHS + 1) / EPOCHS, np.mean(bests, axis=0), label=name)
    axes.set(xlabel="epochs trained, in full trainings", ylabel=f"best loss so far, mean of {SEEDS}", ylim=(0.1, 1.0))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=100, bbox_inches="tight")


def best_so_far(study: Budgeted) -> np.ndarray:
    """Shape `(FULL * EPOCHS,)`."""
    losses = [event.metrics["loss"] for event in study.events if isinstance(event, Report)]
    return np.minimum.accumulate(losses)[: FULL * EPOCHS]


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parents[1] / "docs" / "pictures")
    folder = parser.parse_args().folder
    folder.mkdir(exist_ok=True)
    draw_curves(folder / "auto-curves.png")
    draw_progress(folder / "auto-progress.png")


if __name__ == "__main__":
    main()
