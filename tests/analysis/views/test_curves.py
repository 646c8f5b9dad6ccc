"""Learning curves as lines."""

import math

from dialed.analysis.views import curves_view
from dialed.trial import MemberKey, Report


def test_members_of_a_trial_are_one_line_with_its_range(writer):
    made = writer("min")
    number = made.start({}, until=2, seeds=(0, 1))
    made.train(number, [3.0, 1.0], seed=0)
    made.train(number, [5.0, math.nan], seed=1)
    (line,) = curves_view(made.history).lines
    assert (line.members, line.values, line.low, line.high) == (2, (4.0, 1.0), (3.0, 1.0), (5.0, 1.0))


def test_the_winner_is_drawn_last(halved):
    lines = curves_view(halved).lines
    assert [lines[-2].role, lines[-1].role] == ["defaults", "winner"]
    assert len(lines) == 9


def test_of_many_trials_some_of_each_quality_are_shown(searched):
    view = curves_view(searched(100), most=10)
    assert len(view.lines) == 10
    assert view.trials == 90
    shown = [line.values[0] for line in view.lines]
    assert max(shown) > 2.5
    assert {line.role for line in view.lines} == {"winner", "defaults", "other"}


def test_named_trials_are_shown_alone(halved):
    assert {line.trial for line in curves_view(halved, trials=[3, 4]).lines} == {3, 4}


def test_another_metric_comes_from_the_reports(halved):
    reports = [Report(key=MemberKey(0, 0, 0), epoch=2, metrics={"acc": 0.5})]
    view = curves_view(halved, metric="acc", reports=reports)
    assert [(line.trial, line.values) for line in view.lines] == [(0, (None, 0.5))]


def test_a_study_without_curves_has_an_empty_view(searched):
    assert curves_view(searched(0)).lines == ()
