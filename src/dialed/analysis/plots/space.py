"""Pictures of the space: parallel coordinates, slices, the points that were tried, and contours."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from dialed.analysis.plots.canvas import Look, canvas, palette, whole_numbers
from dialed.analysis.plots.marks import OFF, better, column, counted, points, score_limits, set_axis, short, star
from dialed.analysis.views import ContourView, Marginal, ParallelView, Slice, SliceView, TriedView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_contour", "draw_parallel", "draw_slices", "draw_tried"]

MOST_LINES = 2000
PANELS = 3
"""Slices beside each other."""


def draw_slices(view: SliceView, look: Look) -> Figure:
    """A panel for each hyperparameter: the scores over its values, median and quartiles."""
    count = max(len(view.slices), 1)
    columns = min(PANELS, count)
    rows = ceil(count / columns)
    with canvas(look, height=1.0 + 2.9 * rows, rows=rows, columns=columns) as sheet:
        for axes, each in zip(sheet.grid.flat, view.slices, strict=False):
            _slice(axes, each, view, look)
        for axes in sheet.grid.flat[len(view.slices) :]:
            axes.set_visible(False)
        for axes in sheet.grid[:, 0]:
            axes.set_ylabel(short(view.objective.name, 24))
        sheet.title(f"{better(view.objective)}; line and box: median and quartiles")
    return sheet.figure


def _slice(axes: Axes, each: Slice, view: SliceView, look: Look) -> None:
    places, scores = column(each.places), column(view.scores)
    off = each.axis.optional and bool(np.isnan(places[np.isfinite(scores)]).any())
    x = np.where(np.isnan(places), OFF, places)
    shown = np.isfinite(scores) & (np.isfinite(places) | off)
    ends = score_limits(axes, view.limits)
    for cell in each.cells:
        left, width = cell.place - 0.45 * cell.width, 0.9 * cell.width
        axes.bar(left, cell.high - cell.low, width, cell.low, align="edge", color=look.dim, alpha=0.25, linewidth=0)
        axes.hlines(cell.median, left, left + width, color=look.ink, linewidth=1.8, zorder=4)
    points(axes, x[shown], scores[shown], ends, look)
    if view.winner is not None:
        place = view.numbers.index(view.winner)
        star(axes, x[place], scores[place], look)
    set_axis(axes, each.axis, off=off)


def draw_parallel(view: ParallelView, look: Look, ax: Axes | None) -> Figure:
    """A line for each trial over all hyperparameters to its score, coloured by rank; the winner on top."""
    from matplotlib.collections import LineCollection

    with canvas(look, ax, height=5.2) as sheet:
        axes = sheet.axes
        lines, quality, winner = _lines(view)
        colours = palette(look)(quality)
        colours[:, 3] = np.clip(60 / max(len(lines), 1), 0.12, 0.8) * (0.35 + 0.65 * quality)
        axes.add_collection(
            LineCollection(list(lines), colors=colours, linewidths=1 + quality, rasterized=len(lines) > 500)
        )
        if winner is not None:
            axes.plot(*lines[winner].T, color=look.winner, linewidth=2.6, marker="o", markersize=4, zorder=5)
        _uprights(axes, view, look)
        unscored = sum(score is None for score in view.scores)
        shown = (
            counted(len(lines))
            if len(lines) == len(view.scores) - unscored
            else f"{len(lines):,} of {counted(len(view.scores))}"
        )
        left = f", {unscored:,} without a score are left out" if unscored else ""
        marked = f"; marked: trial {view.winner}" if winner is not None else ""
        sheet.title(
            f"{shown}{left}; the darker, the better{marked}"
            if look.quality[1] == 0
            else f"{shown}{left}; the brighter, the better{marked}"
        )
    return sheet.figure


def _lines(view: ParallelView) -> tuple[np.ndarray, np.ndarray, int | None]:
    """The lines, the worst first, shape `(lines, axes + 1, 2)`; their quality, and which is the winner's."""
    quality, scores = column(view.quality), column(view.scores)
    order = np.argsort(quality[np.isfinite(quality)], kind="stable")
    kept = np.flatnonzero(np.isfinite(quality))[order]
    if len(kept) > MOST_LINES:  # all of the best, and some of the others
        half = MOST_LINES // 2
        kept = np.concatenate([kept[:-half][np.linspace(0, len(kept) - half - 1, half).astype(int)], kept[-half:]])
    low, high = view.limits or (0.0, 1.0)
    height = np.clip((scores - low) / ((high - low) or 1.0), 0.0, 1.0) if high > low else np.full(len(scores), 0.5)
    rows = [np.where(np.isnan(places := column(row)), OFF, places)[kept] for row in view.places] + [height[kept]]
    y = np.column_stack(rows)
    x = np.broadcast_to(np.arange(y.shape[1], dtype=float), y.shape)
    numbers = np.array(view.numbers, dtype=int)[kept]
    winner = np.flatnonzero(numbers == (-1 if view.winner is None else view.winner))
    return np.stack([x, y], axis=2), quality[kept], int(winner[0]) if len(winner) else None


