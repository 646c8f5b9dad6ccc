"""Dialed's side: the same trials through `Tuner`, its store and its reports included, or through the engine alone."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from speed.arrays import Arrays
from speed.child import Request
from speed.rows import Row

__all__ = ["load", "search"]


def load() -> None:
    """Import what a search imports as it goes."""
    import scipy.linalg
    import sqlalchemy.dialects.sqlite

    import dialed.engine.fused.engine
    import dialed.study.tuner

    if any(module is None for module in (scipy.linalg, sqlalchemy.dialects.sqlite, dialed.study.tuner)):
        raise ImportError("A module that a search needs could not be imported.")


def search(row: Row, build: Callable[..., Any], arrays: Arrays, request: Request) -> dict[str, Any]:
    """Train the trials, and tell what each scored after its last epoch."""
    with tempfile.TemporaryDirectory() as folder:
        side = _engine_alone if request.engine_only else _tuned
        return side(row, _hypermodel(row, build), arrays, request, Path(folder))


def _hypermodel(row: Row, build: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda hp: build(**{name: values.ask(hp, name) for name, values in row.space.items()})


def _arguments(row: Row, arrays: Arrays) -> dict[str, Any]:
    judged = {} if row.folds else {"validation_data": (arrays.x_val, arrays.y_val)}
    return {"epochs": row.epochs, "batch_size": row.batch_size, **judged}


def _splitter(row: Row, seed: int) -> Any:
    if not row.folds:
        return None
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(row.folds, shuffle=True, random_state=seed)


def _tuned(row: Row, hypermodel: Any, arrays: Arrays, request: Request, folder: Path) -> dict[str, Any]:
    import dialed
    from dialed.strategies import Manual

    tuner = dialed.Tuner(
        hypermodel,
        row.metric,
        strategy=Manual(request.trials, default_first=False),
        engine="fused",
        confirm=False,
        cv=_splitter(row, request.seed),
        seed=0,
        store=str(folder / "study.db"),
        compile_cache=request.cache,
        verbose=0,
    )
    study = tuner.search(arrays.x, arrays.y, **_arguments(row, arrays))
    found = {_key(trial.values): trial for trial in study.trials}
    trials = [found[_key(values)] for values in request.trials]
    last = [[r for r in study.history(trial) if r.epoch == row.epochs] for trial in trials]
    return {
        "scores": [fmean(r.metrics[row.metric] for r in reports) if reports else None for reports in last],
        "how": "Tuner",
        "engines": dict(Counter(trial.engine for trial in trials)),
        "failures": [f"{trial.cause}: {trial.message}"[:300] for trial in trials if trial.cause is not None],
    }


def _engine_alone(row: Row, hypermodel: Any, arrays: Arrays, request: Request, folder: Path) -> dict[str, Any]:
    from dialed.clock import SystemClock
    from dialed.engine.assignment import Assignment
    from dialed.engine.fit import FitEngine
    from dialed.engine.fused.compile_cache import CompileCache
    from dialed.engine.fused.engine import FusedEngine
    from dialed.events import Built
    from dialed.store import Checkpoints
    from dialed.study.arguments import SearchArguments
    from dialed.study.budget import Budget
    from dialed.trial import Member, MemberKey, Report

    prepared = SearchArguments.of(arrays.x, arrays.y, _arguments(row, arrays)).prepare(
        hypermodel,
        objective=row.metric,
        cv=_splitter(row, request.seed),
        repeats=1,
        seed=0,
        budget=Budget(),
        max_parameters=None,
    )
    assignment = Assignment(
        recipe=prepared.recipe,
        data=prepared.data,
        objective=prepared.terms.objective,
        checkpoints=Checkpoints(folder),
        clock=SystemClock(),
    )
    engine = FusedEngine(assignment, fallback=FitEngine(assignment), compile_cache=CompileCache(request.cache))
    scores: dict[int, list[float]] = {}
    engines: dict[int, str] = {}

    def listen(progress: Any) -> bool:
        match progress:
            case Built():
                engines[progress.trial] = progress.engine
            case Report() if progress.epoch == row.epochs:
                scores.setdefault(progress.key.trial, []).append(progress.metrics[row.metric])
        return False

    members = [
        Member(key=MemberKey(number, request.seed, fold), values=values)
        for number, values in enumerate(request.trials)
        for fold in prepared.terms.folds
    ]
    outcomes = list(engine.train(members, row.epochs, listen))
    return {
        "scores": [fmean(scores[n]) if n in scores else None for n in range(len(request.trials))],
        "how": "the engine alone",
        "engines": dict(Counter(engines.values())),
        "failures": [f"{o.cause}: {o.message}"[:300] for o in outcomes if o.cause is not None],
    }


def _key(values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted(values.items()))
