"""A worker of a chief: waits for it, trains, and ends with the search."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialed.clock import SystemClock
from dialed.keras_tuner.distribute.call import GONE_SECONDS, Call, await_call, chief_is_gone
from dialed.keras_tuner.distribute.running import RunningMaker
from dialed.store import open_catalog
from dialed.store.sql import SqlStore

if TYPE_CHECKING:
    from dialed.keras_tuner.engine.base_tuner import BaseTuner

__all__ = ["work"]


def work(tuner: BaseTuner, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Train for the chief of the project until its search is over, then read what was found.

    Args:
        tuner: The worker's tuner.
        args: What `search` was given.
        kwargs: What `search` was given by name.

    Raises:
        FatalRuntimeError: The chief has been gone for 5 minutes.
        StudyError: The data are not those of the chief.
    """
    tuner.on_search_begin()
    session = None
    while call := await_call(tuner.project_dir, after=session):
        session = call.session
        _work_for(call, tuner, args, kwargs)
    tuner.oracle.reload()
    tuner.on_search_end()


def _work_for(call: Call, tuner: BaseTuner, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    from dialed.study.joining import Joining

    store = open_catalog(str(Path(tuner.project_dir, "dialed.db"))).open(call.study)
    over = _Over(tuner.project_dir, call.session, store)
    if call.kind == "lanes":
        _work_in_lanes(over, tuner, args, dict(kwargs))
        return
    maker = RunningMaker(tuner=tuner, args=args, kwargs=kwargs, name_of=_Names(tuner.project_dir))
    Joining(store=store, make_engine=maker, lanes=1, clock=SystemClock(), is_over=over).work()


def _work_in_lanes(over: _Over, tuner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    from dialed.keras_tuner.engine.lanes import Lanes
    from dialed.study.visiting import join_search

    kwargs.pop("verbose", None)
    x, y = [*args, None, None][:2]
    x, y = kwargs.pop("x", x), kwargs.pop("y", y)
    lanes = Lanes(tuner)
    driver = lanes.driver(kwargs)
    try:
        join_search(driver, x, y, kwargs, idle_seconds=None, say=_silent, is_over=over)
    finally:
        lanes.build.end_if_fatal()


def _silent(sentence: str) -> None:
    """The chief says what is trained."""


@dataclass(frozen=True, slots=True)
class _Names:
    """The oracle's names of the trials of a study, as the chief said them."""

    folder: str

    def __call__(self, number: int) -> str:
        call = Call.read(self.folder)
        assert call is not None  # it was read before, and is only ever replaced
        return call.names[number]


@dataclass(slots=True)
class _Over:
    """Whether a worker without work should look for another call: the search is over, or the chief was replaced.

    Args:
        folder: The project's.
        session: The search.
        store: Its study.
    """

    folder: str
    session: str
    store: SqlStore
    _seen: float = field(default_factory=time.monotonic)

    def __call__(self) -> bool:
        call = Call.read(self.folder)
        if call is None or call.over or call.session != self.session:
            return True
        if self.store.info.state == "running":
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > GONE_SECONDS:
            raise chief_is_gone(self.folder)
        return False
