"""A line between two processes: each side sends what it likes, and a thread listens for it."""

from __future__ import annotations

import pickle
import queue
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

__all__ = ["Channel", "Closed", "Silent"]


class Closed(Exception):
    """There is nobody at the other end any more."""


class Silent(Exception):
    """The other end said nothing for as long as it was given."""


class Channel:
    """Sends messages, and keeps those that arrive until they are asked for.

    A thread of its own reads. So an interrupt of the main thread never takes half a message off the line, and what
    cannot wait is heard while the main thread works.

    Messages are pickled: use it only between processes of which one started the other, over a line that no third
    can reach.

    Args:
        connection: One end of a `multiprocessing.Pipe()`.
        urgent: Called by the listening thread for each message; returns True where the message needs no keeping.
            Defaults to keeping all.
        deserted: Called by the listening thread when the other end is gone. Defaults to nothing.
    """

    def __init__(
        self,
        connection: Line,
        *,
        urgent: Callable[[Any], bool] | None = None,
        deserted: Callable[[], object] | None = None,
    ) -> None:
        self._connection = connection
        self._urgent = urgent
        self._deserted = deserted
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._sending = threading.Lock()
        threading.Thread(target=self._listen, name="dialed-channel", daemon=True).start()

    def send(self, message: object) -> None:
        """Send `message`.

        Raises:
            Closed: The other end is gone.
        """
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        with self._sending:
            try:
                self._connection.send_bytes(data)
            except OSError as error:
                raise Closed(str(error)) from error

    def receive(self, timeout_seconds: float | None = None) -> Any:
        """The next message, in the order in which they were sent.

        Raises:
            Closed: The other end is gone, and no message is left.
            Silent: `timeout_seconds` passed. Never without them.
        """
        try:
            message = self._inbox.get(timeout=timeout_seconds)
        except queue.Empty as error:
            raise Silent(f"nothing came for {timeout_seconds} seconds") from error
        if message is _END:
            self._inbox.put(_END)  # for whoever asks again
            raise Closed("the other end is gone")
        return message

    def _listen(self) -> None:
        try:
            while True:
                message = pickle.loads(self._connection.recv_bytes())
                if self._urgent is None or not self._urgent(message):
                    self._inbox.put(message)
        except (EOFError, OSError):
            if self._deserted is not None:
                self._deserted()
        finally:
            self._connection.close()
            self._inbox.put(_END)


Line: TypeAlias = "Connection[Any, Any]"

_END = object()
