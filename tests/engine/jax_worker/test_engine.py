"""Lanes in another process: the rules of engines hold, and nothing that happens to the process loses a trial."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from dialed.clock import SystemClock
from dialed.engine.assignment import Assignment
from dialed.engine.data import Data
from dialed.engine.fit import FitEngine
from dialed.engine.jax_worker.engine import JaxWorkerEngine, reason_against_process
from dialed.engine.jax_worker.process import JaxProcess
from dialed.engine.recipe import Recipe
from dialed.events import Built, Saved
from dialed.store.checkpoints import Checkpoints
from dialed.testing.engines import EngineCheck, engine_checks
from dialed.trial import Cause, Member, MemberKey, Objective, Outcome, Report, State

ROWS = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
DATA = Data.of(ROWS, (ROWS[:, 0] > 0).astype("int32"), validation_split=0.25)
LOSS = Objective(name="val_loss", direction="min")


def is_elsewhere() -> bool:
    """Whether this code runs in the process with JAX, not in that of the test."""
    return "dialed.engine.jax_worker.worker" in sys.modules


def build(hp: Any) -> keras.Model:
    mood = hp.Choice("mood", ["good", "deadly", "only here"])
    if is_elsewhere() and mood == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    if is_elsewhere() and mood == "only here":
        raise RuntimeError("this model needs its own backend")
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(hp.Float("rate", 1e-4, 1.0)), "mse")
    return model


@dataclass
class Told:
    """What an engine told, and how members ended."""

    engines: dict[int, str] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    saved: list[Saved] = field(default_factory=list)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    on_report: Callable[[Report], bool] = lambda report: False

    def __call__(self, progress: Any) -> bool:
        match progress:
            case Built():
                self.engines[progress.trial] = progress.engine
            case Saved():
                self.saved.append(progress)
            case Report():
                self.reports.append(progress)
                return self.on_report(progress)
        return False

    def curve(self, trial: int) -> list[float]:
        """The loss after each epoch. An epoch told twice counts as it was told last."""
        losses = {r.epoch: r.metrics["loss"] for r in self.reports if r.key.trial == trial}
        return [losses[epoch] for epoch in sorted(losses)]


@pytest.fixture(scope="module")
def process() -> Iterator[JaxProcess]:
    """One process for all tests that do it no harm."""
    made = JaxProcess()
    yield made
    made.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., JaxWorkerEngine]]:
    """Makes engines, and ends what they leave behind."""
    engines: list[JaxWorkerEngine] = []

    def engine(hypermodel: Any = build, *, process: JaxProcess | None = None, **arguments: Any) -> JaxWorkerEngine:
        recipe = Recipe(hypermodel, {"epochs": 3, "batch_size": 8, **arguments})
        assignment = Assignment(
            recipe=recipe, data=DATA, objective=LOSS, checkpoints=Checkpoints(tmp_path), clock=SystemClock()
        )
        fit = FitEngine(assignment)
        engines.append(JaxWorkerEngine(assignment, fallback=fit, process=process, compile_cache=False))
        return engines[-1]

    yield engine
    for each in engines:
        if each.process is not None and each.process.tenant is each:
            each.process.tenant = None


def members(*moods: str) -> list[Member]:
    return [
        Member(key=MemberKey(trial, 5, 0), values={"mood": mood, "rate": 0.01 * (trial + 1)})
        for trial, mood in enumerate(moods)
    ]


def train(engine: JaxWorkerEngine, team: list[Member], until: int = 3, told: Told | None = None) -> Told:
    told = told or Told()
    for outcome in engine.train(team, until, told):
        assert outcome.key.trial not in told.outcomes, "a member has one outcome"
        told.outcomes[outcome.key.trial] = outcome
    return told


@pytest.mark.slow
@pytest.mark.parametrize("check", [pytest.param(check, id=check.__name__) for check in engine_checks()])
def test_the_rules_of_engines_hold(check: EngineCheck, tmp_path: Path, process: JaxProcess) -> None:
    def make(assignment: Assignment) -> JaxWorkerEngine:
        fit = FitEngine(assignment)
        return JaxWorkerEngine(assignment, fallback=fit, process=process, compile_cache=False)

    check(make, tmp_path)


@pytest.mark.slow
def test_members_are_lanes_there_and_the_record_says_so(make: Any, process: JaxProcess) -> None:
    engine = make(process=process)
    team = members("good", "good")
    (batch,) = engine.plan(team)
    assert (batch.program, len(batch.members)) == ("fused-1", 2)
    told = train(engine, team)
    assert told.engines == {0: "fused-1 on jax", 1: "fused-1 on jax"}
    assert [o.state for o in told.outcomes.values()] == [State.PAUSED, State.PAUSED]


@pytest.mark.slow
def test_what_fails_there_alone_is_trained_here(make: Any, process: JaxProcess) -> None:
    told = train(make(process=process), members("only here", "good"))
    assert told.engines[1] == "fused-1 on jax"
    assert told.engines[0].startswith("fit: on JAX it failed: RuntimeError: this model needs its own backend")
    assert {trial: o.epoch for trial, o in told.outcomes.items()} == {0: 3, 1: 3}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype:UserWarning")  # of JAX in this process
def test_a_model_of_doubles_is_not_trained_in_floats(make: Any, process: JaxProcess) -> None:
    def doubles(hp: Any) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), layers.Dense(1, dtype="float64")])
        model.compile("sgd", "mse")
        return model

    told = train(make(doubles, process=process), members("good"), until=1)
    assert told.engines[0].startswith("fit: ") and "float64" in told.engines[0]


@pytest.mark.slow
def test_a_builder_that_holds_a_lock_is_kept_here_and_the_reason_says_what_to_change(make: Any) -> None:
    lock = threading.Lock()

    def locked(hp: Any) -> keras.Model:
        with lock:
            return build(hp)

    engine = make(locked)
    (batch,) = engine.plan(members("good"))
    assert batch.program == "fit" and "make such objects inside of it" in batch.reason
    told = train(engine, members("good"))
    assert "cannot pickle '_thread.lock' object" in told.engines[0]
    assert engine.process is None  # none was started for nothing
    assert told.outcomes[0].epoch == 3


@pytest.mark.slow
def test_a_process_killed_in_mid_training_costs_no_trial_an_epoch_that_was_saved(
    make: Any, process: JaxProcess, caplog: pytest.LogCaptureFixture
) -> None:
    undisturbed = train(make(process=process), members("good", "good"))
    engine = make()
    killed: list[int] = []

    def kill_once(report: Report) -> bool:
        if report.epoch == 2 and not killed:
            killed.append(engine.process.pid)
            os.kill(engine.process.pid, signal.SIGKILL)
        return False

    with caplog.at_level(logging.WARNING, "dialed"):
        told = train(engine, members("good", "good"), told=Told(on_report=kill_once))
    engine.close()
    assert len(killed) == 1
    assert "it was killed by signal 9 (Killed), as it is when memory runs out. Tried in halves." in caplog.text
    assert {trial: o.state for trial, o in told.outcomes.items()} == dict.fromkeys(range(2), State.PAUSED)
    for trial in range(2):
        assert told.curve(trial) == pytest.approx(undisturbed.curve(trial), rel=1e-5)


@pytest.mark.slow
def test_one_member_that_kills_the_process_fails_alone(make: Any) -> None:
    engine = make()
    told = train(engine, members("deadly", "good"), until=1)
    engine.close()
    ends = {trial: (o.state, o.cause) for trial, o in told.outcomes.items()}
    assert ends == {0: (State.FAILED, Cause.KILLED), 1: (State.PAUSED, None)}
    assert "while it trained this trial alone: it was killed by signal 9" in told.outcomes[0].message


@pytest.mark.slow
def test_a_process_that_dies_of_every_member_is_given_up(make: Any) -> None:
    engine = make()
    told = train(engine, members("deadly", "deadly"), until=1)
    assert told.outcomes[0].cause is Cause.KILLED
    assert (told.outcomes[1].state, told.outcomes[1].epoch) == (State.PAUSED, 1)
    assert "ended 2 times before an epoch: it was killed by signal 9" in told.engines[1]
    assert engine.process is None


@pytest.mark.slow
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, GeneratorExit])
def test_an_interrupt_leaves_checkpoints_from_which_lanes_go_on(
    make: Any, process: JaxProcess, interrupt: type[BaseException]
) -> None:
    undisturbed = train(make(process=process), members("good", "good"))

    def stop(report: Report) -> bool:
        if report.epoch == 2 and report.key.trial == 0:
            raise interrupt
        return False

    told = Told(on_report=stop)
    with pytest.raises(interrupt):
        train(make(process=process), members("good", "good"), told=told)
    last = {saved.key.trial: saved.checkpoint for saved in told.saved if saved.kind == "last"}
    assert {trial: ref.epoch for trial, ref in last.items()} == {0: 2, 1: 1}  # the second had not told its epoch yet
    again = [replace(m, epoch=last[m.key.trial].epoch, checkpoint=last[m.key.trial]) for m in members("good", "good")]
    told.on_report = lambda report: False
    told = train(make(process=process), again, told=told)
    for trial in range(2):
        assert told.curve(trial) == pytest.approx(undisturbed.curve(trial), rel=1e-5)


@pytest.mark.slow
def test_a_script_is_not_run_again_and_a_killed_one_takes_its_process_with_it(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    with subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as script:
        assert script.stdout is not None
        engine, pid = script.stdout.readline().strip(), int(script.stdout.readline())
        script.kill()
    assert engine == "fused-1 on jax"
    assert (tmp_path / "runs.txt").read_text() == "run\n"
    ends = time.monotonic() + 20.0
    while _lives(pid) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not _lives(pid)


SCRIPT = """
import time
from pathlib import Path
import keras, numpy as np
from dialed.clock import SystemClock
from dialed.engine.assignment import Assignment
from dialed.engine.data import Data
from dialed.engine.fit import FitEngine
from dialed.engine.jax_worker.engine import JaxWorkerEngine
from dialed.engine.recipe import Recipe
from dialed.events import Built
from dialed.store.checkpoints import Checkpoints
from dialed.trial import Member, MemberKey, Objective

