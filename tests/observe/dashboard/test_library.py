"""A study that is followed event by event looks like one that is opened anew."""

from __future__ import annotations

import pytest

from dialed.events import Enqueued, Noted, TrialStarted
from dialed.observe.dashboard.library import Library
from dialed.trial import MemberKey, Outcome, Report, State


@pytest.mark.parametrize("behind", [0, 5_000])
def test_followed_and_opened_anew_are_the_same(catalog, monkeypatch, behind):
    monkeypatch.setattr("dialed.observe.dashboard.library.BEHIND", behind)
    store, library = catalog.open("plain"), Library(catalog)
    library.look("plain")
    key = MemberKey(14, 0, 0)
    store.append([Enqueued(values={"x": 0.9, "kind": "plain"})])
    store.append(
        [TrialStarted(trial=14, values={"x": 0.9, "kind": "plain"}, until=3, epochs=3, seeds=(0,), source="enqueued")]
    )
    store.append([Report(key=key, epoch=1, metrics={"score": 9.0}), Noted(trial=14, text="the best")])
    store.append([Outcome(key=key, state=State.COMPLETED, epoch=1)])
    look, _ = library.look("plain")
    assert [(t.number, t.score, t.note, t.state) for t in look.trials][-1] == (14, 9.0, "the best", State.COMPLETED)
    assert (look.history.best_trial.number, look.history.enqueued) == (14, [])
    fresh, _ = Library(catalog).look("plain")
    assert list(look.trials) == list(fresh.trials)
    assert look.confirmation == fresh.confirmation == look.study.confirmation


def test_another_study_of_the_same_name_is_another(catalog):
    library = Library(catalog)
    terms = catalog.open("plain").terms
    assert len(library.look("plain")[0].trials) == 14
    catalog.delete("plain")
    catalog.create("plain", terms, {})
    assert len(library.look("plain")[0].trials) == 0


def test_what_was_reckoned_is_reckoned_again_after_a_change(catalog):
    library = Library(catalog)
    look, _ = library.look("plain")
    made = iter(range(9))
    assert [look.once("a", lambda: next(made)) for _ in range(3)] == [0, 0, 0]
    catalog.open("plain").append([Noted(trial=0, text="x")])
    look.refresh()
    assert look.once("a", lambda: next(made)) == 1
