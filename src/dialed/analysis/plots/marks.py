"""What many pictures share: marks for the winner, the defaults and failures, clipped points, axes of hyperparameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dialed.analysis.plots.canvas import Look
from dialed.analysis.views.axis import Axis
from dialed.trial import Objective

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["OFF", "better", "column", "counted", "points", "score_limits", "set_axis", "short", "star"]

OFF = -0.17
"""Where what is inactive stands, beside an axis from 0 to 1."""

CLEAR = 300
"""So many points may overlap before they are drawn paler."""


def column(values: Sequence[float | None]) -> NDArray[np.float64]:
    """A column of a view as an array, NaN where something is missing."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def short(text: str, most: int = 30) -> str:
    """A long name with its middle left out: both ends tell most."""
    if len(text) <= most:
        return text
    keep = most - 1
    return f"{text[: keep // 2]}…{text[-(keep - keep // 2) :]}"


def better(objective: Objective) -> str:
    """The metric, and which way is better."""
    return f"{short(objective.name)} ({'higher' if objective.direction == 'max' else 'lower'} is better)"


def counted(count: int, noun: str = "trial") -> str:
    """A number with its noun."""
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def score_limits(axes: Axes, limits: tuple[float, float] | None) -> tuple[float, float]:
    """Set the vertical range to `limits` with some air, and return it."""
    low, high = limits or (0.0, 1.0)
    air = 0.07 * (high - low) or 0.05 * abs(high) or 0.05
    axes.set_ylim(low - air, high + air)
    return low - air, high + air


def points(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], ends: tuple[float, float], look: Look) -> None:
    """Draw points; what lies beyond `ends` stands at the edge as a triangle that points to where it is."""
    inside = (y >= ends[0]) & (y <= ends[1])
    alpha = float(np.clip(CLEAR / max(len(x), 1), 0.15, 0.75))
    size = 26 if len(x) < 1000 else 9
    style: dict[str, Any] = {"color": look.point, "alpha": alpha, "linewidths": 0, "rasterized": len(x) > 2000}
    axes.scatter(x[inside], y[inside], s=size, **style)
    for beyond, edge, marker in ((y > ends[1], ends[1], "^"), (y < ends[0], ends[0], "v")):
        if beyond.any():
            # Half of it would be cut off otherwise.
            axes.scatter(x[beyond], np.full(beyond.sum(), edge), marker=marker, s=30, clip_on=False, **style)


def star(axes: Axes, x: float | None, y: float | None, look: Look, label: str = "") -> None:
    """Mark the winner."""
    if x is not None and y is not None and np.isfinite([x, y]).all():
        axes.scatter(
            [x], [y], marker="*", s=230, color=look.winner, edgecolors=look.paper, linewidths=0.9, zorder=5, label=label
        )


def set_axis(axes: Axes, axis: Axis, *, side: str = "x", room: int = 30, off: bool = False) -> None:
    """Make one side of `axes` a hyperparameter; with `off` there is a place for what is inactive."""
    ticks = [(tick.place, short(tick.text, 14)) for tick in axis.ticks]
    if off:
        ticks.insert(0, (OFF, "off"))
    places, texts = [tick[0] for tick in ticks], [tick[1] for tick in ticks]
    air = 0.03
    low = (OFF if off else 0.0) - air
    name = short(axis.name, room)
    if side == "x":
        crowded = sum(map(len, texts)) > room
        axes.set_xticks(places, texts, rotation=30 if crowded else 0, ha="right" if crowded else "center")
        axes.set_xlim(low, 1 + air)
        axes.set_xlabel(name)
    else:
        axes.set_yticks(places, texts)
        axes.set_ylim(low, 1 + air)
        axes.set_ylabel(name)
