"""What a page may change it changes, and only where the dashboard was started for it."""

from __future__ import annotations

import pytest

from dialed.events import BudgetSet, Enqueued, Noted, PauseSet, StopAsked

OURS = {"Origin": "http://127.0.0.1:8000"}


def send(client, what, status=200, **sent):
    answer = client.post(f"/control/{what}", json={"study": "plain", **sent}, headers=OURS)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize("what", ["note", "stop", "pause", "resume", "enqueue", "budget"])
def test_a_dashboard_only_shows_unless_it_is_told_otherwise(client, what):
    assert "Start it with `dialed dashboard --allow-control`" in send(client, what, 403, trial=0)["error"]


def test_what_is_asked_becomes_events(client_of, catalog):
    client, store = client_of(allow_control=True), catalog.open("plain")
    before = store.info.cursor
    store.claim("somebody", seconds=600)  # so that the study is running
    store.append([_running()])
    assert send(client, "note", trial=1, text=" odd ", tags=["a", " "])["note"] == "odd"
    send(client, "stop", trial=14)
    send(client, "pause")
    send(client, "resume")
    send(client, "budget", max_trials="1,000", max_epochs="", max_time="2h")
    send(client, "enqueue", values={"x": "0.25", "kind": "plain"})
    events = [r.event for r in store.history(before)][1:]
    assert events == [
        Noted(trial=1, text="odd", tags=("a",)),
        StopAsked(trial=14),
        PauseSet(paused=True),
        PauseSet(paused=False),
        BudgetSet(max_trials=1000, max_seconds=7200.0),
        Enqueued(values={"x": 0.25, "kind": "plain"}),
    ]


def _running():
    from dialed.events import TrialStarted

    return TrialStarted(trial=14, values={"x": 0.5, "kind": "plain"}, until=3, epochs=3, seeds=(0,))


@pytest.mark.parametrize(
    ("what", "sent", "status", "said"),
    [
        ("stop", {"trial": 1}, 409, "A trial can be stopped while a search runs, but 'plain' is finished"),
        ("pause", {}, 409, "A study can be paused and resumed while a search runs"),
        ("budget", {"max_trials": "9"}, 409, "A budget can be changed while a search runs"),
        ("budget", {"max_trials": "many"}, 400, "The `max_trials` must be a whole number, or empty for no limit"),
        ("budget", {"max_time": "soon"}, 400, "The `max_time` must be a positive number of seconds"),
        ("enqueue", {"values": {"y": "1"}}, 400, "The `values` must name hyperparameters of the study. Got 'y'"),
        ("enqueue", {"values": {"x": "7"}}, 400, "The value of 'x' must be one of"),
        ("enqueue", {"values": 3}, 400, "The `values` must be an object. Got 3"),
        ("note", {"trial": True}, 400, "`trial` must be a whole number. Got True"),
        ("note", {"trial": 0, "text": 3}, 400, "A note must have a `text`"),
        ("note", {"trial": 99}, 400, "The `trial` must be the number of a trial of 'plain', which has 14"),
    ],
)
def test_what_cannot_be_done_is_said(reader_of, what, sent, status, said):
    assert said in send(reader_of(allow_control=True), what, status, **sent)["error"]


def test_only_json_of_a_sensible_size_is_read(reader_of):
    client = reader_of(allow_control=True)
    form = client.post("/control/note", content="study=plain", headers={**OURS, "Content-Type": "text/plain"})
    assert "A request must be a JSON object" in form.json()["error"]
    large = client.post("/control/note", content="x" * 100_001, headers=OURS)
    assert "A request must have at most 100,000 bytes" in large.json()["error"]
    assert client.get("/control/note").status_code == 405
