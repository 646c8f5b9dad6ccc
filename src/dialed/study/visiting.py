"""How a tuner works for the study of another process: the same code and data, checked against what the study is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dialed.engine.fingerprint import differences, fingerprint
from dialed.errors import StudyError
from dialed.store import Checkpoints, open_catalog
from dialed.study.engines import lanes_of
from dialed.study.joining import Joining, Visit
from dialed.study.settings import check_same_study

if TYPE_CHECKING:
    from dialed.study.tuner import Tuner

__all__ = ["join_search"]


def join_search(
    tuner: Tuner,
    x: Any,
    y: Any,
    arguments: Mapping[str, Any],
    *,
    idle_seconds: float | None,
    say: Callable[[str], object],
    is_over: Callable[[], bool] = lambda: False,
) -> Visit:
    """Work for the study that `tuner` names, with what `search` would be given. The options are those of `Joining`.

    Raises:
        StudyError: There is no such study, it has other terms, or other data.
    """
    if tuner.name is None:
        raise StudyError("A worker must know for which study it works. Got none: pass `name` to the tuner.")
    store = open_catalog(tuner.store, clock=tuner.clock, artifacts=tuner.artifacts).open(tuner.name)
    prepared = tuner.prepare(x, y, arguments, seed=store.terms.seed)
    check_same_study(tuner.name, store.terms, prepared.terms)
    known = store.settings.get("data")
    other = [] if known is None else differences(known, fingerprint(prepared.data))
    if other:
        raise StudyError(
            f"A worker must train on the data of the study '{tuner.name}'. Got other data: {' '.join(other)} "
            "Load what the search was given."
        )
    checkpoints = Checkpoints(store.artifacts, byte_budget=None, clock=tuner.clock)
    return Joining(
        store=store,
        make_engine=tuner.maker(prepared, checkpoints),
        lanes=lanes_of(tuner.engine, prepared, tuner.strategy),
        clock=tuner.clock,
        idle_seconds=idle_seconds,
        max_trial_seconds=tuner.workforce.max_trial_seconds,
        say=say,
        is_over=is_over,
    ).work()
