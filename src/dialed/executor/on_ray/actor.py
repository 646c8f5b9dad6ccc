"""What runs in a worker of a Ray cluster: jobs in, members trained, results into the store."""

from __future__ import annotations

from contextlib import ExitStack

from dialed.executor.protocol import EngineMaker, Job
from dialed.executor.worker import Worker
from dialed.store import Heartbeat, open_catalog

__all__ = ["Servant"]


class Servant:
    """A Ray actor: one thread trains, another hears what is said meanwhile.

    Args:
        make_engine: Makes the engine. Ray brings it here by its own pickles, from the process that drives the study.
        address: The store.
        study: The study's name.
        lease_seconds: For how long members are leased and renewed.
        max_trial_seconds: The longest time for one trial. Defaults to no limit.
    """

    def __init__(
        self,
        make_engine: EngineMaker,
        *,
        address: str,
        study: str,
        lease_seconds: float,
        max_trial_seconds: float | None = None,
    ) -> None:
        self._open_things = ExitStack()
        catalog = self._open_things.enter_context(open_catalog(address))
        self._store = catalog.open(study)
        self._worker = Worker(self._store, make_engine, max_trial_seconds=max_trial_seconds)
        self._open_things.callback(self._worker.close)
        self._open_things.enter_context(Heartbeat(self._store, self._worker.name, seconds=lease_seconds))
        self._paused = 0
        self._given_up: set[int] = set()

    def name(self) -> str:
        """The name under which members are leased for this worker: it is ready once it has told it."""
        return self._worker.name

    def train(self, number: int, job: Job) -> None:
        """Do `job`, the `number`th that this worker is given. Whatever ends it, no lease is left behind."""
        try:
            self._worker.train(job, is_paused=lambda: self._paused >= number, given_up=self._given_up)
        except BaseException:
            self._store.release(self._worker.name)
            raise

    def pause(self, number: int) -> None:
        """Let the job with that number rest at its last complete epoch."""
        self._paused = max(self._paused, number)

    def give_up(self, trials: frozenset[int]) -> None:
        """Give the members of these trials up at their next report."""
        self._given_up |= trials

    def leave(self) -> None:
        """Give everything back: called when nothing is trained any more."""
        self._store.release(self._worker.name)
        self._open_things.close()
