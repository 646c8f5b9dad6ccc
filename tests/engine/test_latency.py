"""Latency: measured once for each architecture, told with every report."""

import logging
from itertools import count

import pytest

keras = pytest.importorskip("keras")

from dialed.engine.latency import FIRST_GUESS, SHARE, Timed, _architecture
from dialed.engine.recipe import Recipe
from dialed.events import Built, Measured
from dialed.trial import Member, MemberKey, Outcome, Report, State


class Ticking:
    """Each look at the clock is one second later."""

    def __init__(self):
        self.times = count()

    def monotonic(self):
        return float(next(self.times))

    now = monotonic


class Reporting:
    """Reports one epoch of each member."""

    closed = False

    def plan(self, members):
        return []

    def train(self, members, until, on_report):
        for member in members:
            on_report(Report(key=member.key, epoch=1, metrics={"val_loss": 1.0}))
            yield Outcome(key=member.key, state=State.COMPLETED, epoch=1)

    def close(self):
        self.closed = True


class Assigned:
    clock = Ticking()
    recipe = None


def build(hp):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(hp.Choice("units", [4, 8])),
            keras.layers.Dropout(hp.Float("rate", 0.0, 0.5)),
        ]
    )
    model.compile("sgd", "mse")
    return model


def test_a_trial_of_an_architecture_that_is_known_is_not_measured_again():
    assigned = Assigned()
    assigned.recipe = Recipe(build)
    engine, told = Timed(Reporting(), assigned, asked=True), []
    members = [
        Member(key=MemberKey(number, seed, 0), values={"units": units, "rate": rate})
        for number, (units, rate) in enumerate([(4, 0.1), (4, 0.4), (8, 0.1)])
        for seed in (1, 2)
    ]
    outcomes = list(engine.train(members, 1, lambda report: bool(told.append(report))))
    assert [outcome.key for outcome in outcomes] == [member.key for member in members]
    reports = [progress for progress in told if isinstance(progress, Report)]
    assert len(reports) == 6
    assert all(report.metrics == {"val_loss": 1.0, "latency": 1 / 20} for report in reports)
    assert [progress.trial for progress in told if isinstance(progress, Measured)] == [0, 1, 2]
    assert next(assigned.clock.times) == 2 * 2 * 7  # two architectures, seven rounds, two looks each
    engine.close()
    assert engine.engine.closed


class Spending(Reporting):
    """Builds and reports; a training takes as many seconds of the clock as it is told."""

    def __init__(self, clock, seconds):
        self.clock, self.seconds = clock, seconds

    def train(self, members, until, on_report):
        for member in members:
            on_report(Built(trial=member.key.trial, values=member.values, parameters=16))
            self.clock.now += self.seconds
            yield Outcome(key=member.key, state=State.COMPLETED, epoch=1)


class Standing:
    """A clock that stands still but for what is put on it."""

    now = 0.0

    def monotonic(self):
        return self.now


class Unlimited:
    is_late = False

    def __init__(self):
        self.clock, self.recipe = Standing(), Recipe(build)


def member(number, units, purpose="search"):
    return Member(key=MemberKey(number, 1, 0), values={"units": units, "rate": 0.1}, purpose=purpose)


def timed(assigned, seconds, *members):
    """The trials whose latency is told after a training of so many seconds for each member, in their order."""
    told = []
    engine = Timed(Spending(assigned.clock, seconds), assigned, asked=False)
    list(engine.train(members, 1, lambda progress: bool(told.append(progress))))
    return [progress.trial for progress in told if isinstance(progress, Measured)]


def test_unasked_a_latency_may_take_two_hundredths_of_the_training():
    assert timed(Unlimited(), 0.99 * FIRST_GUESS / SHARE, member(0, 4)) == []
    assert timed(Unlimited(), 1.01 * FIRST_GUESS / SHARE, member(0, 4)) == [0]


def test_unasked_finalists_are_measured_in_any_case():
    assert timed(Unlimited(), 0.0, member(0, 4), member(1, 8, "confirm"), member(2, 4, "confirm")) == [1, 2]


def test_what_was_owed_is_measured_when_there_is_time():
    assigned, told = Unlimited(), []
    engine = Timed(Spending(assigned.clock, 0.0), assigned, asked=False)
    list(engine.train([member(0, 4), member(1, 8)], 1, lambda progress: bool(told.append(progress))))
    assert not [p for p in told if isinstance(p, Measured)]
    engine.engine.seconds = 2 * FIRST_GUESS / SHARE
    list(engine.train([member(2, 8)], 1, lambda progress: bool(told.append(progress))))
    assert [p.trial for p in told if isinstance(p, Measured)] == [0, 1, 2]


def test_past_the_deadline_nothing_is_measured():
    assigned = Unlimited()
    assigned.is_late = True
    assert timed(assigned, 1000.0, member(0, 4, "confirm")) == []


def test_what_cannot_be_timed_is_said_and_ends_nothing(caplog):
    assigned = Unlimited()
    assigned.recipe = Recipe(broken)
    with caplog.at_level(logging.INFO, logger="dialed"):
        assert timed(assigned, 1000.0, member(0, 4), member(1, 8)) == []
    assert "The latency of trial 0 was not measured" in caplog.text


def broken(hp):
    raise OSError("the file with the vocabulary is gone")


def test_what_a_layer_computes_counts_and_its_numbers_do_not():
    made = [build(hp) for hp in map(_values, [{"rate": 0.1}, {"rate": 0.3}, {"units": 8}])]
    first, rate, units = map(_architecture, made)
    assert first == rate
    assert first != units


def _values(values):
    from dialed.space import HyperParameters

    return HyperParameters(values)
