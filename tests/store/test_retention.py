"""What may still be needed and what is best is kept; the rest goes, the least wanted first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialed.events import Event, Saved, TrialStarted
from dialed.search.history import History, Terms
from dialed.store.checkpoints import Checkpoints, Kind
from dialed.store.retention import Swept, sweep, to_delete
from dialed.testing.stores import HandClock
from dialed.trial import Cause, CheckpointRef, MemberKey, MemberRecord, Objective, Outcome, Report, State, Trial

MAX = Objective(name="acc", direction="max")
MIN = Objective(name="loss", direction="min")


def ref(name: str, size: int = 10) -> CheckpointRef:
    return CheckpointRef(path=name, digest="0" * 64, bytes=size, epoch=1)


def trial(number: int, state: State, score: float | None, size: int = 10) -> Trial:
    member = MemberRecord(
        key=MemberKey(number, 0, 0), state=state, last=ref(f"{number} last", size), best=ref(f"{number} best", size)
    )
    return Trial(number=number, values={}, state=state, score=score, members=(member,))


def paths(refs: Sequence[CheckpointRef]) -> list[str]:
    return [each.path for each in refs]


def test_the_least_wanted_goes_first() -> None:
    """Failed and stopped ones, then the worst score; of each the state before the weights; ties by age."""
    trials = [
        trial(0, State.COMPLETED, 0.9),
        trial(1, State.COMPLETED, 0.5),
        trial(2, State.FAILED, None),
        trial(3, State.STOPPED, 0.7),
        trial(4, State.COMPLETED, 0.5),
        trial(5, State.PAUSED, 0.1),
    ]
    expected = ["2 last", "2 best", "3 last", "3 best", "4 last", "4 best", "1 last", "1 best"]
    assert paths(to_delete(trials, MAX, 0, keep_best=1)) == expected
    assert paths(to_delete(trials, MAX, 120 - 25, keep_best=1)) == expected[:3]


def test_the_direction_decides_what_is_worst() -> None:
    trials = [trial(0, State.COMPLETED, 0.9), trial(1, State.COMPLETED, 0.5)]
    assert paths(to_delete(trials, MIN, 20, keep_best=1)) == ["0 last", "0 best"]
    assert paths(to_delete(trials, MAX, 20, keep_best=1)) == ["1 last", "1 best"]


@pytest.mark.parametrize("state", [State.WAITING, State.RUNNING, State.PAUSED])
def test_what_may_go_on_is_kept(state: State) -> None:
    assert to_delete([trial(0, state, None, size=10**9)], MAX, 0, keep_best=0) == []


def test_nothing_goes_without_a_budget_or_within_it() -> None:
    trials = [trial(0, State.FAILED, None)]
    assert to_delete(trials, MAX, None) == to_delete(trials, MAX, 20) == []


states = st.sampled_from(list(State))
scores = st.one_of(st.none(), st.floats(0, 1))


@given(st.lists(st.tuples(states, scores, st.integers(0, 100)), max_size=12), st.integers(0, 2000), st.integers(0, 4))
@example([(State.WAITING, None, 1), (State.WAITING, 0.0, 0), (State.COMPLETED, 0.0, 0)], 0, 4)  # fewer than are kept
def test_the_rest_fits_or_all_of_it_is_needed(
    kinds: list[tuple[State, float | None, int]], budget: int, keep_best: int
) -> None:
    trials = [trial(number, *kind) for number, kind in enumerate(kinds)]
    gone = to_delete(trials, MAX, budget, keep_best=keep_best)
    total = sum(2 * size for _, _, size in kinds)
    rest = total - sum(each.bytes for each in gone)
    best = sorted((t for t in trials if t.score is not None), key=lambda t: (-(t.score or 0), t.number))[:keep_best]
    protected = {t.number for t in best} | {t.number for t in trials if not t.state.finished}
    assert len(set(paths(gone))) == len(gone)
    assert not {int(each.path.split()[0]) for each in gone} & protected
    assert rest <= budget or len(gone) == 2 * (len(trials) - len(protected))
    assert not gone or rest + gone[-1].bytes > budget, "one file too many"


class Study:
    """A history with real files."""

    def __init__(self, folder: Path, *, byte_budget: int | None = None) -> None:
        self.clock = HandClock()
        self.checkpoints = Checkpoints(folder / "artifacts", byte_budget=byte_budget, clock=self.clock)
        self.history = History(Terms(objective=MAX, epochs=9))

    def start(self, number: int, score: float, state: State | None = None) -> None:
        """Begin a trial, report a score, and end it if a state is given."""
        key = MemberKey(number, 0, 0)
        self.apply(TrialStarted(trial=number, values={}, until=9, epochs=9, seeds=(0,)))
        self.apply(Report(key=key, epoch=1, metrics={"acc": score}))
        if state is not None:
            cause = Cause.NAN if state is State.FAILED else None
            self.apply(Outcome(key=key, state=state, epoch=1, cause=cause))

    def save(self, number: int, epoch: int, kind: Kind = "last", *, age: float = 0.0, record: bool = True) -> str:
        """Save a checkpoint `age` seconds ago, and record it or not; return its name."""
        saved = self.checkpoints.save(MemberKey(number, 0, 0), epoch, kind, {"a": np.full(100, epoch)}, {})
        then = self.clock.now() - age
        os.utime(self.checkpoints.path(saved), (then, then))
        if record:
            self.apply(Saved(key=MemberKey(number, 0, 0), kind=kind, checkpoint=saved))
        return saved.path

    def apply(self, event: Event) -> None:
        self.history.apply(event)

    def files(self) -> set[str]:
        return {path.name for path in self.checkpoints.folder.iterdir()}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


def test_a_superseded_state_goes_at_once(study: Study) -> None:
    study.start(0, 0.5)
    study.save(0, 1)
    last = study.save(0, 2)
    assert sweep(study.checkpoints, study.history).files == 1
    assert study.files() == {last}


def test_superseded_weights_go_after_a_minute(study: Study) -> None:
    study.start(0, 0.5)
    old, young, best = study.save(0, 1, "best", age=61), study.save(0, 2, "best"), study.save(0, 3, "best")
    sweep(study.checkpoints, study.history)
    assert old not in study.files()
    assert study.files() == {young, best}


def test_a_file_that_is_about_to_be_recorded_is_kept(study: Study) -> None:
    study.start(0, 0.5)
    last, new, alone = study.save(0, 1), study.save(0, 2, record=False), study.save(7, 1, record=False)
    assert sweep(study.checkpoints, study.history) == Swept(files=0, bytes=0)
    assert study.files() == {last, new, alone}


def test_orphans_go_after_an_hour(study: Study) -> None:
    """Also half-written files; other people's files never."""
    study.start(0, 0.5)
    last = study.save(0, 1, age=9999)
    study.save(0, 2, age=3601, record=False)
    for name in ("ab12.writing", "notes.txt"):
        (study.checkpoints.folder / name).write_text("x")
        os.utime(study.checkpoints.folder / name, (0, 0))
    sweep(study.checkpoints, study.history)
    assert study.files() == {last, "notes.txt"}


