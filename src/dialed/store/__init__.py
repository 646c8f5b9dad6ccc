"""What is remembered: studies in SQLite or PostgreSQL, and checkpoints in files. See README.md beside this file."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dialed.store.catalog import Catalog, open_catalog
    from dialed.store.checkpoints import Checkpoints
    from dialed.store.heartbeat import Heartbeat
    from dialed.store.protocol import Leased, Recorded, Store
    from dialed.store.retention import sweep, to_delete
    from dialed.store.rows import StudyInfo
    from dialed.store.sql import SqlStore
    from dialed.store.workers import is_dead, worker_id

__all__ = [
    "Catalog",
    "Checkpoints",
    "Heartbeat",
    "Leased",
    "Recorded",
    "SqlStore",
    "Store",
    "StudyInfo",
    "is_dead",
    "open_catalog",
    "sweep",
    "to_delete",
    "worker_id",
]

_HOMES = {
    "Catalog": "catalog",
    "Checkpoints": "checkpoints",
    "Heartbeat": "heartbeat",
    "Leased": "protocol",
    "Recorded": "protocol",
    "SqlStore": "sql",
    "Store": "protocol",
    "StudyInfo": "rows",
    "is_dead": "workers",
    "open_catalog": "catalog",
    "sweep": "retention",
    "to_delete": "retention",
    "worker_id": "workers",
}


def __getattr__(name: str) -> Any:
    """Load a name's module when it is first asked for: engines use checkpoints without a database driver."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
