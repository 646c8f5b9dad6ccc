"""Ask and tell: the study's loop turned inside out, for code that keeps its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from dialed.engine.function import failure_of, metrics_of
from dialed.errors import StudyError
from dialed.events import Event
from dialed.observe import Guarded
from dialed.search import History, Strategy
from dialed.store import Heartbeat, Leased, SqlStore
from dialed.store.workers import worker_id
from dialed.study.budget import Budget
from dialed.study.claim import LEASE_SECONDS, claimed
from dialed.study.decider import Decider
from dialed.trial import Cause, Member, Outcome, Report, State, Trial

__all__ = ["Asking"]


class Asking:
    """Holds what `ask` has given until it is told.

    The process leases each trial that it asks for, and a heartbeat keeps the leases; when the process dies, its
    trials go back into the queue and are the next that `ask` gives.
    """

    def __init__(self, store: SqlStore, strategy: Strategy) -> None:
        self._store = store
        self._worker = worker_id()
        self._held: dict[int, Leased] = {}
        self._decider = Decider(
            store=store,
            strategy=strategy,
            budget=Budget(max_trials=store.terms.max_trials),
            observers=Guarded(),
            history=History(store.terms),
        )
        self._heartbeat = ExitStack()
        self._heartbeat.enter_context(Heartbeat(store, self._worker, seconds=LEASE_SECONDS))

    def holds(self, number: int) -> bool:
        """Whether this process was given that trial and has not told its result."""
        return number in self._held

    def ask(self) -> Trial:
        """Lease the next trial, deciding it first if nothing waits."""
        leased = self._lease() or self._decide()
        number = leased.member.key.trial
        self._held[number] = leased
        return self._decider.history.trial(number)

    def tell(self, number: int, result: float | Sequence[float] | Mapping[str, float] | Exception | str) -> None:
        """Store the result of a held trial."""
        member = self._held[number].member
        self._store.append(self._events(member, result), worker=self._worker)
        del self._held[number]
        self._decider.refresh()

    def close(self) -> None:
        """Give back what was asked for and not told."""
        self._heartbeat.close()
        self._store.release(self._worker)

    def _lease(self) -> Leased | None:
        leased = self._store.lease(self._worker, limit=1, seconds=LEASE_SECONDS)
        self._decider.refresh()
        return leased[0] if leased else None

    def _decide(self) -> Leased:
        with claimed(self._store, self._worker):
            self._decider.refresh()
            decided = self._decider.decide(1)
            if decided:
                self._decider.append(decided)
            leased = self._lease()
        if leased is None:
            reason = self._decider.reason or "its budget is spent, or it waits for trials that were not told yet"
            raise StudyError(f"The study '{self._store.name}' has nothing more to ask: {reason}.")
        return leased

    def _events(
        self, member: Member, result: float | Sequence[float] | Mapping[str, float] | Exception | str
    ) -> list[Event]:
        if isinstance(result, str):
            return [_failed(member, Cause.TOLD, result)]
        if isinstance(result, Exception):
            return [failure_of(member.key, member.epoch, result)]
        terms = self._store.terms
        metrics = metrics_of(
            result,
            terms.objective,
            others=[objective.name for objective in terms.others],
            constrained=[constraint.name for constraint in terms.constraints],
        )
        for value in (metrics.get(objective.name, 0.0) for objective in terms.objectives):
            if not math.isfinite(value):
                return [_failed(member, Cause.NAN, f"The objective was told as {value}.")]
        report = Report(key=member.key, epoch=member.epoch + 1, metrics=metrics, final=True)
        return [report, Outcome(key=member.key, state=State.COMPLETED, epoch=report.epoch)]


def _failed(member: Member, cause: Cause, message: str) -> Outcome:
    return Outcome(key=member.key, state=State.FAILED, epoch=member.epoch, cause=cause, message=message)
