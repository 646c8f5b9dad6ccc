"""The fused engine keeps its promises: lanes are trials that know nothing of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from dialed import Choice
from dialed.clock import SystemClock
from dialed.engine.assignment import Assignment
from dialed.engine.data import Data
from dialed.engine.fit import FitEngine
from dialed.engine.fused.canary import disagreement
from dialed.engine.fused.engine import FusedEngine
from dialed.engine.fused.program import Program
from dialed.engine.fused.shift import Shift
from dialed.engine.recipe import Recipe
from dialed.events import Built
from dialed.store.checkpoints import Checkpoints
from dialed.trial import Cause, Member, MemberKey, Objective, Outcome, Report, State

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(56, 4)).astype("float32")
LABELS = (ROWS[:, 0] > 0).astype("int32")
DATA = Data.of(ROWS, LABELS, validation_split=0.25)
LOSS = Objective(name="val_loss", direction="min")


def build(hp: Any) -> Any:
    """Widths make programs apart; rates are lifted."""
    inner = [layers.Dense(hp.Choice("units", [4, 5]), activation="relu"), layers.Dropout(hp.Float("rate", 0.0, 0.5))]
    model = keras.Sequential([keras.Input((4,)), *inner, layers.Dense(2, activation="softmax")])
    optimizer = keras.optimizers.Adam(hp.Float("lr", 1e-4, 1e30), beta_1=hp.Float("beta", 0.5, 0.99))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@dataclass
class Told:
    """What an engine told, and how members ended."""

    metrics: dict[Any, dict[str, float]] = field(default_factory=dict)
    order: list[Any] = field(default_factory=list)
    engines: dict[int, str] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def of(self, trial: int) -> list[dict[str, float]]:
        """The metrics of one trial, epoch by epoch."""
        return [metrics for (key, _), metrics in sorted(self.metrics.items()) if key.trial == trial]


def values(rate: float = 0.2, lr: float = 1e-2, beta: float = 0.9, **others: int) -> dict[str, Any]:
    return {"rate": rate, "lr": lr, "beta": beta, "units": 4, "patience": 99, "epochs": 9, **others}


def team(*lanes: dict[str, Any], seed: int = 3) -> list[Member]:
    """One member for each lane's values."""
    return [Member(key=MemberKey(trial, seed, 0), values=of) for trial, of in enumerate(lanes)]


def train(
    engine: Any, members: Sequence[Member], until: int, pause: Callable[[Report], bool] = lambda report: False
) -> Told:
    told = Told()

    def on_report(progress: Any) -> bool:
        if isinstance(progress, Built):
            told.engines[progress.trial] = progress.engine
        if isinstance(progress, Report):
            told.metrics[progress.key, progress.epoch] = dict(progress.metrics)
            told.order.append((progress.key.trial, progress.epoch))
            return pause(progress)
        return False

    for outcome in engine.train(members, until, on_report):
        told.outcomes[outcome.key.trial] = outcome
    return told


@dataclass(frozen=True)
class Search:
    """Both engines over one folder of checkpoints."""

    fused: FusedEngine
    fit: FitEngine
    checkpoints: Checkpoints


def search_for(folder: Path, make: Any = build, data: Any = DATA, **arguments: Any) -> Search:
    checkpoints = Checkpoints(folder)
    recipe = Recipe(make, {"batch_size": 16, **arguments})
    assignment = Assignment(recipe=recipe, data=data, objective=LOSS, checkpoints=checkpoints, clock=SystemClock())
    fit = FitEngine(assignment)
    return Search(fused=FusedEngine(assignment, fallback=fit), fit=fit, checkpoints=checkpoints)


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """One search for all tests, so that a program is compiled once."""
    return search_for(tmp_path_factory.mktemp("fused"), patience=Choice([1, 99]), epochs=Choice([1, 9]))


FOUR = [values(), values(rate=0.4, lr=3e-2), values(beta=0.6), values(rate=0.1, lr=1e-3, beta=0.8)]


@pytest.fixture(scope="module")
def undisturbed(search):
    """Four lanes, two epochs."""
    return train(search.fused, team(*FOUR), 2)


def test_members_become_lanes_of_one_program(undisturbed):
    assert len(set(undisturbed.engines.values())) == 1
    assert undisturbed.engines[0].startswith("fused-")
    assert {outcome.state for outcome in undisturbed.outcomes.values()} == {State.PAUSED}


def test_reports_come_epoch_by_epoch(undisturbed):
    assert [epoch for _, epoch in undisturbed.order] == [1] * 4 + [2] * 4
    assert set(undisturbed.of(0)[0]) == {"loss", "accuracy", "val_loss", "val_accuracy"}


