"""Which engine trains a search, and the process that it may need."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dialed.backend import backend_facts, is_installed
from dialed.engine.protocol import Engine
from dialed.search import Grid, Manual, PopulationBased, Random, Sobol, Strategy
from dialed.study.arguments import Prepared

if TYPE_CHECKING:
    from dialed.engine.assignment import Assignment
    from dialed.engine.jax_worker.process import JaxProcess

__all__ = ["lanes_of", "make_engine", "start_early"]

LANES = 32
"""Members that the fused engine is given at once: more cost little time each, but decide less often."""

LANES_OF_LEARNERS = 8
"""The same for strategies that learn from results: what is decided together learns nothing from each other, and
programs that are made once serve the next group too."""

TRIALS_WORTH_A_PROCESS = 8
"""Starting the process with JAX takes 3 to 6 CPU seconds, `model.fit` on TensorFlow about 1 for each trial's program."""

_PLANNERS = (Grid, Manual, PopulationBased, Random, Sobol)
"""Strategies that lose nothing in large groups: trials do not depend on results, or on those of all together."""


def start_early(kind: str, x: Any, *, own_fit: bool, max_trials: int | None) -> JaxProcess | None:
    """The process with JAX that a search will want, so that its imports pass while the search is prepared.

    Args:
        kind: The tuner's `engine`.
        x: What the search is given to train on.
        own_fit: Whether the hypermodel trains in its own way.
        max_trials: The budget in trials.

    Returns:
        The process; `None` where Keras runs on JAX itself, or where one could not be used.
    """
    from dialed.engine.datasets import is_stream
    from dialed.engine.jax_worker.process import JaxProcess

    if backend_facts().name == "jax" or not _wants_lanes(kind, max_trials):
        return None
    return None if own_fit or not is_installed("jax") or is_stream(x) else JaxProcess()


def make_engine(
    kind: str,
    assignment: Assignment,
    *,
    max_trials: int | None,
    compile_cache: bool | str | os.PathLike[str],
    process: JaxProcess | None = None,
) -> Engine:
    """The engine for a search.

    Args:
        kind: The tuner's `engine`.
        assignment: What is trained, for what, and until when.
        max_trials: How many trials at most; `None` where that is open.
        compile_cache: Whether compiled programs are kept, or the folder for them.
        process: One that was started early. Defaults to starting one when it is needed.
    """
    from dialed.engine.fit import FitEngine  # imports Keras

    fit = FitEngine(assignment)
    if not _wants_lanes(kind, max_trials):
        return fit
    if backend_facts().name != "jax":
        from dialed.engine.jax_worker.engine import JaxWorkerEngine

        return JaxWorkerEngine(assignment, fallback=fit, process=process, compile_cache=compile_cache)
    from dialed.engine.fused.compile_cache import CompileCache
    from dialed.engine.fused.engine import FusedEngine

    cache = CompileCache(None if compile_cache is True else compile_cache) if compile_cache else None
    return FusedEngine(assignment, fallback=fit, compile_cache=cache)


def lanes_of(kind: str, prepared: Prepared, strategy: Strategy) -> int:
    """How many members to hand to the engine at once: one where no two of them could share a program."""
    if not _wants_lanes(kind, prepared.terms.max_trials) or _reason_against_lanes(prepared):
        return 1
    plans = isinstance(strategy, _PLANNERS) or getattr(strategy, "plans", False)
    return LANES if plans else LANES_OF_LEARNERS


def _wants_lanes(kind: str, max_trials: int | None) -> bool:
    """Whether lanes are tried at all. On another backend, few trials are trained sooner than a process starts."""
    if kind != "auto" or backend_facts().name == "jax":
        return kind != "fit"
    return max_trials is None or max_trials >= TRIALS_WORTH_A_PROCESS


def _reason_against_lanes(prepared: Prepared) -> str:
    if backend_facts().name != "jax":
        from dialed.engine.jax_worker.engine import reason_against_process

        return reason_against_process(prepared.recipe, prepared.data)
    from dialed.engine.fused.eligibility import reason_against_search

    return reason_against_search(prepared.recipe, prepared.data)
