"""Both sides of a row, in turn, each time in a fresh process; and what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from speed.child import Request
from speed.rows import ROWS, Row

__all__ = ["Failed", "Result", "Seconds", "Settings", "ask", "compared", "measure", "stock_seconds"]


class Failed(Exception):
    """A side of a row ended with an error; the message holds the end of what it wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the rows are measured.

    Args:
        data: The folder of the .npz files. Defaults to none.
        repeats: How often each side runs. Defaults to 3.
        quick: Tiny sizes, which only show that all works. Defaults to False.
        full: Stock trains every trial of rows that are sampled otherwise. Defaults to False.
        engine_only: Dialed's engine without tuner and store. Defaults to False.
        profile: Once more under a profiler. Defaults to False.
    """

    data: Path | None = None
    repeats: int = 3
    quick: bool = False
    full: bool = False
    engine_only: bool = False
    profile: bool = False


@dataclass(frozen=True, slots=True)
class Seconds:
    """CPU seconds and seconds of the wall clock."""

    cpu: float
    wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the table.

    `stock`, `cold` and `warm` are medians over the repeats. `differences` are the relative differences of the trials' last
    scores, `alike` says how many trials have the same rank on both sides.
    """

    name: str
    title: str
    goal: tuple[float, float]
    trials: int
    stock: Seconds
    cold: Seconds
    warm: Seconds
    imports: Mapping[str, Seconds]
    stages: Mapping[str, float]
    stock_trained: int
    stock_how: str
    same_winner: bool
    differences: tuple[float, ...]
    alike: int
    engines: Mapping[str, int]
    failures: tuple[str, ...]
    profile: Sequence[Any] = ()


def measure(name: str, settings: Settings, tell: Callable[[str], object]) -> Result:
    """Measure one row. The sides take turns, so that a busier hour is busier for all.

    Raises:
        Failed: A side could not do it.
    """
    row = ROWS[name].quick() if settings.quick else ROWS[name]
    trials = row.configurations()
    every = 1 if settings.full else row.sampled
    stock, cold, warm = [], [], []
    for turn in range(settings.repeats):
        with tempfile.TemporaryDirectory() as cache:
            stock.append(_side(name, settings, "stock", trials[::every], cache))
            cold.append(_side(name, settings, "fused", trials, cache))
            warm.append(_side(name, settings, "fused", trials, cache))
        tell(f"{name}: round {turn + 1} of {settings.repeats}")
    profile = []
    if settings.profile:
        with tempfile.TemporaryDirectory() as cache:
            profile = _side(name, settings, "fused", trials, cache, profile=True)["profile"]
    theirs, ours = stock[0]["scores"], cold[0]["scores"][::every]
    same, differences, alike = compared(theirs, ours, higher=row.folds > 0)
    return Result(
        name=name,
        title=row.title,
        goal=row.goal,
        trials=len(trials),
        stock=_median([stock_seconds(answer, len(trials)) for answer in stock]),
        cold=_median([Seconds(a["cpu"], a["wall"]) for a in cold]),
        warm=_median([Seconds(a["cpu"], a["wall"]) for a in warm]),
        imports={"stock": _imports(stock), "fused": _imports(cold)},
        stages={stage: median(a["stages"].get(stage, 0.0) for a in cold) for stage in sorted(_stages(cold))},
        stock_trained=len(trials[::every]),
        stock_how=stock[0]["how"],
        same_winner=same,
        differences=differences,
        alike=alike,
        engines=cold[0]["engines"],
        failures=tuple(cold[0]["failures"]),
        profile=profile,
    )


def stock_seconds(answer: Mapping[str, Any], trials: int) -> Seconds:
    """What stock takes for `trials`, of which it trained all or some.

    What only its first trials pay for is counted once: a trial that was left out counts as the mean of the later half of
    those that were trained.
    """
    left = trials - len(answer["scores"])
    if not left:
        return Seconds(answer["cpu"], answer["wall"])
    later = answer["each"][len(answer["each"]) // 2 :]
    cpu, wall = (fmean(cost[i] for cost in later) for i in (0, 1))
    return Seconds(answer["cpu"] + left * cpu, answer["wall"] + left * wall)


def compared(
    theirs: Sequence[float], ours: Sequence[float | None], *, higher: bool
) -> tuple[bool, tuple[float, ...], int]:
    """Whether the same trial wins, the relative differences of scores, and how many ranks are equal."""
    if any(score is None for score in ours):
        return False, (float("inf"),) * len(theirs), 0
    pairs = [(a, float(b)) for a, b in zip(theirs, ours, strict=True) if b is not None]
    order = [sorted(range(len(pairs)), key=lambda i: pairs[i][side] * (-1 if higher else 1)) for side in (0, 1)]
    differences = tuple(abs(a - b) / max(abs(a), 1e-12) for a, b in pairs)
    return order[0][0] == order[1][0], differences, sum(a == b for a, b in zip(*order, strict=True))


def ask(request: Request) -> dict[str, Any]:
    """Do what `request` says in a fresh process.

    Raises:
        Failed: It ended with an error.
    """
    import dialed

    here, sources = Path(__file__).parents[1], Path(dialed.__file__).parents[1]
    paths = [str(here), str(sources), *filter(None, [os.environ.get("PYTHONPATH")])]
    # A cache that the user has set up for JAX would serve both sides, and none would be cold.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JAX_COMPILATION_CACHE")}
    environment = {**kept, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(paths)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "request.json")
        path.write_text(json.dumps(asdict(request)))
        command = [sys.executable, "-m", "speed.child", str(path)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"{request.row}, {request.side}: {done.stderr[-2000:]}")
        answer: dict[str, Any] = json.loads(path.with_suffix(".answer").read_text())
        return answer


def _side(
    name: str, settings: Settings, side: str, trials: list[dict[str, Any]], cache: str, *, profile: bool = False
) -> dict[str, Any]:
    from dialed.study.arguments import member_seeds

    row: Row = ROWS[name]
    return ask(
        Request(
            row=name,
            side=side,
            trials=trials,
            file=str(settings.data / row.file) if settings.data and row.file else "",
            cache=cache,
            seed=member_seeds(0, 1)[0],
            quick=settings.quick,
            engine_only=settings.engine_only,
            profile=profile,
        )
    )


def _median(seconds: Sequence[Seconds]) -> Seconds:
    return Seconds(median(s.cpu for s in seconds), median(s.wall for s in seconds))


def _imports(answers: Sequence[Mapping[str, Any]]) -> Seconds:
    return _median([Seconds(**answer["imports"]) for answer in answers])


def _stages(answers: Sequence[Mapping[str, Any]]) -> set[str]:
    return {stage for answer in answers for stage in answer["stages"]}
