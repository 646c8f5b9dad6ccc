"""The plan of the first trials: who shares a program, what cannot, and what that says of the rest."""

import pytest

from dialed.engine.protocol import Batch
from dialed.search import History, Manual, Sobol, Terms
from dialed.space import Choice, Float, Hyperparameter, Space
from dialed.study.forecast import SAMPLE, Forecast, Planned, _first
from dialed.trial import Member, MemberKey, Objective

SPACE = Space([Hyperparameter("rate", Float(0.0, 1.0)), Hyperparameter("kind", Choice(["a", "b"]))])
HISTORY = History(Terms(objective=Objective(name="val_loss", direction="min"), epochs=2))


def batch(program: str, *trials: int, seeds: int = 1, reason: str = "", padding: str = "") -> Batch:
    members = tuple(Member(key=MemberKey(t, s, 0), values={}) for t in trials for s in range(seeds))
    return Batch(members=members, program=program, reason=reason, padding=padding)


def test_trials_are_gathered_by_program_and_by_reason():
    plan = Forecast.of(
        [
            batch("fused-2", 4, seeds=2),
            batch("fused-1", 0, 1, 2, seeds=2),
            batch("fit", 3, reason="a callback\nof its own"),
            batch("fit", 5, reason="a callback\nof its own"),
            batch("none", 6, reason="The build function raised ZeroDivisionError."),
        ],
        7,
    )
    assert plan.lines == [
        "3 trials as 6 lanes of one",
        "1 trial in one of its own",
        "2 trials by model.fit: a callback",
        "1 trial would fail: The build function raised ZeroDivisionError.",
    ]
    assert len(plan.fused) == 2
    assert plan.share_alone == pytest.approx(2 / 11)  # members, not trials; those that fail train nothing


def test_widths_that_are_made_equal_are_told():
    plan = Forecast.of([batch("fused-1", 0, 1, 2, padding="padded to units=64")], 3)
    assert plan.planned == (Planned(program="fused-1", trials=3, lanes=3, padding="padded to units=64"),)
    assert plan.lines == ["3 trials as 3 lanes of one; padded to units=64"]


def test_small_programs_are_counted_together():
    plan = Forecast.of(
        [batch(f"fused-{i}", 2 * i, 2 * i + 1) for i in range(6)] + [batch(f"fused-{9 + i}", 20 + i) for i in range(3)],
        15,
    )
    assert plan.lines == ["2 trials as 2 lanes of one"] * 4 + [
        "4 trials in 2 other programs",
        "3 trials in programs of their own",
    ]


def test_new_programs_come_as_often_as_single_ones_did():
    plan = Forecast.of([batch("fused-1", 0, 1, 2), batch("fused-2", 3)], 4)
    assert plan.programs(4) == 2
    assert plan.programs(12) == 2 + 8 / 4
    settled = Forecast.of([batch("fused-1", 0, 1), batch("fused-2", 2, 3)], 4)
    assert settled.programs(1000) == 2


def test_an_engine_that_trains_one_by_one_shares_nothing():
    plan = Forecast.of([batch("fit", 0), batch("fit", 1)], 2)
    assert (plan.lines, plan.share_alone, plan.programs(50)) == ([], 1.0, 0)


def test_the_strategys_own_trials_come_first_and_the_space_fills_the_rest():
    chosen = _first(Manual([{"rate": 0.25, "kind": "b"}], default_first=False), SPACE, HISTORY, SAMPLE)
    assert chosen[0] == {"rate": 0.25, "kind": "b"}
    assert len(chosen) == SAMPLE == len({SPACE.key(values) for values in chosen})
    assert {values["kind"] for values in chosen} == {"a", "b"}
    assert chosen[1:3] == [dict(d.values) for d in Sobol().decide(SPACE, HISTORY, None, 2)]


def test_no_more_trials_are_planned_than_there_will_be():
    assert len(_first(Sobol(), SPACE, HISTORY, 3)) == 3
