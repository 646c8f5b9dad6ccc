"""Latency: measured once for each architecture, told with every report."""

from itertools import count

import pytest

keras = pytest.importorskip("keras")

from dialed.engine.latency import Timed, _architecture
from dialed.engine.recipe import Recipe
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
    engine, told = Timed(Reporting(), assigned), []
    members = [
        Member(key=MemberKey(number, seed, 0), values={"units": units, "rate": rate})
        for number, (units, rate) in enumerate([(4, 0.1), (4, 0.4), (8, 0.1)])
        for seed in (1, 2)
    ]
    outcomes = list(engine.train(members, 1, lambda report: bool(told.append(report))))
    assert [outcome.key for outcome in outcomes] == [member.key for member in members]
    assert all(report.metrics == {"val_loss": 1.0, "latency": 1 / 20} for report in told)
    assert next(assigned.clock.times) == 2 * 2 * 7  # two architectures, seven rounds, two looks each
    engine.close()
    assert engine.engine.closed


def test_what_a_layer_computes_counts_and_its_numbers_do_not():
    made = [build(hp) for hp in map(_values, [{"rate": 0.1}, {"rate": 0.3}, {"units": 8}])]
    first, rate, units = map(_architecture, made)
    assert first == rate
    assert first != units


def _values(values):
    from dialed.space import HyperParameters

    return HyperParameters(values)
