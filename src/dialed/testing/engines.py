"""What every engine must keep to, as checks that anybody can run over their own.

    import pytest
    from dialed.testing.engines import engine_checks

    @pytest.mark.parametrize("check", engine_checks(), ids=lambda check: check.__name__)
    def test_my_engine_keeps_the_rules(check, tmp_path):
        check(MyEngine, tmp_path)

Each check trains networks of a few weights, several members at once where that matters, so it says of an engine that
trains members together what it says of one that does not. A check raises `AssertionError` with a sentence.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from dialed.clock import Clock
from dialed.engine.assignment import Assignment
from dialed.engine.protocol import Engine, Progress
from dialed.engine.recipe import Recipe
from dialed.events import Built, Saved
from dialed.space import Choice, HyperParameters
from dialed.store.checkpoints import Checkpoints
from dialed.trial import Cause, Member, MemberKey, Objective, Outcome, Report, State, Values

__all__ = ["EngineCheck", "MakeEngine", "Recorder", "SteppingClock", "check_engine", "engine_checks"]

SAMPLES, FEATURES, BATCH = 24, 3, 8
EPOCHS = 3


@dataclass(slots=True)
class SteppingClock:
    """A clock that goes on by `step` seconds each time it is read. Deadlines come at the same place in every run."""

    step: float = 0.001
    time: float = 1_000.0

    def now(self) -> float:
        return self.monotonic()

    def monotonic(self) -> float:
        self.time += self.step
        return self.time


MakeEngine: TypeAlias = Callable[[Assignment], Engine]
EngineCheck: TypeAlias = Callable[[MakeEngine, Path], None]


@dataclass(slots=True)
class Recorder:
    """Takes what an engine tells, and asks members to pause after the epochs in `pause_at`."""

    pause_at: Mapping[MemberKey, int] = field(default_factory=dict)
    told: list[Progress] = field(default_factory=list)

    def __call__(self, progress: Progress) -> bool:
        self.told.append(progress)
        return isinstance(progress, Report) and self.pause_at.get(progress.key) == progress.epoch

    def reports(self, key: MemberKey) -> list[Report]:
        """The reports of one member."""
        return [p for p in self.told if isinstance(p, Report) and p.key == key]

    def curve(self, key: MemberKey) -> list[dict[str, float]]:
        """The metrics of one member after each epoch."""
        return [dict(report.metrics) for report in self.reports(key)]


def check_engine(make: MakeEngine, folder: Path) -> None:
    """Run all checks over the engines that `make` makes; checkpoints go below `folder`."""
    for check in engine_checks():
        check(make, folder / check.__name__)


def engine_checks() -> list[EngineCheck]:
    """All checks, one by one."""
    return [
        every_member_is_planned_once,
        every_member_ends_once_and_epochs_are_told_in_order,
        outcomes_name_checkpoints_that_are_on_the_disk,
        a_continued_member_is_an_uninterrupted_one,
        the_same_member_is_the_same_whoever_is_trained_with_it,
        a_member_that_is_told_to_pause_pauses_there,
        failures_are_outcomes_and_hurt_nobody_else,
        a_member_with_fewer_epochs_of_its_own_is_completed,
        a_deadline_stops_inside_an_epoch_and_loses_no_complete_one,
        a_damaged_checkpoint_begins_the_member_again,
        what_on_report_raises_passes_through,
        the_caller_keeps_their_random_numbers,
    ]


def every_member_is_planned_once(make: MakeEngine, folder: Path) -> None:
    """`plan` splits members into batches without losing or doubling one."""
    members = [_member(i, {"rate": rate}) for i, rate in enumerate((0.1, 0.2, 0.1))]
    planned = [member for batch in make(_case(folder)).plan(members) for member in batch.members]
    assert sorted(m.key for m in planned) == sorted(m.key for m in members), "A plan must hold each member once."


def every_member_ends_once_and_epochs_are_told_in_order(make: MakeEngine, folder: Path) -> None:
    """Built, then a report for each epoch from the first on, then one outcome."""
    members = [_member(0, {"rate": 0.1}), _member(1, {"rate": 0.05})]
    outcomes, told = _train(make(_case(folder)), members, EPOCHS)
    assert sorted(o.key for o in outcomes) == [m.key for m in members], "Each member must have one outcome."
    for member, outcome in zip(members, sorted(outcomes, key=lambda o: o.key), strict=True):
        reports = told.reports(member.key)
        assert [r.epoch for r in reports] == [1, 2, 3], f"Epochs must be told one by one. Got {reports}."
        assert all("val_loss" in r.metrics and r.seconds >= 0 for r in reports), "Reports must hold the objective."
        assert (outcome.state, outcome.epoch) == (State.PAUSED, EPOCHS), f"At `until`, a member pauses. Got {outcome}."
        built = next(p for p in told.told if isinstance(p, Built) and p.trial == member.key.trial)
        assert told.told.index(built) < told.told.index(reports[0]), "A trial is built before it reports."
        assert built.values == {"mood": "good", "rate": member.values["rate"]} and built.parameters == FEATURES + 1


def outcomes_name_checkpoints_that_are_on_the_disk(make: MakeEngine, folder: Path) -> None:
    """An outcome's checkpoints can be loaded, and `best` is the epoch with the best objective."""
    case = _case(folder)
    (outcome,), told = _train(make(case), [_member(0, {"rate": 0.1})], EPOCHS)
    assert outcome.last is not None and outcome.best is not None, "Both checkpoints must be named."
    losses = [metrics["val_loss"] for metrics in told.curve(outcome.key)]
    assert outcome.last.epoch == EPOCHS and outcome.best.epoch == 1 + int(np.argmin(losses))
    for ref in (outcome.last, outcome.best):
        arrays, _ = case.checkpoints.load(ref)
        assert arrays, "A checkpoint holds arrays."
        assert any(isinstance(p, Saved) and p.checkpoint == ref for p in told.told), "Each must be told as saved."


