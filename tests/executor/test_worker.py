"""A worker writes down what happens while it trains, and that it was the one who did."""

import dialed
from dialed.events import TrialStarted
from dialed.executor import Job, Worker
from dialed.store import open_catalog
from dialed.study.making import FunctionMaker
from dialed.testing.stores import TERMS, HandClock
from dialed.trial import Outcome


def test_an_outcome_says_who_trained_it(working_folder):
    study = dialed.optimize(lambda hp: hp.Float("x", 0.0, 1.0), direction="min", max_trials=2, confirm=False, verbose=0)
    events = [recorded.event for recorded in study._store.history()]
    workers = [event.worker for event in events if isinstance(event, Outcome)]
    started = next(event.worker for event in events if hasattr(event, "settings"))
    assert workers == [started, started]


def worker_and_job(function, **limits):
    """A worker with one leased member of a study of its own."""
    clock = HandClock()
    store = open_catalog("sqlite:///:memory:", clock=clock).create("s", TERMS, {})
    store.append([TrialStarted(trial=0, values={}, until=9, epochs=9, seeds=(0,))])
    maker = FunctionMaker(
        function=lambda hp: function(hp, clock), objective=TERMS.objective, others=(), constrained=(), clock=clock,
        given_space=False,
    )  # fmt: skip
    worker = Worker(store, maker, clock=clock)
    leased = tuple(store.lease(worker.name, limit=1, seconds=60))
    return store, worker, Job(worker=worker.name, leased=leased, **limits)


def nine(hp, clock):
    """Nine steps of a second each."""
    for step in range(1, 10):
        clock.advance(1.0)
        if hp.report(step, {TERMS.objective.name: 1.0 / step}):
            return


def test_a_job_trains_no_more_epochs_than_it_was_given():
    store, worker, job = worker_and_job(nine, epochs=4)
    worker.train(job)
    assert store.load_history().epochs == 4


def test_a_job_ends_with_its_time():
    store, worker, job = worker_and_job(nine, seconds=2.5)
    worker.train(job)
    assert store.load_history().epochs == 3


def test_a_job_that_is_paused_rests_at_the_next_epoch():
    store, worker, job = worker_and_job(nine)
    worker.train(job, is_paused=lambda: store.load_history().epochs >= 2)
    assert store.load_history().epochs == 2


def test_a_trial_that_is_given_up_rests_at_the_next_epoch():
    store, worker, job = worker_and_job(nine)
    worker.train(job, given_up={0})
    assert store.load_history().epochs == 1
