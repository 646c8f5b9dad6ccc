"""The timeline: who trained what, when."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from dialed.analysis.plots.canvas import Look, canvas
from dialed.analysis.plots.marks import counted, short
from dialed.analysis.views import Bar, TimelineView
from dialed.observe.text import format_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    from matplotlib.ticker import MultipleLocator

__all__ = ["draw_timeline"]

PAUSE = 0.04
"""What a pause between sessions is drawn as, in parts of the time that was worked: a night would press the rest flat."""

ROWS_WITH_NUMBERS = 40


def draw_timeline(view: TimelineView, look: Look, ax: Axes | None) -> Figure:
    """A bar for each stretch of training, a line where a session began after a pause."""
    rows = sum(worker.rows for worker in view.workers)
    with canvas(look, ax, height=float(np.clip(1.8 + 0.28 * rows, 2.8, 9.0))) as sheet:
        axes = sheet.axes
        axes.grid(visible=False, axis="y")
        squeeze = _Squeeze.of(view)
        _bars(axes, view, squeeze, look, rows)
        for place, pause in squeeze.marks:
            axes.axvline(place, color=look.dim, linestyle=":", linewidth=1)
            axes.annotate(f"  after {format_seconds(pause)}", (place, rows - 0.4), color=look.dim, fontsize="small")
        axes.set_ylim(-0.6, rows - 0.1 + 0.5 * bool(squeeze.marks))
        axes.xaxis.set_major_locator(_locator(axes.get_xlim()[1]))
        axes.xaxis.set_major_formatter(lambda seconds, _: "0" if seconds == 0 else format_seconds(seconds))
        workers = counted(len(view.workers), "worker")
        sheet.title(f"{counted(len(view.bars), 'training')} by {workers}")
        sheet.sides(across="time, without pauses of the search")
        sheet.legend(_kinds(look, view.bars))
    return sheet.figure


class _Squeeze:
    """Time without the pauses between sessions."""

    def __init__(self, ends: Sequence[tuple[float, float]], worked: float) -> None:
        self._gaps = [(a[1], b[0]) for a, b in pairwise(ends) if b[0] - a[1] > PAUSE * worked]
        self._kept = PAUSE * worked

    @classmethod
    def of(cls, view: TimelineView) -> _Squeeze:
        last = max((bar.end for bar in view.bars), default=0.0)
        ends = [(s.begin, s.end if s.end is not None else _died(view, s.begin, last)) for s in view.sessions]
        return cls(ends, sum(end - begin for begin, end in ends))

    def __call__(self, seconds: float) -> float:
        return seconds - sum(min(max(seconds - a, 0.0), b - a) * (1 - self._kept / (b - a)) for a, b in self._gaps)

    @property
    def marks(self) -> list[tuple[float, float]]:
        """Where a session began after a pause, and how long that was."""
        return [(self(b), b - a) for a, b in self._gaps]


def _died(view: TimelineView, begin: float, last: float) -> float:
    """The end of a session that told none: what it trained before the next one began."""
    later = min((s.begin for s in view.sessions if s.begin > begin), default=last)
    return max((bar.end for bar in view.bars if begin <= bar.begin and bar.end <= later), default=begin)


def _bars(axes: Axes, view: TimelineView, squeeze: _Squeeze, look: Look, rows: int) -> None:
    from matplotlib.collections import PolyCollection

    base, ticks, bottom = {}, [], 0
    for worker in reversed(view.workers):
        base[worker.name] = bottom
        ticks.append((bottom + (worker.rows - 1) / 2, worker.name))
        bottom += worker.rows
        if bottom < rows:
            axes.axhline(bottom - 0.5, color=look.grid, linewidth=1)
    colours, boxes, texts = _colours(look), [], []
    for bar in view.bars:
        left, right, row = squeeze(bar.begin), squeeze(bar.end), base[bar.worker] + bar.row
        boxes.append([(left, row - 0.4), (left, row + 0.4), (right, row + 0.4), (right, row - 0.4)])
        texts.append((left, right, row, str(bar.trial)))
    faces = [colours[_kind(bar)] for bar in view.bars]
    axes.add_collection(PolyCollection(boxes, facecolors=faces, edgecolors=faces, linewidths=0.8))
    whole = max((right for _, right, _, _ in texts), default=1.0) or 1.0
    axes.set_xlim(-0.01 * whole, 1.01 * whole)
    for left, right, row, text in texts if rows <= ROWS_WITH_NUMBERS else ():
        if (right - left) / whole > 0.016 * len(text):
            axes.text((left + right) / 2, row, text, ha="center", va="center", fontsize="small", color=look.paper)
    names = [_plain(name) for _, name in ticks]
    axes.set_yticks([place for place, _ in ticks], names if len(ticks) <= ROWS_WITH_NUMBERS else [""] * len(ticks))


def _locator(seconds: float) -> MultipleLocator:
    """Ticks at round times, eight of them at most."""
    from matplotlib.ticker import MultipleLocator

    minute, hour, day = 60.0, 3600.0, 86400.0
    below = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute]
    steps = [*below, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day]
    return MultipleLocator(next((step for step in steps if seconds <= 8 * step), seconds / 4))


def _kind(bar: Bar) -> str:
    return bar.ending if bar.ending in ("failed", "returned") else bar.purpose


def _colours(look: Look) -> dict[str, str]:
    return {"search": look.point, "confirm": look.defaults, "failed": look.failed, "returned": look.dim}


def _kinds(look: Look, bars: Sequence[Bar]) -> list[Patch]:
    from matplotlib.patches import Patch

    told = {"search": "search", "confirm": "confirmation", "failed": "failed", "returned": "cut off, begun again"}
    present = {_kind(bar) for bar in bars}
    return [Patch(color=_colours(look)[kind], label=text) for kind, text in told.items() if kind in present]


def _plain(worker: str) -> str:
    """A worker's name without what only tells processes of one number apart: `host:pid:start-random`."""
    host, _, rest = worker.partition(":")
    return short(f"{host.rpartition('-')[0] or host} {rest.partition(':')[0]}" if rest else worker, 22)
