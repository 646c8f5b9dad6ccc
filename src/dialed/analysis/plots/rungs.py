"""Pictures of rungs: who climbed how far, and how well one rung foretells another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dialed.analysis.plots.canvas import Look, canvas
from dialed.analysis.plots.marks import better, column, counted, score_limits
from dialed.analysis.views import CorrelationView, Rung, RungsView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

__all__ = ["draw_correlation", "draw_rungs"]

MOST_RUNGS = 8
"""More rungs than these are thinned out: their numbers could not be read."""


def draw_rungs(view: RungsView, look: Look, ax: Axes | None) -> Figure:
    """Each trial's way over the rungs; above them, how many arrived and how many went on."""
    from matplotlib.collections import LineCollection

    with canvas(look, ax, height=5.2) as sheet:
        axes = sheet.axes
        low, high = score_limits(axes, view.limits)
        climbs = [(climb, column(climb.values)) for climb in view.climbs if climb.values]
        alpha = float(np.clip(60 / max(len(climbs), 1), 0.12, 0.75))
        ways = [np.column_stack([np.arange(len(values)), np.clip(values, low, high)]) for _, values in climbs]
        axes.add_collection(LineCollection(ways, colors=look.point, alpha=alpha, linewidths=1.2))
        ends = np.array([way[-1] for way in ways]).reshape(-1, 2)
        axes.scatter(ends[:, 0], ends[:, 1], s=18, color=look.point, alpha=min(1.0, 1.4 * alpha), linewidths=0)
        for climb, values in climbs:
            if climb.trial == view.winner:
                axes.plot(
                    values, color=look.winner, linewidth=2.4, marker="o", label=f"trial {climb.trial}, the winner"
                )
        _steps(axes, view.rungs, look, high)
        sheet.title(f"{counted(len(view.climbs))} over {counted(len(view.rungs), 'rung')}", room=46)
        sheet.sides(across="epochs", up=better(view.objective))
        sheet.legend()
    return sheet.figure


def _steps(axes: Axes, rungs: tuple[Rung, ...], look: Look, top: float) -> None:
    stride = -(-len(rungs) // MOST_RUNGS)
    shown = [place for place in range(len(rungs)) if (len(rungs) - 1 - place) % max(stride, 1) == 0]
    axes.set_xticks(shown, [f"{rungs[place].epoch:,}" for place in shown])
    axes.set_xlim(-0.35, max(len(rungs) - 0.65, 0.35))
    for place in shown:
        rung = rungs[place]
        told = f"{rung.arrived:,} arrived"
        if rung.went_on:
            told += f"\n{rung.went_on:,} went on"
        elif rung.rest:
            told += f"\n{rung.rest:,} wait"
        if rung.failed:
            told += f"\n{rung.failed:,} failed"
        axes.annotate(told, (place, top), (0, 3), textcoords="offset points", ha="center", fontsize=9, color=look.dim)


def draw_correlation(view: CorrelationView, look: Look, ax: Axes | None) -> Figure:
    """Rank correlations as a table in colours, each with its interval and the number of trials."""
    stride = -(-len(view.epochs) // MOST_RUNGS)
    kept = [place for place in range(len(view.epochs)) if (len(view.epochs) - 1 - place) % max(stride, 1) == 0]
    with canvas(look, ax, height=1.9 + 0.75 * max(len(kept) - 1, 1)) as sheet:
        axes = sheet.axes
        axes.grid(visible=False)
        if len(kept) < 2:
            sheet.title("There are no two epochs to compare: every training has one epoch.")
            return sheet.figure
        rows, columns = kept[1:][::-1], kept[:-1]
        table = column([view.coefficients[i][j] if j < i else None for i in rows for j in columns])
        shown = axes.imshow(table.reshape(len(rows), len(columns)), cmap=_signed(look), vmin=-1, vmax=1, aspect="auto")
        for y, i in enumerate(rows):
            for x, j in enumerate(columns):
                if j < i:
                    axes.text(
                        x, y, _told(view, i, j), ha="center", va="center", fontsize=9.5, color=_ink(view, i, j, look)
                    )
        axes.set_xticks(range(len(columns)), [f"{view.epochs[j]:,}" for j in columns])
        axes.set_yticks(range(len(rows)), [f"{view.epochs[i]:,}" for i in rows])
        axes.spines[:].set_visible(False)
        bar = sheet.figure.colorbar(shown, ax=axes, pad=0.02)
        bar.ax.tick_params(colors=look.dim, labelcolor=look.ink)
        bar.outline.set_visible(False)
        sheet.title(f"Do early epochs foretell late ones? Rank correlation of {view.objective.name}, 95 % interval")
        sheet.sides(across="after so many epochs", up="and after so many")
    return sheet.figure


def _signed(look: Look) -> Colormap:
    """From orange (ranks turn round) over paper (they say nothing) to blue (they agree)."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [look.winner, look.paper, look.point])


def _told(view: CorrelationView, i: int, j: int) -> str:
    found, low, high = view.coefficients[i][j], view.lows[i][j], view.highs[i][j]
    count = f"n = {view.counts[i][j]:,}"
    return count if found is None else f"{found:.2f}\n{low:.2f} to {high:.2f}\n{count}"


def _ink(view: CorrelationView, i: int, j: int, look: Look) -> str:
    found = view.coefficients[i][j]
    return look.paper if found is not None and abs(found) > 0.75 else look.ink
