"""One session of one study: the loop that joins strategy, store, engine and executor.

The way of one search: what the store remembers is folded into a history; what waits is trained; otherwise the strategy
decides, and its decisions become events and members; the executor's workers train leased members, whose reports and
outcomes become events; and again. A session that is killed is continued by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from dialed.clock import Clock
from dialed.engine.protocol import Progress
from dialed.errors import StudyError
from dialed.events import Event, TrialStopped
from dialed.executor import Executor, Job
from dialed.observe.failures import commonest
from dialed.search import History
from dialed.store import Leased, is_dead
from dialed.study.budget import Budget
from dialed.study.claim import LEASE_SECONDS
from dialed.study.confirm import reserved
from dialed.study.control import asked_to_rest, obey
from dialed.study.decider import Decider
from dialed.study.room import Room
from dialed.trial import Purpose, Report, State, Trial

__all__ = ["Session"]

LOOK_SECONDS = 0.1
"""How long a look at the store may be old while workers train: displays and budgets follow it."""

SLOW_DECISION_SECONDS = 0.05
"""A strategy that takes longer decides while all workers are busy, though results may come before its decision is
carried out. A faster one decides when a worker is free, and knows all that is known then."""


@dataclass(slots=True, kw_only=True)
class Session:
    """Drives a study until its budget or its strategy ends.

    Args:
        decider: Folds the history and decides.
        executor: Has members trained.
        budget: The limits of the search.
        clock: For the time budget.
        lanes: Members to hand to a worker at once. Defaults to 1.
        workers: How many workers the executor has. Defaults to 1.
        concurrent: Whether they train while this process goes on. Defaults to False.
        max_consecutive_failures: Trials in a row that may fail for reasons that no other values would mend.
        tidy: Called when a member has ended: removes checkpoints that are not needed any more.
        started: When the session began, on the monotonic clock.
        keeps_for_confirmation: Whether the search leaves a part of the budget for a confirmation.
    """

    decider: Decider
    executor: Executor
    budget: Budget
    clock: Clock
    lanes: int = 1
    workers: int = 1
    concurrent: bool = False
    max_consecutive_failures: int = 5
    tidy: Callable[[History], object] | None = None
    started: float = 0.0
    keeps_for_confirmation: bool = False
    _jobs: list[Job] = field(default_factory=list)
    _fruitless: int | None = None
    _decision_seconds: float = 0.0

    @property
    def history(self) -> History:
        """What has happened so far."""
        return self.decider.history

    @property
    def seconds(self) -> float:
        """Seconds searched so far, earlier sessions included."""
        return self.history.finished_seconds + self.clock.monotonic() - self.started

    @property
    def deadline(self) -> float | None:
        """When the time budget ends, on the monotonic clock; `None` without one."""
        limit = self.limits.max_seconds
        return None if limit is None else self.started + limit - self.history.finished_seconds

    @property
    def limits(self) -> Budget:
        """What may be used now: the budget, or what a search may use of it."""
        budget = self.budget.now(self.history)
        return reserved(budget, self.history, seconds=self.seconds) if self.keeps_for_confirmation else budget

    @property
    def _room(self) -> Room:
        """The room of one worker now."""
        workers = self.workers + len(self.history.joined)
        return Room(history=self.history, limits=self.limits, lanes=self.lanes, workers=workers, jobs=tuple(self._jobs))

    def search(self) -> str:
        """Search until the budget, the strategy or too many failures end it; return why, as a sentence."""
        while not (reason := self._spent()):
            if obey(self):
                continue
            occupied = self._occupy()
            over = not occupied and not self._jobs and not self._is_busy("search")
            self._wait(occupied=occupied)
            self._refuse_broken_code()
            if over:
                return self.decider.reason or "the strategy has nothing more to try"
        self.rest()
        return reason

    def confirm(self) -> str | None:
        """Train the members of the confirmation, decide nothing; the budget's reason when it ended that early."""
        while not (reason := self._spent()):
            if obey(self):
                continue
            free = self.executor.free
            submitted = [worker for worker in free if self._submit_waiting(worker, "confirm")]
            may_end = bool(free) or not self.workers  # otherwise workers are being started
            if may_end and not submitted and not self._jobs and not self._is_busy("confirm"):
                return None
            self._wait(occupied=bool(submitted))
        self.rest()
        return reason

    def pause(self, progress: Progress) -> bool:
        """Called after each report where members are trained in this thread: fold it at once, so that budgets hold."""
        self.decider.refresh()
        if not isinstance(progress, Report):
            return False
        return asked_to_rest(self.history, progress.key) or self._spent() is not None

    def _is_busy(self, purpose: Purpose) -> bool:
        """Whether a member of that purpose waits, or is trained by whomever."""
        return any(
            member.purpose == purpose and member.state in (State.WAITING, State.RUNNING)
            for trial in self.history.busy
            for member in trial.members
        )

    def _spent(self) -> str | None:
        limits = self.limits
        reason = limits.spent(self.history, self.seconds)
        kept = reason is not None and limits != self.budget.now(self.history)
        return f"the search's part of the budget is spent ({reason})" if kept else reason

    def _occupy(self) -> bool:
        """Give each worker something to do; False where one is free and there is nothing for it."""
        for worker in self.executor.free:
            if not self._submit_waiting(worker, "search") and not self._submit_decided(worker):
                return False
        return self._decide_ahead() or self.workers > 0

    def _submit_waiting(self, worker: str, purpose: Purpose) -> bool:
        """Lease what waits, and have it trained; whether there was any."""
        room = self._room.again(purpose, free=len(self.executor.free))
        leased = self.decider.store.lease(worker, limit=room, seconds=LEASE_SECONDS, purpose=purpose)
        self._submit(worker, leased)
        return bool(leased)

    def _submit_decided(self, worker: str) -> bool:
        """Carry out what the strategy decides; whether there is now something to do, or to decide again."""
        room = self._room.new()
        events = self._decided(room)
        if events:
            self._submit(worker, self.decider.store.begin(events, worker=worker, limit=room, seconds=LEASE_SECONDS))
        return bool(events)

    def _decide_ahead(self) -> bool:
        """Decide what workers will train that come for it by themselves, and those here where deciding takes long.

        Returns:
            Whether something waits now.
        """
        wanted = sum(lanes for name, lanes in self.history.joined.items() if not is_dead(name))
        slow = self.concurrent and self._jobs and self._decision_seconds > SLOW_DECISION_SECONDS
        if slow or not self.workers:  # where nobody trains here, something waits for the first who comes
            wanted += 1
        if not wanted or (missing := wanted - self.decider.store.waiting) <= 0:
            return bool(wanted)
        events = self._decided(min(self._room.new(), max(missing, self._room.each)))
        if events:
            self.decider.append(events)
        return bool(events)

    def _decided(self, room: int) -> list[Event]:
        """What the strategy decides for `room` members. It is not asked again while nothing has happened."""
        if not room or self._fruitless == self.decider.cursor:
            return []
        began = self.seconds
        events = self.decider.decide(max(1, room // self._room.each))
        self._decision_seconds = self.seconds - began
        self._fruitless = None if events else self.decider.cursor
        return events

    def _submit(self, worker: str, leased: Sequence[Leased]) -> None:
        self.decider.refresh()
        if leased:
            job = self._job(worker, tuple(leased))
            self._jobs.append(job)
            self.executor.submit(job)

    def _job(self, worker: str, leased: tuple[Leased, ...]) -> Job:
        """The job of training `leased`, with its part of the budget."""
        ends, left = self.deadline, self._room.epochs_left
        if left is not None:  # epochs since a checkpoint are trained again, and were counted
            left += sum(self.history.member(item.member.key).epoch - item.member.epoch for item in leased)
        seconds = None if ends is None else ends - self.clock.monotonic()
        return Job(worker=worker, leased=leased, seconds=seconds, epochs=left)

    def rest(self) -> None:
        """Have what is trained rest where it is, and wait until it does."""
        if self._jobs:
            self.executor.cancel()
        while self._jobs:
            self._wait(occupied=True)

    def _wait(self, *, occupied: bool) -> None:
        """Let the workers work until something ended, or for a moment, and clear up behind it."""
        idle = not self._jobs and self.executor.free and (occupied or not self.history.busy)
        ended = self.executor.wait(0.0 if idle else LOOK_SECONDS)
        self._jobs = [job for job in self._jobs if not any(job is other for other in ended)]
        self.decider.refresh()
        self._drop_failed()
        if ended and self.tidy is not None:
            self.tidy(self.history)

    def _drop_failed(self) -> None:
        """A trial with a failed member has failed: its other members need not be trained."""
        useless = [
            t.number
            for t in self.history.busy
            if t.state is State.FAILED and any(m.state is State.WAITING and m.purpose == "search" for m in t.members)
        ]
        if useless:
            self.decider.append([TrialStopped(trial=number) for number in useless])

    def _refuse_broken_code(self) -> None:
        broken = list(takewhile(_is_broken, self._latest_finished()))
        if len(broken) >= self.max_consecutive_failures:
            raise StudyError(
                f"The last {len(broken)} trials failed, so something other than their values must be wrong. "
                f"The last one ({broken[0].cause}): {broken[0].message}\n{_kinds(broken)}"
                "Mend it and run the search again: the study goes on where it stopped."
            )

    def _latest_finished(self) -> Iterator[Trial]:
        """The trials that are over, the latest first, no more than the check for broken code needs."""
        latest = (self.history.trial(number) for number in range(len(self.history) - 1, -1, -1))
        return islice((trial for trial in latest if trial.state.finished), self.max_consecutive_failures)


def _kinds(broken: list[Trial]) -> str:
    """What the trials failed of, grouped; nothing where it is the same for all."""
    lines = commonest(reversed(broken))
    return "".join(f"  {line}\n" for line in ["The commonest errors:", *lines]) if len(lines) > 1 else ""


def _is_broken(trial: Trial) -> bool:
    return trial.cause is not None and trial.cause.counts_against_study
