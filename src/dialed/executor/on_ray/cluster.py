"""The executor `ray`: a worker is an actor, wherever the cluster has room for it.

Ray places workers, moves what makes the engine to them, and says when one is gone. It never tries anything again by
itself: what a lost worker trained is in the store, with its last checkpoint, and the store counts the tries.
"""

from __future__ import annotations

import importlib
import logging
import socket
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dialed.clock import Clock, SystemClock
from dialed.errors import DialedError, InvalidInputError, MissingDependencyError, StudyError
from dialed.executor.on_ray.actor import Servant
from dialed.executor.on_ray.place import Ray
from dialed.executor.protocol import EngineMaker, Job
from dialed.store import SqlStore

__all__ = ["RayWorkers"]

_log = logging.getLogger("dialed")

_LEAVE_SECONDS: Final = 30.0
"""How long training that is to end may take to come to the end of its epoch."""

_MOST_DEATHS: Final = 5
"""A worker that ends so often in a row before it is ready will not be ready the next time."""

_WARN_SECONDS: Final = 60.0


@dataclass(slots=True, eq=False)
class _Place:
    """One worker: the actor, what it is asked, and what it does."""

    actor: Any
    opened: Any
    name: str = ""
    job: Job | None = None
    doing: Any = None
    jobs: int = 0
    deaths: int = 0