with open("runs.txt", "a") as file:
    file.write("run\\n")

@keras.saving.register_keras_serializable("mine")
class Twice(keras.layers.Layer):
    def call(self, x):
        return FACTOR * x

FACTOR = 2.0

def build(hp):
    inner = keras.layers.TimeDistributed(Twice())
    model = keras.Sequential([keras.Input((2, 3)), inner, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model

data = Data.of(np.ones((16, 2, 3), "float32"), np.ones(16, "float32"))
recipe = Recipe(build, {"batch_size": 8})
objective = Objective(name="loss", direction="min")
checkpoints = Checkpoints(Path("a"))
assignment = Assignment(recipe=recipe, data=data, objective=objective, checkpoints=checkpoints, clock=SystemClock())
engine = JaxWorkerEngine(assignment, fallback=FitEngine(assignment))

def on_report(progress):
    if isinstance(progress, Built):
        print(progress.engine, flush=True)
        print(engine.process.pid, flush=True)
        time.sleep(600)

list(engine.train([Member(key=MemberKey(0, 1, 0), values={})], 1, on_report))
"""


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


class Own(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback that may hold anything."""


class OwnFit:
    """Trains in its own way."""

    def build(self, hp: Any) -> keras.Model:
        return build(hp)

    def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        return model.fit(*args, **kwargs)


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        (Recipe(build, {}), ""),
        (Recipe(build, {"callbacks": [keras.callbacks.EarlyStopping()]}), ""),
        (Recipe(build, {"callbacks": [keras.callbacks.TerminateOnNaN]}), ""),
        (Recipe(build, {"callbacks": [Own()]}), "the callback Own is not one of Keras's own"),
        (Recipe(build, {"callbacks": Own}), "the callback Own is not one of Keras's own"),
        (Recipe(build, {"callbacks": [lambda hp: Own()]}), "the callback function is not one of Keras's own"),
        (Recipe(build, {"callbacks": [keras.callbacks.LambdaCallback()]}), "the callback LambdaCallback is not"),
        (Recipe(OwnFit(), {}), "the hypermodel trains in its own `fit`"),
    ],
)
def test_searches_that_no_other_process_could_train_start_none(recipe: Recipe, reason: str) -> None:
    found = reason_against_process(recipe, DATA)
    assert found.startswith(reason) and bool(found) == bool(reason)


def test_datasets_that_make_their_own_batches_stay_here(make: Any) -> None:
    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        num_batches = 2

        def __getitem__(self, index: int) -> Any:
            return ROWS[:8], ROWS[:8, :1]

    data = Data.of(Batches())
    assert reason_against_process(Recipe(build, {}), data) == "the data are a keras.PyDataset, not arrays"


def test_without_jax_the_reason_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialed.engine.jax_worker.engine.is_installed", lambda module: False)
    assert reason_against_process(Recipe(build, {}), DATA) == "JAX is not installed; `pip install jax`"
