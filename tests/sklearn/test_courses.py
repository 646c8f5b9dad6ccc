"""One training serves all that are its beginnings: epochs are counted here, in an engine that only counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dialed.engine.protocol import Batch, OnReport
from dialed.sklearn.courses import Arrival, Course, run
from dialed.trial import Cause, CheckpointRef, Member, MemberKey, Outcome, Report, State


class Counter:
    """Trains nothing; an epoch takes two seconds, and `loss` is the number of the epoch.

    Args:
        ends: By trial, the epoch at which it ends by itself, and how.
    """

    def __init__(self, ends: dict[int, tuple[int, State]] | None = None) -> None:
        self.ends = ends or {}
        self.trained: list[tuple[int, int]] = []
        self.there: set[str] = set()
        self.calls = 0

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        return []

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        self.calls += 1
        for member in members:
            assert member.checkpoint is None or member.checkpoint.path in self.there
            yield self._outcome(member, until, on_report)

    def _outcome(self, member: Member, until: int, on_report: OnReport) -> Outcome:
        key, state = member.key, State.PAUSED
        last, how = self.ends.get(key.trial, (until, State.PAUSED))
        for epoch in range(member.epoch + 1, last + 1):
            self.trained.append((key.trial, epoch))
            paused = on_report(Report(key=key, epoch=epoch, metrics={"loss": float(epoch)}, seconds=2.0))
            state = how if epoch == last else State.PAUSED
            if paused and state is not State.FAILED:
                break
        ref = CheckpointRef(path=f"{key.trial}-{epoch}", digest="", bytes=0, epoch=epoch)
        self.there.add(ref.path)
        cause = Cause.NAN if state is State.FAILED else None
        return Outcome(key=key, state=state, epoch=epoch, cause=cause, last=ref)


def course(trial: int, stops: dict[int, list[str]]) -> Course[str]:
    return Course(key=MemberKey(trial, 0, 0), values={"epochs": max(stops)}, stops=stops)


def arrivals(engine: Counter, *courses: Course[str]) -> dict[str, Arrival[str]]:
    """What becomes of each place, while its checkpoint is there."""
    found = {}
    until = max(epochs for each in courses for epochs in each.stops)
    for arrival in run(engine, courses, until, forget=lambda ref: engine.there.remove(ref.path)):
        assert arrival.outcome.last is not None and arrival.outcome.last.path in engine.there
        found[arrival.place] = arrival
    return found


def test_no_epoch_is_trained_twice() -> None:
    """Three lengths cost the longest."""
    engine = Counter()
    found = arrivals(engine, course(0, {2: ["short"], 3: ["middle", "same"], 5: ["long"]}))
    assert engine.trained == [(0, epoch) for epoch in range(1, 6)]
    assert {place: arrival.outcome.epoch for place, arrival in found.items()} == {
        "short": 2,
        "middle": 3,
        "same": 3,
        "long": 5,
    }


def test_each_has_the_curve_of_its_own_epochs() -> None:
    """A longer training does not add to what a shorter one was told."""
    found = arrivals(Counter(), course(0, {1: ["short"], 3: ["long"]}))
    assert found["short"].history == {"loss": [1.0]}
    assert found["long"].history == {"loss": [1.0, 2.0, 3.0]}


def test_time_is_shared_among_those_that_use_it() -> None:
    """So that the times of all add up to what was spent."""
    found = arrivals(Counter(), course(0, {2: ["short"], 5: ["long"]}))
    assert (found["short"].seconds, found["long"].seconds) == (2.0, 8.0)


def test_courses_of_all_lengths_train_together() -> None:
    """Only what was stopped on its way is called for again."""
    engine = Counter()
    found = arrivals(engine, course(0, {2: ["a"], 4: ["b"]}), course(1, {4: ["c"]}), course(2, {3: ["d"]}))
    assert engine.calls == 2
    assert found.keys() == {"a", "b", "c", "d"}


def test_a_training_that_ends_by_itself_ends_for_all() -> None:
    """Stopped early, they are all the same; those that ended before keep what they were."""
    found = arrivals(Counter({0: (3, State.COMPLETED)}), course(0, {2: ["a"], 4: ["b"], 6: ["c"]}))
    assert {place: arrival.outcome.epoch for place, arrival in found.items()} == {"a": 2, "b": 3, "c": 3}


def test_stopping_early_at_a_stop_ends_for_all_too() -> None:
    """It would have stopped there without the pause."""
    found = arrivals(Counter({0: (2, State.COMPLETED)}), course(0, {2: ["a"], 4: ["b"]}))
    assert {place: arrival.outcome.epoch for place, arrival in found.items()} == {"a": 2, "b": 2}


def test_a_failure_fails_those_that_come_after_it() -> None:
    """The shorter training ended well before."""
    found = arrivals(Counter({0: (3, State.FAILED)}), course(0, {2: ["a"], 4: ["b"], 6: ["c"]}))
    assert found["a"].outcome.state is State.PAUSED
    assert {found[place].outcome.cause for place in ("b", "c")} == {Cause.NAN}


def test_no_checkpoint_is_left() -> None:
    """Each is removed once the next stop is reached."""
    engine = Counter()
    arrivals(engine, course(0, {2: ["a"], 4: ["b"], 5: ["c"]}), course(1, {1: ["d"]}))
    assert engine.there == set()