@pytest.fixture(scope="module")
def alone(search):
    """The second of the four, trained by `model.fit`."""
    return train(search.fit, team(*FOUR)[1:2], 2)


def test_a_lane_is_what_fit_trains_alone(alone, undisturbed):
    for fused, fit in zip(undisturbed.of(1), alone.of(1), strict=True):
        assert fused == pytest.approx(fit, rel=1e-6)


def test_a_checkpoint_has_the_arrays_and_the_meta_of_fit(search, alone, undisturbed):
    for kind in ("last", "best"):
        fused, fused_meta = search.checkpoints.load(getattr(undisturbed.outcomes[1], kind))
        fit, fit_meta = search.checkpoints.load(getattr(alone.outcomes[1], kind))
        assert fused.keys() == fit.keys()
        assert fused_meta.keys() == fit_meta.keys()
        for name, array in fit.items():
            assert fused[name].dtype == array.dtype
            np.testing.assert_allclose(fused[name], array, rtol=1e-4, atol=1e-6)


def test_the_order_of_lanes_does_not_matter(search, undisturbed):
    backwards = train(search.fused, team(*FOUR)[::-1], 2)
    assert backwards.metrics == undisturbed.metrics


def test_nan_stays_in_its_lane(search, undisturbed):
    broken = train(search.fused, team(*FOUR[:3], values(lr=1e30)), 2)
    assert broken.outcomes[3].state is State.FAILED
    assert broken.outcomes[3].cause in (Cause.NAN, Cause.DIVERGED)
    assert all(broken.of(trial) == undisturbed.of(trial) for trial in range(3))


def test_a_lane_that_pauses_is_frozen(search, undisturbed):
    """What it leaves is what it had, while the others go on in the same program."""
    paused = train(search.fused, team(*FOUR), 2, pause=lambda report: report.key.trial == 2)
    short = train(search.fused, team(*FOUR), 1)
    assert (paused.outcomes[2].state, paused.outcomes[2].epoch) == (State.PAUSED, 1)
    assert all(paused.of(trial) == undisturbed.of(trial) for trial in (0, 1, 3))
    left, meta = search.checkpoints.load(paused.outcomes[2].last)
    wanted, wanted_meta = search.checkpoints.load(short.outcomes[2].last)
    assert meta == wanted_meta
    assert all(np.array_equal(left[name], array) for name, array in wanted.items())


def going_on(members, outcomes):
    """Members that go on from what they left."""
    return [
        Member(key=m.key, values=m.values, epoch=outcomes[m.key.trial].epoch, checkpoint=outcomes[m.key.trial].last)
        for m in members
    ]


def test_fit_goes_on_from_a_fused_checkpoint(search, undisturbed):
    begun = train(search.fused, team(*FOUR), 1)
    ended = train(search.fit, going_on(team(*FOUR)[1:2], begun.outcomes), 2)
    assert ended.of(1)[-1] == pytest.approx(undisturbed.of(1)[-1], rel=1e-6)
    assert ended.outcomes[1].epoch == 2


def test_lanes_go_on_from_checkpoints_of_either_engine(search, undisturbed):
    begun = train(search.fused, team(*FOUR), 1).outcomes
    begun |= train(search.fit, team(*FOUR)[1:2], 1).outcomes
    ended = train(search.fused, going_on(team(*FOUR), begun), 2)
    assert ended.of(1)[-1] == pytest.approx(undisturbed.of(1)[-1], rel=1e-6)
    assert all(ended.of(trial)[-1] == undisturbed.of(trial)[-1] for trial in (0, 2, 3))


@pytest.mark.slow
def test_lanes_that_do_not_fit_into_memory_are_halved(search, undisturbed, monkeypatch):
    run = Program.run

    def tight(program, *arguments):
        if program.layout.lanes > 1:
            raise MemoryError("too many lanes")
        return run(program, *arguments)

    monkeypatch.setattr(Program, "run", tight)
    halved = train(search.fused, team(*FOUR), 2)
    for trial in range(4):
        assert halved.outcomes[trial].epoch == 2
        assert halved.of(trial)[-1] == pytest.approx(undisturbed.of(trial)[-1], rel=1e-6)


@pytest.mark.slow
def test_members_of_a_program_that_breaks_go_on_with_fit(tmp_path):
    """What was trained stays trained."""
    search = search_for(tmp_path)
    run = Program.run
    runs = []

    def breaking(program, state, numbers, feed, control):
        runs.append(bool(control.rest))
        if runs.count(True) > 2:  # two programs at once, in the second epoch
            raise RuntimeError("the device is gone")
        return run(program, state, numbers, feed, control)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Program, "run", breaking)
        told = train(search.fused, team(*FOUR[:2]), 2)
    assert told.order == [(0, 1), (1, 1), (0, 2), (1, 2)]
    assert told.engines[0] == "fit: its program was not trusted: RuntimeError: the device is gone"
    again = train(search.fused, team(*FOUR[:2]), 1)
    assert again.engines[1].startswith("fit: its program was not trusted")


