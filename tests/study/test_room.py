from dialed.events import Returned, TrialStarted
from dialed.executor import Job
from dialed.search import History, Terms
from dialed.store.protocol import Leased
from dialed.study.budget import Budget
from dialed.study.room import Room, waiting_members
from dialed.trial import Cause, Member, MemberKey, Objective, Report

TERMS = Terms(objective=Objective("loss", "min"), epochs=4)


def history(trials):
    started = [TrialStarted(trial=n, values={"x": n}, until=4, epochs=4, seeds=(0,), folds=(0,)) for n in range(trials)]
    return History(TERMS, started)


def job(*trials):
    members = tuple(Leased(member=Member(key=MemberKey(n, 0, 0), values={}), until=4) for n in trials)
    return Job(worker="w", leased=members)


def room(past, *, workers=1, jobs=(), lanes=8, **limits):
    return Room(history=past, limits=Budget(**limits), lanes=lanes, workers=workers, jobs=jobs)


def test_one_worker_gets_as_many_as_it_trains_at_once():
    assert room(history(0)).members() == 8
    assert room(history(0), max_trials=3).new() == 8  # the decider begins no more than the budget


def test_a_budget_in_epochs_pays_for_whole_trainings_and_the_last_is_trained_alone():
    assert room(history(0), max_epochs=12).members() == 3
    assert room(history(0), max_epochs=3).members() == 1


def test_what_other_workers_may_still_train_is_not_spent_twice():
    past = history(2)
    assert room(past, workers=2, jobs=(job(0, 1),), max_epochs=12).members() == 1
    assert room(past, workers=2, jobs=(job(0, 1),), max_epochs=11).members() == 0
    past.apply(Report(key=MemberKey(0, 0, 0), epoch=3, metrics={"loss": 1.0}))
    assert room(past, workers=2, jobs=(job(0, 1),), max_epochs=12).epochs_left == 12 - 3 - 1 - 4


def test_workers_share_what_is_left_of_a_budget_in_trials():
    assert room(history(0), workers=2, max_trials=8).new() == 4
    assert room(history(7), workers=2, max_trials=8).new() == 1


def test_workers_share_what_waits():
    assert room(history(6), workers=2).again("search", free=2) == 3
    assert room(history(6), workers=2, jobs=(job(0, 1, 2),)).again("search", free=1) == 3


def test_a_group_whose_worker_died_is_tried_again_in_halves():
    past, sizes = history(8), []
    for _ in range(4):
        sizes.append(room(past, workers=2).again("search", free=1))
        for record in list(waiting_members(past, "search"))[: sizes[-1]]:
            past.apply(Returned(key=record.key, cause=Cause.KILLED))
    assert sizes == [8, 4, 2, 1]


def test_members_that_somebody_trains_do_not_wait():
    past = history(3)
    taken = {MemberKey(0, 0, 0)}
    assert [record.key.trial for record in waiting_members(past, "search", taken)] == [1, 2]
    assert not list(waiting_members(past, "confirm"))


def test_one_worker_alone_takes_what_it_can_however_often_the_study_died():
    past = history(8)
    past.apply(Returned(key=MemberKey(0, 0, 0), cause=Cause.INTERRUPTED))
    assert room(past).again("search", free=1) == 8
