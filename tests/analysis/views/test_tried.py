"""Which points of a plane were tried."""

from itertools import product

from dialed.analysis.views import tried_view
from dialed.space import Float, Hyperparameter, Space

PLANE = Space([Hyperparameter(name, Float(0.0, 1.0)) for name in ("x", "y")])


def test_a_grid_knows_few_values_of_each(writer):
    made = writer("min")
    for x, y in product((0.0, 0.5, 1.0), repeat=2):
        made.train(made.start({"x": x, "y": y}, until=1), [x + y])
    view = tried_view(made.history, PLANE)
    assert view.sentence == "9 trials try 3 different values of x and 3 different values of y."
    assert [count for count in view.x.counts if count] == [3, 3, 3]
    assert [best for best in view.x.best if best is not None] == [0.0, 0.5, 1.0]


def test_random_trials_know_many(sampled):
    history = sampled(PLANE, lambda values, _: values["x"], 9)
    assert tried_view(history, PLANE).x.distinct == 9


def test_one_trial_is_told_as_one(writer):
    made = writer("min")
    made.train(made.start({"x": 0.5, "y": 0.5}, until=1), [1.0])
    assert tried_view(made.history, PLANE).sentence == "1 trial tries 1 value of x and 1 value of y."
