"""Who trains a search: this process, or workers; and what a user may say about them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dialed.backend import backend_facts
from dialed.clock import Clock
from dialed.engine.protocol import Progress
from dialed.errors import InvalidInputError
from dialed.executor import Deadline, Elsewhere, EngineMaker, Executor, Inline, Job, TrialTime, train_leased
from dialed.executor.on_ray.place import Ray
from dialed.store import SqlStore
from dialed.study.budget import parse_seconds
from dialed.study.claim import LEASE_SECONDS

__all__ = ["Kind", "Workforce", "executor_for", "workforce_of"]

Kind: TypeAlias = Literal["inline", "processes", "ray", "elsewhere"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workforce:
    """Who trains.

    Args:
        kind: The executor. "elsewhere" is none: only workers that join train. Defaults to this process.
        workers: How many workers. Defaults to 1.
        max_trial_seconds: The longest time for one trial. Defaults to no limit.
        memory_bytes: The most memory of a worker. Defaults to no limit.
        cluster: Where workers are, with the executor "ray".
    """

    kind: Kind = "inline"
    workers: int = 1
    max_trial_seconds: float | None = None
    memory_bytes: int | None = None
    cluster: Ray = Ray()  # noqa: RUF009 - a frozen value

    @property
    def settings(self) -> dict[str, object]:
        """What is stored with a session, where it is not this process that trains."""
        return {"executor": self.kind, "workers": self.workers} if self.is_elsewhere else {}

    @property
    def is_elsewhere(self) -> bool:
        """Whether workers train while this process goes on."""
        return self.kind != "inline"


_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def workforce_of(
    executor: str | Ray, workers: int, max_trial_time: float | str | None, worker_memory: int | str | None
) -> Workforce:
    """The workforce that a user asks for.

    Args:
        executor: "inline", "processes", "ray", the address of a Ray cluster, a `Ray`, or "auto": processes where more
            than one worker is asked for, or a limit that only holds for a process, which can be ended.
        workers: How many; 0 leaves all training to workers that join.
        max_trial_time: Seconds, or a text such as "10m"; `None` for no limit.
        worker_memory: Bytes, or a text such as "4GB"; `None` for no limit.

    Raises:
        InvalidInputError: They cannot mean anything, or not together.
    """
    cluster = _cluster(executor)
    if cluster is None and executor not in ("auto", "inline", "processes"):
        raise InvalidInputError(
            "The `executor` must be 'auto', 'inline', 'processes', 'ray', the address of a Ray cluster (ray://...), or a "
            f"`dialed.Ray`. Got {executor!r}."
        )
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 0:
        raise InvalidInputError(f"The `workers` must be an int in the range [0, inf). Got {workers!r}.")
    seconds, size = parse_seconds(max_trial_time, name="max_trial_time"), parse_bytes(worker_memory)
    if cluster is not None and workers:
        if size is not None:
            raise InvalidInputError(
                f"The `worker_memory` is held by the executor 'processes'; on Ray, say it to Ray. Got {worker_memory!r}."
            )
        return Workforce(kind="ray", workers=workers, max_trial_seconds=seconds, cluster=cluster)
    if executor == "inline" and (workers != 1 or size is not None):
        what = f"workers={workers}" if workers != 1 else f"worker_memory={worker_memory!r}"
        raise InvalidInputError(
            f"The executor 'inline' trains in this process, so there is no other worker. Got {what} with it. "
            "Pass executor='processes', or leave `executor` out."
        )
    alone = executor == "auto" and workers == 1 and seconds is None and size is None
    kind: Kind = "elsewhere" if not workers else "inline" if executor == "inline" or alone else "processes"
    return Workforce(kind=kind, workers=workers, max_trial_seconds=seconds, memory_bytes=size)


def _cluster(executor: str | Ray) -> Ray | None:
    """The cluster that `executor` means; `None` where it means none."""
    if isinstance(executor, Ray):
        return executor
    if executor == "ray":
        return Ray()
    return Ray(address=executor) if isinstance(executor, str) and executor.startswith("ray://") else None


def parse_bytes(size: int | str | None) -> int | None:
    """Bytes of a size such as `2_000_000_000`, "500MB" or "4 GB"; `None` stays `None`."""
    if size is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", size.strip().lower()) if isinstance(size, str) else None
    count = float(found[1]) * _BYTES[found[2]] if found else size
    if isinstance(count, bool) or not isinstance(count, (int, float)) or not 1 <= count < float("inf"):
        raise InvalidInputError(
            f"The `worker_memory` must be a positive number of bytes, or a text such as '500MB' or '4GB'. Got {size!r}."
        )
    return int(count)


def executor_for(
    workforce: Workforce,
    make_engine: EngineMaker,
    *,
    store: SqlStore,
    clock: Clock,
    worker: str,
    pause: Callable[[Progress], bool],
    deadline: Deadline,
) -> Executor:
    """The executor of a search.

    Args:
        workforce: Who trains.
        make_engine: Makes the engine, where it is needed.
        store: The study's store.
        clock: Time.
        worker: The name under which this process leases what it trains itself.
        pause: Asked after each report where this process trains.
        deadline: When this process must stop training.
    """
    if workforce.kind == "processes":
        return _processes(workforce, make_engine, store=store, clock=clock)
    if workforce.kind == "elsewhere":
        return Elsewhere()
    if workforce.kind == "ray":
        return _ray(workforce, make_engine, store=store, clock=clock)
    engine = make_engine(deadline)

    def train(job: Job) -> None:
        time = TrialTime.of(workforce.max_trial_seconds, len(job.leased), clock)
        train_leased(store, engine, job.leased, worker=job.worker, pause=pause, time=time)

    return Inline(worker, train, close=getattr(engine, "close", None))


def _processes(workforce: Workforce, make_engine: EngineMaker, *, store: SqlStore, clock: Clock) -> Executor:
    from dialed.executor.processes.place import Limits
    from dialed.executor.processes.pool import Processes

    return Processes(
        make_engine,
        workers=workforce.workers,
        store=store,
        lease_seconds=LEASE_SECONDS,
        limits=Limits(max_trial_seconds=workforce.max_trial_seconds, memory_bytes=workforce.memory_bytes),
        environment={**os.environ, "KERAS_BACKEND": backend_facts().name},
        clock=clock,
    )


def _ray(workforce: Workforce, make_engine: EngineMaker, *, store: SqlStore, clock: Clock) -> Executor:
    from dialed.executor.on_ray.cluster import RayWorkers

    return RayWorkers(
        make_engine,
        workers=workforce.workers,
        store=store,
        lease_seconds=LEASE_SECONDS,
        cluster=workforce.cluster,
        max_trial_seconds=workforce.max_trial_seconds,
        environment={"KERAS_BACKEND": backend_facts().name},
        clock=clock,
    )
