"""Two objectives against each other."""

import pytest

from dialed.analysis.views import front_view
from dialed.errors import InvalidInputError
from dialed.events import TrialStarted
from dialed.objectives import Constraint
from dialed.search import History, Terms
from dialed.trial import MemberKey, Objective, Outcome, Report, State

ACCURACY, SIZE = Objective("accuracy", "max"), Objective("size", "min")


def history(points, constraints=()):
    made = History(Terms(objective=ACCURACY, others=(SIZE,), constraints=constraints))
    for number, (accuracy, size) in enumerate(points):
        made.apply(TrialStarted(trial=number, values={}, until=1, epochs=1, seeds=(0,)))
        key = MemberKey(number, 0, 0)
        made.apply(Report(key=key, epoch=1, metrics={"accuracy": accuracy, "size": size}))
        made.apply(Outcome(key=key, state=State.COMPLETED, epoch=1))
    return made


def test_the_score_is_up_and_the_front_is_marked():
    view = front_view(history([(0.9, 10.0), (0.8, 5.0), (0.7, 7.0)]))
    assert (view.x, view.y) == (SIZE, ACCURACY)
    assert view.on_front == (True, True, False)
    assert (view.x_values, view.y_values) == ((10.0, 5.0, 7.0), (0.9, 0.8, 0.7))


def test_what_breaks_a_constraint_is_not_on_the_front():
    view = front_view(history([(0.9, 10.0), (0.8, 5.0)], (Constraint("size", max=8),)))
    assert view.feasible == (False, True)
    assert view.on_front == (False, True)
    assert view.constraints == ("size <= 8",)


def test_axes_can_be_named():
    view = front_view(history([(0.9, 10.0)]), x="accuracy", y="size")
    assert (view.x.name, view.y.name) == ("accuracy", "size")
    assert front_view(history([(0.9, 10.0)]), x="accuracy").y.name == "accuracy"
    with pytest.raises(InvalidInputError, match="Got 'sise'. Did you mean 'size'?"):
        front_view(history([]), x="sise")


def test_one_objective_has_no_front(searched):
    with pytest.raises(InvalidInputError, match="two or more objectives. Got one, 'loss'"):
        front_view(searched(3))