def _uprights(axes: Axes, view: ParallelView, look: Look) -> None:
    """The axes of the hyperparameters, their ticks and names."""
    import matplotlib.patheffects as effects

    halo = [effects.withStroke(linewidth=3, foreground=look.paper)]
    last = len(view.axes)
    low, high = view.limits or (0.0, 1.0)
    score_ticks = [(0.0, f"{low:.4g}"), (1.0, f"{high:.4g}")] if high > low else [(0.5, f"{low:.4g}")]
    columns = [(each.name, [(tick.place, short(tick.text, 10)) for tick in each.ticks]) for each in view.axes]
    columns.append((view.objective.name, score_ticks))
    off = any(place is None for row in view.places for place in row)
    for x, (name, ticks) in enumerate(columns):
        axes.vlines(x, 0, 1, color=look.dim, linewidth=1.2, zorder=3)
        for place, text in ticks:
            axes.annotate(
                text,
                (x, place),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
                path_effects=halo,
                zorder=6,
            )
        axes.annotate(
            short(name, 26),
            (x, 1.04),
            rotation=18 if last > 3 or len(name) > 14 else 0,
            fontsize=9.5,
            annotation_clip=False,
        )
        if x < last and view.axes[x].optional and off:
            axes.annotate(
                "off",
                (x, OFF),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
                color=look.dim,
                path_effects=halo,
            )
    axes.set_xlim(-0.15, last + 0.55)
    axes.set_ylim(OFF - 0.05 if off else -0.05, 1.3)
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def draw_tried(view: TriedView, look: Look) -> Figure:
    """The points of a plane with both marginals: what each hyperparameter was tried at."""
    with canvas(look, height=6.4, rows=2, columns=2, widths=(4, 1), heights=(1, 4)) as sheet:
        axes, above, beside = sheet.grid[1, 0], sheet.grid[0, 0], sheet.grid[1, 1]
        sheet.grid[0, 1].set_visible(False)
        x, y = column(view.x.places), column(view.y.places)
        off = view.x.axis.optional and bool(np.isnan(x).any()), view.y.axis.optional and bool(np.isnan(y).any())
        x, y = (np.where(np.isnan(row), OFF if gone else np.nan, row) for row, gone in zip((x, y), off, strict=True))
        quality = column(view.quality)
        known = np.isfinite(quality)
        order = np.flatnonzero(known)[np.argsort(quality[known])]
        size = 46 if len(x) < 500 else 14
        shown = axes.scatter(
            x[order], y[order], c=quality[order], cmap=palette(look), vmin=0, vmax=1, s=size, linewidths=0.4,
            edgecolors=look.paper, rasterized=len(x) > 2000,
        )  # fmt: skip
        failed = np.array([state == "failed" for state in view.states], dtype=bool)
        axes.scatter(x[failed], y[failed], marker="x", s=30, color=look.failed, linewidths=1.4)
        if view.winner is not None:
            place = view.numbers.index(view.winner)
            star(axes, x[place], y[place], look)
        set_axis(axes, view.x.axis, off=off[0])
        set_axis(axes, view.y.axis, side="y", off=off[1])
        _marginal(above, view.x, look, across=True, limits=axes.get_xlim())
        _marginal(beside, view.y, look, across=False, limits=axes.get_ylim())
        bar = sheet.figure.colorbar(shown, ax=beside, fraction=0.25, pad=0.1)
        _colour_axis(bar, look, "rank of the score")
        bar.set_ticks([0, 1], labels=["worst", "best"])
        sheet.title(view.sentence)
    return sheet.figure


