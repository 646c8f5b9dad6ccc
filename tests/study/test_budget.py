import pytest

from dialed.errors import InvalidInputError
from dialed.search import History, Terms
from dialed.study import Budget, parse_seconds
from dialed.trial import Objective

TERMS = Terms(objective=Objective(name="loss", direction="min"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90.0), ("10m", 600.0), ("2h", 7200.0), ("1h 30m", 5400.0), ("1.5h", 5400.0), ("15", 15.0), (0.5, 0.5)],
)
def test_a_duration_is_read_as_people_write_it(text, seconds):
    assert parse_seconds(text) == seconds


def test_no_duration_stays_none():
    assert parse_seconds(None) is None


@pytest.mark.parametrize("bad", ["", "soon", "10 parsecs", "m", 0, -1, True, float("nan"), float("inf"), [1]])
def test_what_is_no_duration_is_refused(bad):
    with pytest.raises(InvalidInputError, match=r"The `max_time` must be a positive number of seconds.*Got"):
        parse_seconds(bad)


@pytest.mark.parametrize("bad", [0, -3, 2.5, True, "10"])
def test_counts_must_be_positive_ints(bad):
    with pytest.raises(InvalidInputError, match=r"The `max_trials` must be an int in the range \[1, inf\) or None"):
        Budget.of(bad, None, None)
    with pytest.raises(InvalidInputError, match="The `max_epochs` must be"):
        Budget.of(None, bad, None)


def test_the_first_limit_that_is_reached_ends_the_search():
    history = History(TERMS)
    budget = Budget.of(None, 5, "10s")
    assert budget.spent(history, 1.0) is None
    assert "max_time=10 s is reached" in budget.spent(history, 10.0)