def a_continued_member_is_an_uninterrupted_one(make: MakeEngine, folder: Path) -> None:
    """Stopping after an epoch and going on in another engine changes no bit of the curve."""
    member = _member(0, {"rate": 0.1})
    _, straight = _train(make(_case(folder / "straight")), [member], EPOCHS)
    case = _case(folder / "broken")
    (paused,), first = _train(make(case), [member], 1)
    again = Member(key=member.key, values=member.values, epoch=1, checkpoint=paused.last)
    (outcome,), second = _train(make(case), [again], EPOCHS)
    got, expected = [*first.curve(member.key), *second.curve(member.key)], straight.curve(member.key)
    assert got == expected, f"Going on must give the same curve. Got {got} in two parts, {expected} in one."
    assert outcome.epoch == EPOCHS


def the_same_member_is_the_same_whoever_is_trained_with_it(make: MakeEngine, folder: Path) -> None:
    """Neither order nor company changes what a member measures; another seed does."""
    member, other = _member(0, {"rate": 0.1}), _member(1, {"rate": 0.4})
    twin = Member(key=MemberKey(0, 2, 0), values=member.values)
    _, alone = _train(make(_case(folder / "alone")), [member], 2)
    _, together = _train(make(_case(folder / "together")), [other, twin, member], 2)
    assert _alike(together.curve(member.key), alone.curve(member.key)), "A member must not feel the others."
    assert not _alike(together.curve(twin.key), alone.curve(member.key)), "Another seed must give another training."


def a_member_that_is_told_to_pause_pauses_there(make: MakeEngine, folder: Path) -> None:
    """Where `on_report` returns True, the member ends with that epoch; the others go on."""
    members = [_member(0, {"rate": 0.1}), _member(1, {"rate": 0.05})]
    outcomes, told = _train(make(_case(folder)), members, EPOCHS, Recorder(pause_at={members[0].key: 1}))
    ends = {o.key: o for o in outcomes}
    first, second = (ends[m.key] for m in members)
    assert (first.state, first.epoch) == (State.PAUSED, 1), f"It must pause when told to. Got {first}."
    assert first.last is not None and first.last.epoch == 1 and len(told.reports(first.key)) == 1
    assert second.epoch == EPOCHS, "Another member must not pause with it."


