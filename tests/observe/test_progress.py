"""The state behind every display is the folded history, whatever order things happen in."""

import threading
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialed.events import Event, Returned, TrialContinued, TrialStarted, TrialStopped
from dialed.observe.progress import RESTING, BudgetView, Progress, trial_of
from dialed.observe.trained import Trained
from dialed.search.history import History, Terms
from dialed.trial import Cause, Direction, MemberKey, Objective, Outcome, Report, State


def member_events(key: MemberKey, epochs: int) -> st.SearchStrategy[list[Event]]:
    """What may happen to a member in one go at it: some epochs, and perhaps an end."""
    values = st.floats(min_value=-1, max_value=1)
    reports = st.lists(values, max_size=epochs).map(
        lambda scores: [
            Report(key=key, epoch=i, metrics={"val_accuracy": score}, seconds=1.0)
            for i, score in enumerate(scores, start=1)
        ]
    )
    ends: st.SearchStrategy[list[Event]] = st.sampled_from(
        [
            [],
            [Outcome(key=key, state=State.PAUSED, epoch=epochs)],
            [Outcome(key=key, state=State.COMPLETED, epoch=1)],
            [Outcome(key=key, state=State.FAILED, epoch=1, cause=Cause.NAN, message="nan")],
            [Outcome(key=key, state=State.FAILED, epoch=1, cause=Cause.BUILD)],
            [Returned(key=key, cause=Cause.KILLED)],
            [TrialStopped(trial=key.trial)],
            [TrialContinued(trial=key.trial, until=epochs + 2)],
        ]
    )
    return st.tuples(reports, ends).map(lambda parts: [*parts[0], *parts[1]])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("direction", ["min", "max"])
def test_what_is_shown_is_what_the_history_says(data: Any, direction: Direction, story: Any, clock: Any) -> None:
    """The indices beside the history equal a recount of it after every event."""
    progress = Progress(Terms(objective=Objective(name="val_accuracy", direction=direction), epochs=3), clock=clock)
    trials = data.draw(st.integers(min_value=1, max_value=4))
    events: list[Event] = [story.start(n, seeds=(0, 1) if n % 2 else (0,)) for n in range(trials)]
    keys = [m.key for t in History(progress.history.terms, events).trials for m in t.members]
    for key in data.draw(st.lists(st.sampled_from(keys), max_size=8)):
        events += data.draw(member_events(key, 3))
    for event in events:
        progress.apply(event)
        check_against_recount(progress)


def check_against_recount(progress: Progress) -> None:
    look, trials = progress.snapshot(), progress.history.trials
    assert look.counts == Counter(t.state for t in trials)
    assert look.failures == Counter(t.cause for t in trials if t.cause)
    best = progress.history.best_trial
    assert look.best == best
    working = {m.key for t in trials for m in t.members if m.state in (State.RUNNING, State.WAITING)}
    assert {a.key for a in look.active} == working
    assert all(t.state in RESTING for t in look.finished)


def test_a_trial_comes_to_rest_once(story: Any, clock: Any, terms: Terms) -> None:
    progress = Progress(terms, clock=clock)
    changes = [progress.apply(event) for event in story.three_trials()]
    assert [c.trial.number for c in changes if c is not None and c.came_to_rest] == [0, 1, 2]


def test_stopping_a_paused_trial_is_no_news(story: Any, clock: Any, terms: Terms) -> None:
    """A rung may stop hundreds of trials at once; each was told when it paused."""
    progress = Progress(terms, clock=clock)
    key = MemberKey(0, 0, 0)
    rung = TrialStarted(trial=0, values={}, until=1, epochs=3, seeds=(0,))
    for event in [rung, story.report(0, 1, 0.5)]:
        progress.apply(event)
    paused = progress.apply(Outcome(key=key, state=State.PAUSED, epoch=1))
    stopped = progress.apply(TrialStopped(trial=0))
    assert paused is not None
    assert paused.came_to_rest
    assert stopped is not None
    assert stopped.trial.state is State.STOPPED
    assert not stopped.came_to_rest


def test_members_in_work_say_where_they_stand(story: Any, clock: Any, terms: Terms) -> None:
    progress = Progress(terms, clock=clock)
    for event in [story.start(0), story.start(1), story.built(1), story.start(2), story.report(2, 1, 0.7)]:
        progress.apply(event)
    running, starting, waiting = progress.snapshot().active
    assert (running.label, running.stage, running.epoch, running.until) == ("2", "running", 1, 3)
    assert (running.metric, running.curve, running.seconds) == (0.7, (0.7,), 0.5)
    assert (starting.label, starting.stage) == ("1", "starting")
    assert (waiting.label, waiting.stage, waiting.metric) == ("0", "waiting", None)


