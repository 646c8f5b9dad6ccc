"""All machines that share a study go by the clock of its server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialed.clock import SystemClock
from dialed.errors import LeaseLostError
from dialed.events import TrialStarted
from dialed.store import Catalog, open_catalog, worker_id
from dialed.store.server_clock import ServerClock
from dialed.testing.stores import TERMS, HandClock
from dialed.trial import MemberKey, Report


class Wrong(SystemClock):
    """A machine's clock that is an hour fast."""

    def now(self) -> float:
        return super().now() + 3600.0


def test_the_server_is_asked_every_few_minutes_and_time_goes_on_between() -> None:
    clock, answers = HandClock(), iter([5_000.0, 9_000.0])
    server = ServerClock(lambda: next(answers), clock)
    assert server.now() == 5_000.0
    clock.time += 200.0
    assert server.now() == 5_200.0
    clock.time += 200.0
    assert server.now() == 9_000.0
    assert server.monotonic() == clock.monotonic()


@pytest.fixture
def machines(postgres: str, tmp_path: Path) -> Iterator[tuple[Catalog, Catalog]]:
    """The same database, from a machine with the right time and from one that is an hour fast."""
    with open_catalog(postgres, artifacts=tmp_path) as right:
        with right._database.writing() as cursor:
            cursor.execute("DELETE FROM dialed_studies")
        with open_catalog(postgres, clock=Wrong(), artifacts=tmp_path) as wrong:
            yield right, wrong


def test_a_fast_machine_takes_nobody_s_lease(machines: tuple[Catalog, Catalog]) -> None:
    right, wrong = machines
    store = right.create("shared", TERMS, {})
    store.append([TrialStarted(trial=0, values={}, until=1, epochs=1, seeds=(0,))])
    mine, theirs = worker_id(), "elsewhere:1:x"
    assert len(store.lease(mine, limit=1, seconds=60.0)) == 1
    assert wrong.open("shared").lease(theirs, limit=1, seconds=60.0) == []
    store.append([Report(key=MemberKey(0, 0, 0), epoch=1, metrics={"loss": 1.0})], worker=mine)
    assert abs(store.history()[-1].time - time.time()) < 600


def test_a_lease_that_expired_is_lost_on_any_machine(machines: tuple[Catalog, Catalog]) -> None:
    right, wrong = machines
    store = wrong.create("shared", TERMS, {})
    store.append([TrialStarted(trial=0, values={}, until=1, epochs=1, seeds=(0,))])
    assert len(store.lease("elsewhere:1:x", limit=1, seconds=0.0)) == 1
    time.sleep(0.01)
    assert len(right.open("shared").lease("elsewhere:2:x", limit=1, seconds=60.0)) == 1
    with pytest.raises(LeaseLostError):
        store.append([Report(key=MemberKey(0, 0, 0), epoch=1, metrics={"loss": 1.0})], worker="elsewhere:1:x")