def failures_are_outcomes_and_hurt_nobody_else(make: MakeEngine, folder: Path) -> None:
    """What fails ends with its cause, and its neighbours train on as if it were not there."""
    good = _member(3, {"rate": 0.1})
    members = [
        _member(0, {"rate": 0.1, "mood": "raises"}),
        _member(1, {"rate": 0.1, "mood": "requires"}),
        _member(2, {"rate": 0.1, "mood": "explodes"}),
        good,
    ]
    outcomes, told = _train(make(_case(folder / "mixed")), members, 2)
    ends = {o.key.trial: (o.state, o.cause) for o in outcomes}
    assert ends[0] == (State.FAILED, Cause.BUILD), f"A build that raises fails the member. Got {ends[0]}."
    assert ends[1] == (State.FAILED, Cause.INFEASIBLE), f"A requirement that does not hold does too. Got {ends[1]}."
    assert ends[2] == (State.FAILED, Cause.NAN), f"A loss that is no number does too. Got {ends[2]}."
    assert ends[3][0] is State.PAUSED
    assert all(o.message for o in outcomes if o.cause is not None), "A failure says why."
    _, alone = _train(make(_case(folder / "alone")), [good], 2)
    assert _alike(told.curve(good.key), alone.curve(good.key)), "A failing neighbour must leave no trace."


def a_member_with_fewer_epochs_of_its_own_is_completed(make: MakeEngine, folder: Path) -> None:
    """Where `epochs` is tuned, a member ends with its own number of epochs."""
    case = _case(folder, epochs=Choice([2, EPOCHS]))
    members = [_member(0, {"rate": 0.1, "epochs": 2}), _member(1, {"rate": 0.1, "epochs": EPOCHS})]
    outcomes, _ = _train(make(case), members, EPOCHS)
    ends = {o.key.trial: (o.state, o.epoch) for o in outcomes}
    assert ends == {0: (State.COMPLETED, 2), 1: (State.PAUSED, EPOCHS)}, f"Got {ends}."


def a_deadline_stops_inside_an_epoch_and_loses_no_complete_one(make: MakeEngine, folder: Path) -> None:
    """When the time is up, a member pauses with the epochs that are complete, and can go on from there."""
    clock = SteppingClock()
    ends: list[float] = []
    case = _case(folder, clock=clock, deadline=lambda: ends[0] if ends else None)
    told = Recorder()

    def until_the_second_epoch(progress: Progress) -> bool:
        if isinstance(progress, Report) and progress.epoch == 1:
            clock.step, ends[:] = 10.0, [clock.time + 15.0]  # over before the next epoch is
        return told(progress)

    (outcome,) = make(case).train([_member(0, {"rate": 0.1})], 1000, until_the_second_epoch)
    complete = len(told.reports(outcome.key))
    assert (outcome.state, outcome.epoch) == (State.PAUSED, complete), f"It must pause. Got {outcome}."
    assert complete < 1000 and outcome.last is not None and outcome.last.epoch == complete
    case.checkpoints.load(outcome.last)


def a_damaged_checkpoint_begins_the_member_again(make: MakeEngine, folder: Path) -> None:
    """A checkpoint that cannot be read costs the epochs behind it, aloud, and nothing else."""
    case = _case(folder)
    member = _member(0, {"rate": 0.1})
    (paused,), first = _train(make(case), [member], 1)
    assert paused.last is not None
    path = Checkpoints(folder).path(paused.last)
    path.write_bytes(path.read_bytes()[:-10])
    again = Member(key=member.key, values=member.values, epoch=1, checkpoint=paused.last)
    with _warnings() as said:
        (outcome,), second = _train(make(case), [again], 2)
    assert any("begins again" in message for message in said), "Whoever loses epochs must be told."
    assert (outcome.state, outcome.epoch) == (State.PAUSED, 2)
    assert second.curve(member.key)[0] == first.curve(member.key)[0], "It must begin as it began the first time."


