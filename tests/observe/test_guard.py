"""An observer that fails is dropped aloud, and harms nobody else."""

import logging
from collections.abc import Sequence

import pytest

from dialed.events import Event, TrialStopped
from dialed.observe.guard import Guarded

EVENT = TrialStopped(trial=0)


class Recorder:
    def __init__(self) -> None:
        self.seen: list[object] = []

    def on_event(self, event: Event) -> None:
        self.seen.append(event)

    def start(self) -> None:
        self.seen.append("start")

    def stop(self) -> None:
        self.seen.append("stop")


class Broken:
    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error or OSError("disk full")
        self.calls = 0

    def on_event(self, event: Event) -> None:
        self.calls += 1
        raise self.error


class BrokenDisplay(Broken):
    stopped = 0

    def stop(self) -> None:
        self.stopped += 1
        raise OSError("closed")


def test_every_observer_sees_every_event_in_order() -> None:
    one, two = Recorder(), Recorder()
    other = TrialStopped(trial=1)
    guarded = Guarded([one, two])
    guarded.on_event(EVENT)
    guarded.on_event(other)
    assert one.seen == two.seen == [EVENT, other]


def test_an_observer_that_raises_is_dropped_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    broken, last = Broken(), Recorder()
    guarded = Guarded([broken, last])
    with caplog.at_level(logging.WARNING, logger="dialed"):
        guarded.on_event(EVENT)
        guarded.on_event(EVENT)
    assert broken.calls == 1
    assert last.seen == [EVENT, EVENT]
    assert guarded.watching == (last,)


def test_the_drop_is_told_once_with_the_observer_and_the_error(caplog: pytest.LogCaptureFixture) -> None:
    guarded = Guarded([Broken()])
    with caplog.at_level(logging.WARNING, logger="dialed"):
        guarded.on_event(EVENT)
        guarded.on_event(EVENT)
    (message,) = [record.getMessage() for record in caplog.records]
    assert "The observer Broken failed" in message
    assert "the search goes on" in message
    assert "OSError: disk full" in message


def test_ctrl_c_inside_an_observer_still_interrupts() -> None:
    with pytest.raises(KeyboardInterrupt):
        Guarded([Broken(KeyboardInterrupt())]).on_event(EVENT)


def test_observers_are_started_in_order_and_stopped_even_when_the_search_raises() -> None:
    one = Recorder()
    with pytest.raises(RuntimeError, match="training"), Guarded([one, Broken()]):
        raise RuntimeError("training")
    assert one.seen == ["start", "stop"]


def test_a_dropped_observer_gives_back_what_it_holds_and_may_fail_at_that_too() -> None:
    display = BrokenDisplay()
    guarded = Guarded([display])
    guarded.on_event(EVENT)
    guarded.stop()
    assert display.stopped == 1


class Remembering(Recorder):
    def recall(self, events: Sequence[Event]) -> None:
        self.seen.append(list(events))


def test_earlier_events_are_recalled_by_those_who_can_and_shown_to_nobody() -> None:
    plain, remembering = Recorder(), Remembering()
    Guarded([plain, remembering]).recall([EVENT])
    assert plain.seen == []
    assert remembering.seen == [[EVENT]]
