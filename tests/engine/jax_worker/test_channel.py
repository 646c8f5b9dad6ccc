"""Messages between two processes arrive whole, in order, or not at all."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from multiprocessing import Pipe
from threading import Event
from typing import Any

import pytest

from dialed.engine.jax_worker.channel import Channel, Closed, Silent


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel, list[Any], Event]]:
    """Both ends of a line; what the second hears at once, and whether it knows that the first is gone."""
    ours, theirs = Pipe()
    urgent: list[Any] = []
    gone = Event()

    def heard_at_once(message: Any) -> bool:
        if message == "now":
            urgent.append(message)
        return bool(message == "now")

    first = Channel(ours)
    second = Channel(theirs, urgent=heard_at_once, deserted=gone.set)
    yield first, second, urgent, gone
    first._connection.close()


def test_messages_arrive_in_order_and_large_ones_whole(ends: Any) -> None:
    first, second, _, _ = ends
    large = bytes(range(256)) * 40_000
    for message in (1, large, {"three": 3}):
        first.send(message)
    assert [second.receive(5.0) for _ in range(3)] == [1, large, {"three": 3}]


def test_what_cannot_wait_is_heard_before_it_is_asked_for(ends: Any) -> None:
    first, second, urgent, _ = ends
    for message in ("later", "now", "last"):
        first.send(message)
    assert [second.receive(5.0), second.receive(5.0)] == ["later", "last"]
    assert urgent == ["now"]


def test_silence_is_told_from_an_end(ends: Any) -> None:
    first, second, _, _ = ends
    with pytest.raises(Silent, match=r"nothing came for 0\.01 seconds"):
        second.receive(0.01)
    first.send("still here")
    assert second.receive(5.0) == "still here"


def test_an_end_is_said_after_the_last_message_and_again_when_asked_again(ends: Any) -> None:
    first, second, _, gone = ends
    second.send("farewell")
    line = socket.socket(fileno=os.dup(second._connection.fileno()))
    line.shutdown(socket.SHUT_RDWR)
    line.close()
    assert first.receive(5.0) == "farewell"
    for _ in range(2):
        with pytest.raises(Closed, match="the other end is gone"):
            first.receive(5.0)
    with pytest.raises(Closed):
        first.send("anybody?")
    assert gone.wait(5.0)
