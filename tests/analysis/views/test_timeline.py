"""Who trained what, when."""

from dialed.analysis.views import timeline_view
from dialed.events import Built, MembersAdded, Returned, SessionEnded, SessionStarted, TrialContinued, TrialStarted
from dialed.store import Recorded
from dialed.trial import Cause, MemberKey, Outcome, Report, State


def recorded(*events):
    return [Recorded(cursor=i, time=100.0 + time, event=event) for i, (time, event) in enumerate(events)]


def start(trial, seeds=(0,)):
    return TrialStarted(trial=trial, values={}, until=2, epochs=2, seeds=seeds)


def report(trial, epoch=1, seed=0, seconds=1.0):
    return Report(key=MemberKey(trial, seed, 0), epoch=epoch, metrics={"loss": 1.0}, seconds=seconds)


def done(trial, worker="", seed=0, state=State.COMPLETED):
    return Outcome(key=MemberKey(trial, seed, 0), state=state, epoch=2, worker=worker)


def test_a_bar_goes_from_the_first_epoch_to_the_outcome():
    view = timeline_view(recorded((0, start(0)), (5, report(0, seconds=3)), (9, report(0, 2)), (10, done(0, "a"))))
    (bar,) = view.bars
    assert (bar.worker, bar.begin, bar.end, bar.ending) == ("a", 2.0, 10.0, "completed")
    assert (view.started, view.seconds) == (100.0, 10.0)


def test_what_it_takes_to_build_belongs_to_the_first_stretch():
    built = Built(trial=0, values={})
    events = [(0, start(0)), (1, built), (6, report(0)), (7, done(0, state=State.PAUSED))]
    again = [(20, TrialContinued(trial=0, until=4)), (30, report(0, 3, seconds=2)), (31, done(0))]
    assert [(bar.begin, bar.end) for bar in timeline_view(recorded(*events, *again)).bars] == [(1.0, 7.0), (28.0, 31.0)]


def test_members_that_one_worker_trains_at_once_have_rows_of_their_own():
    events = [(0, start(0, (0, 1))), (1, report(0)), (1, report(0, seed=1)), (2, done(0, "a")), (2, done(0, "a", 1))]
    view = timeline_view(recorded(*events, (3, start(1)), (4, report(1)), (5, done(1, "a"))))
    assert [(bar.trial, bar.seed, bar.row) for bar in view.bars] == [(0, 0, 0), (0, 1, 1), (1, 0, 0)]
    assert [(w.name, w.rows) for w in view.workers] == [("a", 2)]


def test_workers_are_told_apart():
    view = timeline_view(recorded((0, start(0)), (0, start(1)), (1, done(0, "a")), (1, done(1, "b"))))
    assert [(bar.worker, bar.row) for bar in view.bars] == [("a", 0), ("b", 0)]


def test_what_still_runs_belongs_to_who_drives_the_study():
    session = SessionStarted(worker="driver", settings={})
    (bar,) = timeline_view(recorded((0, session), (0, start(0)), (2, report(0)))).bars
    assert (bar.ending, bar.worker, bar.end) == ("running", "driver", 2.0)


def test_a_member_that_came_back_has_two_bars():
    back = Returned(key=MemberKey(0, 0, 0), cause=Cause.KILLED)
    view = timeline_view(recorded((0, start(0)), (2, report(0)), (3, back), (8, report(0, 2)), (9, done(0))))
    assert [(bar.ending, bar.begin, bar.end) for bar in view.bars] == [("returned", 1.0, 3.0), ("completed", 7.0, 9.0)]


def test_sessions_and_confirmations_are_told():
    added = MembersAdded(trial=0, until=2, seeds=(9,))
    session = SessionStarted(worker="w", settings={})
    end = SessionEnded(reason="", finished=True, seconds=1)
    events = [(0, session), (0, start(0)), (1, done(0)), (1, added), (3, report(0, seed=9)), (4, done(0, seed=9))]
    view = timeline_view(recorded(*events, (5, end), (9, session)))
    assert [bar.purpose for bar in view.bars] == ["search", "confirm"]
    assert [(s.begin, s.end) for s in view.sessions] == [(0.0, 5.0), (9.0, None)]


def test_an_empty_study_has_a_view():
    assert timeline_view([]).bars == ()
