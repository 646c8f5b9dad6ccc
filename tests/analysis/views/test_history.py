"""The course of a search."""

from dialed.analysis.views import history_view


def test_columns_have_one_entry_a_trial(searched):
    view = history_view(searched(12))
    columns = (view.scores, view.spreads, view.best, view.epochs, view.states, view.causes)
    assert {len(column) for column in columns} == {len(view.numbers)} == {12}
    assert view.scores[9] is None
    assert (view.states[9], view.causes[9]) == ("failed", "nan")
    assert view.epochs[-1] == 11


def test_the_best_so_far_follows_the_direction(writer):
    for direction, expected in (("min", (2.0, 1.0, 1.0)), ("max", (2.0, 2.0, 3.0))):
        made = writer(direction)
        for score in (2.0, 1.0, 3.0):
            made.train(made.start({}, until=1), [score])
        view = history_view(made.history)
        assert view.best == expected
        assert view.winner == expected.index(expected[-1])
        assert view.baseline == 0


def test_an_infinite_score_is_none(writer):
    made = writer("min")
    made.train(made.start({}, until=1), [float("inf")])
    assert history_view(made.history).scores == (None,)


def test_an_empty_study_has_a_view(searched):
    view = history_view(searched(0))
    assert view.numbers == ()
    assert view.limits is None
