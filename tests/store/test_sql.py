"""What a study's store does beyond the protocol."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dialed.errors import LeaseLostError, StoreError, StudyError
from dialed.events import Built, Report, Returned, TrialStarted
from dialed.search.history import Terms
from dialed.store import Catalog, SqlStore, worker_id
from dialed.store.database import Database, parse_address
from dialed.store.queries import Queries
from dialed.testing.stores import TERMS, HandClock
from dialed.trial import Cause, MemberKey, Objective, Outcome, State


def start(trial: int, seeds: tuple[int, ...] = (0,)) -> TrialStarted:
    return TrialStarted(trial=trial, values={"x": trial}, until=2, epochs=2, seeds=seeds)


def report(trial: int, epoch: int = 1, value: float = 0.5) -> Report:
    return Report(key=MemberKey(trial, 0, 0), epoch=epoch, metrics={"val_loss": value})


def dead_worker() -> str:
    """The name of a worker whose process has ended."""
    code = "from dialed.store import worker_id; print(worker_id())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_begin_appends_and_leases_at_once(store: SqlStore) -> None:
    [lease] = store.begin([start(0)], worker="a", limit=5, seconds=60)
    assert lease.member.key == MemberKey(0, 0, 0)
    store.append([report(0)], worker="a")


def test_a_dead_workers_members_come_back_at_once(store: SqlStore) -> None:
    worker = dead_worker()
    store.append([start(0), start(1)])
    store.lease(worker, limit=2, seconds=10_000)
    store.append([Built(trial=0, values={"x": 0})], worker=worker)
    assert len(store.lease(worker_id(), limit=2, seconds=60)) == 2
    [returned] = [r.event for r in store.history() if isinstance(r.event, Returned)]
    assert returned.message == f"The worker {worker} is gone."


def test_a_death_is_seen_by_a_store_that_knew_the_worker(store: SqlStore) -> None:
    """The names seen last time are asked before the lock is taken; new names inside it. Both are found dead."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from dialed.store import worker_id; print(worker_id(), flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        worker = process.stdout.readline().strip()
        store.append([start(0)])
        store.lease(worker, limit=1, seconds=10_000)
        assert store.lease(worker_id(), limit=1, seconds=60) == []
        process.kill()
    assert len(store.lease(worker_id(), limit=1, seconds=60)) == 1


def test_release_gives_all_members_back_without_an_attempt(store: SqlStore) -> None:
    store.append([start(0), start(1)])
    store.lease("a", limit=2, seconds=60)
    store.append([report(0)], worker="a")
    store.release("a")
    with pytest.raises(LeaseLostError, match="must hold the lease of member .* but nobody does: it is running"):
        store.append([report(0, 2)], worker="a")
    assert [lease.member.key.trial for lease in store.lease("b", limit=5, seconds=60)] == [0, 1]
    assert not [r for r in store.history() if isinstance(r.event, Returned)]


def test_the_holder_of_a_lost_lease_is_named(store: SqlStore) -> None:
    store.append([start(0)])
    store.lease("b", limit=1, seconds=60)
    with pytest.raises(LeaseLostError, match="Worker a must hold the lease of member .* but b holds it"):
        store.append([report(0)], worker="a")


def test_one_process_decides_at_a_time(store: SqlStore) -> None:
    mine, other = worker_id(), worker_id()
    store.claim(mine, seconds=60)
    store.claim(mine, seconds=60)
    assert store.info.state == "running"
    with pytest.raises(StudyError, match=rf"is driven by process {os.getpid()} on .* since 1970-01-12 13:46:40 UTC"):
        store.claim(other, seconds=60)
    store.release_claim(other)
    with pytest.raises(StudyError, match="is driven by one process at a time"):
        store.claim(other, seconds=60)
    store.release_claim(mine)
    store.claim(other, seconds=60)


def test_an_expired_claim_is_taken_over(store: SqlStore, clock: HandClock) -> None:
    store.claim("a", seconds=60)
    clock.advance(30)
    store.renew("a", seconds=60)
    clock.advance(59)
    with pytest.raises(StudyError, match="driven by a since"):
        store.claim("b", seconds=60)
    clock.advance(2)
    store.claim("b", seconds=60)


def test_what_a_dead_driver_trained_itself_was_interrupted_not_killed(store: SqlStore) -> None:
    """Whoever kills a whole search again and again must not make its trials fail as if they had killed a worker."""
    store.append([TrialStarted(trial=0, values={}, until=2, epochs=2, seeds=(0,))])
    for _ in range(2 * Cause.KILLED.retries):
        gone = dead_worker()
        store.claim(gone, seconds=10_000)
        store.lease(gone, limit=1, seconds=10_000)
        store.append([Report(key=MemberKey(0, 0, 0), epoch=0, metrics={})], worker=gone)
    store.claim("b", seconds=60)
    returned = [r.event for r in store.history() if isinstance(r.event, Returned)]
    assert {event.cause for event in returned} == {Cause.INTERRUPTED}
    assert len(returned) == 2 * Cause.KILLED.retries
    assert store.lease("b", limit=1, seconds=60)[0].member.key == MemberKey(0, 0, 0)


