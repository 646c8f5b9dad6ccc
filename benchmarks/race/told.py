"""What the curves say: the best so far against time and epochs, and when each side reached what one of them ended with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from race.tasks import TASKS
from race.watched import Run

__all__ = ["TARGET", "Line", "best_so_far", "lines", "reached", "table"]

TARGET = "KerasTuner Hyperband"
"""Whose median final value the others are to reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A side on one task: medians over its runs.

    `seconds` and `epochs` are those at which it reached the target: infinite where fewer than half of its runs did.
    """

    task: str
    side: str
    runs: int
    final: float
    seconds: float
    epochs: float
    trained: float
    cpu: float
    peak_bytes: float


def best_so_far(run: Run) -> list[tuple[float, float]]:
    """(seconds, best value so far) after each epoch that measured a number."""
    higher, best, found = TASKS[run.task].higher, math.nan, []
    for seconds, value in run.curve:
        if math.isnan(value):
            continue
        if math.isnan(best) or (value > best if higher else value < best):
            best = value
        found.append((seconds, best))
    return found


def reached(run: Run, target: float) -> tuple[float, float]:
    """Seconds and epochs until the run was as good as `target`; infinite where it never was."""
    higher = TASKS[run.task].higher
    for epochs, (seconds, value) in enumerate(best_so_far(run), start=1):
        if value >= target if higher else value <= target:
            return seconds, float(epochs)
    return math.inf, math.inf


def lines(runs: Sequence[Run]) -> list[Line]:
    """A line for each task and side, in the order of the runs."""
    grouped: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        if run.curve:
            grouped.setdefault((run.task, run.side), []).append(run)
    targets = {task: _final(own) for (task, side), own in grouped.items() if side == TARGET}
    return [_line(task, side, own, targets) for (task, side), own in grouped.items()]


def _line(task: str, side: str, runs: Sequence[Run], targets: Mapping[str, float]) -> Line:
    times = [reached(run, targets[task]) if task in targets else (math.nan, math.nan) for run in runs]
    return Line(
        task=task,
        side=side,
        runs=len(runs),
        final=_final(runs),
        seconds=median(seconds for seconds, _ in times),
        epochs=median(epochs for _, epochs in times),
        trained=median(len(run.curve) for run in runs),
        cpu=median(run.cpu for run in runs),
        peak_bytes=median(run.peak_bytes for run in runs),
    )


def _final(runs: Sequence[Run]) -> float:
    ends = [found[-1][1] for run in runs if (found := best_so_far(run))]
    return median(ends) if ends else math.nan


def table(found: Sequence[Line]) -> Iterator[str]:
    """Lines of text for people."""
    head = f"{'':34}{'best':>8}{'s to target':>13}{'epochs to it':>14}{'epochs':>8}{'CPU s':>8}{'MB':>7}"
    for task in dict.fromkeys(line.task for line in found):
        own = [line for line in found if line.task == task]
        yield f"{TASKS[task].title}: {TASKS[task].metric}; the target is what {TARGET} ends with"
        yield head
        for line in own:
            figures = f"{line.final:8.4f}{_shown(line.seconds):>13}{_shown(line.epochs):>14}{line.trained:8.0f}"
            yield f"{line.side:34}{figures}{line.cpu:8.0f}{line.peak_bytes / 1e6:7.0f}"
        yield ""


def _shown(number: float) -> str:
    if math.isnan(number):
        return "-"
    return "never" if math.isinf(number) else f"{number:.1f}"
