"""A thread that says "still here" for a worker, however long its training keeps it busy."""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Self

from dialed.store.protocol import Store

__all__ = ["Heartbeat"]

_log = logging.getLogger(__name__)


class Heartbeat:
    """Renews the leases of `worker` every third of `seconds`, until it is stopped.

    A store that is slow, full or away for a while is tried again and again, with a warning in the log each time; when
    it comes back too late, the next report of the worker raises `LeaseLostError`.

    Args:
        store: The study's store.
        worker: Whose leases (and claim) to renew.
        seconds: For how long each time. Defaults to a minute.

    Example:
        >>> from dialed.store import open_catalog, worker_id
        >>> from dialed.testing.stores import TERMS
        >>> store = open_catalog("sqlite:///:memory:").create("study", TERMS, {})
        >>> with Heartbeat(store, worker_id(), seconds=60):
        ...     pass  # train what was leased
    """

    def __init__(self, store: Store, worker: str, *, seconds: float = 60.0) -> None:
        self._store = store
        self._worker = worker
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"dialed-heartbeat-{worker}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the thread, and wait for it. Leases that are still held expire, unless they are released."""
        self._stopped.set()
        self._thread.join(timeout=self._seconds)

    def _run(self) -> None:
        pause = self._seconds / 3
        while not self._stopped.wait(pause):
            pause = self._seconds / (3 if self._renew() else 12)  # after a failure, four times as often

    def _renew(self) -> bool:
        try:
            self._store.renew(self._worker, seconds=self._seconds)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training must go on
            _log.warning("The leases of %s could not be renewed; trying again. %s", self._worker, error)
            return False
        return True