def test_a_dead_process_keeps_no_claim(store: SqlStore) -> None:
    store.claim(dead_worker(), seconds=10_000)
    assert store.info.state == "new"
    store.claim("b", seconds=60)


def test_a_budget_can_be_raised(store: SqlStore, catalog: Catalog) -> None:
    store.set_terms(Terms(objective=TERMS.objective, epochs=9, max_trials=50), {"a": 1})
    again = catalog.open(store.name)
    assert (again.terms, store.terms.epochs, again.settings) == (store.terms, 9, {"a": 1})
    store.set_terms(TERMS)
    assert catalog.open(store.name).settings == {"a": 1}


def test_the_objective_must_stay(store: SqlStore) -> None:
    with pytest.raises(
        StudyError, match=r"The `objective` of a study must stay.* has 'val_loss' \(min\), got 'acc' \(max\)"
    ):
        store.set_terms(Terms(objective=Objective(name="acc", direction="max")))


def test_rows_are_listed_by_number_and_by_score(store: SqlStore) -> None:
    store.append([start(n) for n in range(5)])
    store.append([report(n, value=value) for n, value in enumerate([0.5, 0.1, 0.9, 0.1])])
    assert [t.number for t in store.trial_rows()] == [0, 1, 2, 3, 4]
    assert [t.number for t in store.trial_rows(order="score")] == [1, 3, 0, 2]
    assert [t.number for t in store.trial_rows(order="score", limit=2, offset=1)] == [3, 0]
    best = store.best_row()
    assert best and (best.number, best.score, dict(best.values), len(best.members)) == (1, 0.1, {"x": 1}, 1)
    assert store.trial_row(9) is None


def test_a_row_is_running_while_somebody_trains_it(store: SqlStore) -> None:
    store.append([start(0), start(1)])
    store.lease("a", limit=1, seconds=60)
    assert [t.state for t in store.trial_rows()] == [State.RUNNING, State.WAITING]
    store.append([report(0)], worker="a")
    store.release("a")
    assert [t.state for t in store.trial_rows()] == [State.WAITING, State.WAITING]


def test_nothing_is_best_in_an_empty_study(store: SqlStore) -> None:
    assert store.best_row() is None
    assert (store.info.best_trial, store.info.trials, store.trial_rows()) == (None, 0, [])


def test_the_events_of_one_trial_are_found_alone(store: SqlStore) -> None:
    store.append([start(0), start(1), report(0), report(1), report(0, 2)])
    assert [r.event for r in store.events_of_trial(0)] == [start(0), report(0), report(0, 2)]


def test_a_history_can_be_folded_on(store: SqlStore) -> None:
    store.append([start(0), report(0)])
    history = store.load_history()
    cursor = store.history()[-1].cursor
    store.append([Outcome(key=MemberKey(0, 0, 0), state=State.COMPLETED, epoch=1)])
    assert store.fold_into(history, after=cursor) == cursor + 1
    assert history.trial(0).state is State.COMPLETED
    assert store.fold_into(history, after=cursor + 1) == cursor + 1


def test_a_deleted_study_says_so(store: SqlStore, catalog: Catalog) -> None:
    catalog.delete(store.name)
    with pytest.raises(StoreError, match="must be in the store, but it was deleted"):
        store.append([start(0)])
    with pytest.raises(StoreError, match="must be in the store, but it was deleted"):
        store.claim("a", seconds=60)
    with pytest.raises(StoreError, match="must be in the store, but it was deleted"):
        _ = store.info


@pytest.mark.parametrize(
    ("statement", "index"),
    [("leases", "dialed_members_leased"), ("waiting", "dialed_members_open"), ("best", "dialed_trials_by_score")],
)
def test_what_is_asked_often_goes_by_an_index(statement: str, index: str) -> None:
    """SQLite's own plan names the index; without it, each lease and each `best` would read the whole study."""
    database = Database(parse_address("sqlite:///:memory:"))
    from dialed.store.schema import prepare

    with database.migrating() as connection:
        prepare(connection, "memory")
    queries = Queries(database.compile)
    text = queries.best_trial["max"] if statement == "best" else getattr(queries, statement)
    with database.reading() as cursor:
        plan = cursor.execute("EXPLAIN QUERY PLAN " + text, {"at_study": 1, "at_most": 1}).fetchall()
    database.close()
    assert any(index in row[-1] for row in plan), plan
