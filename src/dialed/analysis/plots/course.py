"""Pictures of how a search went: the scores trial by trial, and learning curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from dialed.analysis.plots.canvas import Look, canvas, whole_numbers
from dialed.analysis.plots.marks import better, column, counted, points, score_limits, star
from dialed.analysis.views import CurvesView, HistoryView, Line
from dialed.observe.text import format_score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_curves", "draw_history"]


def draw_history(view: HistoryView, look: Look, ax: Axes | None, across: Literal["trials", "epochs"]) -> Figure:
    """Points for the scores, a staircase for the best so far, crosses for failures."""
    with canvas(look, ax) as sheet:
        axes = sheet.axes
        x = column(view.numbers if across == "trials" else view.epochs)
        scores, best = column(view.scores), column(view.best)
        ends = score_limits(axes, view.limits)
        spreads = np.nan_to_num(column(view.spreads))
        known = np.isfinite(scores)
        if spreads.any() and len(x) <= 500:
            axes.errorbar(x[known], scores[known], spreads[known], fmt="none", ecolor=look.point, alpha=0.35)
        points(axes, x[known], scores[known], ends, look)
        axes.step(x, best, where="post", color=look.winner, linewidth=2, label="best so far")
        failed = np.array([state == "failed" for state in view.states], dtype=bool)
        worst = ends[0] if view.objective.direction == "max" else ends[1]
        _crosses(axes, x[failed], worst, look, counted(int(failed.sum()), "failed trial"))
        if view.baseline is not None and (base := view.scores[view.numbers.index(view.baseline)]) is not None:
            axes.axhline(base, color=look.defaults, linestyle=(0, (5, 3)), linewidth=1.5, label="the defaults")
        if view.winner is not None:
            place = view.numbers.index(view.winner)
            star(axes, x[place], scores[place], look, f"trial {view.winner}: {format_score(scores[place])}")
        sheet.title(f"{counted(len(x))}, {counted(int(view.epochs[-1]) if view.epochs else 0, 'epoch')}")
        sheet.sides(
            across="trial" if across == "trials" else "trained epochs over the whole search", up=better(view.objective)
        )
        sheet.legend()
    return sheet.figure


def _crosses(axes: Axes, x: np.ndarray, edge: float, look: Look, label: str) -> None:
    if len(x):
        axes.scatter(
            x, np.full(len(x), edge), marker="x", s=34, color=look.failed, linewidths=1.6, clip_on=False, label=label
        )


def draw_curves(view: CurvesView, look: Look, ax: Axes | None) -> Figure:
    """Lines for all, the winner and the defaults over them; a band where a trial has several members."""
    from matplotlib.collections import LineCollection

    with canvas(look, ax) as sheet:
        axes = sheet.axes
        score_limits(axes, view.limits)
        others = [line for line in view.lines if line.role == "other"]
        alpha = float(np.clip(40 / max(len(others), 1), 0.12, 0.7))
        segments = [_segment(line) for line in others]
        axes.add_collection(LineCollection(segments, colors=look.point, linewidths=1.0, alpha=alpha))
        ended = np.array([segment[-1] for segment in segments if len(segment)]).reshape(-1, 2)
        axes.scatter(ended[:, 0], ended[:, 1], s=10, color=look.point, alpha=min(1.0, 1.5 * alpha), linewidths=0)
        for line in view.lines:
            if line.role != "other":
                _marked(axes, line, look)
        longest = max((len(line.values) for line in view.lines), default=1)
        axes.set_xlim(1 - 0.02 * longest, longest + 0.02 * longest)
        whole_numbers(axes.xaxis)
        shown = counted(len(view.lines))
        whole = shown if len(view.lines) == view.trials else f"{shown} of {view.trials:,}, from the best to the worst"
        sheet.title(whole)
        sheet.sides(across="epoch", up=view.metric)
        sheet.legend()
    return sheet.figure


def _segment(line: Line) -> np.ndarray:
    values = column(line.values)
    known = np.flatnonzero(np.isfinite(values))
    return np.column_stack([known + 1.0, values[known]])


def _marked(axes: Axes, line: Line, look: Look) -> None:
    winner = line.role == "winner"
    colour, style = (look.winner, "-") if winner else (look.defaults, (0, (5, 3)))
    segment = _segment(line)
    called = f"trial {line.trial}, the winner" if winner else "the defaults"
    range_told = f" (range of {line.members})" if line.low else ""
    axes.plot(*segment.T, color=colour, linestyle=style, linewidth=2.2, label=called + range_told)
    axes.scatter(segment[-1:, 0], segment[-1:, 1], color=colour, s=30, zorder=4)
    if line.low:
        epochs = np.arange(1, len(line.low) + 1)
        axes.fill_between(epochs, column(line.low), column(line.high), color=colour, alpha=0.2, linewidth=0)