def test_time_is_that_of_all_sessions_and_stands_still_between_them(story: Any, clock: Any, terms: Terms) -> None:
    progress = Progress(terms, clock=clock, budget=BudgetView(max_seconds=100))
    progress.recall([story.begin(), *story.completed(0, score=0.9), story.end(seconds=30.0)])
    clock.seconds += 500  # the user was away
    assert progress.snapshot().seconds == 30.0
    progress.apply(story.begin())
    clock.seconds += 12
    (gauge,) = progress.snapshot().gauges
    assert (gauge.label, gauge.used, gauge.limit, gauge.part) == ("time", 42.0, 100, 0.42)
    assert progress.snapshot().seconds_left == 58.0
    progress.apply(story.end(seconds=12.0))
    clock.seconds += 500
    assert progress.snapshot().seconds == 42.0


def test_the_budget_is_measured_in_trials_and_epochs(story: Any, clock: Any, terms: Terms) -> None:
    progress = Progress(terms, clock=clock)
    for event in story.three_trials()[:-1]:
        progress.apply(event)
    gauges = {g.label: (g.used, g.limit) for g in progress.snapshot().gauges}
    assert gauges == {"trials": (3, 4), "epochs": (6, 12)}


def test_the_time_left_follows_the_pace_of_this_session(story: Any, clock: Any, terms: Terms) -> None:
    progress = Progress(terms, clock=clock)  # 4 trials, 12 epochs
    progress.recall([story.begin(), *story.completed(0, score=0.9), story.end(seconds=1000.0)])
    progress.apply(story.begin())
    clock.seconds += 10
    assert progress.snapshot().seconds_left is None  # nothing done in this session: nothing to go by
    for event in story.completed(1, score=0.91):
        progress.apply(event)
    assert progress.snapshot().seconds_left == pytest.approx(20.0)  # 10 s a trial, 2 trials left


def test_a_trial_in_work_counts_by_the_part_of_its_epochs(story: Any, clock: Any, terms: Terms) -> None:
    progress = Progress(Terms(objective=terms.objective, epochs=3, max_trials=2), clock=clock)
    for event in [story.begin(), story.start(0), story.report(0, 1, 0.5)]:
        progress.apply(event)
    clock.seconds += 5
    assert progress.snapshot().seconds_left == pytest.approx(25.0)  # a third of one of two trials in 5 s


def test_fresh_seeds_have_a_gauge_of_their_own(story: Any, clock: Any, terms: Terms) -> None:
    progress = Progress(terms, clock=clock)
    for event in [*story.three_trials()[:-1], story.judges(1, (7, 8)), story.report(1, 1, 0.9, seed=7)]:
        progress.apply(event)
    look = progress.snapshot()
    assert [a.label for a in look.active] == ["1 confirm 1", "1 confirm 2"]
    assert {g.label: (g.used, g.limit) for g in look.gauges}["confirm"] == (0, 2)
    assert look.seconds_left is None  # the pace of the search says nothing of this


def test_engines_and_returns_are_counted(story: Any, clock: Any, terms: Terms) -> None:
    progress = Progress(terms, clock=clock)
    for event in [story.start(0), story.built(0), story.start(1), story.built(1, engine="fit: a Lambda layer")]:
        progress.apply(event)
    progress.apply(Returned(key=MemberKey(0, 0, 0), cause=Cause.KILLED))
    look = progress.snapshot()
    assert look.trained == Trained(alone={"fit": 1}, fallbacks={("fit", "a Lambda layer"): 1})
    assert look.returned == 1


def test_repeats_and_folds_are_named_only_where_there_are_several(story: Any, clock: Any, terms: Terms) -> None:
    progress = Progress(terms, clock=clock)
    progress.apply(story.start(0, seeds=(11, 12)))
    assert [a.label for a in progress.snapshot().active] == ["0 repeat 1", "0 repeat 2"]


def test_a_look_is_limited_but_the_counts_are_not(story: Any, clock: Any, terms: Terms) -> None:
    progress = Progress(terms, clock=clock)
    for number in range(20):
        progress.apply(story.start(number))
    look = progress.snapshot(most_active=3)
    assert len(look.active) == 3
    assert look.counts == {State.WAITING: 20}


def test_a_thread_that_looks_never_sees_half_an_event(story: Any, clock: Any, terms: Terms) -> None:
    progress = Progress(terms, clock=clock)
    wrong: list[str] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen = progress.snapshot()
            if sum(seen.counts.values()) != seen.trials:
                wrong.append(f"{seen.counts} of {seen.trials}")

    thread = threading.Thread(target=look)
    thread.start()
    for number in range(300):
        for event in story.completed(number, score=0.9):
            progress.apply(event)
    done.set()
    thread.join()
    assert not wrong


def test_events_know_their_trial(story: Any) -> None:
    assert trial_of(story.report(3, 1, 0.5)) == 3
    assert trial_of(TrialStopped(trial=4)) == 4
    assert trial_of(story.begin()) is None