def test_the_budget_counts_what_is_there(tmp_path: Path) -> None:
    """A file that an earlier sweep removed does not make the next one remove more."""
    study = Study(tmp_path, byte_budget=2500)
    names = {}
    for number, score in enumerate([0.9, 0.1, 0.5]):
        study.start(number, score, State.COMPLETED)
        names[number] = study.save(number, 1)
    swept = sweep(study.checkpoints, study.history, keep_best=1)
    assert (swept.files, study.files()) == (1, {names[0], names[2]})
    assert swept.bytes > 800
    study.start(3, 0.05, State.COMPLETED)
    study.save(3, 1)
    sweep(study.checkpoints, study.history, keep_best=1)
    assert study.files() == {names[0], names[2]}


def test_a_folder_that_is_not_there_is_swept(study: Study) -> None:
    assert sweep(study.checkpoints, study.history) == Swept(files=0, bytes=0)


def test_a_state_that_was_copied_is_kept_while_its_copy_may_be_trained() -> None:
    """The source has ended and its own files may go, but the copy begins from one of them."""
    shared = CheckpointRef(path="shared", digest="", bytes=10, epoch=1)
    ended = MemberRecord(key=MemberKey(0, 0, 0), state=State.STOPPED, last=shared)
    copy = MemberRecord(key=MemberKey(1, 0, 0), state=State.WAITING, last=shared, since=1)
    trials = [Trial(number=i, values={}, state=m.state, members=(m,)) for i, m in enumerate((ended, copy))]
    objective = Objective(name="loss", direction="min")
    assert to_delete(trials, objective, 5, keep_best=0) == []
    done = [trials[0], Trial(number=1, values={}, state=State.STOPPED, members=(replace(copy, state=State.STOPPED),))]
    assert to_delete(done, objective, 5, keep_best=0) == [shared]  # once, though two trials name it