def what_on_report_raises_passes_through(make: MakeEngine, folder: Path) -> None:
    """An error of whoever listens is not the member's failure."""

    def refuse(progress: Progress) -> bool:
        raise LookupError(f"nobody wants to hear {progress}")

    outcomes: list[Outcome] | None = None
    with suppress(LookupError):
        outcomes = list(make(_case(folder)).train([_member(0, {"rate": 0.1})], 1, refuse))
    assert outcomes is None, f"The error must pass through. Got {outcomes}."


def the_caller_keeps_their_random_numbers(make: MakeEngine, folder: Path) -> None:
    """Training leaves the global generators as they were, and does not depend on them."""
    member = _member(0, {"rate": 0.1})
    curves = []
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)
        before = (random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index]
        _, told = _train(make(_case(folder / str(seed))), [member], 1)
        after = (random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index]
        assert before == after, "The caller's generators must be as before."
        curves.append(told.curve(member.key))
    assert curves[0] == curves[1], "The caller's generators must not matter."


def _build(hp: HyperParameters) -> Any:
    """Four weights, dropout for the random streams, and ways to fail."""
    import keras

    mood = hp.Choice("mood", ["good", "raises", "requires", "explodes"])
    if mood == "raises":
        raise RuntimeError("no model for this mood")
    hp.require(mood != "requires", "this mood is not wanted")
    start = keras.initializers.Constant(1e30) if mood == "explodes" else "glorot_uniform"
    dense = keras.layers.Dense(1, kernel_initializer=start)
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dropout(0.25), dense])
    model.compile(keras.optimizers.SGD(hp.Float("rate", 0.01, 1.0), momentum=0.5), "mse")
    return model


def _case(
    folder: Path,
    *,
    clock: Clock | None = None,
    deadline: Callable[[], float | None] = lambda: None,
    **arguments: Any,
) -> Assignment:
    from dialed.engine.data import Data

    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES + BATCH, FEATURES)).astype(np.float32)
    y = x @ np.array([[1.0], [-2.0], [0.5]], np.float32)
    return Assignment(
        recipe=Recipe(_build, {"epochs": EPOCHS, "batch_size": BATCH, **arguments}),
        data=Data.of(x[:SAMPLES], y[:SAMPLES], validation_data=(x[SAMPLES:], y[SAMPLES:])),
        objective=Objective(name="val_loss", direction="min"),
        checkpoints=Checkpoints(folder),
        clock=clock or SteppingClock(),
        deadline=deadline,
    )


def _member(trial: int, values: Values) -> Member:
    return Member(key=MemberKey(trial, 1, 0), values=values)


def _alike(some: Sequence[Mapping[str, float]], others: Sequence[Mapping[str, float]]) -> bool:
    """Whether two curves are equal, but for the order in which a program of another size adds up 32-bit floats."""
    if [metrics.keys() for metrics in some] != [metrics.keys() for metrics in others]:
        return False
    pairs = ((one[name], other[name]) for one, other in zip(some, others, strict=True) for name in one)
    return all(math.isclose(a, b, rel_tol=1e-6) for a, b in pairs)


def _train(
    engine: Engine, members: Sequence[Member], until: int, told: Recorder | None = None
) -> tuple[list[Outcome], Recorder]:
    told = told if told is not None else Recorder()
    return list(engine.train(members, until, told)), told


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """What Dialed logs as a warning inside."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    listener, logger = Listener(logging.WARNING), logging.getLogger("dialed")
    logger.addHandler(listener)
    try:
        yield said
    finally:
        logger.removeHandler(listener)
