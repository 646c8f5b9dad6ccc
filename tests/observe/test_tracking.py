"""A tracker hands on each report and each end once, whoever tracked before."""

from typing import Any

import pytest

from dialed.errors import InvalidInputError
from dialed.observe.tracking import Held, Tracker


class Notes:
    """A sink that writes down what it is called with."""

    def __init__(self, **held: Any) -> None:
        self.held = Held(**held)
        self.calls: list[tuple[Any, ...]] = []

    def open(self, study, terms):
        self.calls.append(("open", study))
        return self.held

    def report(self, trial, member, record, report):
        self.calls.append(("report", member, report.epoch, dict(trial.values)))

    def member_ended(self, trial, member, record):
        self.calls.append(("member", member, str(record.state)))

    def trial_ended(self, trial):
        self.calls.append(("trial", trial.number, str(trial.state)))

    def close(self, history, *, finished):
        self.calls.append(("close", finished, len(history)))


def told(sink, terms, events):
    tracker = Tracker(sink)
    tracker.watch("net", terms)
    for event in events:
        tracker.on_event(event)
    return [call for call in sink.calls if call[0] != "report"], [
        call[:3] for call in sink.calls if call[0] == "report"
    ]


def test_reports_and_ends_are_handed_on(terms, story):
    ends, reports = told(Notes(), terms, story.three_trials())
    assert reports == [("report", f"trial-000{t}", epoch) for t in (0, 1) for epoch in (1, 2, 3)]
    assert ends == [
        ("open", "net"),
        ("member", "trial-0000", "completed"),
        ("trial", 0, "completed"),
        ("member", "trial-0001", "completed"),
        ("trial", 1, "completed"),
        ("member", "trial-0002", "failed"),
        ("trial", 2, "failed"),
        ("close", True, 3),
    ]


def test_what_is_held_is_not_told_again(terms, story):
    held = {"steps": {"trial-0000": 3, "trial-0001": 2}, "ended": {"trial-0000", "0"}}
    ends, reports = told(Notes(**held), terms, story.three_trials())
    assert reports == [("report", "trial-0001", 3)]
    assert ("trial", 0, "completed") not in ends
    assert ("trial", 1, "completed") in ends


def test_earlier_sessions_are_tracked_but_do_not_close(terms, story):
    sink = Notes()
    tracker = Tracker(sink)
    tracker.watch("net", terms)
    tracker.recall(story.three_trials())
    assert "close" not in {call[0] for call in sink.calls}
    assert ("trial", 2, "failed") in sink.calls


def test_members_have_names_of_their_own(terms, story):
    events = [story.start(0, seeds=(1, 2)), story.report(0, 1, 0.5, seed=2), story.judges(0, (7,)), story.report(0, 1, 0.5, seed=7)]  # fmt: skip
    _, reports = told(Notes(), terms, events)
    assert [member for _, member, _ in reports] == ["trial-0000-repeat-2", "trial-0000-confirm-1"]


def test_a_tracker_wants_to_know_its_study(story):
    with pytest.raises(InvalidInputError, match="must be told its study by `watch`"):
        Tracker(Notes()).on_event(story.begin())
