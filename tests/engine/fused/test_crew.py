"""Lanes in training: waiting for places, moving together, short of memory, cut off in the middle of an epoch."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
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
from dialed.engine.fused import ahead, capacity, crew, engine, pieces
from dialed.engine.fused.crew import Crew
from dialed.engine.fused.engine import FusedEngine
from dialed.engine.fused.program import Program
from dialed.engine.keeping import Keeper
from dialed.engine.recipe import Recipe
from dialed.store.checkpoints import Checkpoints
from dialed.trial import Cause, Member, MemberKey, Objective, Report, State

pytestmark = pytest.mark.slow  # each test compiles programs

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(56, 4)).astype("float32")
DATA = Data.of(ROWS, ROWS[:, :1], validation_split=0.25)
LOSS = Objective(name="val_loss", direction="min")


def build(hp: Any) -> Any:
    """One program for each of two widths; the models do nothing with layers that cannot be padded."""
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3 if hp.Boolean("narrow") else 5, "tanh"), layers.Dense(1)]
    )
    model.compile(keras.optimizers.Ftrl(hp.Float("lr", 1e-4, 1.0)), "mse")
    return model


class Bench:
    """A fused engine, and what it told."""

    def __init__(self, folder: Path) -> None:
        recipe = Recipe(build, {"batch_size": 8})
        self.deadline: float | None = None
        self.checkpoints = Checkpoints(folder)
        assignment = Assignment(
            recipe=recipe,
            data=DATA,
            objective=LOSS,
            checkpoints=self.checkpoints,
            clock=SystemClock(),
            deadline=lambda: self.deadline,
        )
        self.engine = FusedEngine(assignment, fallback=FitEngine(assignment))

    def train(self, members, until, on_report=lambda report: False):
        """The losses by trial and epoch, in the order they were told; and the outcomes by trial."""
        told, outcomes = {}, {}

        def hear(progress):
            if isinstance(progress, Report):
                told[progress.key.trial, progress.epoch] = progress.metrics["val_loss"]
                return on_report(progress)
            return False

        for outcome in self.engine.train(members, until, hear):
            outcomes[outcome.key.trial] = outcome
        return told, outcomes


def team(count, *, first=0, narrow=False):
    return [
        Member(key=MemberKey(i, 3, 0), values={"lr": 0.01 * (1 + i), "narrow": narrow})
        for i in range(first, first + count)
    ]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("crew"))


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(capacity, "cores", lambda: 2)


@pytest.fixture(scope="module")
def undisturbed(bench):
    """Six lanes, four epochs."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(capacity, "cores", lambda: 2)
        return bench.train(team(6), 4)[0]


def same(told, undisturbed):
    assert told.keys() == undisturbed.keys()
    assert all(told[key] == pytest.approx(value, rel=1e-5) for key, value in undisturbed.items())


@pytest.fixture
def planned(monkeypatch):
    """Make every plan of a crew another one."""

    def use(**changes):
        plan_for = capacity.plan_for
        monkeypatch.setattr(
            capacity, "plan_for", lambda *args, **options: replace(plan_for(*args, **options), **changes)
        )

    return use


def test_lanes_that_wait_take_places_that_are_free(bench, undisturbed, planned):
    """Room for four of six: two wait until two have ended, and are trained as if they had not waited."""
    planned(size=2, hands=2, room=4)
    told, outcomes = bench.train(team(6), 4, lambda report: report.key.trial < 2 and report.epoch == 2)
    assert {trial: outcome.epoch for trial, outcome in outcomes.items()} == {0: 2, 1: 2, 2: 4, 3: 4, 4: 4, 5: 4}
    order = list(told)
    assert order.index((4, 1)) > order.index((1, 2)), "it waited"
    assert order.index((4, 1)) < order.index((2, 4)), "it did not wait for all"
    same(told, {key: value for key, value in undisturbed.items() if key[0] > 1 or key[1] < 3})


