"""What every executor must keep to, as checks that anybody can run over their own.

    import pytest
    from dialed.testing.executors import executor_checks

    @pytest.mark.parametrize("check", executor_checks(), ids=lambda check: check.__name__)
    def test_my_executor_keeps_the_rules(check, tmp_path):
        check(MyExecutor, tmp_path)

Each check trains a function of a few steps, which takes no time, in a study of its own in a SQLite file that other
processes can open. A check raises `AssertionError` with a sentence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dialed.engine.function import FunctionEngine, ReportingHyperParameters
from dialed.engine.movable import Part
from dialed.engine.protocol import Engine
from dialed.errors import InvalidInputError
from dialed.events import Event, SpaceSet, TrialStarted
from dialed.executor import Deadline, EngineMaker, Executor, Job
from dialed.search.history import History, Terms
from dialed.space import Choice, Hyperparameter, Space
from dialed.store import SqlStore, open_catalog
from dialed.trial import Cause, MemberKey, Objective, Outcome, Report, State

__all__ = ["ExecutorCheck", "MakeExecutor", "check_executor", "executor_checks"]

STEPS = 3
LEASE_SECONDS = 600.0
PATIENCE_SECONDS = 300.0
"""A check gives up after so long: enough for workers that import Keras on a machine that is busy."""

TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=STEPS)
SPACE = Space([Hyperparameter("kind", Choice(["good", "failing", "refused", "slow"]))])

MakeExecutor: TypeAlias = Callable[[SqlStore, EngineMaker, int], Executor]
"""Makes an executor for a study, from its store, what makes its engine, and a number of workers."""

ExecutorCheck: TypeAlias = Callable[[MakeExecutor, Path], None]


def stepping(hp: ReportingHyperParameters) -> None:
    """What is trained: three steps, unless the value says otherwise."""
    kind = hp.values["kind"]
    for step in range(1, STEPS + 1):
        if kind == "failing" and step == 2:
            raise ValueError("as it was told to")
        if kind == "slow":
            time.sleep(0.1)
        if hp.report(1 if kind == "refused" else step, {"loss": 1.0 / step}):
            return


@dataclass(frozen=True, slots=True)
class SteppingMaker:
    """Makes the engine that calls `stepping`, wherever it is sent."""

    @property
    def parts(self) -> Sequence[Part]:
        """Nothing of it is a user's."""
        return ()

    def __call__(self, deadline: Deadline) -> Engine:
        return FunctionEngine(stepping, objective=TERMS.objective, given_space=True)


def executor_checks() -> list[ExecutorCheck]:
    """All checks."""
    return [
        check_workers_are_free_and_have_names,
        check_what_is_submitted_is_trained_into_the_store,
        check_a_job_comes_back_once,
        check_a_failure_is_data,
        check_what_ends_the_study_is_raised,
        check_epochs_of_a_job_are_kept,
        check_closing_gives_everything_back,
    ]


def check_executor(make_executor: MakeExecutor, folder: Path) -> None:
    """Run all checks.

    Args:
        make_executor: Makes an executor.
        folder: An empty folder, for the studies' stores.

    Raises:
        AssertionError: A rule is broken.
    """
    for check in executor_checks():
        check(make_executor, folder)


def check_workers_are_free_and_have_names(make_executor: MakeExecutor, folder: Path) -> None:
    """At the start somebody is free, and no two workers have one name."""
    with _scene(make_executor, folder, "free") as scene:
        names = scene.wait_for_workers()
        _require(len(set(names)) == len(names), f"workers share a name: {names}")


def check_what_is_submitted_is_trained_into_the_store(make_executor: MakeExecutor, folder: Path) -> None:
    """Each step is reported once, in order, by the worker that was given the job; and then the member has ended."""
    with _scene(make_executor, folder, "trained") as scene:
        jobs = [scene.submit("good"), *([scene.submit("good")] if scene.executor.free else [])]
        scene.finish(len(jobs))
        for trial, job in enumerate(jobs):
            stored = [event for event in scene.events if getattr(event, "key", None) == MemberKey(trial, 0, 0)]
            told = [event.metrics["loss"] for event in stored if isinstance(event, Report)]
            _require(told == [1.0 / step for step in range(1, STEPS + 1)], f"its reports are {told}")
            ends = [(event.state, event.worker) for event in stored if isinstance(event, Outcome)]
            _require(ends == [(State.COMPLETED, job.worker)], f"{job.worker} was given it, and it ended as {ends}")


def check_a_job_comes_back_once(make_executor: MakeExecutor, folder: Path) -> None:
    """`wait` returns a job when it has ended, that very one; later there is nothing to return."""
    with _scene(make_executor, folder, "once") as scene:
        job = scene.submit("good")
        ended = scene.finish(1)
        _require(len(ended) == 1 and ended[0] is job, f"one job was submitted, and {len(ended)} came back")
        _require(not scene.executor.wait(0.01), "a job came back twice")
        _require(job.worker in scene.executor.free, "its worker is not free again")


