"""Pictures of answers: what mattered, who won the race, which change made the difference, the front."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from dialed.analysis.explanation import Explanation, Step
from dialed.analysis.importance import Importance
from dialed.analysis.plots.canvas import Look, canvas
from dialed.analysis.plots.marks import better, column, counted, short
from dialed.analysis.views import FrontView, RaceView, Runner
from dialed.observe.text import format_value
from dialed.trial import Objective, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["draw_explanation", "draw_front", "draw_importance", "draw_race"]

MOST_BARS = 20


def draw_importance(found: Importance, look: Look, ax: Axes | None) -> Figure:
    """A bar for each share with its interval; pale where chance could give as much."""
    shown = found.influences[:MOST_BARS]
    with canvas(look, ax, height=1.7 + 0.42 * max(len(shown), 2)) as sheet:
        axes = sheet.axes
        axes.grid(visible=False, axis="y")
        for y, each in enumerate(reversed(shown)):
            axes.barh(y, 100 * each.share, 0.62, color=look.point, alpha=0.85 if each.stands_out else 0.3)
            axes.hlines(y, 100 * each.low, 100 * each.high, color=look.ink, linewidth=1.6)
            axes.vlines([100 * each.low, 100 * each.high], y - 0.12, y + 0.12, color=look.ink, linewidth=1.6)
            axes.vlines(100 * each.chance, y - 0.31, y + 0.31, color=look.winner, linewidth=2.2, linestyle=(0, (2, 1)))
        axes.set_yticks(range(len(shown)), [short(each.name, 34) for each in reversed(shown)])
        axes.set_xlim(0, max([100 * max(e.high, e.chance, e.share) for e in shown], default=1.0) * 1.04)
        left = len(found.influences) - len(shown)
        more = f" (the first {len(shown)} of {len(found.influences)})" if left else ""
        sheet.title(f"Importance by {found.method}{more}: share, 95 % interval; dashed: what chance alone can reach")
        sheet.sides(
            across="share of what tells good trials from others, in %"
            if found.method == "ped-anova"
            else "share of the variance, in %"
        )
    return sheet.figure


def draw_race(view: RaceView, look: Look, ax: Axes | None) -> Figure:
    """Each finalist: its scores under fresh seeds, their mean and interval, and the score that chose it."""
    with canvas(look, ax, height=2.0 + 0.62 * len(view.runners)) as sheet:
        axes = sheet.axes
        axes.grid(visible=False, axis="y")
        for y, runner in enumerate(reversed(view.runners)):
            _runner(axes, y, runner, look)
        names = [
            f"trial {r.trial}{_called(r)}\nbest with {100 * r.probability_best:.0f} %" for r in reversed(view.runners)
        ]
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(-0.6, len(names) - 0.4)
        sheet.legend(_key(look), columns=3)
        sheet.title(view.sentence)
        sheet.sides(across=better(view.objective))
    return sheet.figure


def _runner(axes: Axes, y: int, runner: Runner, look: Look) -> None:
    colour = {"winner": look.winner, "defaults": look.defaults}.get(runner.role, look.point)
    axes.hlines(y, runner.low, runner.high, color=colour, linewidth=3, alpha=0.9)
    axes.scatter(runner.scores, np.full(len(runner.scores), y + 0.22), s=18, color=colour, alpha=0.6, linewidths=0)
    axes.scatter([runner.mean], [y], s=70, color=colour, edgecolors=look.paper, zorder=4)
    if runner.searched is not None:
        axes.scatter([runner.searched], [y], s=60, marker="D", facecolors="none", edgecolors=look.dim, linewidths=1.4)


def _called(runner: Runner) -> str:
    return {"winner": ", the winner", "defaults": ", the defaults"}.get(runner.role, "")


def _key(look: Look) -> list[Line2D]:
    from matplotlib.lines import Line2D

    kinds = [("o", look.dim, "mean and 95 % interval", 8), (".", look.dim, "one fresh seed", 7)]
    handles = [Line2D([], [], marker=m, color=c, linestyle="", markersize=s, label=t) for m, c, t, s in kinds]
    handles.append(Line2D([], [], marker="D", color=look.dim, linestyle="", markerfacecolor="none", label="score in the search, which chose it"))  # fmt: skip
    return handles


def draw_explanation(found: Explanation, objective: Objective, look: Look, ax: Axes | None) -> Figure:
    """The way from the baseline down to the winner: the scores at each place, and what each change brought."""
    with canvas(look, ax, height=2.0 + 0.55 * len(found.configurations)) as sheet:
        axes = sheet.axes
        axes.grid(visible=False, axis="y")
        means = column([float(np.mean(row)) if row else None for row in found.scores])
        heights = np.arange(len(means))[::-1]
        axes.plot(means, heights, color=look.dim, linewidth=1.2, zorder=2)
        for y, row in zip(heights, found.scores, strict=True):
            axes.scatter(row, np.full(len(row), y), s=20, color=look.point, alpha=0.45, linewidths=0)
        told = [step.significant for step in found.steps]
        colours = [look.defaults, *(look.winner if sure else look.paper for sure in told)]
        axes.scatter(means, heights, s=75, c=colours, edgecolors=look.ink, linewidths=1.3, zorder=4)
        axes.set_yticks(
            heights, ["the baseline", *(_change(step.name, step.before, step.after) for step in found.steps)]
        )
        effects = axes.secondary_yaxis("right")
        effects.set_yticks(heights, ["", *map(_effect, found.steps)])
        effects.tick_params(length=0, labelcolor=look.ink)
        effects.spines[:].set_visible(False)
        axes.set_ylim(-0.6, len(means) - 0.4)
        sheet.title(found.sentences[0] if found.sentences else "")
        sheet.sides(across=f"{better(objective)}; filled: told from chance")
    return sheet.figure


def _change(name: str, before: Value, after: Value) -> str:
    return f"{short(name, 24)}\n{_value(before)} → {_value(after)}"


def _value(value: Value) -> str:
    return "off" if value is None else short(format_value(value), 14)


def _effect(step: Step) -> str:
    effect = step.effect
    if effect is None:
        return "failed"
    width = effect.high - effect.low
    # Two digits of the interval's width: what lies behind them is not known.
    digits = max(0, 1 - math.floor(math.log10(width))) if width > 0 else 4
    return f"{effect.mean:+.{digits}f}\n({effect.low:+.{digits}f} to {effect.high:+.{digits}f})"


def draw_front(view: FrontView, look: Look, ax: Axes | None) -> Figure:
    """All trials by two objectives; the front as a line, what breaks a constraint as crosses."""
    with canvas(look, ax, height=5.2) as sheet:
        axes = sheet.axes
        x, y = column(view.x_values), column(view.y_values)
        known = np.isfinite(x) & np.isfinite(y)
        front, feasible = np.array(view.on_front, dtype=bool), np.array(view.feasible, dtype=bool)
        alpha = float(np.clip(300 / max(len(x), 1), 0.2, 0.7))
        plain, broken = known & feasible & ~front, known & ~feasible
        axes.scatter(x[plain], y[plain], s=24, color=look.point, alpha=alpha, linewidths=0, label="bettered by another")
        if broken.any():
            axes.scatter(
                x[broken],
                y[broken],
                s=26,
                marker="x",
                color=look.failed,
                linewidths=1.3,
                label=f"breaks {short('; '.join(view.constraints), 40)}",
            )
        order = np.flatnonzero(front & known)[np.argsort(x[front & known])]
        if not view.others:
            where: Literal["post", "pre"] = "post" if view.x.direction == "min" else "pre"
            axes.step(x[order], y[order], where=where, color=look.winner, linewidth=1.4, alpha=0.7)
        axes.scatter(x[order], y[order], s=55, color=look.winner, edgecolors=look.paper, zorder=4, label="the front")
        for place in order if len(order) <= 15 else ():
            axes.annotate(
                str(view.numbers[place]), (x[place], y[place]), (6, 5), textcoords="offset points", fontsize=9
            )
        beside = f" (also of {', '.join(view.others)})" if view.others else ""
        sheet.title(f"{counted(len(order))} of {len(x):,} on the front{beside}")
        sheet.sides(across=better(view.x), up=better(view.y))
        sheet.legend(columns=3)
    return sheet.figure
