"""A search does what people ask of it while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import dialed
from dialed.events import BudgetSet, Enqueued, Event, PauseSet, SessionEnded, StopAsked, TrialStarted, TrialStopped
from dialed.search.asked import Asked
from dialed.store import SqlStore, open_catalog
from dialed.study.control import obey
from dialed.study.session import Session
from dialed.study.study import Study
from dialed.trial import Report, State


class Asks:
    """An observer that asks for something when it sees an event."""

    def __init__(self, store: str, when: Callable[[Event], bool], do: Callable[[SqlStore], object]) -> None:
        self.store, self.when, self.do = store, when, do
        self.seen: list[Event] = []

    def on_event(self, event: Event) -> None:
        self.seen.append(event)
        if self.when(event):
            with open_catalog(self.store) as catalog:
                self.do(catalog.open("s"))


def training(hp: dialed.HyperParameters) -> float | None:
    x = hp.Float("x", 0.0, 1.0)
    for step in range(1, 6):
        if hp.report(step, x + 1.0 / step):
            return None
    return None


def search(store: str, asks: Asks, **options: object) -> Study:
    fixed = {"strategy": "random", "epochs": 5, "seed": 0, "name": "s", "store": store, "verbose": 0}
    return dialed.optimize(training, **{**fixed, "max_trials": 4, **options}, observers=[asks])  # type: ignore[arg-type]


def test_a_trial_is_stopped_at_its_next_report(tmp_path):
    asks = Asks(
        str(tmp_path / "a.db"),
        lambda e: isinstance(e, Report) and (e.key.trial, e.epoch) == (1, 2),
        lambda store: store.append([StopAsked(trial=1)]),
    )
    study = search(asks.store, asks)
    assert [t.state for t in study.trials] == [State.COMPLETED, State.STOPPED, State.COMPLETED, State.COMPLETED]
    assert study.trials[1].epochs < 5
    assert TrialStopped(trial=1) in asks.seen


def test_a_stop_that_is_done_is_struck_off(tmp_path):
    asks = Asks(
        str(tmp_path / "a.db"),
        lambda e: isinstance(e, Report) and (e.key.trial, e.epoch) == (1, 2),
        lambda store: store.append([StopAsked(trial=1)]),
    )
    assert search(asks.store, asks).record.asked.stop == set()


def test_a_paused_search_begins_nothing_until_it_is_resumed(tmp_path):
    path = str(tmp_path / "a.db")

    def resume() -> None:
        with open_catalog(path) as catalog:
            catalog.open("s").append([PauseSet(paused=False)])

    def rest(store: SqlStore) -> None:
        store.append([PauseSet(paused=True)])
        threading.Timer(0.3, resume).start()

    asks = Asks(path, lambda e: isinstance(e, Report) and (e.key.trial, e.epoch) == (1, 2), rest)
    study = search(path, asks)
    assert [t.state for t in study.trials] == [State.COMPLETED] * 4
    resting = asks.seen[asks.seen.index(PauseSet(paused=True)) : asks.seen.index(PauseSet(paused=False))]
    assert not any(isinstance(e, TrialStarted) for e in resting)
    assert sum(isinstance(e, Report) for e in resting) <= 1


def test_the_time_of_a_pause_is_not_searched():
    """What the clock moves on while a session rests is taken off its time."""
    asked = Asked(paused=True)
    moments = iter([10.0, 17.0])
    session = SimpleNamespace(
        history=SimpleNamespace(asked=asked, unfinished=[]),
        clock=SimpleNamespace(monotonic=lambda: next(moments)),
        started=2.0,
        decider=SimpleNamespace(refresh=lambda: None),
        rest=lambda: None,
    )
    assert obey(cast(Session, session))
    assert session.started == 9.0
    asked.paused = False
    assert not obey(cast(Session, session))


def test_a_raised_budget_goes_on_in_the_same_session(tmp_path):
    asks = Asks(
        str(tmp_path / "a.db"),
        lambda e: isinstance(e, TrialStarted) and e.trial == 3,
        lambda store: store.append([BudgetSet(max_trials=6)]),
    )
    study = search(asks.store, asks)
    assert len(study.trials) == 6
    assert study.budget.max_trials == 6
    assert [e.reason for e in asks.seen if isinstance(e, SessionEnded)] == ["max_trials=6 is reached"]


def test_a_lowered_budget_ends_the_search(tmp_path):
    asks = Asks(
        str(tmp_path / "a.db"),
        lambda e: isinstance(e, Report) and (e.key.trial, e.epoch) == (1, 2),
        lambda store: store.append([BudgetSet(max_epochs=8)]),
    )
    study = search(asks.store, asks)
    assert study.record.epochs == 8
    assert len(study.trials) == 2


def test_a_new_session_has_the_budget_of_its_code(tmp_path):
    asks = Asks(
        str(tmp_path / "a.db"),
        lambda e: isinstance(e, TrialStarted) and e.trial == 3,
        lambda store: store.append([BudgetSet(max_trials=5), PauseSet(paused=False)]),
    )
    search(asks.store, asks)
    again = search(asks.store, Asks(asks.store, lambda e: False, lambda store: None), max_trials=7)
    assert len(again.trials) == 7
    assert again.record.terms.max_trials == 7


def test_enqueued_values_are_tried_by_the_running_search(tmp_path):
    asks = Asks(
        str(tmp_path / "a.db"),
        lambda e: isinstance(e, TrialStarted) and e.trial == 1,
        lambda store: store.append([Enqueued(values={"x": 0.125})]),
    )
    study = search(asks.store, asks)
    assert [t.values["x"] for t in study.trials if t.source == "enqueued"] == [0.125]
