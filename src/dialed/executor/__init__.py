"""Where members are trained: inline today; more workers need no other contract."""

from __future__ import annotations

from dialed.executor.inline import Inline
from dialed.executor.protocol import Executor, Job
from dialed.executor.worker import train_leased

__all__ = ["Executor", "Inline", "Job", "train_leased"]
