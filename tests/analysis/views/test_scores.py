"""Scores as a picture needs them."""

import math

import pytest

from dialed.analysis.views.scores import finite, limits_of, quality_of, winner_of
from dialed.trial import Objective

LOSS, ACCURACY = Objective("loss", "min"), Objective("accuracy", "max")


def test_quality_is_a_rank_with_one_for_the_best():
    assert quality_of([3.0, None, 1.0, 2.0], LOSS) == (0.0, None, 1.0, 0.5)
    assert quality_of([3.0, 1.0, 2.0], ACCURACY) == (1.0, 0.0, 0.5)


def test_equal_scores_have_equal_quality():
    assert quality_of([1.0, 1.0, 2.0], LOSS) == (0.75, 0.75, 0.0)
    assert quality_of([1.0], LOSS) == (1.0,)
    assert quality_of([None], LOSS) == (None,)


@pytest.mark.parametrize(("objective", "ends"), [(LOSS, (1.0, 4.0)), (ACCURACY, (1.0, 4.0))])
def test_limits_leave_out_what_is_far_off(objective, ends):
    sign = 1 if objective is LOSS else -1
    scores = [1.0, 2.0, 3.0, 4.0, sign * 1e6]
    assert limits_of(scores, objective) == ends


def test_limits_of_nothing_are_none():
    assert limits_of([None], LOSS) is None
    assert limits_of([2.0], LOSS) == (2.0, 2.0)


def test_what_is_not_finite_is_missing():
    assert [finite(x) for x in (math.nan, math.inf, None, 2)] == [None, None, None, 2.0]


def test_the_confirmed_winner_is_the_winner(writer):
    made = writer("min")
    for score in (3.0, 1.0, 2.0):
        made.train(made.start({}, until=1), [score])
    assert winner_of(made.history) == 1
    made.judge(1, {7: 5.0, 8: 5.1})
    made.judge(2, {7: 2.0, 8: 2.1})
    assert winner_of(made.history) == 2
