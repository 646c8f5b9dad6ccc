"""The time left is that until the first limit, at the pace of this session."""

import pytest

from dialed.observe.estimate import Gauge, Pace, seconds_left

PACE = Pace(begun=100.0, epochs=50, trials=5.0)


def test_the_limit_that_is_reached_first_tells() -> None:
    gauges = [Gauge("trials", 10, 20), Gauge("epochs", 100, 120), Gauge("time", 60, 100)]
    # 10 s for 5 trials and 50 epochs: 20 s to 20 trials, 4 s to 120 epochs, 40 s to the end of the time.
    assert seconds_left(PACE, 110.0, gauges, epochs=100, trials=10.0) == pytest.approx(4.0)


def test_nothing_is_known_before_anything_is_done() -> None:
    assert seconds_left(PACE, 110.0, [Gauge("trials", 5, 20)], epochs=50, trials=5.0) is None
    assert seconds_left(PACE, 110.0, [], epochs=60, trials=6.0) is None


def test_nothing_is_left_of_what_is_overspent() -> None:
    assert seconds_left(PACE, 110.0, [Gauge("time", 120, 100)], epochs=60, trials=6.0) == 0.0
    assert seconds_left(PACE, 110.0, [Gauge("trials", 25, 20)], epochs=60, trials=25.0) == 0.0


def test_a_gauge_is_full_at_its_limit_and_stays_full() -> None:
    assert Gauge("trials", 5, 20).part == 0.25
    assert Gauge("time", 130.0, 100.0).part == 1.0
    assert Gauge("time", 130.0, None).part == 0.0
