"""Where members are trained: in the caller's own thread, or by workers in processes of their own. See README.md."""

from __future__ import annotations

from dialed.executor.inline import Elsewhere, Inline
from dialed.executor.limits import TrialTime
from dialed.executor.protocol import Deadline, EngineMaker, Executor, Job
from dialed.executor.worker import Worker, train_leased

__all__ = ["Deadline", "Elsewhere", "EngineMaker", "Executor", "Inline", "Job", "TrialTime", "Worker", "train_leased"]