def test_a_program_that_does_other_than_keras_is_not_trusted(search, undisturbed):
    """The canary sees a lane that was given another lane's learning rate."""
    family = search.fused.families[0]
    boarding = search.fused._boarding
    lanes = [boarding.lane(member, 1, lambda run, progress: None) for member in team(*FOUR)]
    shift = Shift(family, lanes, 4, clock=SystemClock())
    shift.get_ready()
    program, feed = shift._program(shift._drawn).program, shift._feed(shift._drawn)
    own, place = family.witness[1], family.division.other[0]
    numbers, given = shift._brought
    wrong = [(np.roll(value, 1), np.roll(complement, 1)) for value, complement in numbers]
    assert disagreement(program, own, place, lanes[place].state, shift._state, (numbers, given), feed) == ""
    assert "where Keras's own step has" in disagreement(
        program, own, place, lanes[place].state, shift._state, (wrong, given), feed
    )


def test_patience_ends_a_lane(search):
    told = train(search.fused, team(values(lr=1e-4, patience=1), values(lr=1.0, patience=1), values(), values()), 6)
    curve = [metrics["val_loss"] for metrics in told.of(1)]
    assert told.outcomes[1].state is State.COMPLETED
    assert len(curve) < 6
    assert curve[-1] >= min(curve[:-1])
    assert told.outcomes[2].epoch == 6


def test_a_member_ends_at_its_own_number_of_epochs(search):
    members = team(*FOUR[:3], values(epochs=1))
    told = train(search.fused, members, 2)
    assert (told.outcomes[3].state, told.outcomes[3].epoch) == (State.COMPLETED, 1)
    assert (told.outcomes[0].state, told.outcomes[0].epoch) == (State.PAUSED, 2)
    again = train(search.fused, going_on(members[3:], told.outcomes), 4)
    assert again.order == []
    assert again.outcomes[3].state is State.COMPLETED


def test_a_known_program_takes_new_numbers_without_tracing(search, undisturbed):
    families = list(search.fused.families)
    told = train(search.fused, team(values(rate=0.33), values(beta=0.77), values(lr=0.1), values()), 1)
    assert search.fused.families == families
    assert set(told.engines.values()) == {undisturbed.engines[0]}


def test_other_structures_are_other_programs(search):
    """Another width, and a rate of 0, for which Keras makes no random generator."""
    batches = search.fused.plan(team(values(), values(units=5), values(rate=0.0), values(lr=0.1)))
    assert sorted(tuple(m.key.trial for m in batch.members) for batch in batches) == [(0, 3), (1,), (2,)]
    assert {batch.reason for batch in batches} == {""}


def test_a_plan_leaves_the_generators_alone(search):
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    search.fused.plan(team(values()))
    assert np.array_equal(before, np.random.get_state()[1])


class Tensorflowish(keras.Sequential):
    """A model with a step in the style of another backend."""

    def train_step(self, data):
        return {"loss": 0.0}


class OwnLoop(keras.Sequential):
    """A model that trains itself."""

    def fit(self, *args, **kwargs):
        return super().fit(*args, **kwargs)


class Holding(layers.Layer):
    """Holds what cannot be compared between two builds."""

    def __init__(self):
        super().__init__()
        self.held = iter([1])

    def call(self, inputs):
        return inputs


class Untraceable(layers.Layer):
    """Wants a plain number of a tensor, in training."""

    def call(self, inputs, training=False):
        return inputs * float(inputs[0, 0]) if training else inputs


def compiled(model, **options):
    model.compile("sgd", "sparse_categorical_crossentropy", **options)
    return model


def stack(*inner, kind=keras.Sequential):
    return kind([keras.Input((4,)), *inner, layers.Dense(2, activation="softmax")])


@pytest.mark.parametrize(
    ("make", "arguments", "reason"),
    [
        (lambda hp: compiled(stack(), run_eagerly=True), {}, "run_eagerly=True"),
        (lambda hp: compiled(stack(), jit_compile=False), {}, "jit_compile=False"),
        (lambda hp: compiled(stack(kind=Tensorflowish)), {}, r"write it as `train_step(self, state, data)`"),
        (lambda hp: compiled(stack(kind=OwnLoop)), {}, "the model has a `fit` of its own"),
        (
            lambda hp: compiled(stack()),
            {"callbacks": [keras.callbacks.LambdaCallback(on_train_batch_end=print)]},
            "LambdaCallback.on_train_batch_end is called for each batch",
        ),
        (lambda hp: compiled(stack()), {"steps_per_epoch": 2}, "`steps_per_epoch`"),
        (lambda hp: compiled(stack(Untraceable())), {}, "cannot be traced"),
    ],
)
def test_what_cannot_be_a_lane_is_left_to_fit_with_its_reason(tmp_path, make, arguments, reason):
    (batch,) = search_for(tmp_path, make, **arguments).fused.plan(team({}))
    assert batch.program == "fit"
    assert reason in batch.reason


