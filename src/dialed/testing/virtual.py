"""Virtual time: a search on any number of workers, in a world where training costs nothing.

What happens is what would happen on a cluster: workers train members epoch by epoch, each in its own time; some are
slow, some die, some join or leave; whoever is free takes what waits, and else asks the strategy. Only nobody waits: the
clock jumps from one event to the next. The same arguments give the same events, in the same order, at the same times.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from dialed.clock import Clock
from dialed.events import Event, Returned, TrialContinued, TrialCopied, TrialStarted, TrialStopped
from dialed.search.decisions import Decision
from dialed.search.history import History, Terms
from dialed.search.protocol import Strategy
from dialed.space import Space
from dialed.testing.courses import Course, Courses
from dialed.testing.crew import Crew, Fate
from dialed.testing.simulate import LOSS, ObjectiveFunction, Training
from dialed.testing.unstored import Unstored
from dialed.trial import Cause, MemberKey, Outcome, Report, State, Trial, Values

__all__ = ["VirtualClock", "VirtualRun", "VirtualTime"]


class VirtualClock:
    """A clock that goes on when a simulation says so."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class Watching(Protocol):
    """Who is told each event, as observers of a study are."""

    def on_event(self, event: Event) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualRun:
    """What a search in virtual time came to.

    `seconds` is how long it took, `worker_seconds` how long workers were there, `busy_seconds` how long they trained.
    """

    history: History
    seconds: float
    worker_seconds: float
    busy_seconds: float
    reports: int
    deaths: int

    @property
    def utilisation(self) -> float:
        """The share of the workers' time in which they trained."""
        return self.busy_seconds / self.worker_seconds if self.worker_seconds else 0.0


class _What(IntEnum):
    """What the clock jumps to. Of what happens at the same time, the smaller number comes first."""

    EPOCH = 0
    DEATH = 1
    NOTICED = 2
    CHANGE = 3
    DECIDED = 4


@dataclass(slots=True, eq=False)
class _Worker:
    """One worker. `life` changes whenever what was foreseen for it will not happen any more."""

    pace: float
    since: float
    life: int = 0
    course: Course | None = None
    began: float = 0.0
    leaving: bool = False
    gone: bool = False