def _marginal(axes: Axes, side: Marginal, look: Look, *, across: bool, limits: tuple[float, float]) -> None:
    """How many trials at each part of the axis, and a tick for each value."""
    width = 1 / len(side.counts)
    middles = (np.arange(len(side.counts)) + 0.5) * width
    places = column(side.places)
    ticks = np.unique(places[np.isfinite(places)])
    most = max((*side.counts, 1))
    if across:
        axes.bar(middles, side.counts, 0.9 * width, color=look.point, alpha=0.6)
        axes.vlines(ticks, -0.22 * most, -0.06 * most, color=look.ink, linewidth=0.8)
        axes.set(xlim=limits, ylim=(-0.26 * most, 1.05 * most), ylabel="trials")
        axes.tick_params(labelbottom=False)
    else:
        axes.barh(middles, side.counts, 0.9 * width, color=look.point, alpha=0.6)
        axes.hlines(ticks, -0.22 * most, -0.06 * most, color=look.ink, linewidth=0.8)
        axes.set(ylim=limits, xlim=(-0.26 * most, 1.05 * most), xlabel="trials")
        axes.tick_params(labelleft=False)
    counts = axes.yaxis if across else axes.xaxis
    whole_numbers(counts, 3)
    lowest = [tick for tick in counts.get_ticklocs() if tick >= 0]
    counts.set_ticks(lowest)


def _colour_axis(bar: Any, look: Look, label: str) -> None:
    bar.set_label(label, color=look.ink)
    bar.ax.tick_params(colors=look.dim, labelcolor=look.ink)
    bar.outline.set_visible(False)


def draw_contour(view: ContourView, look: Look, ax: Axes | None) -> Figure:
    """The expected score as colours, with the points it was learnt from."""
    with canvas(look, ax, height=5.6) as sheet:
        axes = sheet.axes
        axes.grid(visible=False)
        if view.surface:
            shown = _surface(axes, view, look)
            _colour_axis(sheet.figure.colorbar(shown, ax=axes, pad=0.02), look, f"expected {better(view.objective)}")
        x, y = column(view.x_places), column(view.y_places)
        both = np.isfinite(x) & np.isfinite(y)
        size = 16 if len(x) < 1000 else 5
        axes.scatter(
            x[both], y[both], s=size, color="#ffffff", edgecolors="#000000", linewidths=0.6, rasterized=len(x) > 2000
        )
        if view.winner is not None:
            place = view.numbers.index(view.winner)
            star(axes, x[place], y[place], look)
        set_axis(axes, view.x)
        set_axis(axes, view.y, side="y")
        tried = counted(int(both.sum()))
        said = f"What a Gaussian process expects; dots: {tried} that had both"
        said = f"{said}\n{view.cut}" if view.cut else said
        sheet.title(said if view.surface else view.reason)
    return sheet.figure


def _surface(axes: Axes, view: ContourView, look: Look) -> Any:
    colours = palette(look)
    if view.objective.direction == "min":
        colours = colours.reversed()
    surface = np.array(view.surface)
    if view.x.kind == view.y.kind == "number" and min(surface.shape) > 4:
        axes.contour(view.x_grid, view.y_grid, surface, levels=12, colors=[look.paper], linewidths=0.5)
        return axes.contourf(view.x_grid, view.y_grid, surface, levels=12, cmap=colours)
    return axes.pcolormesh(view.x_grid, view.y_grid, surface, cmap=colours, shading="nearest")
