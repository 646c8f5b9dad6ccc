"""Folds that are raced: who gets more of them, who stops, and who may win."""

from dataclasses import replace

import numpy as np
import pytest

import dialed
from dialed.errors import InvalidInputError
from dialed.events import MembersAdded, TrialStarted, TrialStopped
from dialed.search import History, Random, Terms
from dialed.search.population import PopulationBased
from dialed.study import functions
from dialed.study.confirm import finalists
from dialed.study.fold_race import check_race, falls_behind, first_folds, race_folds
from dialed.trial import MemberKey, Objective, Outcome, Report, State

MIN = Objective(name="val_loss", direction="min")
FOLDS = 5


def terms(folds=FOLDS, *, race=True):
    return Terms(objective=MIN, seeds=(7,), folds=tuple(range(folds)), race_folds=race)


def history_of(*trials, race=True):
    """Each trial is its losses, one for each fold that it has; the first is that of the defaults."""
    history = History(terms(race=race))
    for number, losses in enumerate(trials):
        source = "default" if number == 0 else "strategy"
        folds = tuple(range(len(losses)))
        history.apply(
            TrialStarted(trial=number, values={"x": number}, until=1, epochs=1, seeds=(7,), folds=folds, source=source)
        )
        finish(history, number, losses)
    return history


def finish(history, number, losses, first=0):
    for fold, loss in enumerate(losses, start=first):
        key = MemberKey(number, 7, fold)
        history.apply(Report(key=key, epoch=1, metrics={"val_loss": loss}))
        history.apply(Outcome(key=key, state=State.COMPLETED, epoch=1))


GOOD = [1.0, 1.1, 0.9, 1.05, 0.95]


def test_a_candidate_begins_with_three_folds_and_without_a_race_with_all():
    assert first_folds(terms()) == (0, 1, 2)
    assert first_folds(terms(race=False)) == (0, 1, 2, 3, 4)


def test_a_candidate_that_is_not_clearly_worse_gets_the_next_fold():
    (event,) = race_folds(history_of(GOOD, [1.1, 1.0, 1.0]))
    assert event == MembersAdded(trial=1, until=1, seeds=(7,), folds=(3,), purpose="search")


def test_a_clearly_worse_candidate_is_stopped_and_its_other_folds_are_recorded_as_not_trained():
    history = history_of(GOOD, [9.0, 9.1, 8.9])
    events = race_folds(history)
    assert events[1:] == [TrialStopped(trial=1)]
    assert events[0].folds == (3, 4)
    for event in events:
        history.apply(event)
    trial = history.trial(1)
    assert trial.state is State.STOPPED
    assert [m.state for m in trial.members] == [State.COMPLETED] * 3 + [State.STOPPED] * 2
    assert race_folds(history) == []


def test_luck_with_easy_folds_makes_no_winner():
    """Trial 1 has the better mean over its three folds; the defaults have all five."""
    history = history_of([1.0, 1.0, 1.0, 9.0, 9.0], [2.0, 2.01, 2.0])
    for event in race_folds(history):
        history.apply(event)
    assert history.trial(1).score < history.trial(0).score
    assert history.best_trial.number == 0
    assert [t.number for t in finalists(history, 2)] == [0]


def test_a_candidate_with_all_its_folds_may_win():
    history = history_of(GOOD, [0.5, 0.6, 0.4])
    while events := race_folds(history):
        for event in events:
            history.apply(event)
            finish(history, 1, [0.5], first=event.folds[0])
    assert history.best_trial.number == 1
    assert len(history.trial(1).members) == FOLDS


def test_without_a_trial_to_compare_with_the_best_candidate_gets_all_its_folds():
    history = History(terms())
    for number, loss in enumerate([3.0, 1.0]):
        history.apply(TrialStarted(trial=number, values={"x": number}, until=1, epochs=1, seeds=(7,), folds=(0, 1, 2)))
        finish(history, number, [loss, loss, loss])
    (event,) = race_folds(history)
    assert (event.trial, event.folds) == (1, (3, 4))
    history.apply(event)
    assert race_folds(history) == []  # it is on its way


def test_nothing_is_raced_where_nobody_asked():
    assert race_folds(history_of(GOOD, [9.0, 9.1, 8.9], race=False)) == []


def test_one_difference_decides_nothing():
    assert not falls_behind(np.array([[100.0]]), folds=5)


@pytest.mark.parametrize(
    ("folds", "strategy", "message"),
    [
        (3, Random(), r"`race_folds` must have more than 3 folds to race.*Got 3. Pass `cv=5` or more"),
        (5, PopulationBased(), r"`race_folds` must not meet a `strategy` that copies.*Got PopulationBased"),
    ],
)
def test_a_race_that_cannot_be_is_refused(folds, strategy, message):
    with pytest.raises(InvalidInputError, match=message):
        check_race(terms(folds), strategy)
    check_race(terms(folds, race=False), strategy)


def test_a_search_stops_bad_trials_early_and_confirms_on_all_folds(monkeypatch):
    terms_of = functions._terms
    raced = {"folds": tuple(range(FOLDS)), "race_folds": True}
    monkeypatch.setattr(functions, "_terms", lambda *args, **more: replace(terms_of(*args, **more), **raced))
    random = np.random.default_rng(0)

    def loss(hp):
        return 20 * (hp.Float("x", 0.0, 1.0, default=0.5) - 0.6) ** 2 + 0.05 * random.normal()

    study = dialed.optimize(loss, max_trials=8, strategy="random", seed=0, store="sqlite:///:memory:", verbose=0)
    stopped = [trial for trial in study.trials if trial.state is State.STOPPED]
    assert len(stopped) >= 5
    assert all(sum(m.score is not None for m in trial.members) < FOLDS for trial in stopped)
    assert study.best_trial.state is State.COMPLETED
    assert len(study.best_trial.members) == FOLDS