class RayWorkers:
    """Has jobs done by actors of a Ray cluster.

    Args:
        make_engine: Makes the engine, in each worker.
        workers: How many.
        store: The study's store; workers open it by its address.
        lease_seconds: For how long workers lease and renew.
        cluster: Where, and what each worker asks for.
        max_trial_seconds: The longest time for one trial. Defaults to no limit.
        environment: Variables for the workers. Defaults to none.
        clock: Time. Defaults to the machine's.

    Raises:
        InvalidInputError: Other processes, or other machines, could not open the store.
        MissingDependencyError: Ray is not installed.
    """

    def __init__(
        self,
        make_engine: EngineMaker,
        *,
        workers: int,
        store: SqlStore,
        lease_seconds: float,
        cluster: Ray = Ray(),  # noqa: B008 - a frozen value
        max_trial_seconds: float | None = None,
        environment: dict[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._ray = _load_ray()
        if store.address is None:
            raise InvalidInputError(
                "The `store` of a search on Ray must be a file or a database, which other processes can open. Got one in "
                "memory. Pass `store='dialed.db'`, or a PostgreSQL address."
            )
        self._make_engine = make_engine
        self._workers = workers
        self._store = store
        self._cluster = cluster
        self._clock = clock or SystemClock()
        self._settings: dict[str, Any] = {
            "address": store.address,
            "study": store.name,
            "lease_seconds": lease_seconds,
            "max_trial_seconds": max_trial_seconds,
        }
        self._environment = environment or {}
        self._places: list[_Place] = []
        self._maker: Any = None
        self._is_ours = False
        self._waiting_since = 0.0

    @property
    def free(self) -> Sequence[str]:
        """The workers that could begin a job now. The first question starts all of them."""
        if self._maker is None:
            self._start()
        return tuple(place.name for place in self._places if place.name and place.job is None)

    def submit(self, job: Job) -> None:
        place = next(place for place in self._places if place.name == job.worker)
        place.job, place.jobs = job, place.jobs + 1
        place.doing = place.actor.train.remote(place.jobs, job)

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Job]:
        """Return the jobs that ended, once there is one, or at the timeout; a worker that gets ready ends it too."""
        asked = {place.doing or place.opened: place for place in self._places if place.doing or not place.name}
        if not asked:
            time.sleep(timeout_seconds or 0.0)  # nobody is at work here: whoever asks waits for somebody else
            return []
        ready, _ = self._ray.wait(list(asked), num_returns=1, timeout=timeout_seconds)
        if ready:  # and what is ready besides
            ready, _ = self._ray.wait(list(asked), num_returns=len(asked), timeout=0)
        self._warn(ready)
        ended = [self._take(asked[reference], reference) for reference in ready]
        return [job for job in ended if job is not None]

    def cancel(self, trials: Collection[int] | None = None) -> None:
        for place in self._places:
            if trials is not None:
                place.actor.give_up.remote(frozenset(trials))
            elif place.job is not None:
                place.actor.pause.remote(place.jobs)

    def close(self) -> None:
        """Have what is trained rest, give the leases back, and end the workers."""
        if self._maker is None:
            return
        self.cancel()
        doing = [place.doing for place in self._places if place.doing is not None]
        if doing:
            self._ray.wait(doing, num_returns=len(doing), timeout=_LEAVE_SECONDS)
        leaving = [place.actor.leave.remote() for place in self._places if place.name]
        if leaving:
            self._ray.wait(leaving, num_returns=len(leaving), timeout=_LEAVE_SECONDS)
        for place in self._places:
            self._ray.kill(place.actor, no_restart=True)
            if place.name:
                self._store.release(place.name)
        self._places, self._maker = [], None
        if self._is_ours:
            self._ray.shutdown()
            self._is_ours = False

    def _start(self) -> None:
        if not self._ray.is_initialized():
            self._join()
        self._check_reach()
        self._maker = self._sent()
        self._waiting_since = self._clock.monotonic()
        self._places = [self._place() for _ in range(self._workers)]

    def _sent(self) -> Any:
        """What makes the engine, in the cluster's memory. The user's own module goes with it: it is not elsewhere."""
        cloudpickle: Any = importlib.import_module("ray.cloudpickle")  # which has no types

        from dialed.engine.jax_worker.parcel import Immovable, module_to_copy, write

        parts = self._make_engine.parts
        module = module_to_copy(parts[0].thing) if parts else None
        if module is not None:
            cloudpickle.register_pickle_by_value(module)
        try:
            # Ray's own error is a page long, so it is found out before. The arrays are not copied.
            cloudpickle.dumps(self._make_engine, protocol=5, buffer_callback=lambda buffer: None)
            return self._ray.put(self._make_engine)
        except Exception as error:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    write(self._make_engine, Path(folder), copied=module, goal="a worker")
                except Immovable as blamed:
                    raise InvalidInputError(
                        f"A search on Ray must be one that can be sent to other processes, but {blamed}."
                    ) from error
            raise
        finally:
            if module is not None:
                cloudpickle.unregister_pickle_by_value(module)

    def _join(self) -> None:
        quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
        local = {} if self._cluster.address else {"include_dashboard": False}
        try:
            self._ray.init(address=self._cluster.address, **quiet, **local)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise InvalidInputError(
                f"The `address` of Ray must be of a cluster that answers. Got {self._cluster.address!r}, and Ray said: "
                f"{error!s:.300}. `ray status` on one of its machines says whether it runs."
            ) from error
        self._is_ours = True

    def _check_reach(self) -> None:
        """A file is on one machine: a worker elsewhere would make an empty one of that name."""
        if "://" in str(self._store.address) and not str(self._store.address).startswith("sqlite"):
            return
        names = {node["NodeManagerHostname"] for node in self._ray.nodes() if node["Alive"]}
        if elsewhere := sorted(names - {socket.gethostname()}):
            raise InvalidInputError(
                "The `store` of a search on several machines must be one that all of them reach. Got an SQLite file on this "
                f"one, and a cluster with {', '.join(elsewhere[:3])}. Pass `store='postgresql://user@host/database'`."
            )

    def _place(self, deaths: int = 0) -> _Place:
        options: dict[str, Any] = {
            "num_cpus": self._cluster.num_cpus,
            "num_gpus": self._cluster.num_gpus,
            "resources": dict(self._cluster.resources),
            "max_restarts": 0,
            "max_task_retries": 0,
            "max_concurrency": 2,
        }
        if self._environment:
            options["runtime_env"] = {"env_vars": self._environment}
        actor = self._ray.remote(Servant).options(**options).remote(self._maker, **self._settings)
        return _Place(actor=actor, opened=actor.name.remote(), deaths=deaths)

    def _take(self, place: _Place, reference: Any) -> Job | None:
        """Take in what a worker answered; the job that ended with it."""
        opening = reference == place.opened
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            self._refuse(error, opening=opening)
        except self._ray.exceptions.RayActorError as error:
            return self._bury(place, error)
        if opening:
            place.name, place.deaths = answer, 0
            return None
        job, place.job, place.doing = place.job, None, None
        return job

    def _refuse(self, error: Any, *, opening: bool) -> None:
        """Raise what a worker raised: it would be raised again and again."""
        cause = getattr(error, "cause", None)
        if isinstance(cause, DialedError):
            raise cause
        what = "take the search up" if opening else "train"
        raise StudyError(f"A worker could not {what}: {error!s:.2000}") from error

    def _bury(self, place: _Place, error: Exception) -> Job | None:
        """Put the members of a worker that is gone back into the queue, and ask for another in its place."""
        if getattr(error, "actor_init_failed", False):
            raise StudyError(f"The workers cannot take the search up: {error!s:.3000}") from error
        self._ray.kill(place.actor, no_restart=True)  # one that only cannot be reached must not go on
        if place.name:
            self._store.bury(place.name, message=f"The worker {place.name} is gone: {_first_line(error)}")
        deaths = 0 if place.name else place.deaths + 1
        if deaths >= _MOST_DEATHS:
            raise StudyError(f"The workers must start, but one has ended {deaths} times. {error!s:.1000}")
        self._places[self._places.index(place)] = self._place(deaths)
        return place.job

    def _warn(self, ready: Sequence[Any]) -> None:
        """Say it once in a while when the cluster has no room for anybody."""
        now = self._clock.monotonic()
        if ready or any(place.name for place in self._places):
            self._waiting_since = now
        elif now - self._waiting_since > _WARN_SECONDS:
            self._waiting_since = now
            needs = f"{self._cluster.num_cpus:g} CPUs and {self._cluster.num_gpus:g} GPUs"
            _log.warning("No worker has started yet: each waits for %s in the Ray cluster.", needs)


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _load_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError(
            "The executor 'ray' needs the package ray. Install it: pip install 'dialed[ray]'."
        ) from error
    return ray
