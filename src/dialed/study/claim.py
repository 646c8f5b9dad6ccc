"""The right to decide for a study, held while one process drives it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dialed.store import SqlStore

__all__ = ["LEASE_SECONDS", "claimed"]

LEASE_SECONDS = 60.0
"""How long a lease or a claim lasts unless it is renewed; a heartbeat renews it three times in that time."""


@contextmanager
def claimed(store: SqlStore, worker: str) -> Iterator[None]:
    """Hold the claim to the study; raise `StudyError` when another process has it."""
    store.claim(worker, seconds=LEASE_SECONDS)
    try:
        yield
    finally:
        store.release_claim(worker)
