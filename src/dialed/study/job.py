"""One search of one tuner: its study, its engine and its session, opened, run and closed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from dialed.clock import Clock
from dialed.errors import StudyError
from dialed.events import Enqueued, Event, SessionEnded, SessionStarted, SpaceSet
from dialed.executor import EngineMaker
from dialed.observe import Guarded
from dialed.search import History, Strategy, Terms
from dialed.space import Space
from dialed.store import Catalog, Heartbeat, SqlStore
from dialed.store.workers import worker_id
from dialed.study.budget import Budget
from dialed.study.claim import LEASE_SECONDS, claimed
from dialed.study.confirm import (
    Confirmation,
    confirmation_of,
    members_to_add,
    next_round,
    plan_confirmation,
)
from dialed.study.decider import Decider
from dialed.study.executors import Workforce, executor_for
from dialed.study.session import Session
from dialed.study.settings import check_same_study, say_differences
from dialed.study.study import Study
from dialed.study.warm import Source, warm_events
from dialed.trial import Values

__all__ = ["Job", "new_name", "open_store"]

_log = logging.getLogger("dialed")

_MANY_DEATHS = 3
"""So many times in a row without an epoch of progress are worth a warning."""


def new_name(clock: Clock) -> str:
    """A study name made of the date and time."""
    return datetime.fromtimestamp(clock.now()).strftime("study-%Y%m%d-%H%M%S")


def open_store(
    catalog: Catalog, name: str, terms: Terms, settings: Mapping[str, Any], *, resume: bool
) -> tuple[SqlStore, Mapping[str, Any]]:
    """The store of the study `name` with the settings of its last session (empty for a new study).

    Raises:
        StudyError: The study exists and `resume` is False, or it was begun on terms that make scores incomparable.
    """
    if not catalog.exists(name):
        return catalog.create(name, terms, settings), {}
    if not resume:
        raise StudyError(
            f"The study '{name}' exists already. Pass resume=True to go on with it, or give the search another `name`."
        )
    store = catalog.open(name)
    check_same_study(name, store.terms, terms)
    previous = dict(store.settings)
    store.set_terms(terms, settings)
    return store, previous


class Job:
    """Runs one study in this process: holds its claim, its leases and its observers while it runs.

    Args:
        catalog: Where the study is kept.
        store: The study's record.
        space: The space as this session's code has it.
        make_engine: Makes the engine, here or wherever the workers are.
        strategy: Chooses trials.
        budget: The limits, over all sessions.
        clock: Time.
        observers: See every event.
        settings: What this session was asked to do, as JSON values; `settings["space"]` is the space it discovered.
        max_consecutive_failures: So many broken trials in a row end the study.
        tidy: Removes checkpoints that are not needed any more. Defaults to nothing.
        lanes: Members to hand to a worker at once. Defaults to 1.
        workforce: Who trains. Defaults to this process.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        store: SqlStore,
        space: Space,
        make_engine: EngineMaker,
        strategy: Strategy,
        budget: Budget,
        clock: Clock,
        observers: Guarded,
        settings: Mapping[str, Any],
        max_consecutive_failures: int = 5,
        tidy: Callable[[History], object] | None = None,
        lanes: int = 1,
        workforce: Workforce = Workforce(),  # noqa: B008 - a frozen value
    ) -> None:
        self.catalog = catalog
        self.store = store
        self.space = space
        self.strategy = strategy
        self.budget = budget
        self.clock = clock
        self.settings = settings
        self.study = Study(store, strategy=strategy)
        self.worker = worker_id()
        self.session = Session(
            decider=Decider(
                store=store, strategy=strategy, budget=budget, observers=observers, history=History(store.terms)
            ),
            executor=executor_for(
                workforce,
                make_engine,
                store=store,
                clock=clock,
                worker=self.worker,
                pause=lambda progress: self.session.pause(progress),
                deadline=lambda: self.session.deadline,
            ),
            budget=budget,
            clock=clock,
            workers=workforce.workers,
            concurrent=workforce.is_elsewhere,
            max_consecutive_failures=max_consecutive_failures,
            tidy=tidy,
            lanes=lanes,
        )

    def run(self, *, confirm: bool, enqueue: Sequence[Values] = (), warm: Sequence[Source] = ()) -> str:
        """Search, confirm the winner if asked, and return why the search ended."""
        with self._driving() as session:
            session.decider.append([Enqueued(values=dict(v)) for v in self._new(enqueue)])
            session.decider.append(warm_events(session.history, self.space, warm))
            session.keeps_for_confirmation = confirm
            reason = session.search()
            session.keeps_for_confirmation = False
            if confirm:
                reason += self._confirm_within_budget(session)
            self._ended(reason, finished=True)
        return reason

    def confirm(self, *, top: int, repeats: int) -> Confirmation | None:
        """Train what a confirmation still needs, whatever the budget, and return what it says."""
        with self._driving() as session:
            session.budget = Budget()
            session.decider.append(members_to_add(session.history, top=top, repeats=repeats))
            session.confirm()
            self._ended(f"confirmed the {top} best under {repeats} fresh seeds", finished=True)
        return confirmation_of(self.session.history)

    def _new(self, wanted: Sequence[Values]) -> list[Values]:
        """Those of `wanted` that no session has enqueued before: a script that runs again enqueues them again."""
        if not wanted:
            return []
        known = [r.event.values for r in self.store.history() if isinstance(r.event, Enqueued)]
        return [v for v in wanted if dict(v) not in [dict(k) for k in known]]

    def _confirm_within_budget(self, session: Session) -> str:
        """Confirm as far as the budget reaches; return what to add to the reason."""
        budget = session.budget.now(session.history)
        top, repeats, obstacle = plan_confirmation(session.history, budget, seconds=session.seconds)
        if not repeats:
            return f"; not confirmed: {obstacle}"
        session.decider.append(members_to_add(session.history, top=top, repeats=repeats))
        cut = session.confirm()
        while cut is None and (more := next_round(session.history, session.limits, seconds=session.seconds)):
            session.decider.append(more)
            cut = session.confirm()
        return f"; the confirmation was cut short: {cut}" if cut else ""

    @contextmanager
    def _driving(self) -> Iterator[Session]:
        """Hold the claim and the leases; record the session's begin, and its end if something ends it early."""
        session, store = self.session, self.store
        session.started = self.clock.monotonic()
        session.decider.observers.watch(store.name, store.terms)
        with (
            claimed(store, self.worker),
            Heartbeat(store, self.worker, seconds=LEASE_SECONDS),
            session.decider.observers,
        ):
            try:
                session.decider.recall()
                self._warn_of_deaths()
                session.decider.append(self._opening())
                yield session
            except KeyboardInterrupt:
                self._ended(f"interrupted; run it again with name='{self.store.name}' and it goes on", finished=False)
                raise
            except BaseException as error:
                self._ended(f"{type(error).__name__}: {error}", finished=False)
                raise
            finally:
                session.executor.close()
                store.release(self.worker)

    def _warn_of_deaths(self) -> None:
        """Say aloud when the process died again and again while it trained the same trial."""
        for trial in self.session.history.busy:
            attempts = max(member.attempts for member in trial.members)
            if attempts >= _MANY_DEATHS:
                _log.warning(
                    "The last %d times that this study's process died, it was training trial %d (%s). If the machine "
                    "ran out of memory, `max_parameters` keeps such models out.",
                    attempts,
                    trial.number,
                    dict(trial.values),
                )

    def _opening(self) -> list[Event]:
        """The session's first events. A space that this code would not have discovered last time is a change.

        A space that grew by the builds of earlier trials is no change: it is kept, so that a resumed study decides as
        an undisturbed one would.
        """
        events: list[Event] = [SessionStarted(worker=self.worker, settings=self.settings)]  # stored with the space
        discovered = self.space.to_json()
        before = (self.session.decider.settings or {}).get("space")
        if discovered != before or self.session.history.space_json is None:
            if before is not None:
                say_differences(self.store.name, Space.from_json(before).difference(self.space), "space")
            events.append(SpaceSet(space=discovered))
        return events

    def _ended(self, reason: str, *, finished: bool) -> None:
        session = self.session
        seconds = self.clock.monotonic() - session.started
        session.decider.append([SessionEnded(reason=reason, finished=finished, seconds=seconds)])
        session.started = self.clock.monotonic()