class InPlace(layers.Layer):
    """Writes into an array, as in NumPy."""

    def call(self, inputs):
        inputs[0] = 0.0
        return inputs


class InNumpy(layers.Layer):
    """Computes in NumPy."""

    def call(self, inputs):
        return np.tanh(np.asarray(inputs))


class Remembering(layers.Layer):
    """Has a side effect: it counts its calls, which JAX does once for each tracing."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, inputs):
        self.calls += 1
        return inputs


@pytest.mark.parametrize(("kind", "words"), [(InPlace, "inputs[0] = 0.0"), (InNumpy, "InNumpy")])
def test_a_layer_that_jax_cannot_trace_fails_its_trial_as_in_fit(tmp_path, kind, words):
    both = search_for(tmp_path, lambda hp: compiled(stack(kind())))
    for engine in (both.fused, both.fit):
        outcome = train(engine, team({}), 1).outcomes[0]
        assert (outcome.state, outcome.cause) == (State.FAILED, Cause.BUILD)
        assert words in outcome.message


def test_a_side_effect_in_a_call_changes_no_number(tmp_path):
    both = search_for(tmp_path, lambda hp: compiled(stack(Remembering())))
    fused, fit = (train(engine, team({}, {}), 1) for engine in (both.fused, both.fit))
    for key, metrics in fit.metrics.items():
        assert fused.metrics[key] == pytest.approx(metrics, rel=1e-5)


def test_what_is_slow_in_a_compiled_loop_is_trained_step_by_step(tmp_path):
    """XLA's transposed convolution is; the lanes are those of `fit` all the same."""

    def make(hp):
        return compiled(stack(layers.Reshape((4, 1)), layers.Conv1DTranspose(2, 3), layers.Flatten()))

    both = search_for(tmp_path, make)
    fused, fit = (train(engine, team({}), 2) for engine in (both.fused, both.fit))
    assert fused.engines == {0: "fused-1"}
    assert both.fused.families[0].stepwise
    for key, metrics in fit.metrics.items():
        assert fused.metrics[key] == pytest.approx(metrics, rel=1e-5)


def test_what_cannot_be_compared_has_a_program_of_its_own(tmp_path):
    one, other = search_for(tmp_path, lambda hp: compiled(stack(Holding()))).fused.plan(team({}, {}))
    assert (one.program, other.program) == ("fused-1", "fused-2")


def test_a_dataset_is_left_to_fit(tmp_path):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return ROWS[:8], LABELS[:8]

    search = search_for(tmp_path, lambda hp: compiled(stack()), data=Data.of(Batches(), validation_data=(ROWS, LABELS)))
    told = train(search.fused, team({}), 1)
    assert told.engines[0].startswith("fit: the data are a")
    assert told.outcomes[0].epoch == 1


def test_a_plan_says_what_cannot_be_built(tmp_path):
    (batch,) = search_for(tmp_path, lambda hp: 1 / 0).fused.plan(team({}))
    assert "ZeroDivisionError" in batch.reason


def test_a_build_that_raises_fails_its_member(tmp_path):
    told = train(search_for(tmp_path, lambda hp: 1 / 0).fused, team({}), 1)
    assert told.outcomes[0].cause is Cause.BUILD
    assert "ZeroDivisionError" in told.outcomes[0].message


def test_nothing_begins_after_the_deadline(search):
    late = FusedEngine(replace(search.fit.assignment, deadline=lambda: 0.0), fallback=search.fit)
    told = train(late, team({}), 3)
    assert (told.outcomes[0].state, told.outcomes[0].epoch) == (State.PAUSED, 0)


def test_a_damaged_checkpoint_is_left_to_fit(search):
    begun = train(search.fused, team(*FOUR), 1)
    search.checkpoints.path(begun.outcomes[0].last).write_bytes(b"nothing")
    member = Member(key=MemberKey(0, 3, 0), values=FOUR[0], epoch=1, checkpoint=begun.outcomes[0].last)
    told = train(search.fused, [member], 2)
    assert "its checkpoint cannot be used" in told.engines[0]
    assert told.outcomes[0].epoch == 2
