"""Work is done side by side, answered in order, and never left behind."""

from __future__ import annotations

import threading

import pytest

from dialed.engine.fused.hands import Hands, cores


def test_works_run_at_once():
    """Each waits for the other: one after another they would wait for ever."""
    met = threading.Barrier(2, timeout=20)
    hands = Hands(2)
    assert sorted(hands.each([met.wait, met.wait])) == [0, 1]
    hands.close()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_results_come_in_the_order_of_the_works(count):
    gate = threading.Event()
    hands = Hands(count)

    def slow():
        gate.wait(0.1)
        return "slow"

    assert list(hands.each([slow, lambda: "quick", lambda: "third"])) == ["slow", "quick", "third"]
    hands.close()


@pytest.mark.parametrize("count", [1, 2])
def test_what_a_work_raises_is_its_result(count):
    hands = Hands(count)
    error, fine = hands.each([lambda: 1 / 0, lambda: "fine"])
    assert isinstance(error, ZeroDivisionError)
    assert fine == "fine"
    hands.close()


def test_one_hand_works_in_the_thread_that_asks():
    hands = Hands(1)
    assert list(hands.each([threading.get_ident] * 2)) == [threading.get_ident()] * 2


def test_works_that_need_the_thread_that_asks_get_it():
    hands = Hands(2)
    assert list(hands.each([threading.get_ident] * 2, at_once=False)) == [threading.get_ident()] * 2


def test_nothing_runs_on_when_nobody_waits():
    """As after Ctrl-C: work under way is asked to stop, and has ended when the loop is left."""
    hands = Hands(2)
    begun, ended = threading.Event(), threading.Event()

    def until_stopped():
        begun.set()
        while not hands.is_stopped:
            pass
        ended.set()

    results = hands.each([lambda: begun.wait(20), until_stopped])
    assert next(results)
    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt)
    assert ended.is_set()
    hands.close()


def test_a_process_has_a_core():
    assert cores() >= 1
