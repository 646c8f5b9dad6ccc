"""An epoch is cut into pieces of about half a second; between two it may end."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dialed.engine.fused.hands import Stopped
from dialed.engine.fused.order import Split
from dialed.engine.fused.pieces import SECONDS, Late, Pieces
from dialed.engine.fused.program import Layout, Program


@dataclass
class Clock:
    now: float = 0.0

    def monotonic(self):
        return self.now


class Cut(Program):
    """The shapes of a program, and nothing compiled."""

    def __init__(self, batches, rest):
        self.layout = Layout(lanes=1, training=Split(batches * 8 + rest, 8), validation=None, shared=True)


def pieces_of(
    clock, *, seconds, batches=1000, rest=3, epochs=1, deadline=None, is_stopped=lambda: False, validate=True
):
    """How many batches each piece has, where a batch takes `seconds`; and the controls."""
    pieces = Pieces(clock, lambda: deadline, is_stopped)
    for _ in range(epochs):
        controls = []
        for control in pieces.of(Cut(batches, rest), validate=validate):
            controls.append(control)
            clock.now += seconds * (control.full - control.first)
    return [int(c.full - c.first) for c in controls], controls


@pytest.mark.parametrize("seconds", [1e-6, 1e-3, 0.01, 2.0])
def test_the_pieces_are_the_epoch(seconds):
    batches, controls = pieces_of(Clock(), seconds=seconds)
    assert sum(batches) == 1000
    assert [int(c.first) for c in controls[1:]] == [int(c.full) for c in controls[:-1]]
    assert [(bool(c.rest), bool(c.validate)) for c in controls] == [(False, False)] * (len(controls) - 1) + [
        (True, True)
    ]


def test_a_piece_takes_about_half_a_second():
    batches, _ = pieces_of(Clock(), seconds=0.01, epochs=2)
    assert batches == [50] * 20


def test_the_second_epoch_of_a_quick_model_is_one_piece():
    batches, _ = pieces_of(Clock(), seconds=1e-5, epochs=2)
    assert batches == [1000]


def test_a_slow_batch_is_a_piece():
    batches, _ = pieces_of(Clock(), seconds=2 * SECONDS, batches=5)
    assert batches == [1] * 5


def test_the_deadline_is_noticed_in_the_middle():
    clock = Clock()
    with pytest.raises(Late):
        pieces_of(clock, seconds=0.01, epochs=3, deadline=12.0)
    assert 12.0 <= clock.now <= 12.0 + 1.1 * SECONDS


def test_a_stop_is_noticed_in_the_middle():
    clock = Clock()
    with pytest.raises(Stopped):
        pieces_of(clock, seconds=0.01, is_stopped=lambda: clock.now > 3.0)
    assert clock.now <= 3.0 + 1.1 * SECONDS