def check_a_failure_is_data(make_executor: MakeExecutor, folder: Path) -> None:
    """A trial that fails is a failed trial with its cause, and the worker does the next job."""
    with _scene(make_executor, folder, "failure") as scene:
        scene.submit("failing")
        scene.finish(1)
        scene.submit("good")
        scene.finish(1)
        failed, good = scene.history.trials
        _require(failed.state is State.FAILED and failed.cause is Cause.ERROR, f"it is {failed.state}, {failed.cause}")
        _require("as it was told to" in (failed.message or ""), f"its message is {failed.message!r}")
        _require(good.state is State.COMPLETED, "the job after a failure was not done")


def check_what_ends_the_study_is_raised(make_executor: MakeExecutor, folder: Path) -> None:
    """An error that no other values would mend reaches whoever waits, as what it is."""
    with _scene(make_executor, folder, "raised") as scene:
        scene.submit("refused")  # it reports a step twice
        try:
            scene.finish(1)
        except InvalidInputError as error:
            _require("`step` of a report must grow" in str(error), f"the error says {error}")
            return
        _require(False, "a function that breaks its contract raised nothing")


def check_epochs_of_a_job_are_kept(make_executor: MakeExecutor, folder: Path) -> None:
    """A job with two epochs left trains two, and its member rests."""
    with _scene(make_executor, folder, "epochs") as scene:
        scene.submit("good", epochs=2)
        scene.finish(1)
        (record,) = scene.history.trial(0).members
        _require(record.epoch == 2, f"of two epochs, {record.epoch} were trained")


def check_closing_gives_everything_back(make_executor: MakeExecutor, folder: Path) -> None:
    """After `close`, what had not ended can be leased by somebody else at once."""
    with _scene(make_executor, folder, "closed") as scene:
        scene.submit("slow")
        scene.executor.close()
        (record,) = scene.history.trial(0).members
        if not record.state.finished:
            scene.store.release(scene.jobs[0].worker)
            again = scene.store.lease("another", limit=1, seconds=LEASE_SECONDS)
            _require(len(again) == 1, "a closed executor still holds the lease of what it did not finish")


@dataclass(slots=True)
class _Scene:
    """A study, and the executor under examination."""

    store: SqlStore
    executor: Executor
    jobs: list[Job]

    @property
    def events(self) -> list[Event]:
        """What is stored."""
        return [recorded.event for recorded in self.store.history()]

    @property
    def history(self) -> History:
        """What the stored events come to."""
        return History(TERMS, self.events)

    def wait_for_workers(self) -> Sequence[str]:
        """The names of the free workers, once there are some. `wait` is where an executor looks after them."""

        def free() -> Sequence[str]:
            if not self.executor.free:
                self.executor.wait(0.1)
            return self.executor.free

        return _until(free, "no worker was ever free")

    def submit(self, kind: str, *, epochs: int | None = None) -> Job:
        """Begin a trial of that kind, leased for a worker that is free."""
        worker = self.wait_for_workers()[0]
        trial = len(self.jobs)
        begun = TrialStarted(trial=trial, values={"kind": kind}, until=STEPS, epochs=STEPS, seeds=(0,))
        leased = self.store.begin([begun], worker=worker, limit=1, seconds=LEASE_SECONDS)
        job = Job(worker=worker, leased=tuple(leased), epochs=epochs)
        self.executor.submit(job)
        self.jobs.append(job)
        return job

    def finish(self, count: int) -> list[Job]:
        """Wait until so many jobs have come back."""
        ended: list[Job] = []

        def come_back() -> bool:
            ended.extend(self.executor.wait(1.0))
            return len(ended) >= count

        _until(come_back, f"of {count} jobs not all came back")
        return ended


@contextmanager
def _scene(make_executor: MakeExecutor, folder: Path, name: str) -> Iterator[_Scene]:
    with open_catalog(f"sqlite:///{folder / 'executors.db'}") as catalog:
        store = catalog.create(name, TERMS, {})
        store.append([SpaceSet(space=SPACE.to_json())])
        executor = make_executor(store, SteppingMaker(), 2)
        try:
            yield _Scene(store, executor, [])
        finally:
            executor.close()


def _until(ask: Callable[[], Sequence[str] | bool], complaint: str) -> Sequence[str]:
    """What `ask` answers once that is something."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not (answer := ask()):
        _require(time.monotonic() < ends, f"{complaint}, in {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.01)
    return answer if not isinstance(answer, bool) else ()


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise AssertionError(sentence)
