from dialed.events import Built
from dialed.executor import TrialTime
from dialed.executor.limits import too_long
from dialed.testing.stores import HandClock
from dialed.trial import Cause, MemberKey, Outcome, Report, State

KEY = MemberKey(0, 0, 0)


def report(epoch):
    return Report(key=KEY, epoch=epoch, metrics={"loss": 1.0})


def paused(epoch):
    return Outcome(key=KEY, state=State.PAUSED, epoch=epoch)


def test_a_member_that_reports_too_late_pauses_and_has_failed():
    clock = HandClock()
    time = TrialTime.of(10.0, 1, clock)
    assert not time.is_over(report(1))
    clock.advance(11.0)
    assert not time.is_over(Built(trial=0, values={}))  # only who has an epoch can rest
    assert time.is_over(report(2))
    failed = time.judged(paused(2), 5)
    assert (failed.state, failed.cause) == (State.FAILED, Cause.TIME_LIMIT)
    assert failed.message == "The trial took longer than `max_trial_time`, 10 s."


def test_one_that_is_late_at_its_end_has_come_to_its_end():
    clock = HandClock()
    time = TrialTime.of(10.0, 1, clock)
    clock.advance(11.0)
    time.is_over(report(5))
    assert time.judged(paused(5), 5) == paused(5)


def test_members_that_are_trained_together_have_their_times_together():
    clock = HandClock()
    time = TrialTime.of(10.0, 4, clock)
    clock.advance(39.0)
    assert not time.is_over(report(1))
    clock.advance(2.0)
    assert time.is_over(report(2))
    assert "4 were trained together, and had 4 times as long" in too_long(10.0, 4)


def test_without_a_limit_there_is_nothing_to_look_at():
    assert TrialTime.of(None, 1, HandClock()) is None