def test_places_that_were_taken_cost_no_compilation(bench, undisturbed, planned, monkeypatch):
    """Whoever waited trains in the program that is there."""

    def refuse(program):
        raise AssertionError("compiled")

    monkeypatch.setattr(Program, "compile", refuse)
    planned(size=4, hands=2, room=4)
    same(bench.train(team(6), 4)[0], undisturbed)


def test_those_left_move_into_fewer_places(bench, undisturbed, planned, monkeypatch):
    epochs = []
    run = Program.run

    def counted(program, state, brought, feed, control):
        epochs.append(bool(control.validate))
        return run(program, state, brought, feed, control)

    planned(size=4, hands=2, room=6)
    monkeypatch.setattr(Program, "run", counted)
    bench.train(team(6), 3, lambda report: report.key.trial in (0, 4) and report.epoch == 1)
    assert epochs.count(True) == 2 + 1 + 1, "two programs in the first epoch, one when four are left"


@pytest.mark.parametrize("moment", ["compile", "run"])
def test_lanes_that_do_not_fit_are_halved(bench, undisturbed, planned, monkeypatch, moment):
    """As XLA says it, whenever it says it."""
    planned(size=6, hands=1, room=6)
    real = getattr(Program, moment)

    def tight(program, *arguments):
        if program.layout.lanes > 3:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 123 bytes")
        return real(program, *arguments)

    monkeypatch.setattr(Program, moment, tight)
    same(bench.train(team(6), 4)[0], undisturbed)


def test_programs_that_need_more_than_there_is_are_not_run(bench, undisturbed, planned, monkeypatch):
    planned(size=6, hands=1, room=6)
    monkeypatch.setattr(Program, "working_bytes", property(lambda program: 100 * program.layout.lanes))
    monkeypatch.setattr(crew, "free_bytes", lambda: 350)
    runs = []
    run = Program.run
    monkeypatch.setattr(Program, "run", lambda program, *of: (runs.append(program.layout.lanes), run(program, *of))[1])
    same(bench.train(team(6), 4)[0], undisturbed)
    assert set(runs) == {3}


@pytest.mark.slow
def test_a_lane_that_does_not_fit_alone_fails_alone(bench, undisturbed, planned, monkeypatch):
    run = Program.run
    planned(size=2, hands=1, room=2)

    def tight(program, state, brought, *arguments):
        rate = np.asarray(state[2][1])
        if program.layout.lanes > 1 or np.isclose(rate, 0.02).any():
            raise MemoryError("no room")
        return run(program, state, brought, *arguments)

    monkeypatch.setattr(Program, "run", tight)
    bench.engine.families.clear()
    told, outcomes = bench.train(team(2), 2)
    assert outcomes[0].state is State.PAUSED
    assert (outcomes[1].state, outcomes[1].cause) == (State.FAILED, Cause.OUT_OF_MEMORY)
    assert [key for key in told if key[0] == 0] == [(0, 1), (0, 2)]
    bench.engine.families.clear()


def slowed(monkeypatch, seconds):
    """Make each batch take `seconds`."""
    run = Program.run

    def slow(program, state, brought, feed, control):
        time.sleep(seconds * int(control.full - control.first))
        return run(program, state, brought, feed, control)

    monkeypatch.setattr(Program, "run", slow)
    monkeypatch.setattr(pieces, "SECONDS", 0.1)