class VirtualTime:
    """A study on a simulated cluster.

    To choose: to try a strategy with many workers, or what failures do to it. `simulate` is for one worker after another.

    Args:
        strategy: Chooses the trials.
        space: What they vary.
        objective: Stands for the training, as in `simulate`: a number that holds after each epoch, a number for each
            epoch, all metrics by name, or an object with the methods of `Training`.
        crew: The workers, and what befalls them.
        terms: What a trial is trained for; `max_trials` among them is a budget.
        seconds: How long an epoch takes with these values. Defaults to one second.
        timer: Times the decisions; they then take that long in virtual time too. A `SteppingClock` makes it the same
            time for each, the machine's clock what it takes here. Defaults to decisions that take no time.
        observers: Are told each event.

    Example:
        >>> from dialed.space import Float, Hyperparameter, Space
        >>> from dialed.strategies import ASHA
        >>> from dialed.testing import Crew, VirtualTime
        >>> from dialed.trial import Objective
        >>> terms = Terms(objective=Objective(name="loss", direction="min"), epochs=9, max_trials=200)
        >>> space = Space([Hyperparameter("x", Float(-1.0, 1.0))])
        >>> crew = Crew(workers=50, stragglers=0.1, deaths_per_hour=1.0)
        >>> run = VirtualTime(ASHA(), space, lambda values: values["x"] ** 2, crew=crew, terms=terms).run()
        >>> len(run.history), run.history.best_trial.score < 0.01
        (200, True)
    """

    def __init__(
        self,
        strategy: Strategy,
        space: Space,
        objective: ObjectiveFunction | Training,
        *,
        crew: Crew,
        terms: Terms = LOSS,
        seconds: Callable[[Values], float] = lambda values: 1.0,
        timer: Clock | None = None,
        observers: Sequence[Watching] = (),
    ) -> None:
        self.clock = VirtualClock()
        self._observers = tuple(observers)
        self._study = Unstored(strategy, space, terms, on_event=self._tell if observers else None)
        self._courses = Courses(objective, terms.objective.name, seconds)
        self._crew = crew
        self._fate = Fate(crew)
        self._timer = timer
        self._ahead: list[tuple[float, int, int, Any, int]] = []
        self._order = 0
        self._workers: dict[_Worker, None] = {}  # in the order in which they came
        self._idle: deque[_Worker] = deque()
        self._waiting: list[tuple[int, int, MemberKey]] = []
        self._held: dict[MemberKey, _Worker] = {}
        self._asked = False  # whether the strategy was asked since anything ended
        self._deciding = False
        self._worker_seconds = self._busy_seconds = 0.0
        self._reports = self._deaths = 0

    @property
    def history(self) -> History:
        """What has happened so far."""
        return self._study.history

    def run(self, until: float = math.inf) -> VirtualRun:
        """Go on until nothing is left to do, or to the second `until`. It can be called again with a later one."""
        if not self._workers:
            self._join(self._crew.workers)
            for when, many in self._crew.changes:
                self._plan(when, _What.CHANGE, many)
            self._staff()
        while self._ahead and self._ahead[0][0] <= until and not self._over():
            self._happen(self._ahead[0][0])
            self._staff()
        if until < math.inf and not self._over():
            self.clock.time = until
        return self._result()

    def _over(self) -> bool:
        """Whether nothing will be trained any more, though workers may still die and join."""
        return self._asked and not self._deciding and not self.history.is_busy

    def _happen(self, now: float) -> None:
        """Let everything happen that happens at `now`."""
        self.clock.time = now
        while self._ahead and self._ahead[0][0] == now:
            _, what, _, subject, life = heapq.heappop(self._ahead)
            match what:
                case _What.EPOCH:
                    self._epoch(subject, life)
                case _What.DEATH:
                    self._die(subject)
                case _What.NOTICED:
                    self._notice(subject)
                case _What.CHANGE:
                    self._join(subject) if subject > 0 else self._leave(-subject)
                case _What.DECIDED:
                    self._deciding = False
                    self._carry_out(subject)

    def _plan(self, when: float, what: _What, subject: Any, life: int = 0) -> None:
        self._order += 1
        heapq.heappush(self._ahead, (when, int(what), self._order, subject, life))

    # Workers

    def _join(self, many: int) -> None:
        now = self.clock.time
        for _ in range(many):
            worker = _Worker(pace=self._fate.pace(), since=now)
            self._workers[worker] = None
            self._idle.append(worker)
            if (life := self._fate.life()) is not None:
                self._plan(now + life, _What.DEATH, worker)

    def _leave(self, many: int) -> None:
        """The idle ones go at once, the others after their epoch."""
        staying = [worker for worker in self._workers if not worker.leaving]
        for worker in sorted(staying, key=lambda worker: worker.course is not None)[:many]:
            worker.leaving = True
            if worker.course is None:
                self._idle.remove(worker)
                self._go(worker)

    def _go(self, worker: _Worker) -> None:
        worker.gone = True
        del self._workers[worker]
        self._worker_seconds += self.clock.time - worker.since

    def _die(self, worker: _Worker) -> None:
        if worker.gone:
            return
        self._deaths += 1
        now = self.clock.time
        if worker.course is None:
            self._idle.remove(worker)
        else:
            key = worker.course.key
            self._rest(worker)
            self._plan(now + self._crew.lease_seconds, _What.NOTICED, key)
        self._go(worker)
        self._plan(now + self._crew.absence_seconds, _What.CHANGE, 1)

    def _notice(self, key: MemberKey) -> None:
        """A lease has ended without a word: the member waits again, unless its trial was stopped meanwhile."""
        if key in self._held or self._state(key) not in (State.WAITING, State.RUNNING):
            return
        self._study.record(Returned(key=key, cause=Cause.KILLED, message="Its worker is gone."))
        self._ended(key)

    # Training

    def _staff(self) -> None:
        """Give free workers what waits, and ask the strategy for more while that may help."""
        while self._idle:
            course = self._next_course()
            if course is not None:
                self._train(self._idle.popleft(), course)
            elif self._asked or self._deciding:
                return
            else:
                self._ask(len(self._idle))

    def _next_course(self) -> Course | None:
        while self._waiting:
            key = heapq.heappop(self._waiting)[2]
            if key not in self._held and self._state(key) in (State.WAITING, State.RUNNING):
                return self._courses.course(self.history.trial(key.trial), self.history.member(key))
        return None

    def _train(self, worker: _Worker, course: Course) -> None:
        worker.course = course
        self._held[course.key] = worker
        self._begin_epoch(worker, course)

    def _begin_epoch(self, worker: _Worker, course: Course) -> None:
        worker.began = self.clock.time
        self._plan(worker.began + course.seconds * worker.pace * self._fate.factor(), _What.EPOCH, worker, worker.life)

    def _epoch(self, worker: _Worker, life: int) -> None:
        course = worker.course
        if course is None or life != worker.life:
            return
        now = self.clock.time
        told = course.epoch(now - worker.began)
        self._busy_seconds += now - worker.began
        for event in told:
            self._reports += isinstance(event, Report)
            self._study.record(event)
        if worker.leaving and isinstance(told[-1], Report):
            self._study.record(Outcome(key=course.key, state=State.PAUSED, epoch=course.at))
        elif isinstance(told[-1], Report):
            self._begin_epoch(worker, course)
            return
        worker.began = now
        self._rest(worker)
        self._free(worker)
        self._ended(course.key)

    def _rest(self, worker: _Worker) -> None:
        """End what the worker was at."""
        if worker.course is not None:
            self._busy_seconds += self.clock.time - worker.began
            self._held.pop(worker.course.key, None)
        worker.course = None
        worker.life += 1

    def _free(self, worker: _Worker) -> None:
        if worker.leaving:
            self._go(worker)
        else:
            self._idle.append(worker)

    def _ended(self, key: MemberKey) -> None:
        """What the end of a member's training brings about."""
        self._asked = False
        trial = self.history.trial(key.trial)
        if trial.state is State.FAILED:
            if any(m.state is State.WAITING for m in trial.members):
                self._study.record(TrialStopped(trial=trial.number))
                self._drop(trial.number)
        elif self._state(key) is State.WAITING:
            self._queue(trial)
        if trial.state in (State.FAILED, State.COMPLETED):
            self._courses.forget(trial)

    # Decisions

    def _ask(self, places: int) -> None:
        """Begin what was enqueued, or have the strategy decide, in as much time as it takes."""
        if begun := self._study.begin_enqueued(places):
            self._take_up(begun)
            return
        self._asked = True
        started = self._timer.monotonic() if self._timer else 0.0
        decisions = self._study.choose(places)
        took = self._timer.monotonic() - started if self._timer else 0.0
        if took > 0 and decisions:  # an answer of "wait" delays nobody
            self._deciding = True
            self._plan(self.clock.time + took, _What.DECIDED, decisions)
        else:
            self._carry_out(decisions)

    def _carry_out(self, decisions: Sequence[Decision]) -> None:
        events = self._study.carry_out(decisions)
        if events:
            self._asked = False
            self._take_up(events)

    def _take_up(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case TrialStarted() | TrialContinued():
                    self._queue(self.history.trial(event.trial))
                case TrialCopied():
                    self._courses.copy(self.history.trial(event.trial))
                    self._drop(event.replaces)
                    self._queue(self.history.trial(event.trial))
                case TrialStopped():
                    self._drop(event.trial)

    def _queue(self, trial: Trial) -> None:
        """Let the waiting members wait in the queue; one that is there twice is trained once."""
        for place, member in enumerate(trial.members):
            if member.state is State.WAITING and member.key not in self._held:
                heapq.heappush(self._waiting, (trial.number, place, member.key))

    def _drop(self, number: int) -> None:
        """Nobody trains the members of a trial any longer."""
        for member in self.history.trial(number).members:
            worker = self._held.get(member.key)
            if worker is not None and member.state not in (State.WAITING, State.RUNNING):
                self._rest(worker)
                self._free(worker)

    # Results

    def _state(self, key: MemberKey) -> State:
        return self.history.member(key).state

    def _tell(self, event: Event) -> None:
        for observer in self._observers:
            observer.on_event(event)

    def _result(self) -> VirtualRun:
        now = self.clock.time
        there = sum(now - worker.since for worker in self._workers)
        at_work = sum(now - worker.began for worker in self._workers if worker.course is not None)
        return VirtualRun(
            history=self.history,
            seconds=now,
            worker_seconds=self._worker_seconds + there,
            busy_seconds=self._busy_seconds + at_work,
            reports=self._reports,
            deaths=self._deaths,
        )
