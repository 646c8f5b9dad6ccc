"""One side of one row in a process of its own: `python -m speed.child request.json`, which is answered beside it.

Loading modules and data, and starting JAX, are timed apart: both sides pay for them alike.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Cost", "Request", "measured"]

STAGES = {
    "/jax/core/compile/jaxpr_trace_duration": "trace",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lower",
    "/jax/core/compile/backend_compile_duration": "compile",
    "/jax/compilation_cache/cache_retrieval_time_sec": "read from the cache",
}
"""What JAX tells of its own work, in seconds of the wall clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a child is asked to do."""

    row: str
    side: str
    trials: list[dict[str, Any]]
    file: str
    cache: str
    seed: int
    quick: bool = False
    engine_only: bool = False
    profile: bool = False


@dataclass(slots=True)
class Cost:
    """CPU seconds of this process, its threads and its children, and seconds of the wall clock."""

    cpu: float = 0.0
    wall: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@contextmanager
def measured() -> Iterator[Cost]:
    """What happens inside, measured."""
    cost = Cost()
    cpu, wall = _cpu(), time.monotonic()
    try:
        yield cost
    finally:
        cost.cpu, cost.wall = _cpu() - cpu, time.monotonic() - wall


def main(path: str) -> None:
    """Do what the request in the file `path` says, and write the answer beside it."""
    request = Request(**json.loads(Path(path).read_text()))
    with measured() as imports:
        work = _loaded(request)
    stages: dict[str, float] = {}
    _listen(stages)
    profile = cProfile.Profile() if request.profile else None
    with measured() as cost:
        answer = profile.runcall(work) if profile else work()
    document = {
        **answer,
        "cpu": cost.cpu,
        "wall": cost.wall,
        "imports": {"cpu": imports.cpu, "wall": imports.wall},
        "stages": stages,
        "profile": [] if profile is None else _lines_of(profile),
    }
    Path(path).with_suffix(".answer").write_text(json.dumps(document))


def _loaded(request: Request) -> Callable[[], dict[str, Any]]:
    """Import, load and start all that is not measured; return what is."""
    import jax.numpy as jnp

    from speed import models
    from speed.rows import ROWS

    row = ROWS[request.row].quick() if request.quick else ROWS[request.row]
    arrays = row.load(Path(request.file), row.samples, row.held_out)
    build = getattr(models, row.model)
    (jnp.zeros(3) + 1).block_until_ready()
    if request.side == "stock":
        from speed import stock

        side = stock.folds if row.folds else stock.loop
        return lambda: side(row, build, arrays, request.trials, request.seed)
    from speed import fused

    fused.load()
    return lambda: fused.search(row, build, arrays, request)


def _listen(stages: dict[str, float]) -> None:
    import jax

    def note(event: str, duration_secs: float, **_: Any) -> None:
        stage = STAGES.get(event)
        if stage:
            stages[stage] = stages.get(stage, 0.0) + duration_secs

    jax.monitoring.register_event_duration_secs_listener(note)


def _lines_of(profile: cProfile.Profile) -> list[tuple[str, int, float, float]]:
    """(place, calls, own seconds, seconds with what it calls) of each function."""
    stats: Any = pstats.Stats(profile)
    return [
        (f"{_short(file)}:{line} {name}", calls, own, total)
        for (file, line, name), (_, calls, own, total, _) in stats.stats.items()
        if total > 0.005
    ]


def _short(file: str) -> str:
    for folder in ("site-packages/", "src/", "lib/python"):
        if folder in file:
            return file.rsplit(folder, 1)[1]
    return file


if __name__ == "__main__":
    main(sys.argv[1])
