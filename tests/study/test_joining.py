"""Workers that join a study which another process drives."""

import threading
import time

import pytest

import dialed
from dialed.clock import SystemClock
from dialed.events import TrialStarted, WorkerJoined, WorkerLeft
from dialed.search import Terms
from dialed.store import open_catalog, worker_id
from dialed.study.functions import join_function
from dialed.study.joining import Joining
from dialed.study.origins import origin_of
from dialed.trial import Objective, Outcome, Report

OPTIONS = {"strategy": "random", "max_trials": 5, "epochs": 3, "seed": 3, "verbose": 0, "confirm": True}


def bowl(hp):
    x = hp.Float("x", -2.0, 2.0)
    for step in range(1, 3):
        if hp.report(step, (x - 1.0) ** 2 + 1.0 / step):
            return None
    return (x - 1.0) ** 2


def join(path, *, idle_seconds=60.0, function=bowl):
    """Work for the study "s" as soon as there is one."""
    with open_catalog(path) as catalog:
        while not catalog.exists("s"):
            time.sleep(0.01)
        return join_function(
            catalog.open("s"), function, clock=SystemClock(), idle_seconds=idle_seconds, say=lambda _: None
        )


def table(study):
    return [
        (t.number, dict(t.values), t.state, t.score, [(m.key.seed, m.score) for m in t.members]) for t in study.trials
    ]


def test_those_who_join_train_everything_and_what_they_find_is_the_same(tmp_path):
    path, visits = str(tmp_path / "a.db"), []
    crowd = [threading.Thread(target=lambda: visits.append(join(path))) for _ in range(2)]
    for thread in crowd:
        thread.start()
    study = dialed.optimize(bowl, store=path, name="s", workers=0, **OPTIONS)
    for thread in crowd:
        thread.join()
    alone = dialed.optimize(bowl, store=path, name="alone", **OPTIONS)
    assert table(study) == table(alone)
    assert {visit.ended for visit in visits} == {"finished"}
    assert sum(visit.members for visit in visits) == sum(len(t.members) for t in study.trials)
    with open_catalog(path) as catalog:
        events = [recorded.event for recorded in catalog.open("s").history()]
    joined = {event.worker for event in events if isinstance(event, WorkerJoined)}
    assert len(joined) == 2
    assert {event.worker for event in events if isinstance(event, WorkerLeft)} == joined
    assert {event.worker for event in events if isinstance(event, Outcome)} <= joined


def slow_bowl(hp):
    x = hp.Float("x", -2.0, 2.0)
    for step in range(1, 5):
        time.sleep(0.03)
        if hp.report(step, (x - 1.0) ** 2 + 1.0 / step):
            return


@pytest.mark.parametrize("budget", [7, 10])
def test_a_budget_in_epochs_holds_to_the_epoch_over_all_who_join(tmp_path, budget):
    """Each takes only what those who train already leave, though none of them asks the others."""
    path = str(tmp_path / "a.db")
    crowd = [threading.Thread(target=join, args=(path,), kwargs={"function": slow_bowl}) for _ in range(3)]
    for thread in crowd:
        thread.start()
    options = {**OPTIONS, "epochs": 4, "max_trials": 20, "max_epochs": budget, "confirm": False}
    study = dialed.optimize(slow_bowl, store=path, name="s", workers=0, **options)
    for thread in crowd:
        thread.join()
    with open_catalog(path) as catalog:
        reports = [r.event for r in catalog.open("s").history() if isinstance(r.event, Report)]
    assert sum(t.epochs for t in study.trials) == len(reports) == budget


def test_of_two_workers_that_lease_at_once_one_gives_back(tmp_path):
    """What a worker has leased and not begun is promised too."""
    path = str(tmp_path / "a.db")
    with open_catalog(path) as catalog:
        terms = Terms(objective=Objective(name="objective", direction="min"), epochs=4, max_epochs=4)
        store = catalog.create("s", terms, {"code": {"given_space": False}})
        store.append([TrialStarted(trial=n, values={}, until=4, epochs=4, seeds=(0,)) for n in range(2)])
        store.claim(worker_id(), seconds=60.0)
        [other] = store.lease("other", limit=1, seconds=60.0)
        assert store.held() == {other.member.key: "other"}
        joining = Joining(store=store, make_engine=None, lanes=1, clock=SystemClock())
        joining._look()
        assert joining._job("me") is None
        assert store.held() == {other.member.key: "other"}
        store.release("other")
        job = joining._job("me")
        assert job is not None and job.epochs == 4


def test_a_worker_without_work_leaves_when_it_was_told_to(tmp_path):
    path = str(tmp_path / "a.db")
    dialed.optimize(bowl, store=path, name="s", **OPTIONS)
    visit = join(path, idle_seconds=0.0)
    assert (visit.members, visit.ended) == (0, "idle")


class Builder:
    def build(self, hp):
        return None


def test_code_is_written_down_by_its_file_and_name():
    found = origin_of(bowl)
    assert found["name"] == "bowl"
    assert found["file"].endswith("test_joining.py")
    assert origin_of(Builder)["name"] == "Builder"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (lambda hp: 0.0, "it is a lambda"),
        (Builder(), "it is an object of Builder, not a function of a file"),
        (Builder.build, "'Builder.build' is made inside of something else"),
        (eval("type('Made', (), {'__module__': 'nowhere'})"), "it was written in a notebook or an interpreter"),
    ],
)
def test_code_that_no_file_holds_says_why(code, reason):
    assert reason in origin_of(code)["reason"]
