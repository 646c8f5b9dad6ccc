"""Searches on a real Ray cluster of several nodes on this machine, some of which are killed."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dialed
import dialed.errors
from dialed.errors import InvalidInputError, StudyError
from dialed.events import Event
from dialed.executor import EngineMaker, Executor
from dialed.executor.on_ray.cluster import RayWorkers
from dialed.store import SqlStore
from dialed.testing.executors import check_executor
from dialed.trial import Outcome, State

pytestmark = [
    pytest.mark.slow,
    # Ray starts its servers by a fork at whose end another program begins, which no thread of JAX can trouble.
    pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called:RuntimeWarning"),
]

ray = pytest.importorskip("ray")
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}


def add_node(cluster: Any) -> None:
    """Ray gives a node 30 seconds to begin, and no setting changes that; a machine that is busy may need another try."""
    for _ in range(3):
        try:
            cluster.add_node(**NODE)
            return
        except Exception as error:  # Ray raises no narrower one
            if "timed out during startup" not in str(error):
                raise
    pytest.skip("needs a machine on which Ray's nodes begin within 30 seconds: in three tries none did")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that has no place for workers, and two nodes with one place each."""
    from ray.cluster_utils import Cluster

    patched = pytest.MonkeyPatch()
    patched.setenv("RAY_worker_niceness", "0")  # of workers: by default they give way to everything else that tests run
    made = Cluster(initialize_head=True, head_node_args={**NODE, "num_cpus": 0})
    for _ in range(2):
        add_node(made)
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    yield made
    ray.shutdown()
    made.shutdown()
    patched.undo()


def bowl(hp: dialed.HyperParameters) -> float:
    """A second of training in three steps."""
    x = hp.Float("x", -2.0, 2.0)
    for step in range(1, 4):
        time.sleep(0.05)
        if hp.report(step, (x - 1.0) ** 2 + 1.0 / step):  # type: ignore[attr-defined]
            break
    return (x - 1.0) ** 2


def test_workers_on_ray_find_what_one_process_finds(cluster: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"strategy": "random", "max_trials": 6, "epochs": 4, "seed": 3, "verbose": 0}
    store = str(tmp_path / "a.db")
    alone = dialed.optimize(bowl, name="alone", store=store, **options)
    study = dialed.optimize(bowl, name="ray", store=store, executor="ray", workers=2, **options)
    found = [[(t.number, t.values, t.state, t.score, t.epochs) for t in s.trials] for s in (alone, study)]
    assert found[0] == found[1]
    assert study.settings["executor"] == "ray"
    assert ray.is_initialized(), "a cluster that was joined before is not left"


def on_ray(store: SqlStore, make_engine: EngineMaker, workers: int) -> Executor:
    return RayWorkers(make_engine, workers=workers, store=store, lease_seconds=600.0, cluster=dialed.Ray())


def test_workers_on_ray_keep_the_rules(cluster: Any, tmp_path: Path) -> None:
    """Those of every executor."""
    check_executor(on_ray, tmp_path)


class Killer:
    """Kills a node at random whenever so many members have ended, and adds another."""

    def __init__(self, cluster: Any, after: tuple[int, ...]) -> None:
        self.cluster, self.after = cluster, after
        self.ended = self.killed = 0
        self.choice = random.Random(5)

    def on_event(self, event: Event) -> None:
        self.ended += isinstance(event, Outcome)
        if isinstance(event, Outcome) and self.ended in self.after:
            self.cluster.remove_node(self.choice.choice(list(self.cluster.worker_nodes)), allow_graceful=False)
            add_node(self.cluster)
            self.killed += 1


def test_nodes_that_are_killed_lose_no_trial(cluster: Any, tmp_path: Path) -> None:
    """Each loss costs what was trained since the last report; another node takes the place."""
    killer = Killer(cluster, after=(3, 8))
    study = dialed.optimize(
        bowl, store=str(tmp_path / "a.db"), executor="ray", workers=2, strategy="random", max_trials=12,
        epochs=4, seed=1, verbose=0, observers=[killer],
    )  # fmt: skip
    assert killer.killed == 2
    assert [(trial.number, trial.state) for trial in study.trials] == [(n, State.COMPLETED) for n in range(12)]
    assert [trial.score for trial in study.trials] == [(trial.values["x"] - 1.0) ** 2 for trial in study.trials]


def test_what_a_worker_raises_ends_the_study_with_it(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="must return a number"):
        dialed.optimize(
            lambda hp: hp.Float("x", 0.0, 1.0) and "no",
            store=str(tmp_path / "a.db"), executor="ray", workers=1, max_trials=2, verbose=0,
        )  # fmt: skip

    def broken(hp: dialed.HyperParameters) -> float:
        hp.Float("x", 0.0, 1.0)
        raise ValueError("no such file")

    with pytest.raises(StudyError, match="trials failed, so something other than their values"):
        dialed.optimize(broken, store=str(tmp_path / "b.db"), executor="ray", workers=2, max_trials=30, verbose=0)


def test_what_cannot_be_sent_is_refused_with_its_name(cluster: Any, tmp_path: Path) -> None:
    lock = threading.Lock()
    with pytest.raises(InvalidInputError, match="A search on Ray must be one that can be sent to other processes, but"):
        dialed.optimize(
            lambda hp: hp.Float("x", 0.0, 1.0) if lock else 0.0,
            store=str(tmp_path / "a.db"), executor="ray", workers=1, max_trials=2, verbose=0,
        )  # fmt: skip


def test_a_file_on_one_machine_is_refused_where_workers_are_on_others(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [{"Alive": True, "NodeManagerHostname": "far"}, {"Alive": False, "NodeManagerHostname": "gone"}]
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    with pytest.raises(InvalidInputError, match=r"Got an SQLite file on this one, and a cluster with far\. Pass"):
        dialed.optimize(bowl, store=str(tmp_path / "a.db"), executor="ray", max_trials=2, verbose=0)


def test_a_store_in_memory_cannot_be_shared() -> None:
    with pytest.raises(InvalidInputError, match="`store` of a search on Ray must be a file or a database"):
        dialed.optimize(bowl, store="sqlite:///:memory:", executor="ray", max_trials=2, verbose=0)


def test_without_ray_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(dialed.errors.MissingDependencyError, match=r"pip install 'dialed\[ray\]'"):
        dialed.optimize(bowl, store=str(tmp_path / "a.db"), executor="ray", max_trials=2, verbose=0)