def test_the_deadline_ends_an_epoch_in_its_middle(bench, undisturbed, monkeypatch):
    """Lanes go back to their last complete epoch, and go on from there as if nothing had been."""
    members = team(4)
    _, begun = bench.train(members, 1)
    going_on = [replace(m, epoch=1, checkpoint=begun[m.key.trial].last) for m in members]
    with monkeypatch.context() as patched:
        slowed(patched, 0.2)
        bench.deadline = SystemClock().monotonic() + 2.0
        told, cut = bench.train(going_on, 9)
        overrun = SystemClock().monotonic() - bench.deadline
    bench.deadline = None
    assert overrun < 1.0
    assert {outcome.state for outcome in cut.values()} == {State.PAUSED}
    epoch = cut[0].epoch
    assert epoch < 9
    assert len(told) == 4 * (epoch - 1)
    again = [replace(m, epoch=epoch, checkpoint=cut[m.key.trial].last) for m in members]
    told, _ = bench.train(again, epoch + 1)
    if epoch + 1 <= 4:
        assert told[0, epoch + 1] == pytest.approx(undisturbed[0, epoch + 1], rel=1e-5)


def test_ctrl_c_ends_an_epoch_in_its_middle(bench, monkeypatch):
    """What is trained is on the disk, and no thread goes on."""
    slowed(monkeypatch, 0.05)

    def interrupt(report):
        if report.epoch == 2:
            raise KeyboardInterrupt
        return False

    written = []
    write = Keeper.write
    monkeypatch.setattr(Keeper, "write", lambda keeper: (written.append(keeper), write(keeper)))
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        bench.train(team(4), 50, interrupt)
    assert time.monotonic() - began < 10
    assert not [t for t in threading.enumerate() if t.name.startswith("dialed_")]
    assert len(written) >= 4


def test_programs_are_compiled_side_by_side(bench, monkeypatch):
    both = threading.Barrier(2, timeout=60)
    threads = []
    compile_program = Program.compile

    def noted(program):
        both.wait()  # nobody passes alone
        threads.append(threading.current_thread().name)
        return compile_program(program)

    monkeypatch.setattr(Program, "compile", noted)
    monkeypatch.setattr(ahead, "cores", lambda: 2)
    bench.engine.families.clear()
    members = [*team(2), *team(2, first=2, narrow=True)]
    _, outcomes = bench.train(members, 1)
    assert {outcome.epoch for outcome in outcomes.values()} == {1}
    assert all(name.startswith("dialed-compile") for name in threads)
    assert len(threads) == 2, "what was compiled ahead is what was wanted"


def test_nothing_is_compiled_for_a_search_that_was_interrupted(bench, monkeypatch):
    compiled = []
    compile_program = Program.compile
    begun = threading.Event()

    def noted(program):
        compiled.append(threading.current_thread().name)
        begun.wait(60)
        return compile_program(program)

    def interrupt(self):
        begun.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(Program, "compile", noted)
    monkeypatch.setattr(ahead, "cores", lambda: 1)
    monkeypatch.setattr(Crew, "train", interrupt)
    bench.engine._ahead.cancel()  # other tests had more threads
    bench.engine.families.clear()
    with pytest.raises(KeyboardInterrupt):
        bench.train([*team(2), *team(2, first=2, narrow=True)], 1)
    assert len(compiled) <= 1, "the second waited for the only thread"
    monkeypatch.undo()
    _, outcomes = bench.train([*team(2), *team(2, first=2, narrow=True)], 1)
    assert {outcome.epoch for outcome in outcomes.values()} == {1}, "what was cancelled is compiled when it is wanted"


@pytest.mark.slow
def test_families_that_are_not_used_are_forgotten(bench, monkeypatch):
    monkeypatch.setattr(engine, "MOST_FAMILIES", 1)
    bench.engine.families.clear()
    bench.train(team(2), 1)
    bench.train(team(2, narrow=True), 1)
    (kept,) = bench.engine.families
    bench.train(team(2, narrow=True), 1)
    assert bench.engine.families == [kept]


def test_data_larger_than_the_device_are_left_to_fit(monkeypatch, tmp_path):
    from dialed.engine.fused import resident

    monkeypatch.setattr(resident, "free_bytes", lambda: 1000)
    (batch,) = Bench(tmp_path).engine.plan(team(1))
    assert batch.program == "fit"
    assert "the data take 0.0 GiB on a device with 0.0 GiB free; pass fewer rows or smaller types" in batch.reason
